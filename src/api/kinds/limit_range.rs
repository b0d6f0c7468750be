//! LimitRanges (`pkg/registry/core/limitrange/strategy.go`, `ValidateLimitRange` of `pkg/apis/core/validation`).
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{LimitRange, LimitRangeItem};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;

use crate::api::field::{ErrorList, Path};
use crate::api::pod_resources::amounts;
use crate::api::quantity::{Quantity, scale};
use crate::api::strategy::Strategy;
use crate::api::validation::invalid_each;
use crate::api::validation::names::{is_qualified_name, name_is_dns_subdomain};
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::resources::{
    is_overcommit_allowed, validate_container_resource_name, validate_resource_name,
};

impl Strategy for LimitRange {
    fn set_defaults(&mut self) {
        for item in self.spec.iter_mut().flat_map(|s| &mut s.limits) {
            set_item_defaults(item);
        }
    }

    fn validate(&self) -> ErrorList {
        let mut errors = validate_object_meta(&self.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
        let path = Path::root("spec");
        let path = path.child("limits");
        let mut types = BTreeSet::new();
        for (i, item) in self.spec.iter().flat_map(|s| &s.limits).enumerate() {
            let path = path.index(i);
            errors.extend(validate_type(&item.type_, &path.child("type")));
            if !types.insert(&item.type_) {
                errors.push(path.child("type").duplicate(item.type_.as_str()));
            }
            errors.extend(validate_item(item, &path));
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        errors.splice(0..0, self.validate());
        errors
    }
}

/// Defaults cascade: max to default, default to default request, min to default request (`SetDefaults_LimitRangeItem`).
fn set_item_defaults(item: &mut LimitRangeItem) {
    let lists =
        [&mut item.max, &mut item.min, &mut item.default, &mut item.default_request, &mut item.max_limit_request_ratio];
    for value in lists.into_iter().flatten().flat_map(BTreeMap::values_mut) {
        let mut quantity = Quantity::of(value);
        if !quantity.round_up(scale::MILLI) {
            *value = ApiQuantity(quantity.to_string());
        }
    }
    if item.type_ != "Container" {
        return;
    }
    let mut limits = item.default.take().unwrap_or_default();
    let mut requests = item.default_request.take().unwrap_or_default();
    let fill = |list: &mut BTreeMap<String, ApiQuantity>, from: &BTreeMap<String, ApiQuantity>| {
        for (name, quantity) in from {
            list.entry(name.clone()).or_insert_with(|| quantity.clone());
        }
    };
    fill(&mut limits, item.max.as_ref().unwrap_or(&BTreeMap::new()));
    fill(&mut requests, &limits);
    fill(&mut requests, item.min.as_ref().unwrap_or(&BTreeMap::new()));
    item.default = (!limits.is_empty()).then_some(limits);
    item.default_request = (!requests.is_empty()).then_some(requests);
}

fn validate_type(kind: &str, path: &Path<'_>) -> ErrorList {
    let errors = invalid_each(path, kind, is_qualified_name(kind));
    let standard = matches!(kind, "Pod" | "Container" | "PersistentVolumeClaim");
    if errors.is_empty() && !kind.contains('/') && !standard {
        return vec![path.invalid(kind, "must be a standard limit type or fully qualified")];
    }
    errors
}

fn validate_item(item: &LimitRangeItem, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let name_rule: fn(&str, &Path<'_>) -> ErrorList = match item.type_.as_str() {
        "Pod" | "Container" => validate_container_resource_name,
        _ => validate_resource_name,
    };
    let mut keys = BTreeSet::new();
    let mut names = |list: &Option<BTreeMap<String, ApiQuantity>>, field: &str, errors: &mut ErrorList| {
        let path = path.child(field);
        for name in list.iter().flatten().map(|(name, _)| name) {
            errors.extend(name_rule(name, &path.key(name)));
            keys.insert(name.clone());
        }
        amounts(list.as_ref())
    };
    let max = names(&item.max, "max", &mut errors);
    let min = names(&item.min, "min", &mut errors);
    let (mut defaults, mut requests) = Default::default();
    if item.type_ == "Pod" {
        for (field, list) in [("default", &item.default), ("defaultRequest", &item.default_request)] {
            if list.as_ref().is_some_and(|l| !l.is_empty()) {
                errors.push(path.child(field).forbidden("may not be specified when `type` is 'Pod'"));
            }
        }
    } else {
        defaults = names(&item.default, "default", &mut errors);
        requests = names(&item.default_request, "defaultRequest", &mut errors);
    }
    if item.type_ == "PersistentVolumeClaim" && !min.contains_key("storage") && !max.contains_key("storage") {
        let why = "either minimum or maximum storage value is required, but neither was provided";
        errors.push(path.child("limits").required(why));
    }
    let ratios = names(&item.max_limit_request_ratio, "maxLimitRequestRatio", &mut errors);
    for key in &keys {
        let bounds = Bounds {
            min: min.get(key),
            max: max.get(key),
            default: defaults.get(key),
            request: requests.get(key),
            ratio: ratios.get(key),
        };
        errors.extend(bounds.validate(key, path));
    }
    errors
}

/// What an item says about one resource.
struct Bounds<'a> {
    min: Option<&'a Quantity>,
    max: Option<&'a Quantity>,
    default: Option<&'a Quantity>,
    request: Option<&'a Quantity>,
    ratio: Option<&'a Quantity>,
}

impl Bounds<'_> {
    fn validate(&self, key: &str, path: &Path<'_>) -> ErrorList {
        let mut errors = Vec::new();
        let mut fail = |field: &str, shown: &Quantity, why: String| {
            errors.push(path.child(field).key(key).invalid(shown.to_string(), why));
        };
        let above = |a: Option<&Quantity>, b: Option<&Quantity>| a.zip(b).is_some_and(|(a, b)| a > b);
        let text = |quantity: Option<&Quantity>| quantity.map(ToString::to_string).unwrap_or_default();
        let zero = Quantity::default();
        let shown = |quantity: Option<&Quantity>| quantity.unwrap_or(&zero).clone();
        let (min, max) = (text(self.min), text(self.max));
        let (default, request) = (text(self.default), text(self.request));
        if above(self.min, self.max) {
            fail("min", &shown(self.min), format!("min value {min} is greater than max value {max}"));
        }
        if above(self.min, self.request) {
            let why = format!("min value {min} is greater than default request value {request}");
            fail("defaultRequest", &shown(self.request), why);
        }
        if above(self.request, self.max) {
            let why = format!("default request value {request} is greater than max value {max}");
            fail("defaultRequest", &shown(self.request), why);
        }
        if above(self.request, self.default) {
            let why = format!("default request value {request} is greater than default limit value {default}");
            fail("defaultRequest", &shown(self.request), why);
        }
        // these two show the bound, not the value, as Kubernetes does
        if above(self.min, self.default) {
            fail("default", &shown(self.min), format!("min value {min} is greater than default value {default}"));
        }
        if above(self.default, self.max) {
            fail("default", &shown(self.max), format!("default value {default} is greater than max value {max}"));
        }
        if let Some(ratio) = self.ratio {
            if *ratio < Quantity::from_units(1) {
                fail("maxLimitRequestRatio", ratio, format!("ratio {ratio} is less than 1"));
            }
            if let Some(limit) = self.min.zip(self.max).map(|(min, max)| max_over_min(min, max))
                && ratio_value(ratio) > limit
            {
                let why = format!("ratio {ratio} is greater than max/min = {limit:.6}");
                fail("maxLimitRequestRatio", ratio, why);
            }
        }
        let differ = self.default.zip(self.request).is_some_and(|(a, b)| a != b);
        if !is_overcommit_allowed(key) && differ {
            let why = format!("default value {default} must equal to defaultRequest value {request} in {key}");
            fail("defaultRequest", &shown(self.request), why);
        }
        errors
    }
}

#[allow(clippy::cast_precision_loss)]
fn ratio_value(ratio: &Quantity) -> f64 {
    ratio.milli_value() as f64 / 1000.0
}

#[allow(clippy::cast_precision_loss)]
fn max_over_min(min: &Quantity, max: &Quantity) -> f64 {
    let small = |quantity: &Quantity| quantity.value() < i64::MAX / 1000;
    if small(min) && small(max) {
        max.milli_value() as f64 / min.milli_value() as f64
    } else {
        max.value() as f64 / min.value() as f64
    }
}
