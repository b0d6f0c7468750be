//! Roles and their bindings (`pkg/apis/rbac/validation`, `pkg/apis/rbac/v1/defaults.go`).
use k8s_openapi::api::rbac::v1::{PolicyRule, RoleRef, Subject};

use super::invalid_each;
use super::invalid_printed;
use super::names::{is_path_segment_name, name_is_dns_subdomain};
use crate::api::field::{ErrorList, Path};
use crate::api::internal;

/// The API group of roles, users and groups.
const GROUP: &str = "rbac.authorization.k8s.io";

/// The defaults of a binding (`SetDefaults_RoleBinding`, `SetDefaults_Subject`).
pub fn set_binding_defaults(role: &mut RoleRef, subjects: Option<&mut Vec<Subject>>) {
    let default_group = |group: &mut Option<String>| {
        if group.as_deref().unwrap_or_default().is_empty() {
            *group = Some(GROUP.to_owned());
        }
    };
    default_group(&mut role.api_group);
    for subject in subjects.into_iter().flatten() {
        if matches!(subject.kind.as_str(), "User" | "Group") {
            default_group(&mut subject.api_group);
        }
    }
}

/// The rules of a role; only cluster roles can be about URLs (`ValidatePolicyRule`).
pub fn validate_rules(rules: Option<&Vec<PolicyRule>>, namespaced: bool, path: &Path<'_>) -> ErrorList {
    let rules = rules.into_iter().flatten().enumerate();
    rules.flat_map(|(i, rule)| validate_rule(rule, namespaced, &path.index(i))).collect()
}

fn validate_rule(rule: &PolicyRule, namespaced: bool, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    if rule.verbs.is_empty() {
        errors.push(path.child("verbs").required("verbs must contain at least one value"));
    }
    let empty = |list: &Option<Vec<String>>| list.as_ref().is_none_or(Vec::is_empty);
    let urls = rule.non_resource_urls.as_deref().unwrap_or_default();
    if !urls.is_empty() {
        let path = path.child("nonResourceURLs");
        if namespaced {
            errors.push(path.invalid(urls.to_vec(), "namespaced rules cannot apply to non-resource URLs"));
        }
        if !(empty(&rule.api_groups) && empty(&rule.resources) && empty(&rule.resource_names)) {
            let why = "rules cannot apply to both regular resources and non-resource URLs";
            errors.push(path.invalid(urls.to_vec(), why));
        }
        return errors;
    }
    if empty(&rule.api_groups) {
        errors.push(path.child("apiGroups").required("resource rules must supply at least one api group"));
    }
    if empty(&rule.resources) {
        errors.push(path.child("resources").required("resource rules must supply at least one resource"));
    }
    errors
}

/// What a binding refers to (`ValidateRoleBinding`, `ValidateClusterRoleBinding`).
pub fn validate_binding(role: &RoleRef, subjects: Option<&Vec<Subject>>, namespaced: bool) -> ErrorList {
    let mut errors = Vec::new();
    let path = Path::root("roleRef");
    let group = role.api_group.as_deref().unwrap_or_default();
    if group != GROUP {
        errors.push(path.child("apiGroup").not_supported(group, &[GROUP]));
    }
    let kinds: &[&str] = if namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    if !kinds.contains(&role.kind.as_str()) {
        errors.push(path.child("kind").not_supported(role.kind.as_str(), kinds));
    }
    let name_path = path.child("name");
    if role.name.is_empty() {
        errors.push(name_path.required(""));
    } else {
        errors.extend(invalid_each(&name_path, &role.name, is_path_segment_name(&role.name)));
    }
    let subjects_path = Path::root("subjects");
    let subjects = subjects.into_iter().flatten().enumerate();
    errors.extend(subjects.flat_map(|(i, subject)| validate_subject(subject, namespaced, &subjects_path.index(i))));
    errors
}

/// A binding stays with its role.
pub fn validate_role_ref_update(new: &RoleRef, old: &RoleRef) -> ErrorList {
    if new == old {
        return Vec::new();
    }
    let value = internal::to_json("RoleRef", new);
    vec![invalid_printed(&Path::root("roleRef"), &value, "cannot change roleRef")]
}

/// `ValidateRoleBindingSubject`.
fn validate_subject(subject: &Subject, namespaced: bool, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let (name_path, group_path) = (path.child("name"), path.child("apiGroup"));
    if subject.name.is_empty() {
        errors.push(name_path.required(""));
    }
    let group = subject.api_group.as_deref().unwrap_or_default();
    match subject.kind.as_str() {
        "ServiceAccount" => {
            if !subject.name.is_empty() {
                errors.extend(invalid_each(&name_path, &subject.name, name_is_dns_subdomain(&subject.name, false)));
            }
            if !group.is_empty() {
                errors.push(group_path.not_supported(group, &[""]));
            }
            if !namespaced && subject.namespace.as_deref().unwrap_or_default().is_empty() {
                errors.push(path.child("namespace").required(""));
            }
        }
        "User" | "Group" if group != GROUP => errors.push(group_path.not_supported(group, &[GROUP])),
        "User" | "Group" => {}
        other => errors.push(path.child("kind").not_supported(other, &["ServiceAccount", "User", "Group"])),
    }
    errors
}
