//! HorizontalPodAutoscalers (`pkg/registry/autoscaling/horizontalpodautoscaler/strategy.go`,
//! `pkg/apis/autoscaling/v2/defaults.go`, `pkg/apis/autoscaling/validation`), and their older version.
use k8s_openapi::api::autoscaling::v2::{
    ContainerResourceMetricSource, CrossVersionObjectReference, ExternalMetricSource, HPAScalingPolicy,
    HPAScalingRules, HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricIdentifier, MetricSpec, MetricTarget,
    ObjectMetricSource, PodsMetricSource, ResourceMetricSource,
};
use serde_json::{Value, json};

use crate::api::field::{ErrorList, Path};
use crate::api::quantity::Quantity;
use crate::api::strategy::{Strategy, keep};
use crate::api::validation::invalid_each;
use crate::api::validation::names::{is_path_segment_name, name_is_dns_subdomain, validate_dns1123_label};
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::resources::{validate_container_resource_name, validate_nonnegative_quantity};

/// The version of before there were several metrics; objects of it are stored in the newer one.
pub const OLDER_VERSION: &str = "autoscaling/v1";

const MAX_PERIOD_SECONDS: i32 = 1800;
const MAX_STABILIZATION_WINDOW_SECONDS: i32 = 3600;
const DEFAULT_CPU_UTILIZATION: i32 = 80;

impl Strategy for HorizontalPodAutoscaler {
    fn set_defaults(&mut self) {
        let spec = &mut self.spec;
        spec.min_replicas.get_or_insert(1);
        if spec.metrics.as_ref().is_none_or(Vec::is_empty) {
            let target = MetricTarget {
                type_: "Utilization".to_owned(),
                average_utilization: Some(DEFAULT_CPU_UTILIZATION),
                ..Default::default()
            };
            let resource = Some(ResourceMetricSource { name: "cpu".to_owned(), target });
            spec.metrics = Some(vec![MetricSpec { type_: "Resource".to_owned(), resource, ..Default::default() }]);
        }
        if let Some(behavior) = &mut spec.behavior {
            let policy = |type_: &str, value| HPAScalingPolicy { type_: type_.to_owned(), value, period_seconds: 15 };
            let scale_up = behavior.scale_up.get_or_insert_default();
            scale_up.stabilization_window_seconds.get_or_insert(0);
            default_rules(scale_up, vec![policy("Pods", 4), policy("Percent", 100)]);
            default_rules(behavior.scale_down.get_or_insert_default(), vec![policy("Percent", 100)]);
        }
    }

    fn prepare_for_create(&mut self) {
        self.status = None;
    }

    fn prepare_for_update(&mut self, old: &Self) {
        keep(&mut self.status, &old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        keep(&mut self.spec, &old.spec);
    }

    fn validate(&self) -> ErrorList {
        let mut errors = validate_object_meta(&self.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
        errors.extend(validate_spec(&self.spec, None, &Path::root("spec")));
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        errors.extend(validate_spec(&self.spec, Some(&old.spec), &Path::root("spec")));
        errors
    }
}

/// `copyHPAScalingRules`.
fn default_rules(rules: &mut HPAScalingRules, policies: Vec<HPAScalingPolicy>) {
    rules.select_policy.get_or_insert_with(|| "Max".to_owned());
    rules.policies.get_or_insert(policies);
}

/// How an API version is looked at (`CrossVersionObjectReferenceValidationOptions`).
#[derive(Clone, Copy)]
struct Reference {
    allow_empty_group: bool,
    allow_invalid: bool,
}

/// `validateHorizontalPodAutoscalerSpec`, with the options of `validationOptionsForHorizontalPodAutoscaler`.
fn validate_spec(
    spec: &HorizontalPodAutoscalerSpec,
    old: Option<&HorizontalPodAutoscalerSpec>,
    path: &Path<'_>,
) -> ErrorList {
    let mut errors = Vec::new();
    let lowest = if old.is_some_and(|o| o.min_replicas == Some(0)) { 0 } else { 1 };
    if let Some(min) = spec.min_replicas.filter(|min| *min < lowest) {
        errors.push(path.child("minReplicas").invalid(min, format!("must be greater than or equal to {lowest}")));
    }
    let max_path = path.child("maxReplicas");
    let max = spec.max_replicas;
    if max == 0 {
        errors.push(max_path.required("must be set and greater than 0"));
    } else if max < 0 {
        errors.push(max_path.invalid(max, "must be greater than or equal to 1"));
    }
    if spec.min_replicas.is_some_and(|min| max < min) {
        errors.push(max_path.invalid(max, "must be greater than or equal to `minReplicas`"));
    }
    let target = &spec.scale_target_ref;
    let options = Reference {
        allow_empty_group: target.kind == "ReplicationController",
        allow_invalid: old.is_some_and(|o| {
            o.scale_target_ref.api_version == target.api_version && o.scale_target_ref.kind == target.kind
        }),
    };
    errors.extend(validate_reference(target, options, &path.child("scaleTargetRef")));

    let mut options = Reference { allow_empty_group: true, allow_invalid: false };
    let old_objects = old.into_iter().flat_map(|o| o.metrics.iter().flatten()).filter_map(|m| m.object.as_ref());
    options.allow_invalid =
        old_objects.into_iter().any(|object| api_version_error(&object.described_object, options).is_some());
    let metrics = spec.metrics.as_deref().unwrap_or_default();
    let metrics_path = path.child("metrics");
    for (i, metric) in metrics.iter().enumerate() {
        errors.extend(validate_metric(metric, options, &metrics_path.index(i)));
    }
    let scales_to_zero = |m: &MetricSpec| m.type_ == "Object" || m.type_ == "External";
    if spec.min_replicas == Some(0) && !metrics.iter().any(scales_to_zero) {
        let why = "must specify at least one Object or External metric to support scaling to zero replicas";
        errors.push(metrics_path.forbidden(why));
    }
    if let Some(behavior) = &spec.behavior {
        let path = path.child("behavior");
        for (field, rules) in [("scaleUp", &behavior.scale_up), ("scaleDown", &behavior.scale_down)] {
            errors.extend(rules.as_ref().map(|r| validate_rules(r, &path.child(field))).unwrap_or_default());
        }
    }
    errors
}

/// A text that must be there and fit into a URL's path.
fn validate_path_segment(value: &str, missing: &str, path: &Path<'_>) -> ErrorList {
    match value {
        "" => vec![path.required(missing)],
        value => invalid_each(path, value, is_path_segment_name(value)),
    }
}

/// `ValidateCrossVersionObjectReference`.
fn validate_reference(reference: &CrossVersionObjectReference, options: Reference, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_path_segment(&reference.kind, "", &path.child("kind"));
    errors.extend(validate_path_segment(&reference.name, "", &path.child("name")));
    if let Some(why) = api_version_error(reference, options) {
        let value = reference.api_version.as_deref().unwrap_or_default();
        errors.push(path.child("apiVersion").invalid(value, why));
    }
    errors
}

/// `ValidateAPIVersion`.
fn api_version_error(reference: &CrossVersionObjectReference, options: Reference) -> Option<String> {
    let version = reference.api_version.as_deref().unwrap_or_default();
    if options.allow_invalid {
        return None;
    }
    if version.matches('/').count() > 1 {
        return Some(format!("unexpected GroupVersion string: {version}"));
    }
    let group = version.split_once('/').map_or("", |(group, _)| group);
    (group.is_empty() && !options.allow_empty_group).then(|| "apiVersion must specify API group".to_owned())
}

/// `validateScalingRules`.
fn validate_rules(rules: &HPAScalingRules, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    if let Some(seconds) = rules.stabilization_window_seconds {
        let path = path.child("stabilizationWindowSeconds");
        if seconds < 0 {
            errors.push(path.invalid(seconds, "must be greater than or equal to zero"));
        }
        if seconds > MAX_STABILIZATION_WINDOW_SECONDS {
            let why = format!("must be less than or equal to {MAX_STABILIZATION_WINDOW_SECONDS}");
            errors.push(path.invalid(seconds, why));
        }
    }
    const SELECT_POLICIES: [&str; 3] = ["Disabled", "Max", "Min"];
    if let Some(policy) = rules.select_policy.as_deref().filter(|p| !SELECT_POLICIES.contains(p)) {
        errors.push(path.child("selectPolicy").not_supported(policy, &SELECT_POLICIES));
    }
    let policies_path = path.child("policies");
    let policies = rules.policies.as_deref().unwrap_or_default();
    if policies.is_empty() {
        errors.push(policies_path.required("must specify at least one Policy"));
    }
    for (i, policy) in policies.iter().enumerate() {
        let path = policies_path.index(i);
        if !matches!(policy.type_.as_str(), "Pods" | "Percent") {
            errors.push(path.child("type").not_supported(policy.type_.as_str(), &["Percent", "Pods"]));
        }
        let period_path = path.child("periodSeconds");
        if policy.value <= 0 {
            errors.push(path.child("value").invalid(policy.value, "must be greater than zero"));
        }
        if policy.period_seconds <= 0 {
            errors.push(period_path.invalid(policy.period_seconds, "must be greater than zero"));
        }
        if policy.period_seconds > MAX_PERIOD_SECONDS {
            let why = format!("must be less than or equal to {MAX_PERIOD_SECONDS}");
            errors.push(period_path.invalid(policy.period_seconds, why));
        }
    }
    if let Some(tolerance) = &rules.tolerance {
        errors.extend(validate_nonnegative_quantity(tolerance, &path.child("tolerance")));
    }
    errors
}

/// `validateMetricSpec`.
fn validate_metric(metric: &MetricSpec, options: Reference, path: &Path<'_>) -> ErrorList {
    const TYPES: [&str; 5] = ["ContainerResource", "External", "Object", "Pods", "Resource"];
    let mut errors = Vec::new();
    let type_path = path.child("type");
    let metric_type = metric.type_.as_str();
    if metric_type.is_empty() {
        errors.push(type_path.required("must specify a metric source type"));
    }
    let known = TYPES.contains(&metric_type);
    if !known {
        errors.push(type_path.not_supported(metric_type, &TYPES));
    }
    // only the first of several sources is looked at
    let sources = [
        ("object", metric.object.as_ref().map(|s| validate_object_source(s, options, &path.child("object")))),
        ("external", metric.external.as_ref().map(|s| validate_external_source(s, &path.child("external")))),
        ("pods", metric.pods.as_ref().map(|s| validate_pods_source(s, &path.child("pods")))),
        ("resource", metric.resource.as_ref().map(|s| validate_resource_source(s, &path.child("resource")))),
        (
            "containerResource",
            metric
                .container_resource
                .as_ref()
                .map(|s| validate_container_resource_source(s, &path.child("containerResource"))),
        ),
    ];
    let mut present: Vec<&str> = Vec::new();
    for (field, wrong) in sources {
        let Some(wrong) = wrong else { continue };
        if present.is_empty() {
            errors.extend(wrong);
        }
        present.push(field);
    }
    let expected = match metric_type {
        "Object" => "object",
        "Pods" => "pods",
        "Resource" => "resource",
        "External" => "external",
        "ContainerResource" => "containerResource",
        _ => "",
    };
    if !known {
        errors.push(type_path.not_supported(metric_type, &TYPES));
    } else if !present.contains(&expected) {
        errors.push(path.child(expected).required("must populate information for the given metric source"));
    }
    if present.len() != 1 {
        present.sort_unstable();
        for field in present.into_iter().filter(|f| *f != expected) {
            errors.push(path.child(field).forbidden("must populate the given metric source only"));
        }
    }
    errors
}

fn validate_object_source(source: &ObjectMetricSource, options: Reference, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_reference(&source.described_object, options, &path.child("describedObject"));
    errors.extend(validate_identifier(&source.metric, &path.child("metric")));
    let target_path = path.child("target");
    errors.extend(validate_target(&source.target, &target_path));
    if source.target.value.is_none() && source.target.average_value.is_none() {
        errors.push(target_path.child("averageValue").required("must set either a target value or averageValue"));
    }
    errors
}

fn validate_external_source(source: &ExternalMetricSource, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_identifier(&source.metric, &path.child("metric"));
    let target_path = path.child("target");
    errors.extend(validate_target(&source.target, &target_path));
    match (source.target.value.is_some(), source.target.average_value.is_some()) {
        (false, false) => {
            let why = "must set either a target value for metric or a per-pod target";
            errors.push(target_path.child("averageValue").required(why));
        }
        (true, true) => {
            let why = "may not set both a target value for metric and a per-pod target";
            errors.push(target_path.child("value").forbidden(why));
        }
        _ => {}
    }
    errors
}

fn validate_pods_source(source: &PodsMetricSource, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_identifier(&source.metric, &path.child("metric"));
    let target_path = path.child("target");
    errors.extend(validate_target(&source.target, &target_path));
    if source.target.average_value.is_none() {
        errors.push(target_path.child("averageValue").required("must specify a positive target averageValue"));
    }
    errors
}

fn validate_resource_source(source: &ResourceMetricSource, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    if source.name.is_empty() {
        errors.push(path.child("name").required("must specify a resource name"));
    }
    errors.extend(validate_resource_target(&source.target, &path.child("target")));
    errors
}

fn validate_container_resource_source(source: &ContainerResourceMetricSource, path: &Path<'_>) -> ErrorList {
    let name_path = path.child("name");
    let mut errors = match source.name.as_str() {
        "" => vec![name_path.required("must specify a resource name")],
        name => validate_container_resource_name(name, &name_path),
    };
    let container_path = path.child("container");
    match source.container.as_str() {
        "" => errors.push(container_path.required("must specify a container")),
        container => errors.extend(validate_dns1123_label(container, &container_path)),
    }
    errors.extend(validate_resource_target(&source.target, &path.child("target")));
    errors
}

fn validate_resource_target(target: &MetricTarget, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_target(target, path);
    match (target.average_utilization.is_some(), target.average_value.is_some()) {
        (false, false) => {
            let why = "must set either a target raw value or a target utilization";
            errors.push(path.child("averageUtilization").required(why));
        }
        (true, true) => {
            let why = "may not set both a target raw value and a target utilization";
            errors.push(path.child("averageValue").forbidden(why));
        }
        _ => {}
    }
    errors
}

/// `validateMetricTarget`.
fn validate_target(target: &MetricTarget, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let type_path = path.child("type");
    let target_type = target.type_.as_str();
    if target_type.is_empty() {
        errors.push(type_path.required("must specify a metric target type"));
    }
    if !matches!(target_type, "Utilization" | "Value" | "AverageValue") {
        errors.push(type_path.invalid(target_type, "must be either Utilization, Value, or AverageValue"));
    }
    for (field, value) in [("value", &target.value), ("averageValue", &target.average_value)] {
        let value = value.as_ref().map(Quantity::of);
        if let Some(value) = value.filter(|v| v.signum() != 1) {
            errors.push(path.child(field).invalid(value.to_string(), "must be positive"));
        }
    }
    if let Some(utilization) = target.average_utilization.filter(|u| *u < 1) {
        errors.push(path.child("averageUtilization").invalid(utilization, "must be greater than 0"));
    }
    errors
}

/// `validateMetricIdentifier`.
fn validate_identifier(metric: &MetricIdentifier, path: &Path<'_>) -> ErrorList {
    validate_path_segment(&metric.name, "must specify a metric name", &path.child("name"))
}

/// An object of `autoscaling/v1` in the version that is stored
/// (`Convert_v1_HorizontalPodAutoscaler_To_autoscaling_HorizontalPodAutoscaler`; what the annotations of old clients
/// say is not taken over).
pub fn from_v1(mut object: Value) -> Value {
    object["apiVersion"] = json!("autoscaling/v2");
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut)
        && let Some(utilization) = spec.remove("targetCPUUtilizationPercentage")
    {
        let target = json!({"type": "Utilization", "averageUtilization": utilization});
        spec.insert("metrics".to_owned(), json!([{"type": "Resource", "resource": {"name": "cpu", "target": target}}]));
    }
    object
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn autoscaler(spec: Value) -> HorizontalPodAutoscaler {
        let mut object: HorizontalPodAutoscaler =
            serde_json::from_value(json!({"metadata": {"name": "web", "namespace": "default"}, "spec": spec})).unwrap();
        object.set_defaults();
        object
    }

    fn errors(spec: Value) -> Vec<String> {
        autoscaler(spec).validate().iter().map(ToString::to_string).collect()
    }

    fn target() -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"})
    }

    #[test]
    fn cpu_at_80_percent_is_the_default_metric() {
        let spec = autoscaler(json!({"maxReplicas": 3, "scaleTargetRef": target()})).spec;
        assert_eq!(spec.min_replicas, Some(1));
        let resource = spec.metrics.unwrap()[0].resource.clone().unwrap();
        assert_eq!((resource.name.as_str(), resource.target.average_utilization), ("cpu", Some(80)));
    }

    #[test]
    fn a_behavior_is_completed_on_both_sides() {
        let spec =
            json!({"maxReplicas": 3, "scaleTargetRef": target(), "behavior": {"scaleDown": {"selectPolicy": "Min"}}});
        let behavior = autoscaler(spec).spec.behavior.unwrap();
        let (up, down) = (behavior.scale_up.unwrap(), behavior.scale_down.unwrap());
        assert_eq!((up.stabilization_window_seconds, up.policies.unwrap().len()), (Some(0), 2));
        assert_eq!((down.stabilization_window_seconds, down.select_policy.as_deref()), (None, Some("Min")));
    }

    #[test]
    fn bounds_target_and_metrics_are_checked() {
        let spec = json!({
            "minReplicas": 0, "scaleTargetRef": {"kind": "Deployment", "name": "web"},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Percent"}}},
                {"type": "Pods"}],
        });
        let at = "spec.metrics[0].resource.target";
        let expected = [
            "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1".to_owned(),
            "spec.maxReplicas: Required value: must be set and greater than 0".to_owned(),
            "spec.scaleTargetRef.apiVersion: Invalid value: \"\": apiVersion must specify API group".to_owned(),
            format!("{at}.type: Invalid value: \"Percent\": must be either Utilization, Value, or AverageValue"),
            format!(
                "{at}.averageUtilization: Required value: must set either a target raw value or a target utilization"
            ),
            "spec.metrics[1].pods: Required value: must populate information for the given metric source".to_owned(),
            "spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero \
             replicas"
                .to_owned(),
        ];
        assert_eq!(errors(spec), expected);
    }

    #[test]
    fn the_older_version_has_its_target_in_a_field_of_its_own() {
        let old = json!({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler",
            "spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 50, "scaleTargetRef": target()}});
        let new = from_v1(old);
        assert_eq!(new["apiVersion"], "autoscaling/v2");
        assert_eq!(new["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"], 50);
        assert!(new["spec"].get("targetCPUUtilizationPercentage").is_none());
    }
}
