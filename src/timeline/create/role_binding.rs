//! `kubectl create rolebinding|clusterrolebinding NAME --clusterrole=NAME|--role=NAME --user=… --serviceaccount=NS:NAME`.
use serde_json::{Value, json};

use super::super::command::{Command, Done, Kubectl};
use crate::api::Kind;

pub(super) const ROLE_BINDING: Command = Command {
    path: "kubectl create rolebinding",
    spec: super::spec! { switches: [], texts: ["clusterrole", "role"], lists: ["user", "group", "serviceaccount"] },
    run: |k| run(k, Kind::RoleBinding),
};
pub(super) const CLUSTER_ROLE_BINDING: Command = Command {
    path: "kubectl create clusterrolebinding",
    spec: super::spec! { switches: [], texts: ["clusterrole"], lists: ["user", "group", "serviceaccount"] },
    run: |k| run(k, Kind::ClusterRoleBinding),
};

const GROUP: &str = "rbac.authorization.k8s.io";

fn run(k: &mut Kubectl<'_>, kind: Kind) -> Done {
    if kind == Kind::ClusterRoleBinding {
        k.flags.require(&["clusterrole"])?;
    }
    let name = k.flags.single_name()?;
    let (cluster_role, role) = (k.flags.or_empty("clusterrole").to_owned(), k.flags.or_empty("role").to_owned());
    if kind == Kind::RoleBinding && cluster_role.is_empty() == role.is_empty() {
        return super::client("exactly one of clusterrole or role must be specified");
    }
    let mut subjects: Vec<Value> = Vec::new();
    for (flag, subject) in [("user", "User"), ("group", "Group")] {
        let names = k.flags.slice(flag);
        subjects.extend(names.iter().map(|name| json!({ "kind": subject, "apiGroup": GROUP, "name": name })));
    }
    for account in k.flags.slice("serviceaccount") {
        match account.split(':').collect::<Vec<_>>().as_slice() {
            [namespace, name] if !namespace.is_empty() && !name.is_empty() => {
                subjects.push(json!({ "kind": "ServiceAccount", "namespace": namespace, "name": name }));
            }
            _ => return super::client("serviceaccount must be <namespace>:<name>"),
        }
    }
    let mut object = super::object(k, kind, &name);
    object["roleRef"] = match role.as_str() {
        "" => json!({ "apiGroup": GROUP, "kind": "ClusterRole", "name": cluster_role }),
        role => json!({ "apiGroup": GROUP, "kind": "Role", "name": role }),
    };
    if !subjects.is_empty() {
        object["subjects"] = Value::Array(subjects);
    }
    super::submit(k, kind, object, "created", Some(&format!("{}:", kind.name().to_lowercase())))
}
