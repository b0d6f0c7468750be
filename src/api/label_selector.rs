//! Label selectors (`metav1.LabelSelector` and plain `map[string]string` selectors).
use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

/// Labels as the API stores them.
pub type Labels = BTreeMap<String, String>;

/// Whether labels satisfy a selector. A missing selector selects nothing, an empty one everything
/// (`metav1.LabelSelectorAsSelector`).
pub fn matches(selector: Option<&LabelSelector>, labels: Option<&Labels>) -> bool {
    let Some(selector) = selector else { return false };
    matches_map(selector.match_labels.as_ref(), labels)
        && selector.match_expressions.iter().flatten().all(|r| matches_requirement(r, labels))
}

/// Whether labels contain all pairs of a map selector; an absent map selects everything.
pub fn matches_map(selector: Option<&Labels>, labels: Option<&Labels>) -> bool {
    selector.into_iter().flatten().all(|(key, value)| labels.and_then(|l| l.get(key)) == Some(value))
}

/// Whether labels satisfy one requirement. `NotIn` and `DoesNotExist` also hold when the key is absent.
pub fn matches_requirement(requirement: &LabelSelectorRequirement, labels: Option<&Labels>) -> bool {
    let value = labels.and_then(|l| l.get(&requirement.key));
    let listed = |v: &String| requirement.values.iter().flatten().any(|x| x == v);
    match requirement.operator.as_str() {
        "In" => value.is_some_and(listed),
        "NotIn" => !value.is_some_and(listed),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        _ => false,
    }
}

/// Whether a selector has no requirements at all.
pub fn is_empty(selector: &LabelSelector) -> bool {
    selector.match_labels.as_ref().is_none_or(BTreeMap::is_empty)
        && selector.match_expressions.as_ref().is_none_or(Vec::is_empty)
}

/// A selector as Go prints it (`LabelSelector.String`).
pub fn go_string(selector: &LabelSelector) -> String {
    let labels: String = selector.match_labels.iter().flatten().map(|(k, v)| format!("{k}: {v},")).collect();
    let expression = |e: &LabelSelectorRequirement| {
        let values = e.values.as_deref().unwrap_or_default().join(" ");
        format!("LabelSelectorRequirement{{Key:{},Operator:{},Values:[{values}],}},", e.key, e.operator)
    };
    let expressions: String = selector.match_expressions.iter().flatten().map(expression).collect();
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{labels}}},\
         MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )
}
