//! LimitRanger (`plugin/pkg/admission/limitranger`).
use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Container, LimitRange, LimitRangeItem, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;

use super::{Operation, Request};
use crate::api::object::{ApiObject, Object};
use crate::api::pod_resources::{Amounts, aggregate_container_limits, aggregate_container_requests, amounts};
use crate::api::quantity::Quantity;
use crate::api::status::Status;

/// Amounts up to this can be compared in thousandths.
const MAX_MILLI_VALUE: i64 = i64::MAX / 1000;

/// Gives a new pod's containers the defaults of the namespace's limit ranges.
pub fn admit(request: &mut Request<'_>) {
    let store = request.store;
    let Object::Pod(pod) = &mut request.object else { return };
    if request.operation != Operation::Create {
        return;
    }
    let namespace = pod.namespace().to_owned();
    for range in store.list_in::<LimitRange>(&namespace) {
        set_defaults(Arc::make_mut(pod), range);
    }
}

/// `mergePodResourceRequirements`: defaults of later items win over those of earlier ones.
fn set_defaults(pod: &mut Pod, range: &LimitRange) {
    let (mut requests, mut limits) = (BTreeMap::new(), BTreeMap::new());
    let items = range.spec.iter().flat_map(|s| &s.limits).filter(|item| item.type_ == "Container");
    for item in items {
        requests.extend(item.default_request.clone().unwrap_or_default());
        limits.extend(item.default.clone().unwrap_or_default());
    }
    let Some(spec) = &mut pod.spec else { return };
    let mut done = Vec::new();
    for container in &mut spec.containers {
        merge(container, &requests, &limits, "container", &mut done);
    }
    for container in spec.init_containers.iter_mut().flatten() {
        merge(container, &requests, &limits, "init container", &mut done);
    }
    if !done.is_empty() {
        pod.set_annotation("kubernetes.io/limit-ranger", &format!("LimitRanger plugin set: {}", done.join("; ")));
    }
}

fn merge(
    container: &mut Container,
    requests: &BTreeMap<String, ApiQuantity>,
    limits: &BTreeMap<String, ApiQuantity>,
    what: &str,
    done: &mut Vec<String>,
) {
    let resources = container.resources.get_or_insert_default();
    for (list, defaults, field) in
        [(&mut resources.requests, requests, "request"), (&mut resources.limits, limits, "limit")]
    {
        let has = |name: &String| list.as_ref().is_some_and(|l| l.contains_key(name));
        let missing: Vec<(&String, &ApiQuantity)> = defaults.iter().filter(|(name, _)| !has(name)).collect();
        if missing.is_empty() {
            continue;
        }
        let names: Vec<&str> = missing.iter().map(|(name, _)| name.as_str()).collect();
        done.push(format!("{} {field} for {what} {}", names.join(", "), container.name));
        let list = list.get_or_insert_default();
        list.extend(missing.into_iter().map(|(name, quantity)| (name.clone(), quantity.clone())));
    }
}

/// Refuses pods and claims outside the bounds of the namespace's limit ranges.
pub fn validate(request: &Request<'_>) -> Result<(), Status> {
    if request.old.as_ref().is_some_and(|old| old.metadata().deletion_timestamp.is_some()) {
        return Ok(());
    }
    let is_pod = match (&request.object, request.operation) {
        (Object::Pod(_), Operation::Create) => true,
        (Object::PersistentVolumeClaim(_), _) => false,
        _ => return Ok(()),
    };
    for range in request.store.list_in::<LimitRange>(request.object.namespace()) {
        let items = range.spec.iter().flat_map(|s| &s.limits);
        let problems: Vec<String> = match &request.object {
            Object::Pod(pod) if is_pod => items.flat_map(|item| pod_problems(pod, item)).collect(),
            Object::PersistentVolumeClaim(claim) => {
                let resources = claim.spec.as_ref().and_then(|s| s.resources.as_ref());
                let requests = amounts(resources.and_then(|r| r.requests.as_ref()));
                items.flat_map(|item| claim_problems(&requests, item)).collect()
            }
            _ => Vec::new(),
        };
        // utilerrors.Aggregate
        let mut texts: Vec<String> = Vec::new();
        for problem in problems {
            if !texts.contains(&problem) {
                texts.push(problem);
            }
        }
        match texts.as_slice() {
            [] => {}
            [one] => return Err(request.forbidden(one)),
            more => return Err(request.forbidden(format!("[{}]", more.join(", ")))),
        }
    }
    Ok(())
}

fn pod_problems(pod: &Pod, item: &LimitRangeItem) -> Vec<String> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    match item.type_.as_str() {
        "Container" => {
            let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
            let of = |container: &Container| {
                let resources = container.resources.as_ref();
                let requests = amounts(resources.and_then(|r| r.requests.as_ref()));
                problems(item, &requests, &amounts(resources.and_then(|r| r.limits.as_ref())))
            };
            containers.flat_map(of).collect()
        }
        "Pod" => {
            let own = |list: Option<&BTreeMap<String, ApiQuantity>>| {
                let list = amounts(list).into_iter();
                list.filter(|(name, _)| matches!(name.as_str(), "cpu" | "memory"))
            };
            let mut requests = aggregate_container_requests(spec);
            requests.extend(own(spec.resources.as_ref().and_then(|r| r.requests.as_ref())));
            let mut limits = aggregate_container_limits(spec);
            limits.extend(own(spec.resources.as_ref().and_then(|r| r.limits.as_ref())));
            problems(item, &requests, &limits)
        }
        _ => Vec::new(),
    }
}

fn problems(item: &LimitRangeItem, requests: &Amounts, limits: &Amounts) -> Vec<String> {
    let each = |list: &Option<BTreeMap<String, ApiQuantity>>, rule: Rule| {
        let list = amounts(list.as_ref());
        list.iter().filter_map(|(name, bound)| rule(&item.type_, name, bound, requests, limits)).collect::<Vec<_>>()
    };
    [each(&item.min, below_min), each(&item.max, above_max), each(&item.max_limit_request_ratio, above_ratio)].concat()
}

fn claim_problems(requests: &Amounts, item: &LimitRangeItem) -> Vec<String> {
    if item.type_ != "PersistentVolumeClaim" {
        return Vec::new();
    }
    let none = Amounts::new();
    let (min, max) = (amounts(item.min.as_ref()), amounts(item.max.as_ref()));
    let min = min.iter().filter_map(|(name, bound)| below_min(&item.type_, name, bound, requests, &none));
    let max = max.iter().filter_map(|(name, bound)| {
        let start = format!("maximum {name} usage per {} is {bound}", item.type_);
        match requests.get(name) {
            None => Some(format!("{start}.  No request is specified")),
            Some(request) if exceeds(request, bound) => Some(format!("{start}, but request is {request}")),
            Some(_) => None,
        }
    });
    min.chain(max).collect()
}

type Rule = fn(&str, &str, &Quantity, &Amounts, &Amounts) -> Option<String>;

/// Whether one amount is above another, as far as Go's integers tell (`requestLimitEnforcedValues`).
fn exceeds(a: &Quantity, b: &Quantity) -> bool {
    if a.value() <= MAX_MILLI_VALUE && b.value() <= MAX_MILLI_VALUE {
        a.milli_value() > b.milli_value()
    } else {
        a.value() > b.value()
    }
}

fn below_min(kind: &str, name: &str, bound: &Quantity, requests: &Amounts, limits: &Amounts) -> Option<String> {
    let start = format!("minimum {name} usage per {kind} is {bound}");
    match (requests.get(name), limits.get(name)) {
        (None, _) => Some(format!("{start}.  No request is specified")),
        (Some(request), _) if exceeds(bound, request) => Some(format!("{start}, but request is {request}")),
        (Some(_), Some(limit)) if exceeds(bound, limit) => Some(format!("{start}, but limit is {limit}")),
        _ => None,
    }
}

fn above_max(kind: &str, name: &str, bound: &Quantity, requests: &Amounts, limits: &Amounts) -> Option<String> {
    let start = format!("maximum {name} usage per {kind} is {bound}");
    match (limits.get(name), requests.get(name)) {
        (None, _) => Some(format!("{start}.  No limit is specified")),
        (Some(limit), _) if exceeds(limit, bound) => Some(format!("{start}, but limit is {limit}")),
        (Some(_), Some(request)) if exceeds(request, bound) => Some(format!("{start}, but request is {request}")),
        _ => None,
    }
}

fn above_ratio(kind: &str, name: &str, bound: &Quantity, requests: &Amounts, limits: &Amounts) -> Option<String> {
    let start = format!("{name} max limit to request ratio per {kind} is {bound}");
    let Some(request) = requests.get(name).filter(|q| !q.is_zero()) else {
        return Some(format!("{start}, but no request is specified or request is 0"));
    };
    let Some(limit) = limits.get(name).filter(|q| !q.is_zero()) else {
        return Some(format!("{start}, but no limit is specified or limit is 0"));
    };
    let small = request.value() <= MAX_MILLI_VALUE && limit.value() <= MAX_MILLI_VALUE;
    let (a, b) = if small { (limit.milli_value(), request.milli_value()) } else { (limit.value(), request.value()) };
    #[allow(clippy::cast_precision_loss)]
    let (ratio, most) = (a as f64 / b as f64, bound.milli_value() as f64);
    (ratio * 1000.0 > most).then(|| format!("{start}, but provided ratio is {ratio:.6}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::Kind;
    use crate::api::dynamic::FieldValidation;
    use crate::cluster::Cluster;
    use crate::environment::Environment;

    /// Creates an object where a limit range with these items is: the object, or why it is refused.
    fn create(items: &Value, kind: Kind, object: &Value) -> Result<Value, String> {
        let mut cluster = Cluster::new(Environment::default());
        let range = json!({"metadata": {"name": "l"}, "spec": {"limits": items}});
        let strict = FieldValidation::Strict;
        cluster.api_mut().create_value(Kind::LimitRange, "default", &range, strict).unwrap();
        let created = cluster.api_mut().create_value(kind, "default", object, strict);
        created.map(|accepted| accepted.object.to_value()).map_err(|status| status.message)
    }

    fn pod(resources: &[Value]) -> Value {
        let containers = resources.iter().enumerate();
        let containers: Vec<Value> = containers
            .map(|(i, resources)| json!({"name": format!("c{i}"), "image": "i", "resources": resources}))
            .collect();
        json!({"metadata": {"name": "p"}, "spec": {"containers": containers}})
    }

    fn refusal(items: &Value, kind: Kind, object: &Value) -> String {
        create(items, kind, object).unwrap_err()
    }

    #[test]
    fn containers_get_what_they_do_not_say_and_an_annotation_tells() {
        let items = json!([{"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"memory": "1Mi"}}]);
        let pod = create(&items, Kind::Pod, &pod(&[json!({"limits": {"cpu": "2"}})])).unwrap();
        let expected = json!({"limits": {"cpu": "2"}, "requests": {"cpu": "2", "memory": "1Mi"}});
        assert_eq!(pod["spec"]["containers"][0]["resources"], expected);
        let annotation = "LimitRanger plugin set: memory request for container c0";
        assert_eq!(pod["metadata"]["annotations"]["kubernetes.io/limit-ranger"], annotation);
    }

    #[test]
    fn each_container_lies_between_the_bounds() {
        let items = json!([{"type": "Container", "min": {"cpu": "100m"}, "max": {"memory": "1Gi"}}]);
        let resources = json!({"requests": {"cpu": "50m"}, "limits": {"memory": "2Gi"}});
        let expected = "pods \"p\" is forbidden: [minimum cpu usage per Container is 100m, but request is 50m, maximum \
                        memory usage per Container is 1Gi, but limit is 2Gi]";
        assert_eq!(refusal(&items, Kind::Pod, &pod(&[resources])), expected);
    }

    #[test]
    fn a_limit_is_not_too_many_times_the_request() {
        let items = json!([{"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}}]);
        let resources = json!({"requests": {"cpu": "100m"}, "limits": {"cpu": "300m"}});
        let expected = "pods \"p\" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio \
                        is 3.000000";
        assert_eq!(refusal(&items, Kind::Pod, &pod(&[resources])), expected);
        let expected = "pods \"p\" is forbidden: cpu max limit to request ratio per Container is 2, but no request is \
                        specified or request is 0";
        assert_eq!(refusal(&items, Kind::Pod, &pod(&[json!({})])), expected);
    }

    #[test]
    fn the_containers_of_a_pod_count_together() {
        let items = json!([{"type": "Pod", "max": {"cpu": "1"}}]);
        let half = json!({"limits": {"cpu": "600m"}});
        assert!(create(&items, Kind::Pod, &pod(std::slice::from_ref(&half))).is_ok());
        let expected = "pods \"p\" is forbidden: maximum cpu usage per Pod is 1, but limit is 1200m";
        assert_eq!(refusal(&items, Kind::Pod, &pod(&[half.clone(), half])), expected);
        let expected = "pods \"p\" is forbidden: maximum cpu usage per Pod is 1.  No limit is specified";
        assert_eq!(refusal(&items, Kind::Pod, &pod(&[json!({})])), expected);
    }

    #[test]
    fn claims_ask_for_an_amount_between_the_bounds() {
        let items = json!([{"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "2Gi"}}]);
        let claim = |size: &str| {
            json!({"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": size}}}})
        };
        let expected = "persistentvolumeclaims \"c\" is forbidden: minimum storage usage per PersistentVolumeClaim is \
                        1Gi, but request is 1Mi";
        assert_eq!(refusal(&items, Kind::PersistentVolumeClaim, &claim("1Mi")), expected);
        let expected = "persistentvolumeclaims \"c\" is forbidden: maximum storage usage per PersistentVolumeClaim is \
                        2Gi, but request is 3Gi";
        assert_eq!(refusal(&items, Kind::PersistentVolumeClaim, &claim("3Gi")), expected);
        assert!(create(&items, Kind::PersistentVolumeClaim, &claim("2Gi")).is_ok());
    }
}
