//! ResourceQuota (`k8s.io/apiserver/pkg/admission/plugin/resourcequota`).
use std::sync::Arc;

use k8s_openapi::api::core::v1::ResourceQuota;

use super::{Operation, Request};
use crate::api::object::{ApiObject, Object};
use crate::api::pod_resources::{Amounts, add, amounts, to_resource_list};
use crate::api::quantity::Quantity;
use crate::api::quota;
use crate::api::status::Status;

/// Checks an object against the quotas of its namespace; the quotas with their new usage, to be stored if the object is
/// (`CheckRequest`).
///
/// A quota counts as soon as its controller has computed its status.
pub fn validate(request: &Request<'_>) -> Result<Vec<Object>, Status> {
    let object = &request.object;
    if !object.kind().namespaced() || !handles(request) {
        return Ok(Vec::new());
    }
    let quotas = request.store.list_in::<ResourceQuota>(object.namespace());
    let mut interesting = Vec::new();
    for quota in quotas.filter(|quota| quota::matches_scopes(quota, object)) {
        interesting.extend(Running::of(request, quota)?);
    }
    if interesting.is_empty() {
        return Ok(Vec::new());
    }
    let usage = quota::usage(object, None);
    let negative: Vec<&str> = usage.iter().filter(|(_, q)| q.signum() < 0).map(|(name, _)| name.as_str()).collect();
    if !negative.is_empty() {
        let list = negative.join(",");
        return Err(request.forbidden(format!("quota usage is negative for resource(s): {list}")));
    }
    let mut charged = Vec::new();
    for quota in interesting {
        charged.extend(quota.charge(request, usage.clone())?);
    }
    Ok(charged)
}

/// Whether the request can change what is used (`Handles`).
fn handles(request: &Request<'_>) -> bool {
    if request.operation == Operation::Create {
        return true;
    }
    match (&request.object, &request.old) {
        (Object::Pod(new), Some(Object::Pod(old))) => {
            let terminating =
                |pod: &k8s_openapi::api::core::v1::Pod| pod.spec.as_ref().is_some_and(quota::is_terminating);
            terminating(new) != terminating(old)
        }
        (Object::Service(_) | Object::PersistentVolumeClaim(_), _) => true,
        _ => false,
    }
}

/// A quota that limits something the object uses.
struct Running<'a> {
    quota: &'a Arc<ResourceQuota>,
    hard: Amounts,
    used: Amounts,
}

impl<'a> Running<'a> {
    /// The quota, if it has to do with objects of this kind. The object must say what it needs, and the quota how much
    /// is used.
    fn of(request: &Request<'_>, quota: &'a Arc<ResourceQuota>) -> Result<Option<Self>, Status> {
        let status = quota.status.as_ref();
        let hard = amounts(status.and_then(|s| s.hard.as_ref()));
        let used = amounts(status.and_then(|s| s.used.as_ref()));
        let kind = request.object.kind();
        let restricted: Vec<&str> = hard.keys().map(String::as_str).filter(|n| quota::concerns(kind, n)).collect();
        if restricted.is_empty() {
            return Ok(None);
        }
        let name = quota.name();
        quota::missing_resources(&restricted, &request.object)
            .map_err(|why| request.forbidden(format!("failed quota: {name}: {why}")))?;
        if restricted.iter().any(|resource| !used.contains_key(*resource)) {
            let list = restricted.join(",");
            return Err(request.forbidden(format!("status unknown for quota: {name}, resources: {list}")));
        }
        Ok(Some(Running { quota, hard, used }))
    }

    /// The quota with what the request adds to it, if it adds something.
    fn charge(self, request: &Request<'_>, usage: Amounts) -> Result<Option<Object>, Status> {
        let mut delta = usage;
        if let Some(old) = request.old.as_ref().filter(|old| quota::matches_scopes(self.quota, old)) {
            for (name, before) in quota::usage(old, None) {
                if let Some(now) = delta.get_mut(&name) {
                    now.sub(&before);
                    if now.signum() < 0 {
                        *now = Quantity::default();
                    }
                }
            }
        }
        delta.retain(|name, quantity| !quantity.is_zero() && self.hard.contains_key(name));
        if delta.is_empty() {
            return Ok(None);
        }
        let mut new_used = self.used.clone();
        add(&mut new_used, &delta);
        let exceeds = |name: &&String| matches!((new_used.get(*name), self.hard.get(*name)), (Some(used), Some(hard)) if used > hard);
        let exceeded: Vec<&String> = delta.keys().filter(exceeds).collect();
        if !exceeded.is_empty() {
            let print = |list: &Amounts| {
                let of = |name: &&String| list.get(*name).map(|quantity| format!("{name}={quantity}"));
                exceeded.iter().filter_map(of).collect::<Vec<_>>().join(",")
            };
            let (requested, used, limited) = (print(&delta), print(&self.used), print(&self.hard));
            let name = self.quota.name();
            let why = format!("exceeded quota: {name}, requested: {requested}, used: {used}, limited: {limited}");
            return Err(request.forbidden(why));
        }
        let mut changed = ResourceQuota::clone(self.quota);
        changed.status.get_or_insert_default().used = Some(to_resource_list(&new_used));
        Ok(Some(Object::ResourceQuota(Arc::new(changed))))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::Kind;
    use crate::api::dynamic::FieldValidation;
    use crate::api::object::ObjectKey;
    use crate::api::server::DeleteOptions;
    use crate::cluster::Cluster;
    use crate::environment::Environment;

    /// A cluster in which a quota named after its number is in force for each of these specs.
    fn cluster(specs: &[Value]) -> Cluster {
        let mut cluster = Cluster::new(Environment::default());
        for (i, spec) in specs.iter().enumerate() {
            let quota = json!({"metadata": {"name": format!("q{i}")}, "spec": spec});
            create(&mut cluster, Kind::ResourceQuota, &quota).unwrap();
        }
        cluster.settle();
        cluster
    }

    fn create(cluster: &mut Cluster, kind: Kind, object: &Value) -> Result<(), String> {
        let strict = FieldValidation::Strict;
        cluster.api_mut().create_value(kind, "default", object, strict).map(|_| ()).map_err(|status| status.message)
    }

    fn used(cluster: &Cluster) -> Value {
        let quota = cluster.api().store().object(Kind::ResourceQuota, "default", "q0").unwrap();
        quota.to_value()["status"]["used"].clone()
    }

    fn pod(name: &str, resources: &Value) -> Value {
        json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i", "resources": resources}]}})
    }

    fn claim(name: &str, size: &str) -> Value {
        json!({"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "gold",
            "resources": {"requests": {"storage": size}}}})
    }

    #[test]
    fn what_would_exceed_a_quota_is_refused_and_the_rest_is_charged() {
        let hard = json!({"requests.storage": "10Gi", "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "5"});
        let mut cluster = cluster(&[json!({ "hard": hard })]);
        let kind = Kind::PersistentVolumeClaim;
        create(&mut cluster, kind, &claim("a", "6Gi")).unwrap();
        let refused = create(&mut cluster, kind, &claim("b", "5Gi")).unwrap_err();
        let expected = "persistentvolumeclaims \"b\" is forbidden: exceeded quota: q0, requested: \
                        requests.storage=5Gi, used: requests.storage=6Gi, limited: requests.storage=10Gi";
        assert_eq!(refused, expected);
        create(&mut cluster, kind, &claim("c", "4Gi")).unwrap();
        let gold = "gold.storageclass.storage.k8s.io/persistentvolumeclaims";
        assert_eq!(used(&cluster), json!({"requests.storage": "10Gi", gold: "2"}));
    }

    #[test]
    fn a_quota_is_not_in_force_before_its_status_is_known() {
        let mut cluster = cluster(&[]);
        let quota = json!({"metadata": {"name": "q0"}, "spec": {"hard": {"configmaps": "0"}}});
        create(&mut cluster, Kind::ResourceQuota, &quota).unwrap();
        cluster.run();
        create(&mut cluster, Kind::ConfigMap, &json!({"metadata": {"name": "a"}})).unwrap();
        cluster.settle();
        let refused = create(&mut cluster, Kind::ConfigMap, &json!({"metadata": {"name": "b"}})).unwrap_err();
        let expected = "configmaps \"b\" is forbidden: exceeded quota: q0, requested: configmaps=1, used: \
                        configmaps=2, limited: configmaps=0";
        assert_eq!(refused, expected);
    }

    #[test]
    fn a_pod_must_say_what_any_quota_limits_before_amounts_are_compared() {
        let (pods, cpu) =
            (json!({"hard": {"pods": "0"}}), json!({"hard": {"requests.cpu": "1", "limits.memory": "1Gi"}}));
        let mut cluster = cluster(&[pods, cpu]);
        let refused = create(&mut cluster, Kind::Pod, &pod("a", &json!({"requests": {"cpu": "1m"}}))).unwrap_err();
        assert_eq!(refused, "pods \"a\" is forbidden: failed quota: q1: must specify limits.memory for: c");
        let resources = json!({"requests": {"cpu": "1m"}, "limits": {"memory": "1Mi"}});
        let refused = create(&mut cluster, Kind::Pod, &pod("a", &resources)).unwrap_err();
        let expected = "pods \"a\" is forbidden: exceeded quota: q0, requested: pods=1, used: pods=0, limited: pods=0";
        assert_eq!(refused, expected);
    }

    #[test]
    fn a_quota_with_a_scope_counts_only_what_is_in_it() {
        let mut cluster = cluster(&[json!({"hard": {"pods": "1"}, "scopes": ["BestEffort"]})]);
        create(&mut cluster, Kind::Pod, &pod("burstable", &json!({"requests": {"cpu": "1m"}}))).unwrap();
        assert_eq!(used(&cluster), json!({"pods": "0"}));
        create(&mut cluster, Kind::Pod, &pod("a", &json!({}))).unwrap();
        let refused = create(&mut cluster, Kind::Pod, &pod("b", &json!({}))).unwrap_err();
        assert!(refused.contains("exceeded quota: q0"), "{refused}");
    }

    #[test]
    fn any_kind_can_be_counted_and_a_deletion_frees_its_place() {
        let mut cluster = cluster(&[json!({"hard": {"count/roles.rbac.authorization.k8s.io": "1"}})]);
        let role = |name: &str| json!({"metadata": {"name": name}});
        create(&mut cluster, Kind::Role, &role("a")).unwrap();
        assert!(create(&mut cluster, Kind::Role, &role("b")).is_err());
        cluster.api_mut().delete(&ObjectKey::new(Kind::Role, "default", "a"), &DeleteOptions::default()).unwrap();
        cluster.settle();
        create(&mut cluster, Kind::Role, &role("b")).unwrap();
    }

    #[test]
    fn services_are_counted_by_what_they_open() {
        let hard = json!({"services": "5", "services.nodeports": "2", "services.loadbalancers": "0"});
        let mut cluster = cluster(&[json!({ "hard": hard })]);
        let service = |name: &str, kind: &str| {
            let ports = json!([{"name": "a", "port": 1}, {"name": "b", "port": 2}]);
            json!({"metadata": {"name": name}, "spec": {"type": kind, "ports": ports}})
        };
        create(&mut cluster, Kind::Service, &service("a", "NodePort")).unwrap();
        assert_eq!(used(&cluster)["services.nodeports"], "2");
        let refused = create(&mut cluster, Kind::Service, &service("b", "LoadBalancer")).unwrap_err();
        let expected = "services \"b\" is forbidden: exceeded quota: q0, requested: \
                        services.loadbalancers=1,services.nodeports=2, used: \
                        services.loadbalancers=0,services.nodeports=2, limited: \
                        services.loadbalancers=0,services.nodeports=2";
        assert_eq!(refused, expected);
    }
}
