//! Node selectors (`staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity`).
use k8s_openapi::api::core::v1::{NodeSelector, NodeSelectorRequirement, NodeSelectorTerm};

use super::label_selector::Labels;

/// Whether a node satisfies at least one term of a selector. Empty terms select nothing; `name` is `None` where the
/// caller knows only a node's labels, which makes `matchFields` hold.
pub fn matches(selector: &NodeSelector, name: Option<&str>, labels: Option<&Labels>) -> bool {
    selector.node_selector_terms.iter().any(|term| matches_term(term, name, labels))
}

/// Whether a node satisfies all requirements of a term (`nodeSelectorTerm.match`).
pub fn matches_term(term: &NodeSelectorTerm, name: Option<&str>, labels: Option<&Labels>) -> bool {
    let expressions = term.match_expressions.as_deref().unwrap_or_default();
    let fields = term.match_fields.as_deref().unwrap_or_default();
    if expressions.is_empty() && fields.is_empty() {
        return false;
    }
    // a requirement that cannot be parsed makes its term select nothing
    expressions.iter().all(|r| matches_label(r, labels).unwrap_or(false))
        && fields.iter().all(|r| matches_field(r, name).unwrap_or(false))
}

/// One of `matchExpressions`; `None` if it cannot be parsed (`labels.NewRequirement`).
fn matches_label(requirement: &NodeSelectorRequirement, labels: Option<&Labels>) -> Option<bool> {
    let value = labels.and_then(|l| l.get(&requirement.key));
    let values = requirement.values.as_deref().unwrap_or_default();
    let number = |text: &str| text.parse::<i64>().ok();
    let compared = || {
        let [bound] = values else { return None };
        let bound = number(bound)?;
        Some(value.and_then(|v| number(v)).map(|v| v.cmp(&bound)))
    };
    Some(match requirement.operator.as_str() {
        "In" if !values.is_empty() => value.is_some_and(|v| values.contains(v)),
        "NotIn" if !values.is_empty() => value.is_none_or(|v| !values.contains(v)),
        "Exists" if values.is_empty() => value.is_some(),
        "DoesNotExist" if values.is_empty() => value.is_none(),
        "Gt" => compared()?.is_some_and(|o| o.is_gt()),
        "Lt" => compared()?.is_some_and(|o| o.is_lt()),
        _ => return None,
    })
}

/// One of `matchFields`; `None` if it cannot be parsed.
fn matches_field(requirement: &NodeSelectorRequirement, name: Option<&str>) -> Option<bool> {
    let [wanted] = requirement.values.as_deref().unwrap_or_default() else { return None };
    let has = |name: &str| if requirement.key == "metadata.name" { name == wanted } else { wanted.is_empty() };
    match requirement.operator.as_str() {
        "In" => Some(name.is_none_or(has)),
        "NotIn" => Some(name.is_none_or(|n| !has(n))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(key: &str, operator: &str, values: &[&str]) -> NodeSelector {
        let requirement = NodeSelectorRequirement {
            key: key.to_owned(),
            operator: operator.to_owned(),
            values: Some(values.iter().map(|v| (*v).to_owned()).collect()),
        };
        let term = NodeSelectorTerm { match_expressions: Some(vec![requirement]), match_fields: None };
        NodeSelector { node_selector_terms: vec![term] }
    }

    #[test]
    fn operators_follow_label_requirements() {
        let labels = Labels::from([("zone".to_owned(), "a".to_owned()), ("cpus".to_owned(), "8".to_owned())]);
        let holds = |key, operator, values: &[&str]| matches(&term(key, operator, values), None, Some(&labels));
        assert!(holds("zone", "In", &["a", "b"]) && !holds("zone", "In", &["b"]));
        assert!(holds("disk", "NotIn", &["ssd"]) && !holds("zone", "NotIn", &["a"]));
        assert!(holds("zone", "Exists", &[]) && holds("disk", "DoesNotExist", &[]));
        assert!(holds("cpus", "Gt", &["4"]) && !holds("cpus", "Lt", &["8"]) && !holds("zone", "Gt", &["1"]));
    }

    #[test]
    fn empty_and_unparsable_terms_select_nothing() {
        assert!(!matches(&NodeSelector { node_selector_terms: vec![NodeSelectorTerm::default()] }, Some("n"), None));
        assert!(!matches(&term("zone", "DoesNotExist", &["a"]), Some("n"), None));
    }

    #[test]
    fn match_fields_look_at_the_name() {
        let requirement = NodeSelectorRequirement {
            key: "metadata.name".to_owned(),
            operator: "In".to_owned(),
            values: Some(vec!["node01".to_owned()]),
        };
        let term = NodeSelectorTerm { match_fields: Some(vec![requirement]), match_expressions: None };
        assert!(matches_term(&term, Some("node01"), None) && !matches_term(&term, Some("node02"), None));
    }
}
