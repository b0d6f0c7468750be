//! `kubectl create role|clusterrole NAME --verb=VERB --resource=RESOURCE[.GROUP][/SUBRESOURCE]`.
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::command::{Command, Done, Kubectl};
use super::super::kubectl::Error;
use crate::api::Kind;
use crate::api::schema::resources::by_argument;

pub(super) const ROLE: Command = Command {
    path: "kubectl create role",
    spec: super::spec! { switches: [], texts: [], lists: ["verb", "resource", "resource-name"] },
    run: |k| run(k, Kind::Role),
};
pub(super) const CLUSTER_ROLE: Command = Command {
    path: "kubectl create clusterrole",
    spec: super::spec! {
        switches: [], texts: [], lists: ["verb", "resource", "resource-name", "non-resource-url", "aggregation-rule"]
    },
    run: |k| run(k, Kind::ClusterRole),
};

const VERBS: [&str; 14] = [
    "*",
    "get",
    "delete",
    "list",
    "create",
    "update",
    "patch",
    "watch",
    "proxy",
    "deletecollection",
    "use",
    "bind",
    "escalate",
    "impersonate",
];
const URL_VERBS: [&str; 8] = ["*", "get", "post", "put", "delete", "patch", "head", "options"];

fn unique(items: Vec<String>) -> Vec<String> {
    let mut seen = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen
}

fn run(k: &mut Kubectl<'_>, kind: Kind) -> Done {
    let name = k.flags.single_name()?;
    let mut verbs = unique(k.flags.slice("verb"));
    if verbs.iter().any(|verb| verb == "*") {
        verbs = vec!["*".to_owned()];
    }
    let mut resources = k.flags.slice("resource");
    if resources.iter().any(|resource| resource == "*") {
        resources = vec!["*".to_owned()];
    }
    let names = unique(k.flags.slice("resource-name"));
    let urls = unique(k.flags.slice("non-resource-url"));
    let aggregated = k.flags.slice("aggregation-rule");
    let mut object = super::object(k, kind, &name);
    if !aggregated.is_empty() {
        if !(urls.is_empty() && verbs.is_empty() && resources.is_empty() && names.is_empty()) {
            return super::client(
                "aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames",
            );
        }
        let labels: BTreeMap<&str, &str> = aggregated.iter().filter_map(|pair| pair.split_once('=')).collect();
        object["aggregationRule"] = json!({ "clusterRoleSelectors": [{ "matchLabels": labels }] });
        object["rules"] = json!([]);
        return super::submit(k, kind, object, "created", None);
    }
    if verbs.is_empty() {
        return super::client("at least one verb must be specified");
    }
    if resources.is_empty() && (urls.is_empty() || kind == Kind::Role) {
        let what = match kind {
            Kind::Role => "at least one resource must be specified",
            _ => "one of resource or nonResourceURL must be specified",
        };
        return super::client(what);
    }
    if !resources.is_empty() {
        let unusual = verbs.iter().filter(|verb| !VERBS.contains(&verb.as_str()));
        k.warnings.extend(unusual.map(|verb| format!("'{verb}' is not a standard resource verb")));
    }
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for resource in &resources {
        let (group, plural) = known(resource)?;
        let of_group = groups.entry(group).or_default();
        if !of_group.contains(&plural) {
            of_group.push(plural);
        }
    }
    for url in &urls {
        if let Some(verb) = verbs.iter().find(|verb| !URL_VERBS.contains(&verb.as_str())) {
            return super::client(format!("invalid verb: '{verb}' for nonResourceURL"));
        }
        if url != "*" && !url.starts_with('/') {
            return super::client("nonResourceURL should start with /");
        }
        if url.trim_end_matches('*').contains('*') {
            return super::client("nonResourceURL only supports wildcard matches when '*' is at the end");
        }
    }
    let mut rules: Vec<Value> = Vec::new();
    for (group, plurals) in groups {
        let mut rule = json!({ "verbs": verbs, "apiGroups": [group], "resources": plurals });
        if !names.is_empty() {
            rule["resourceNames"] = json!(names);
        }
        rules.push(rule);
    }
    if !urls.is_empty() {
        rules.push(json!({ "verbs": verbs, "nonResourceURLs": urls }));
    }
    object["rules"] = Value::Array(rules);
    super::submit(k, kind, object, "created", None)
}

/// The group and the plural, with the subresource, of `deploy`, `pods/log`, `ingresses.networking.k8s.io`.
fn known(resource: &str) -> Result<(String, String), Error> {
    let (resource, sub) = match resource.split_once('/') {
        Some((resource, sub)) => (resource, format!("/{sub}")),
        None => (resource, String::new()),
    };
    let (name, group) = resource.split_once('.').unwrap_or((resource, ""));
    if name.is_empty() {
        return super::client("resource must be specified if apiGroup/subresource specified");
    }
    if name == "*" {
        return Ok((group.to_owned(), format!("*{sub}")));
    }
    match by_argument(resource) {
        Some(found) => Ok((found.group.to_owned(), format!("{}{sub}", found.plural))),
        None if group.is_empty() => super::client(format!("the server doesn't have a resource type \"{name}\"")),
        None => super::client(format!("the server doesn't have a resource type \"{name}\" in group \"{group}\"")),
    }
}
