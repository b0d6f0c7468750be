//! Projected volumes (`validateProjectedVolumeSource` of `pkg/apis/core/validation`).
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{
    ClusterTrustBundleProjection, PodCertificateProjection, ProjectedVolumeSource, ServiceAccountTokenProjection,
};

use super::volumes::{
    validate_downward_api_file, validate_file_mode, validate_key_to_path, validate_local_non_reserved_path,
};
use super::{PodValidationOptions, text};
use crate::api::field::{ErrorList, Path};
use crate::api::internal;
use crate::api::validation::label_selector::validate_label_selector;
use crate::api::validation::names::{
    is_dns1123_subdomain, is_qualified_name, name_is_dns_subdomain, validate_signer_name,
};
use crate::api::validation::{invalid_each, invalid_printed};

const DUPLICATE_PATHS: &str = "conflicting duplicate paths";

/// Paths used by one source or another; each may be used once.
#[derive(Default)]
struct Paths {
    used: BTreeSet<String>,
}

impl Paths {
    /// Takes a path; the error is about the whole volume and shows `value`.
    fn take(&mut self, path: &str, value: &str, volume: &Path<'_>, errors: &mut ErrorList) {
        if !self.used.insert(path.to_owned()) {
            errors.push(volume.invalid(value, DUPLICATE_PATHS));
        }
    }
}

pub(super) fn validate_projected(
    volume: &ProjectedVolumeSource,
    path: &Path<'_>,
    options: &PodValidationOptions,
) -> ErrorList {
    let mut errors = validate_file_mode(volume.default_mode, &path.child("defaultMode"));
    let mut paths = Paths::default();
    let list = path.child("sources");
    for (i, source) in volume.sources.iter().flatten().enumerate() {
        let source_path = list.index(i);
        let mut count = 0;
        let key_sources = [
            ("secret", source.secret.as_ref().map(|s| (&s.name, &s.items))),
            ("configMap", source.config_map.as_ref().map(|s| (&s.name, &s.items))),
        ];
        for (field, found) in key_sources {
            let Some((name, items)) = found else { continue };
            let own = source_path.child(field);
            count += 1;
            if name.is_empty() {
                errors.push(own.child("name").required(""));
            }
            let items_path = own.child("items");
            for (j, item) in items.iter().flatten().enumerate() {
                errors.extend(validate_key_to_path(item, &items_path.index(j)));
                if !item.path.is_empty() {
                    paths.take(&item.path, name, path, &mut errors);
                }
            }
        }
        if let Some(downward) = &source.downward_api {
            count += 1;
            for file in downward.items.iter().flatten() {
                errors.extend(validate_downward_api_file(file, &source_path.child("downwardAPI")));
                if !file.path.is_empty() {
                    paths.take(&file.path, &file.path, path, &mut errors);
                }
            }
        }
        if let Some(token) = &source.service_account_token {
            count += 1;
            let own = source_path.child("serviceAccountToken");
            errors.extend(validate_token(token, &own, path, options));
        }
        if let Some(bundle) = &source.cluster_trust_bundle {
            count += 1;
            errors.extend(validate_trust_bundle(bundle, &source_path.child("clusterTrustBundle")));
            paths.take(&bundle.path, &bundle.path, path, &mut errors);
        }
        if let Some(certificate) = &source.pod_certificate {
            count += 1;
            let own = source_path.child("podCertificate");
            errors.extend(validate_pod_certificate(certificate, &own));
            let targets = [
                ("credentialBundlePath", text(&certificate.credential_bundle_path)),
                ("keyPath", text(&certificate.key_path)),
                ("certificateChainPath", text(&certificate.certificate_chain_path)),
            ];
            for (field, target) in targets.iter().filter(|(_, target)| !target.is_empty()) {
                errors.extend(validate_local_non_reserved_path(target, &own.child(field)));
                paths.take(target, target, path, &mut errors);
            }
            if targets.iter().all(|(_, target)| target.is_empty()) {
                let why = "specify at least one of credentialBundlePath, keyPath, and certificateChainPath";
                errors.push(own.required(why));
            }
        }
        if count > 1 {
            errors.push(source_path.forbidden("may not specify more than 1 volume type per source"));
        }
    }
    errors
}

/// Errors about the path are reported at the volume, as Kubernetes does.
fn validate_token(
    token: &ServiceAccountTokenProjection,
    path: &Path<'_>,
    volume: &Path<'_>,
    options: &PodValidationOptions,
) -> ErrorList {
    let mut errors = Vec::new();
    let seconds = token.expiration_seconds.unwrap_or(0);
    let seconds_path = path.child("expirationSeconds");
    if seconds < 600 {
        errors.push(seconds_path.invalid(seconds, "may not specify a duration less than 10 minutes"));
    }
    if seconds > 1 << 32 {
        errors.push(seconds_path.invalid(seconds, "may not specify a duration larger than 2^32 seconds"));
    }
    if token.path.is_empty() {
        errors.push(volume.child("path").required(""));
    } else if !options.allow_non_local_projected_token_path {
        errors.extend(validate_local_non_reserved_path(&token.path, &volume.child("path")));
    }
    errors
}

fn validate_trust_bundle(bundle: &ClusterTrustBundleProjection, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    match (&bundle.name, &bundle.signer_name) {
        (Some(_), Some(_)) => {
            let printed = internal::to_json("ClusterTrustBundleProjection", bundle);
            errors.push(invalid_printed(path, &printed, "only one of name and signerName may be used"));
        }
        (Some(name), None) => {
            if name.is_empty() {
                errors.push(path.child("name").required("must be a valid object name"));
            }
            for message in trust_bundle_name_errors(name) {
                let why = format!("not a valid clustertrustbundlename: {message}");
                errors.push(path.child("name").invalid(name.as_str(), why));
            }
            if let Some(selector) = &bundle.label_selector {
                let printed = internal::to_json("LabelSelector", selector);
                let why = "labelSelector must be unset if name is specified";
                errors.push(invalid_printed(&path.child("labelSelector"), &printed, why));
            }
        }
        (None, Some(signer)) => {
            if signer.is_empty() {
                errors.push(path.child("signerName").required("must be a valid signer name"));
            }
            errors.extend(validate_signer_name(signer, &path.child("signerName")));
            let selector = bundle.label_selector.as_ref();
            errors.extend(validate_label_selector(selector, false, &path.child("labelSelector")));
        }
        (None, None) => errors.push(path.required("either name or signerName must be specified")),
    }
    if bundle.path.is_empty() {
        errors.push(path.child("path").required(""));
    }
    errors.extend(validate_local_non_reserved_path(&bundle.path, &path.child("path")));
    errors
}

/// `ValidateClusterTrustBundleName`: `SIGNER:NAME` with colons for the signer's slashes, or a name without colons.
fn trust_bundle_name_errors(name: &str) -> Vec<String> {
    match name.rsplit_once(':') {
        None => is_dns1123_subdomain(name),
        Some((signer, rest)) if !signer.is_empty() => name_is_dns_subdomain(rest, false),
        Some(_) => vec!["ClusterTrustBundle without signer name must not have \":\" in its name".to_owned()],
    }
}

fn validate_pod_certificate(certificate: &PodCertificateProjection, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_signer_name(&certificate.signer_name, &path.child("signerName"));
    let annotations = path.child("userAnnotations");
    for key in certificate.user_annotations.iter().flatten().map(|(key, _)| key.to_lowercase()) {
        let messages = is_qualified_name(&key);
        if messages.is_empty() && !key.contains('/') {
            errors.push(annotations.invalid(key, "must be a domain-prefixed key (such as \"acme.io/foo\")"));
        } else {
            errors.extend(invalid_each(&annotations, &key, messages));
        }
    }
    let types = ["RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"];
    if !types.contains(&certificate.key_type.as_str()) {
        errors.push(path.child("keyType").not_supported(certificate.key_type.as_str(), &types));
    }
    if let Some(seconds) = certificate.max_expiration_seconds {
        let path = path.child("maxExpirationSeconds");
        if seconds < 3600 {
            errors.push(path.invalid(seconds, "if provided, maxExpirationSeconds must be >= 3600"));
        }
        let domain = certificate.signer_name.split('/').next().unwrap_or_default();
        let kubernetes = domain == "kubernetes.io" || domain.ends_with(".kubernetes.io");
        let most = if kubernetes { 24 * 60 * 60 } else { 91 * 24 * 60 * 60 };
        if seconds > most {
            errors.push(path.invalid(seconds, format!("if provided, maxExpirationSeconds must be <= {most}")));
        }
    }
    errors
}
