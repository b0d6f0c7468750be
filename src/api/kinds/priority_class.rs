//! PriorityClasses (`pkg/registry/scheduling/priorityclass`, `pkg/apis/scheduling`).
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::api::field::{ErrorList, Path};
use crate::api::object::ApiObject;
use crate::api::strategy::Strategy;
use crate::api::validation::names::name_is_dns_subdomain;
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::pod_spec::validate_preemption_policy;
use crate::api::validation::validate_immutable;

const HIGHEST_USER_DEFINABLE: i32 = 1_000_000_000;
const SYSTEM_PREFIX: &str = "system-";

/// Name, value and description of the classes that every cluster has.
const SYSTEM_CLASSES: [(&str, i32, &str); 2] = [
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
];

/// The classes that every cluster has (`SystemPriorityClasses`).
pub fn system_priority_classes() -> Vec<PriorityClass> {
    let class = |(name, value, description): &(&str, i32, &str)| PriorityClass {
        metadata: ObjectMeta { name: Some((*name).to_owned()), ..Default::default() },
        value: Some(*value),
        description: Some((*description).to_owned()),
        ..Default::default()
    };
    SYSTEM_CLASSES.iter().map(class).collect()
}

/// Why a class with the reserved prefix is none of the system's own.
fn system_class_problem(class: &PriorityClass) -> Option<String> {
    let name = class.name();
    match SYSTEM_CLASSES.iter().find(|(known, _, _)| *known == name) {
        None => Some(format!("{name} is not a known system priority class")),
        Some((_, value, _)) if class.value.unwrap_or(0) != *value => {
            Some(format!("value of {name} PriorityClass must be {value}"))
        }
        Some(_) if class.global_default == Some(true) => {
            Some(format!("globalDefault of {name} PriorityClass must be false"))
        }
        Some(_) => None,
    }
}

impl Strategy for PriorityClass {
    fn set_defaults(&mut self) {
        self.preemption_policy.get_or_insert_with(|| "PreemptLowerPriority".to_owned());
    }

    fn prepare_for_create(&mut self) {
        self.metadata.generation = Some(1);
    }

    fn validate(&self) -> ErrorList {
        let path = Path::root("metadata");
        let mut errors = validate_object_meta(&self.metadata, false, name_is_dns_subdomain, &path);
        if self.name().starts_with(SYSTEM_PREFIX) {
            if let Some(why) = system_class_problem(self) {
                let start = "priority class names with 'system-' prefix are reserved for system use only. error";
                errors.push(path.child("name").forbidden(format!("{start}: {why}")));
            }
        } else if self.value.unwrap_or(0) > HIGHEST_USER_DEFINABLE {
            let why = format!("maximum allowed value of a user defined priority is {HIGHEST_USER_DEFINABLE}");
            errors.push(Path::root("value").forbidden(why));
        }
        if let Some(policy) = self.preemption_policy.as_deref() {
            errors.extend(validate_preemption_policy(policy, &Path::root("preemptionPolicy")));
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        if self.value.unwrap_or(0) != old.value.unwrap_or(0) {
            errors.push(Path::root("value").forbidden("may not be changed in an update."));
        }
        let path = Path::root("preemptionPolicy");
        errors.extend(validate_immutable(&self.preemption_policy, &old.preemption_policy, &path));
        errors
    }
}
