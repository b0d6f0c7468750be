//! PriorityClasses (`pkg/registry/scheduling/priorityclass`, `pkg/apis/scheduling`).
//!
//! That only one class may be the default is the business of the Priority admission plugin.
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::api::field::{ErrorList, Path};
use crate::api::object::ApiObject;
use crate::api::strategy::Strategy;
use crate::api::validation::names::name_is_dns_subdomain;
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::pod_spec::validate_preemption_policy;
use crate::api::validation::validate_immutable;

/// The highest value of a class that is not Kubernetes' own.
const HIGHEST_USER_DEFINABLE_PRIORITY: i32 = 1_000_000_000;
/// Where the values of Kubernetes' own classes begin.
const SYSTEM_CRITICAL_PRIORITY: i32 = 2 * HIGHEST_USER_DEFINABLE_PRIORITY;
const SYSTEM_PREFIX: &str = "system-";

/// Kubernetes' own classes: name, value, description.
const SYSTEM_PRIORITY_CLASSES: [(&str, i32, &str); 2] = [
    (
        "system-node-critical",
        SYSTEM_CRITICAL_PRIORITY + 1000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    (
        "system-cluster-critical",
        SYSTEM_CRITICAL_PRIORITY,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
];

/// The classes every cluster has (`SystemPriorityClasses`).
pub fn system_priority_classes() -> impl Iterator<Item = PriorityClass> {
    SYSTEM_PRIORITY_CLASSES.into_iter().map(|(name, value, description)| PriorityClass {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..Default::default() },
        value: Some(value),
        description: Some(description.to_owned()),
        ..Default::default()
    })
}

/// Whether a class is one of those that must not be deleted.
pub fn is_system_priority_class(name: &str) -> bool {
    SYSTEM_PRIORITY_CLASSES.iter().any(|(known, ..)| *known == name)
}

impl Strategy for PriorityClass {
    fn set_defaults(&mut self) {
        self.value.get_or_insert(0);
        self.preemption_policy.get_or_insert_with(|| "PreemptLowerPriority".to_owned());
    }

    fn prepare_for_create(&mut self) {
        self.metadata.generation = Some(1);
    }

    fn validate(&self) -> ErrorList {
        let metadata = Path::root("metadata");
        let mut errors = validate_object_meta(&self.metadata, false, name_is_dns_subdomain, &metadata);
        if self.name().starts_with(SYSTEM_PREFIX) {
            if let Err(why) = check_system_class(self) {
                let rule = "priority class names with 'system-' prefix are reserved for system use only.";
                errors.push(metadata.child("name").forbidden(format!("{rule} error: {why}")));
            }
        } else if self.value.unwrap_or(0) > HIGHEST_USER_DEFINABLE_PRIORITY {
            let why = format!("maximum allowed value of a user defined priority is {HIGHEST_USER_DEFINABLE_PRIORITY}");
            errors.push(Path::root("value").forbidden(why));
        }
        if let Some(policy) = &self.preemption_policy {
            errors.extend(validate_preemption_policy(policy, &Path::root("preemptionPolicy")));
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        if self.value != old.value {
            errors.push(Path::root("value").forbidden("may not be changed in an update."));
        }
        let path = Path::root("preemptionPolicy");
        errors.extend(validate_immutable(&self.preemption_policy, &old.preemption_policy, &path));
        errors
    }
}

/// `IsKnownSystemPriorityClass`.
fn check_system_class(class: &PriorityClass) -> Result<(), String> {
    let name = class.name();
    let Some((_, value, _)) = SYSTEM_PRIORITY_CLASSES.into_iter().find(|(known, ..)| *known == name) else {
        return Err(format!("{name} is not a known system priority class"));
    };
    if class.value.unwrap_or(0) != value {
        return Err(format!("value of {name} PriorityClass must be {value}"));
    }
    if class.global_default == Some(true) {
        return Err(format!("globalDefault of {name} PriorityClass must be false"));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn class(name: &str, value: i32) -> PriorityClass {
        let mut class: PriorityClass =
            serde_json::from_value(serde_json::json!({"metadata": {"name": name}, "value": value})).unwrap();
        class.set_defaults();
        class
    }

    fn texts(errors: ErrorList) -> Vec<String> {
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn high_values_and_names_are_kept_for_the_system() {
        let expected = "value: Forbidden: maximum allowed value of a user defined priority is 1000000000";
        assert_eq!(texts(class("a", 1_000_000_001).validate()), [expected]);
        let expected = "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system \
                        use only. error: system-mine is not a known system priority class";
        assert_eq!(texts(class("system-mine", 1).validate()), [expected]);
        assert!(system_priority_classes().all(|class| class.validate().is_empty()));
    }

    #[test]
    fn the_classes_of_the_system_are_there_and_stay() {
        let mut cluster = crate::cluster::Cluster::new(crate::environment::Environment::default());
        let key = crate::api::object::ObjectKey::new(crate::api::Kind::PriorityClass, "", "system-node-critical");
        let refused = cluster.api_mut().delete(&key, &Default::default()).unwrap_err();
        let expected = "priorityclasses.scheduling.k8s.io \"system-node-critical\" is forbidden: this is a system \
                        priority class and cannot be deleted";
        assert_eq!(refused.message, expected);
    }

    #[test]
    fn there_is_one_default_class() {
        let mut cluster = crate::cluster::Cluster::new(crate::environment::Environment::default());
        let default = |name: &str| PriorityClass { global_default: Some(true), ..class(name, 1) };
        cluster.api_mut().create(default("a")).unwrap();
        let refused = cluster.api_mut().create(default("b")).unwrap_err();
        let expected = "priorityclasses.scheduling.k8s.io \"b\" is forbidden: PriorityClass a is already marked as \
                        default. Only one default can exist";
        assert_eq!(refused.message, expected);
    }

    #[test]
    fn value_and_policy_do_not_change() {
        let (old, mut new) = (class("a", 1), class("a", 2));
        new.preemption_policy = Some("Never".to_owned());
        let expected = [
            "value: Forbidden: may not be changed in an update.",
            "preemptionPolicy: Invalid value: \"Never\": field is immutable",
        ];
        assert_eq!(texts(new.validate_update(&old)), expected);
    }
}
