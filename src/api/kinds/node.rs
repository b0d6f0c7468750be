//! Nodes (`pkg/registry/core/node/strategy.go`, `ValidateNode` of `pkg/apis/core/validation`).
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Node, Taint};

use crate::api::field::{ErrorList, Path};
use crate::api::strategy::Strategy;
use crate::api::validation::ip::{validate_cidr_for_legacy_field, warnings_for_cidr};
use crate::api::validation::label_selector::validate_label_name;
use crate::api::validation::names::{is_label_value, name_is_dns_subdomain};
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::pod_spec::validate_taint_effect;
use crate::api::validation::resources::{ResourceList, validate_resource_quantity_value};

impl Strategy for Node {
    fn set_defaults(&mut self) {
        if let Some(status) = self.status.as_mut().filter(|s| s.allocatable.is_none()) {
            status.allocatable.clone_from(&status.capacity);
        }
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        self.spec.clone_from(&old.spec);
    }

    fn validate(&self) -> ErrorList {
        let path = Path::root("metadata");
        let mut errors = validate_object_meta(&self.metadata, false, name_is_dns_subdomain, &path);
        let spec = self.spec.as_ref();
        errors.extend(validate_taints(spec.and_then(|s| s.taints.as_deref()).unwrap_or_default(), &path));
        errors.extend(validate_resources(self));
        let ranges = spec.and_then(|s| s.pod_cidrs.as_deref()).unwrap_or_default();
        let path = Path::root("spec");
        let path = path.child("podCIDRs");
        for (i, range) in ranges.iter().enumerate() {
            errors.extend(validate_cidr_for_legacy_field(range, &[], &path.index(i)));
        }
        let families: BTreeSet<bool> = ranges.iter().map(|range| range.contains(':')).collect();
        if ranges.len() > 2 || (ranges.len() == 2 && families.len() != 2) {
            errors.push(path.invalid(ranges.to_vec(), "may specify no more than one CIDR for each IP family"));
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let path = Path::root("metadata");
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &path);
        errors.extend(validate_resources(self));
        let spec_path = Path::root("spec");
        let (new, old) = (self.spec.clone().unwrap_or_default(), old.spec.clone().unwrap_or_default());
        if old.pod_cidrs.as_ref().is_some_and(|ranges| !ranges.is_empty()) && old.pod_cidrs != new.pod_cidrs {
            let why = "node updates may not change podCIDR except from \"\" to valid";
            errors.push(spec_path.child("podCIDRs").forbidden(why));
        }
        if old.provider_id.as_ref().is_some_and(|id| !id.is_empty()) && old.provider_id != new.provider_id {
            let why = "node updates may not change providerID except from \"\" to valid";
            errors.push(spec_path.child("providerID").forbidden(why));
        }
        errors.extend(validate_taints(new.taints.as_deref().unwrap_or_default(), &path));
        if new.external_id.unwrap_or_default() != old.external_id.unwrap_or_default() {
            errors.push(spec_path.child("externalID").forbidden("may not be updated"));
        }
        errors
    }

    fn warnings(&self, _old: Option<&Self>) -> Vec<String> {
        let mut warnings = Vec::new();
        let Some(spec) = &self.spec else { return warnings };
        if spec.config_source.is_some() {
            warnings.push("spec.configSource: the feature is removed".to_owned());
        }
        if spec.external_id.as_ref().is_some_and(|id| !id.is_empty()) {
            warnings.push("spec.externalID: this field is deprecated, and is unused by Kubernetes".to_owned());
        }
        let path = Path::root("spec");
        let path = path.child("podCIDRs");
        for (i, range) in spec.pod_cidrs.iter().flatten().enumerate() {
            warnings.extend(warnings_for_cidr(range, &path.index(i)));
        }
        warnings
    }
}

/// Taints; errors about them are reported below the metadata, as Kubernetes does (`validateNodeTaints`).
fn validate_taints(taints: &[Taint], path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let path = path.child("taints");
    let mut seen = BTreeSet::new();
    for (i, taint) in taints.iter().enumerate() {
        let path = path.index(i);
        errors.extend(validate_label_name(&taint.key, &path.child("key")));
        let value = taint.value.as_deref().unwrap_or_default();
        let messages = is_label_value(value);
        if !messages.is_empty() {
            errors.push(path.child("value").invalid(value, messages.join(";")));
        }
        if taint.effect.is_empty() {
            errors.push(path.child("effect").required(""));
        } else {
            errors.extend(validate_taint_effect(&taint.effect, &path.child("effect")));
        }
        if !seen.insert((&taint.effect, &taint.key)) {
            let mut error = path.duplicate(serde_json::Value::Null);
            // printed by hand: Go prints the fields of the internal type in their order
            let text = |text: &str| serde_json::Value::from(text).to_string();
            error.bad_value = None;
            error.detail = format!(
                "{{\"Key\":{},\"Value\":{},\"Effect\":{},\"TimeAdded\":null}}: taints must be unique by key and effect pair",
                text(&taint.key),
                text(value),
                text(&taint.effect)
            );
            errors.push(error);
        }
    }
    errors
}

fn validate_resources(node: &Node) -> ErrorList {
    let mut errors = Vec::new();
    let path = Path::root("status");
    let status = node.status.as_ref();
    let mut check = |list: Option<&ResourceList>, field: &str| {
        let path = path.child(field);
        for (name, quantity) in list.into_iter().flatten() {
            errors.extend(validate_resource_quantity_value(name, quantity, &path.child(name)));
        }
    };
    check(status.and_then(|s| s.capacity.as_ref()), "capacity");
    check(status.and_then(|s| s.allocatable.as_ref()), "allocatable");
    errors
}
