//! Nodes (`pkg/registry/core/node/strategy.go`, `ValidateNode` in `pkg/apis/core/validation`).
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Node, Taint};

use super::persistent_volume::default_resource_list;
use crate::api::field::{ErrorList, Path};
use crate::api::internal;
use crate::api::strategy::{Strategy, keep};
use crate::api::validation::ip::{validate_cidr_for_legacy_field, warnings_for_cidr};
use crate::api::validation::label_selector::validate_label_name;
use crate::api::validation::names::{is_label_value, name_is_dns_subdomain};
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::pod_spec::validate_taint_effect;
use crate::api::validation::resources::validate_resource_quantity_value;

impl Strategy for Node {
    fn set_defaults(&mut self) {
        let Some(status) = &mut self.status else { return };
        if status.allocatable.is_none() {
            status.allocatable.clone_from(&status.capacity);
        }
        default_resource_list(status.capacity.as_mut());
        default_resource_list(status.allocatable.as_mut());
    }

    fn prepare_for_create(&mut self) {
        if let Some(spec) = &mut self.spec {
            spec.config_source = None;
        }
    }

    fn prepare_for_update(&mut self, old: &Self) {
        keep(&mut self.status, &old.status);
        let had_source = old.spec.as_ref().is_some_and(|s| s.config_source.is_some());
        if let Some(spec) = &mut self.spec
            && !had_source
        {
            spec.config_source = None;
        }
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        keep(&mut self.spec, &old.spec);
    }

    fn validate(&self) -> ErrorList {
        let metadata = Path::root("metadata");
        let mut errors = validate_object_meta(&self.metadata, false, name_is_dns_subdomain, &metadata);
        errors.extend(validate_taints(taints(self), &metadata.child("taints")));
        errors.extend(validate_resources(self));
        let spec = Path::root("spec");
        let path = spec.child("podCIDRs");
        let cidrs = pod_cidrs(self);
        for (i, cidr) in cidrs.iter().enumerate() {
            errors.extend(validate_cidr_for_legacy_field(cidr, &[], &path.index(i)));
        }
        let families: BTreeSet<bool> = cidrs.iter().map(|cidr| cidr.contains(':')).collect();
        if cidrs.len() > 1 && (families.len() < 2 || cidrs.len() > 2) {
            errors.push(path.invalid(cidrs.to_vec(), "may specify no more than one CIDR for each IP family"));
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = self.validate();
        errors.extend(validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata")));
        let spec = Path::root("spec");
        if !pod_cidrs(old).is_empty() && pod_cidrs(old) != pod_cidrs(self) {
            let why = "node updates may not change podCIDR except from \"\" to valid";
            errors.push(spec.child("podCIDRs").forbidden(why));
        }
        let provider = |node: &Self| node.spec.as_ref().and_then(|s| s.provider_id.clone()).unwrap_or_default();
        if !provider(old).is_empty() && provider(old) != provider(self) {
            let why = "node updates may not change providerID except from \"\" to valid";
            errors.push(spec.child("providerID").forbidden(why));
        }
        let external = |node: &Self| node.spec.as_ref().and_then(|s| s.external_id.clone()).unwrap_or_default();
        if external(old) != external(self) {
            errors.push(spec.child("externalID").forbidden("may not be updated"));
        }
        errors
    }

    fn warnings(&self, _old: Option<&Self>) -> Vec<String> {
        let Some(spec) = &self.spec else { return Vec::new() };
        let mut warnings = Vec::new();
        if spec.config_source.is_some() {
            warnings.push("spec.configSource: the feature is removed".to_owned());
        }
        if spec.external_id.as_deref().is_some_and(|id| !id.is_empty()) {
            warnings.push("spec.externalID: this field is deprecated, and is unused by Kubernetes".to_owned());
        }
        let root = Path::root("spec");
        let path = root.child("podCIDRs");
        for (i, cidr) in pod_cidrs(self).iter().enumerate() {
            warnings.extend(warnings_for_cidr(cidr, &path.index(i)));
        }
        warnings
    }
}

fn taints(node: &Node) -> &[Taint] {
    node.spec.as_ref().and_then(|s| s.taints.as_deref()).unwrap_or_default()
}

fn pod_cidrs(node: &Node) -> &[String] {
    node.spec.as_ref().and_then(|s| s.pod_cidrs.as_deref()).unwrap_or_default()
}

/// `validateNodeTaints`.
fn validate_taints(taints: &[Taint], path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let mut known = BTreeSet::new();
    for (i, taint) in taints.iter().enumerate() {
        let path = path.index(i);
        errors.extend(validate_label_name(&taint.key, &path.child("key")));
        let value = taint.value.as_deref().unwrap_or_default();
        let wrong = is_label_value(value);
        if !wrong.is_empty() {
            errors.push(path.child("value").invalid(value, wrong.join(";")));
        }
        if taint.effect.is_empty() {
            errors.push(path.child("effect").required(""));
        } else {
            errors.extend(validate_taint_effect(&taint.effect, &path.child("effect")));
        }
        if !known.insert((&taint.effect, &taint.key)) {
            let mut error = path.duplicate(serde_json::Value::Null);
            error.bad_value = None;
            let printed = internal::to_json("Taint", taint);
            error.detail = format!("{printed}: taints must be unique by key and effect pair");
            errors.push(error);
        }
    }
    errors
}

/// `ValidateNodeResources`.
fn validate_resources(node: &Node) -> ErrorList {
    let Some(status) = &node.status else { return Vec::new() };
    let root = Path::root("status");
    let mut errors = Vec::new();
    for (list, field) in [(&status.capacity, "capacity"), (&status.allocatable, "allocatable")] {
        let path = root.child(field);
        for (name, quantity) in list.iter().flatten() {
            errors.extend(validate_resource_quantity_value(name, quantity, &path.child(name)));
        }
    }
    errors
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn taints_are_labels_with_a_known_effect_and_stand_once() {
        let taints = serde_json::json!([{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoSchedule"},
            {"key": "b", "effect": "Never"}]);
        let json = serde_json::json!({"metadata": {"name": "n"}, "spec": {"taints": taints}});
        let node: Node = serde_json::from_value(json).unwrap();
        let texts: Vec<String> = node.validate().iter().map(ToString::to_string).collect();
        let expected = [
            "metadata.taints[1]: Duplicate value: {\"Key\":\"a\",\"Value\":\"\",\"Effect\":\"NoSchedule\",\
             \"TimeAdded\":null}: taints must be unique by key and effect pair",
            "metadata.taints[2].effect: Unsupported value: \"Never\": supported values: \"NoSchedule\", \
             \"PreferNoSchedule\", \"NoExecute\"",
        ];
        assert_eq!(texts, expected);
    }
}
