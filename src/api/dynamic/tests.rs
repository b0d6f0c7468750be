#![allow(clippy::unwrap_used)]
use k8s_openapi::api::core::v1::{Namespace, PersistentVolumeClaim};
use serde_json::json;

use super::*;

fn server() -> ApiServer {
    let mut api = ApiServer::default();
    let namespace = json!({"metadata": {"name": "default"}});
    api.create::<Namespace>(serde_json::from_value(namespace).unwrap()).unwrap();
    let claim = json!({"metadata": {"name": "data", "namespace": "default"}, "spec": {"accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}}}});
    api.create::<PersistentVolumeClaim>(serde_json::from_value(claim).unwrap()).unwrap();
    api
}

fn patch(patch: Patch) -> Result<Accepted<Object>, Status> {
    server().patch(Kind::PersistentVolumeClaim, "default", "data", &patch, FieldValidation::Warn)
}

fn refusal(body: Patch) -> (Reason, String) {
    let status = patch(body).unwrap_err();
    (status.reason, status.message)
}

#[test]
fn a_json_patch_that_cannot_be_applied_is_refused_without_a_reason() {
    let why = "the server rejected our request due to an error in our request".to_owned();
    for operation in [
        json!({"op": "test", "path": "/spec/volumeMode", "value": "Block"}),
        json!({"op": "remove", "path": "/spec/nothing"}),
        json!({"op": "add", "path": "/metadata/labels/a", "value": "b"}),
        json!({"op": "frobnicate", "path": "/spec"}),
        json!({"op": "add"}),
    ] {
        assert_eq!(refusal(Patch::Json(json!([operation]))), (Reason::Invalid, why.clone()), "{operation}");
    }
}

#[test]
fn a_json_patch_warns_of_fields_that_operations_do_not_have() {
    let operation = json!({"op": "test", "path": "/spec/volumeMode", "value": "Filesystem", "why": 1});
    let accepted = patch(Patch::Json(json!([operation]))).unwrap();
    assert_eq!(accepted.warnings, ["json patch unknown field \"[0].why\""]);
}

#[test]
fn a_patch_of_the_wrong_json_type_is_a_bad_request() {
    let map = "into Go value of type map[string]interface {}";
    let cases = [
        (Patch::Merge(json!([1])), format!("error decoding patch: json: cannot unmarshal array {map}")),
        (Patch::Strategic(json!("x")), format!("json: cannot unmarshal string {map}")),
        (
            Patch::Json(json!({})),
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
                .to_owned(),
        ),
    ];
    for (body, message) in cases {
        assert_eq!(refusal(body), (Reason::BadRequest, message));
    }
}

#[test]
fn a_patch_cannot_move_rename_or_swap_an_object() {
    let (reason, message) = refusal(Patch::Merge(json!({"metadata": {"namespace": "other"}})));
    let why = "the namespace of the provided object does not match the namespace sent on the request";
    assert_eq!((reason, message.as_str()), (Reason::BadRequest, why));
    assert!(patch(Patch::Merge(json!({"metadata": {"namespace": null}}))).is_ok());
    let (_, message) = refusal(Patch::Merge(json!({"metadata": {"name": null}})));
    let why = "the name of the object (data based on URL) was undeterminable: name must be provided";
    assert_eq!(message, why);
    let (reason, message) = refusal(Patch::Merge(json!({"metadata": {"uid": "abc"}})));
    assert_eq!(reason, Reason::Invalid);
    assert!(message.ends_with("metadata.uid: Invalid value: \"abc\": field is immutable"), "{message}");
}

#[test]
fn a_patch_of_an_old_resource_version_is_a_conflict() {
    let (reason, message) = refusal(Patch::Merge(json!({"metadata": {"resourceVersion": "7"}})));
    assert_eq!(reason, Reason::Conflict);
    assert!(message.contains("\"data\": the object has been modified"), "{message}");
    assert!(patch(Patch::Merge(json!({"metadata": {"resourceVersion": "0"}}))).is_ok());
}

fn create_claim(metadata: serde_json::Value) -> Result<Accepted<Object>, Status> {
    let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec});
    server().create_value(Kind::PersistentVolumeClaim, "default", &claim, FieldValidation::Strict)
}

#[test]
fn owner_references_that_are_there_twice_are_kept_once_with_a_warning_even_of_a_refused_object() {
    let owner = json!({"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "u1"});
    let owners = json!([owner, {"apiVersion": "v1", "kind": "Pod", "name": "b", "uid": "u1"}, owner]);
    let warning = ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and \
                   may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: u1";
    let accepted = create_claim(json!({"name": "a", "ownerReferences": owners})).unwrap();
    assert_eq!(accepted.warnings, [warning]);
    assert_eq!(accepted.object.metadata().owner_references.as_ref().map(Vec::len), Some(2));
    let refused = create_claim(json!({"name": "A", "ownerReferences": owners})).unwrap_err();
    assert_eq!((refused.reason, refused.warnings.as_slice()), (Reason::Invalid, [warning.to_owned()].as_slice()));
}
