//! Pod templates of workloads (`ValidatePodTemplateSpec` of `pkg/apis/core/validation`).
use k8s_openapi::api::core::v1::{PodSpec, PodTemplateSpec};

use super::{
    PodValidationOptions, validate_annotations_for_spec, validate_annotations_match_fields, validate_pod_spec,
};
use crate::api::field::{ErrorList, Path};
use crate::api::validation::label_selector::validate_labels;
use crate::api::validation::object_meta::validate_annotations;

/// A template at a path such as `spec.template`; `options` as for new objects unless there is an old template.
pub fn validate_pod_template_spec(
    template: &PodTemplateSpec,
    path: &Path<'_>,
    options: &PodValidationOptions,
) -> ErrorList {
    let metadata = template.metadata.as_ref();
    let annotations = metadata.and_then(|m| m.annotations.as_ref());
    let empty = PodSpec::default();
    let spec = template.spec.as_ref().unwrap_or(&empty);
    let mut errors = validate_labels(metadata.and_then(|m| m.labels.as_ref()), &path.child("labels"));
    let annotations_path = path.child("annotations");
    errors.extend(validate_annotations(annotations, &annotations_path));
    errors.extend(validate_annotations_for_spec(annotations, spec, &annotations_path, options));
    let spec_path = path.child("spec");
    errors.extend(validate_pod_spec(spec, None, &spec_path, options));
    errors.extend(validate_annotations_match_fields(annotations, spec, &spec_path));
    if spec.ephemeral_containers.as_ref().is_some_and(|list| !list.is_empty()) {
        let why = "ephemeral containers not allowed in pod template";
        errors.push(spec_path.child("ephemeralContainers").forbidden(why));
    }
    errors
}

/// A changed template: what was invalid before may stay so (`GetValidationOptionsFromPodTemplate`).
pub fn validate_pod_template_spec_update(
    template: &PodTemplateSpec,
    old: &PodTemplateSpec,
    path: &Path<'_>,
) -> ErrorList {
    let options = PodValidationOptions::for_template_update(old);
    validate_pod_template_spec(template, path, &options)
}
