//! LimitRanges (`pkg/registry/core/limitrange/strategy.go`, `SetDefaults_LimitRangeItem`, `ValidateLimitRange` in
//! `pkg/apis/core/validation`).
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{LimitRange, LimitRangeItem};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;

use super::persistent_volume::default_resource_list;
use crate::api::field::{ErrorList, Path};
use crate::api::pod_resources::{Amounts, amounts};
use crate::api::quantity::Quantity;
use crate::api::strategy::Strategy;
use crate::api::validation::invalid_each;
use crate::api::validation::names::{is_qualified_name, name_is_dns_subdomain};
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::resources::{
    is_overcommit_allowed, validate_container_resource_name, validate_resource_name,
};

const STANDARD_TYPES: [&str; 3] = ["Pod", "Container", "PersistentVolumeClaim"];
/// Amounts below this can be counted in thousandths.
const MAX_MILLI_VALUE: i64 = i64::MAX / 1000;

type ResourceList = BTreeMap<String, ApiQuantity>;

impl Strategy for LimitRange {
    fn set_defaults(&mut self) {
        for item in self.spec.iter_mut().flat_map(|s| s.limits.iter_mut()) {
            set_item_defaults(item);
        }
    }

    fn validate(&self) -> ErrorList {
        let mut errors = validate_object_meta(&self.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
        let spec = Path::root("spec");
        let path = spec.child("limits");
        let mut types = BTreeSet::new();
        for (i, item) in self.spec.iter().flat_map(|s| &s.limits).enumerate() {
            let path = path.index(i);
            errors.extend(validate_type_name(&item.type_, &path.child("type")));
            if !types.insert(item.type_.as_str()) {
                errors.push(path.child("type").duplicate(item.type_.as_str()));
            }
            errors.extend(validate_item(item, &path));
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        errors.extend(self.validate());
        errors
    }
}

/// What a container's limits say less of follows from what they say: maximum → default → default request ← minimum.
fn set_item_defaults(item: &mut LimitRangeItem) {
    if item.type_ == "Container" {
        let add = |to: &mut Option<ResourceList>, from: &Option<ResourceList>| {
            for (name, quantity) in from.iter().flatten() {
                to.get_or_insert_default().entry(name.clone()).or_insert_with(|| quantity.clone());
            }
        };
        add(&mut item.default, &item.max);
        add(&mut item.default_request, &item.default);
        add(&mut item.default_request, &item.min);
    }
    let lists =
        [&mut item.max, &mut item.min, &mut item.default, &mut item.default_request, &mut item.max_limit_request_ratio];
    for list in lists {
        default_resource_list(list.as_mut());
        list.take_if(|l| l.is_empty());
    }
}

fn validate_type_name(name: &str, path: &Path<'_>) -> ErrorList {
    let errors = invalid_each(path, name, is_qualified_name(name));
    if errors.is_empty() && !name.contains('/') && !STANDARD_TYPES.contains(&name) {
        return vec![path.invalid(name, "must be a standard limit type or fully qualified")];
    }
    errors
}

fn validate_item(item: &LimitRangeItem, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let is_pod = item.type_ == "Pod";
    let name_rule = match item.type_.as_str() {
        "Pod" | "Container" => validate_container_resource_name,
        _ => validate_resource_name,
    };
    let names = |list: &Amounts, field: &str| -> ErrorList {
        let path = path.child(field);
        list.keys().flat_map(|name| name_rule(name, &path.key(name))).collect()
    };
    let (max, min) = (amounts(item.max.as_ref()), amounts(item.min.as_ref()));
    errors.extend(names(&max, "max"));
    errors.extend(names(&min, "min"));
    let (mut default, mut default_request) = (amounts(item.default.as_ref()), amounts(item.default_request.as_ref()));
    if is_pod {
        for (list, field) in [(&mut default, "default"), (&mut default_request, "defaultRequest")] {
            if !list.is_empty() {
                errors.push(path.child(field).forbidden("may not be specified when `type` is 'Pod'"));
            }
            list.clear();
        }
    } else {
        errors.extend(names(&default, "default"));
        errors.extend(names(&default_request, "defaultRequest"));
    }
    if item.type_ == "PersistentVolumeClaim" && !min.contains_key("storage") && !max.contains_key("storage") {
        let why = "either minimum or maximum storage value is required, but neither was provided";
        errors.push(path.child("limits").required(why));
    }
    let ratio = amounts(item.max_limit_request_ratio.as_ref());
    errors.extend(names(&ratio, "maxLimitRequestRatio"));
    let lists = [&min, &max, &default, &default_request, &ratio];
    let keys: BTreeSet<&String> = lists.iter().flat_map(|list| list.keys()).collect();
    for name in keys {
        let of = |list: &'_ Amounts| list.get(name).cloned();
        let bounds = Bounds {
            min: of(&min),
            max: of(&max),
            default: of(&default),
            default_request: of(&default_request),
            ratio: of(&ratio),
        };
        errors.extend(validate_bounds(name, &bounds, path));
    }
    errors
}

/// What is said of one resource.
struct Bounds {
    min: Option<Quantity>,
    max: Option<Quantity>,
    default: Option<Quantity>,
    default_request: Option<Quantity>,
    ratio: Option<Quantity>,
}

/// Whether what is said of one resource fits together.
fn validate_bounds(name: &str, bounds: &Bounds, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    // (left, its name, right, its name, field, its value): an error when left is greater than right
    let Bounds { min, max, default, default_request, ratio } = bounds;
    let orders = [
        ((min, "min value"), (max, "max value"), "min", min),
        ((min, "min value"), (default_request, "default request value"), "defaultRequest", default_request),
        ((default_request, "default request value"), (max, "max value"), "defaultRequest", default_request),
        (
            (default_request, "default request value"),
            (default, "default limit value"),
            "defaultRequest",
            default_request,
        ),
        ((min, "min value"), (default, "default value"), "default", min),
        ((default, "default value"), (max, "max value"), "default", max),
    ];
    for ((left, left_name), (right, right_name), field, shown) in orders {
        if let (Some(left), Some(right), Some(shown)) = (left, right, shown)
            && left > right
        {
            let why = format!("{left_name} {left} is greater than {right_name} {right}");
            errors.push(path.child(field).key(name).invalid(shown.to_string(), why));
        }
    }
    if let Some(ratio) = ratio {
        let field = path.child("maxLimitRequestRatio");
        if *ratio < Quantity::from_units(1) {
            errors.push(field.key(name).invalid(ratio.to_string(), format!("ratio {ratio} is less than 1")));
        }
        if let (Some(min), Some(max)) = (min, max)
            && let Some(most) = ratio_above(ratio, min, max)
        {
            let why = format!("ratio {ratio} is greater than max/min = {most:.6}");
            errors.push(field.key(name).invalid(ratio.to_string(), why));
        }
    }
    if let (Some(default), Some(request)) = (default, default_request)
        && !is_overcommit_allowed(name)
        && default != request
    {
        let why = format!("default value {default} must equal to defaultRequest value {request} in {name}");
        errors.push(path.child("defaultRequest").key(name).invalid(request.to_string(), why));
    }
    errors
}

/// The greatest ratio that `min` and `max` allow, if `ratio` is above it. Computed in Go's floats.
#[allow(clippy::cast_precision_loss)]
fn ratio_above(ratio: &Quantity, min: &Quantity, max: &Quantity) -> Option<f64> {
    let small = [ratio, min, max].iter().all(|q| q.value() < MAX_MILLI_VALUE);
    let (ratio, min, max) = if small {
        (ratio.milli_value() as f64 / 1000.0, min.milli_value(), max.milli_value())
    } else {
        (ratio.value() as f64, min.value(), max.value())
    };
    let most = max as f64 / min as f64;
    (ratio > most).then_some(most)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn limit_range(limits: serde_json::Value) -> LimitRange {
        let json = serde_json::json!({"metadata": {"name": "l", "namespace": "default"}, "spec": {"limits": limits}});
        let mut range: LimitRange = serde_json::from_value(json).unwrap();
        range.set_defaults();
        range
    }

    fn errors(limits: serde_json::Value) -> Vec<String> {
        limit_range(limits).validate().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn defaults_cascade_for_containers_only() {
        let json = serde_json::json!({"type": "Container", "max": {"cpu": "2"}, "min": {"memory": "1Mi"}});
        let item = limit_range(serde_json::json!([json])).spec.unwrap().limits.remove(0);
        let expected = serde_json::json!({"type": "Container", "max": {"cpu": "2"}, "min": {"memory": "1Mi"},
            "default": {"cpu": "2"}, "defaultRequest": {"cpu": "2", "memory": "1Mi"}});
        assert_eq!(serde_json::to_value(item).unwrap(), expected);
        let item =
            limit_range(serde_json::json!([{"type": "Pod", "max": {"cpu": "2"}}])).spec.unwrap().limits.remove(0);
        assert_eq!((item.default, item.default_request), (None, None));
    }

    #[test]
    fn one_mistake_can_break_several_rules() {
        let found = errors(serde_json::json!([{"type": "Container", "min": {"cpu": "2"}, "default": {"cpu": "1"}}]));
        let expected = [
            "spec.limits[0].defaultRequest[cpu]: Invalid value: \"1\": min value 2 is greater than default request \
             value 1",
            "spec.limits[0].default[cpu]: Invalid value: \"2\": min value 2 is greater than default value 1",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_ratio_lies_between_one_and_max_by_min() {
        let found = errors(serde_json::json!([{"type": "Container", "min": {"cpu": "100m"}, "max": {"cpu": "200m"},
            "maxLimitRequestRatio": {"cpu": "4"}}]));
        let expected = "spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: \"4\": ratio 4 is greater than \
                        max/min = 2.000000";
        assert_eq!(found, [expected]);
        let found = errors(serde_json::json!([{"type": "Pod", "maxLimitRequestRatio": {"cpu": "500m"}}]));
        let expected = "spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: \"500m\": ratio 500m is less than 1";
        assert_eq!(found, [expected]);
    }

    #[test]
    fn types_are_known_and_stand_once() {
        let found = errors(serde_json::json!([{"type": "Pods"}, {"type": "Pod"}, {"type": "Pod"}]));
        let expected = [
            "spec.limits[0].type: Invalid value: \"Pods\": must be a standard limit type or fully qualified",
            "spec.limits[2].type: Duplicate value: \"Pod\"",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn claims_need_a_bound_and_pods_have_no_defaults() {
        let found = errors(serde_json::json!([{"type": "PersistentVolumeClaim", "max": {"cpu": "1"}},
            {"type": "Pod", "default": {"cpu": "1"}}]));
        let expected = [
            "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither \
             was provided",
            "spec.limits[1].default: Forbidden: may not be specified when `type` is 'Pod'",
        ];
        assert_eq!(found, expected);
    }
}
