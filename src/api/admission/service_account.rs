//! ServiceAccount (`plugin/pkg/admission/serviceaccount`).
use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{
    ConfigMapProjection, Container, DownwardAPIProjection, DownwardAPIVolumeFile, KeyToPath, LocalObjectReference,
    ObjectFieldSelector, Pod, PodSpec, ProjectedVolumeSource, ServiceAccount, ServiceAccountTokenProjection, Volume,
    VolumeMount, VolumeProjection,
};

use super::{Operation, Request};
use crate::api::object::{ApiObject, Object};
use crate::api::status::Status;
use crate::api::validation::pod_spec::text;

const VOLUME_PREFIX: &str = "kube-api-access-";
const MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const MIRROR_POD: &str = "kubernetes.io/config.mirror";
/// What the API server asks for instead of an hour, to tell old clients from new ones.
const TOKEN_SECONDS: i64 = 3607;

/// Gives a new pod its service account, the account's token and its pull secrets.
pub fn admit(request: &mut Request<'_>) -> Result<(), Status> {
    let Object::Pod(pod) = &request.object else { return Ok(()) };
    if request.operation != Operation::Create {
        return Ok(());
    }
    if pod.annotation(MIRROR_POD).is_some() {
        return validate(request);
    }
    let spec = pod.spec.as_ref();
    let name = spec.map(|s| text(&s.service_account_name)).filter(|n| !n.is_empty()).unwrap_or("default").to_owned();
    let account = find(request, pod, &name)?;
    let volume_name = format!("{VOLUME_PREFIX}{}", request.identities.suffix());
    let Object::Pod(pod) = &mut request.object else { return Ok(()) };
    let spec = Arc::make_mut(pod).spec.get_or_insert_default();
    spec.service_account_name = Some(name.clone());
    spec.service_account = Some(name);
    let automount = spec.automount_service_account_token.or(account.automount_service_account_token);
    if automount != Some(false) {
        mount_token(spec, volume_name);
    }
    if spec.image_pull_secrets.as_ref().is_none_or(Vec::is_empty) {
        let secrets: Vec<LocalObjectReference> = account.image_pull_secrets.clone().unwrap_or_default();
        spec.image_pull_secrets = (!secrets.is_empty()).then_some(secrets);
    }
    validate(request)
}

/// Checks that a new pod's service account exists and lets it use its secrets.
pub fn validate(request: &Request<'_>) -> Result<(), Status> {
    let Object::Pod(pod) = &request.object else { return Ok(()) };
    if request.operation != Operation::Create {
        return Ok(());
    }
    let empty = PodSpec::default();
    let spec = pod.spec.as_ref().unwrap_or(&empty);
    let name = text(&spec.service_account_name);
    if pod.annotation(MIRROR_POD).is_some() {
        return if name.is_empty() {
            Ok(())
        } else {
            Err(request.forbidden("a mirror pod may not reference service accounts"))
        };
    }
    if name.is_empty() {
        let why = format!("no service account specified for pod {}/{}", pod.namespace(), pod.name());
        return Err(request.forbidden(why));
    }
    let account = find(request, pod, name)?;
    let enforced = account.annotation("kubernetes.io/enforce-mountable-secrets");
    if matches!(enforced, Some("1" | "t" | "T" | "TRUE" | "true" | "True")) {
        limit_secrets(&account, spec).map_err(|why| request.forbidden(why))?;
    }
    Ok(())
}

fn find(request: &Request<'_>, pod: &Pod, name: &str) -> Result<Arc<ServiceAccount>, Status> {
    let namespace = pod.namespace();
    let missing = || {
        let why = format!("error looking up service account {namespace}/{name}: serviceaccount \"{name}\" not found");
        request.forbidden(why)
    };
    request.store.get::<ServiceAccount>(namespace, name).cloned().ok_or_else(missing)
}

/// Mounts the token in every container that has nothing at its path.
fn mount_token(spec: &mut PodSpec, new_name: String) {
    let existing = spec.volumes.iter().flatten().find(|v| v.name.starts_with(VOLUME_PREFIX)).map(|v| v.name.clone());
    let name = existing.clone().unwrap_or(new_name);
    let mut needed = false;
    let init_containers = spec.init_containers.iter_mut().flatten();
    for container in init_containers.chain(&mut spec.containers) {
        if container.volume_mounts.iter().flatten().any(|mount| mount.mount_path == MOUNT_PATH) {
            continue;
        }
        needed = true;
        container.volume_mounts.get_or_insert_default().push(VolumeMount {
            name: name.clone(),
            read_only: Some(true),
            mount_path: MOUNT_PATH.to_owned(),
            ..Default::default()
        });
    }
    if needed && existing.is_none() {
        let volume = Volume { name, projected: Some(token_volume_source()), ..Default::default() };
        spec.volumes.get_or_insert_default().push(volume);
    }
}

/// The token, the certificate of the cluster's authority and the namespace (`TokenVolumeSource`).
fn token_volume_source() -> ProjectedVolumeSource {
    let token = ServiceAccountTokenProjection {
        path: "token".to_owned(),
        expiration_seconds: Some(TOKEN_SECONDS),
        ..Default::default()
    };
    let certificate = ConfigMapProjection {
        name: "kube-root-ca.crt".to_owned(),
        items: Some(vec![KeyToPath { key: "ca.crt".to_owned(), path: "ca.crt".to_owned(), ..Default::default() }]),
        ..Default::default()
    };
    let field = ObjectFieldSelector { api_version: Some("v1".to_owned()), field_path: "metadata.namespace".to_owned() };
    let namespace = DownwardAPIProjection {
        items: Some(vec![DownwardAPIVolumeFile {
            path: "namespace".to_owned(),
            field_ref: Some(field),
            ..Default::default()
        }]),
    };
    ProjectedVolumeSource {
        default_mode: Some(0o644),
        sources: Some(vec![
            VolumeProjection { service_account_token: Some(token), ..Default::default() },
            VolumeProjection { config_map: Some(certificate), ..Default::default() },
            VolumeProjection { downward_api: Some(namespace), ..Default::default() },
        ]),
    }
}

/// `limitSecretReferences`: only secrets that the account lists.
fn limit_secrets(account: &ServiceAccount, spec: &PodSpec) -> Result<(), String> {
    let allowed: BTreeSet<&str> = account.secrets.iter().flatten().filter_map(|s| s.name.as_deref()).collect();
    let end = format!("is not allowed because service account {} does not reference that", account.name());
    for secret in spec.volumes.iter().flatten().filter_map(|v| v.secret.as_ref()) {
        let name = text(&secret.secret_name);
        if !allowed.contains(name) {
            return Err(format!("volume with secret.secretName=\"{name}\" {end} secret"));
        }
    }
    let check = |what: &str, container: &Container| {
        for var in container.env.iter().flatten() {
            let reference = var.value_from.as_ref().and_then(|v| v.secret_key_ref.as_ref());
            if let Some(secret) = reference.filter(|r| !allowed.contains(r.name.as_str())) {
                return Err(format!(
                    "{what} {} with envVar {} referencing secret.secretName=\"{}\" {end} secret",
                    container.name, var.name, secret.name
                ));
            }
        }
        for secret in container.env_from.iter().flatten().filter_map(|e| e.secret_ref.as_ref()) {
            if !allowed.contains(secret.name.as_str()) {
                return Err(format!(
                    "{what} {} with envFrom referencing secret.secretName=\"{}\" {end} secret",
                    container.name, secret.name
                ));
            }
        }
        Ok(())
    };
    for container in spec.init_containers.iter().flatten() {
        check("init container", container)?;
    }
    for container in &spec.containers {
        check("container", container)?;
    }
    let pull: BTreeSet<&str> = account.image_pull_secrets.iter().flatten().map(|s| s.name.as_str()).collect();
    for (i, secret) in spec.image_pull_secrets.iter().flatten().enumerate() {
        if !pull.contains(secret.name.as_str()) {
            return Err(format!("imagePullSecrets[{i}].name=\"{}\" {end} imagePullSecret", secret.name));
        }
    }
    Ok(())
}
