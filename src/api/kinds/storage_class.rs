//! StorageClasses (`pkg/registry/storage/storageclass/strategy.go`, `pkg/apis/storage/v1/defaults.go`,
//! `pkg/apis/storage/validation`, `pkg/api/storage`).
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::TopologySelectorTerm;
use k8s_openapi::api::storage::v1::StorageClass;

use super::persistent_volume::deprecated_node_label;
use crate::api::field::{ErrorList, Path};
use crate::api::strategy::Strategy;
use crate::api::validation::names::{name_is_dns_subdomain, validate_qualified_name};
use crate::api::validation::node_selector::validate_topology_selector_term;
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::validate_immutable;

const MAX_PARAMETERS: usize = 512;
const MAX_PARAMETERS_SIZE: usize = 256 * 1024;
const RECLAIM_POLICIES: [&str; 2] = ["Delete", "Retain"];
const BINDING_MODES: [&str; 2] = ["Immediate", "WaitForFirstConsumer"];

impl Strategy for StorageClass {
    fn set_defaults(&mut self) {
        self.reclaim_policy.get_or_insert_with(|| "Delete".to_owned());
        self.volume_binding_mode.get_or_insert_with(|| "Immediate".to_owned());
    }

    fn validate(&self) -> ErrorList {
        let mut errors = validate_object_meta(&self.metadata, false, name_is_dns_subdomain, &Path::root("metadata"));
        errors.extend(validate_provisioner(&self.provisioner, &Path::root("provisioner")));
        errors.extend(validate_parameters(self.parameters.as_ref(), true, &Path::root("parameters")));
        if let Some(policy) = self.reclaim_policy.as_deref().filter(|p| !p.is_empty() && !RECLAIM_POLICIES.contains(p))
        {
            errors.push(Path::root("reclaimPolicy").not_supported(policy, &RECLAIM_POLICIES));
        }
        let mode_path = Path::root("volumeBindingMode");
        match self.volume_binding_mode.as_deref() {
            None => errors.push(mode_path.required("")),
            Some(mode) if !BINDING_MODES.contains(&mode) => {
                errors.push(mode_path.not_supported(mode, &BINDING_MODES));
            }
            Some(_) => {}
        }
        let terms = self.allowed_topologies.as_deref().unwrap_or_default();
        errors.extend(validate_allowed_topologies(terms, &Path::root("allowedTopologies")));
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = self.validate();
        errors.extend(validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata")));
        let given = |parameters: &Option<BTreeMap<String, String>>| parameters.clone().filter(|p| !p.is_empty());
        errors.extend(validate_immutable(&given(&self.parameters), &given(&old.parameters), &Path::root("parameters")));
        errors.extend(validate_immutable(&self.provisioner, &old.provisioner, &Path::root("provisioner")));
        errors.extend(validate_immutable(&self.reclaim_policy, &old.reclaim_policy, &Path::root("reclaimPolicy")));
        let path = Path::root("volumeBindingMode");
        errors.extend(validate_immutable(&self.volume_binding_mode, &old.volume_binding_mode, &path));
        errors
    }

    fn warnings(&self, _old: Option<&Self>) -> Vec<String> {
        let mut warnings = Vec::new();
        for (i, term) in self.allowed_topologies.iter().flatten().enumerate() {
            for (j, expression) in term.match_label_expressions.iter().flatten().enumerate() {
                if let Some(message) = deprecated_node_label(&expression.key) {
                    warnings.push(format!("allowedTopologies[{i}].matchLabelExpressions[{j}].key: {message}"));
                }
            }
        }
        warnings
    }
}

/// The name of a provisioner or driver: a qualified name in any case (`validateProvisioner`).
pub(super) fn validate_provisioner(provisioner: &str, path: &Path<'_>) -> ErrorList {
    if provisioner.is_empty() {
        return vec![path.required("")];
    }
    validate_qualified_name(&provisioner.to_lowercase(), path)
}

/// At most 512 parameters of together 256 KiB (`validateParameters`).
pub(super) fn validate_parameters(
    parameters: Option<&BTreeMap<String, String>>,
    allow_empty: bool,
    path: &Path<'_>,
) -> ErrorList {
    let count = parameters.map_or(0, BTreeMap::len);
    if count > MAX_PARAMETERS {
        return vec![path.too_long(MAX_PARAMETERS)];
    }
    let mut errors = Vec::new();
    let mut size = 0;
    for (key, value) in parameters.into_iter().flatten() {
        if key.is_empty() {
            errors.push(path.invalid(key.as_str(), "field can not be empty."));
        }
        size += key.len() + value.len();
    }
    if size > MAX_PARAMETERS_SIZE {
        errors.push(path.too_long(MAX_PARAMETERS_SIZE));
    }
    if !allow_empty && count == 0 {
        errors.push(path.required("must contain at least one key/value pair"));
    }
    errors
}

/// `validateAllowedTopologies`. Its list of earlier terms begins with as many empty ones as there are terms, so that a
/// term without expressions is a duplicate of those.
fn validate_allowed_topologies(terms: &[TopologySelectorTerm], path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let mut earlier = vec![BTreeMap::new(); terms.len()];
    for (i, term) in terms.iter().enumerate() {
        let path = path.index(i);
        let (map, wrong) = validate_topology_selector_term(term, &path);
        errors.extend(wrong);
        let equal = earlier.iter().filter(|e| **e == map).count();
        errors.extend((0..equal).map(|_| path.child("matchLabelExpressions").duplicate("")));
        earlier.push(map);
    }
    errors
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;
    use crate::api::ApiServer;

    fn class(more: Value) -> StorageClass {
        let mut object = json!({"metadata": {"name": "fast"}, "provisioner": "x.io/y"});
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn only_how_volumes_are_made_is_immutable() {
        let mut api = ApiServer::default();
        api.create(class(json!({}))).unwrap();
        let new = json!({"mountOptions": ["ro"], "allowVolumeExpansion": true, "metadata": {"name": "fast", "labels": {"a": "b"}},
            "allowedTopologies": [{"matchLabelExpressions": [{"key": "zone", "values": ["a"]}]}]});
        assert!(api.update(class(new)).is_ok());
        assert_eq!(api.update(class(json!({"parameters": {"type": "x"}}))).unwrap_err().causes.len(), 1);
    }

    #[test]
    fn policies_and_modes_are_known_words() {
        let refused = |more: Value| ApiServer::default().create(class(more)).unwrap_err().causes[0].to_string();
        let policy = refused(json!({"reclaimPolicy": "Recycle"}));
        assert_eq!(policy, r#"reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain""#);
        let mode = refused(json!({"volumeBindingMode": "Later"}));
        let modes = r#""Immediate", "WaitForFirstConsumer""#;
        assert_eq!(mode, format!("volumeBindingMode: Unsupported value: \"Later\": supported values: {modes}"));
    }

    #[test]
    fn beta_topology_labels_are_warned_about() {
        let term =
            json!({"matchLabelExpressions": [{"key": "failure-domain.beta.kubernetes.io/zone", "values": ["a"]}]});
        let accepted = ApiServer::default().create(class(json!({"allowedTopologies": [term]}))).unwrap();
        let message = "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead";
        assert_eq!(accepted.warnings, [format!("allowedTopologies[0].matchLabelExpressions[0].key: {message}")]);
    }
}
