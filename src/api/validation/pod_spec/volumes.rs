//! `spec.volumes` (`ValidateVolumes` of `pkg/apis/core/validation`).
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{
    AzureDiskVolumeSource, CSIVolumeSource, CinderVolumeSource, ConfigMapVolumeSource, DownwardAPIVolumeFile,
    DownwardAPIVolumeSource, EphemeralVolumeSource, FCVolumeSource, FlexVolumeSource, FlockerVolumeSource,
    HostPathVolumeSource, ISCSIVolumeSource, ImageVolumeSource, KeyToPath, NFSVolumeSource, QuobyteVolumeSource,
    SecretVolumeSource, StorageOSVolumeSource, Volume,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::env::{VOLUME_FIELD_PATHS, validate_object_field_selector, validate_resource_field_selector};
use super::{PodValidationOptions, projected, text};
use crate::api::field::{ErrorList, Path, go_quote};
use crate::api::kinds::persistent_volume_claim;
use crate::api::quantity::Quantity;
use crate::api::validation::names::{
    inclusive_range_error, is_dns1123_subdomain, name_is_dns_subdomain, validate_dns1123_label,
};
use crate::api::validation::{invalid_each, sorted};

/// The volumes that may be mounted, by name.
pub(super) type ValidVolumes<'a> = BTreeMap<&'a str, &'a Volume>;

const MORE_THAN_ONE: &str = "may not specify more than 1 volume type";
const FILE_MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";

/// All volumes; also those without errors, which are the ones that count as existing. `pod` is the metadata of the pod,
/// absent for templates.
pub(super) fn validate_volumes<'a>(
    volumes: &'a [Volume],
    pod: Option<&ObjectMeta>,
    path: &Path<'_>,
    options: &PodValidationOptions,
) -> (ValidVolumes<'a>, ErrorList) {
    let mut errors = Vec::new();
    let mut valid = BTreeMap::new();
    let pod_name = pod.map(|meta| text(&meta.name)).filter(|name| !name.is_empty());
    let created: BTreeSet<String> = match pod_name {
        Some(pod) => volumes.iter().filter(|v| v.ephemeral.is_some()).map(|v| format!("{pod}-{}", v.name)).collect(),
        None => BTreeSet::new(),
    };
    for (i, volume) in volumes.iter().enumerate() {
        let path = path.index(i);
        let name_path = path.child("name");
        let mut own = validate_volume_source(volume, pod_name, &path, options);
        if volume.name.is_empty() {
            own.push(name_path.required(""));
        } else {
            own.extend(validate_dns1123_label(&volume.name, &name_path));
        }
        if valid.contains_key(volume.name.as_str()) {
            own.push(name_path.duplicate(volume.name.as_str()));
        }
        if own.is_empty() {
            valid.insert(volume.name.as_str(), volume);
        }
        errors.extend(own);
        if let Some(claim) = &volume.persistent_volume_claim
            && created.contains(&claim.claim_name)
        {
            let why = "must not reference a PVC that gets created for an ephemeral volume";
            let path = path.child("persistentVolumeClaim");
            errors.push(path.child("claimName").invalid(claim.claim_name.as_str(), why));
        }
    }
    (valid, errors)
}

/// One volume: exactly one source, and that one valid. The sources are looked at in the order of the Go code.
fn validate_volume_source(
    volume: &Volume,
    pod_name: Option<&str>,
    path: &Path<'_>,
    options: &PodValidationOptions,
) -> ErrorList {
    let mut errors = Vec::new();
    let mut found = false;
    if let Some(source) = &volume.empty_dir {
        found = true;
        if source.size_limit.as_ref().is_some_and(|limit| Quantity::of(limit).signum() < 0) {
            let path = path.child("emptyDir");
            errors.push(path.child("sizeLimit").forbidden("SizeLimit field must be a valid resource quantity"));
        }
    }
    /// One source: refused when there was another one before, otherwise checked by the expression.
    macro_rules! source {
        ($field:ident, $shown:literal, |$source:ident, $path:ident| $check:expr) => {
            source!($field, $shown, $shown, |$source, $path| $check)
        };
        ($field:ident, $shown:literal, $own:literal, |$source:ident, $path:ident| $check:expr) => {
            if let Some($source) = &volume.$field {
                if found {
                    errors.push(path.child($shown).forbidden(MORE_THAN_ONE));
                } else {
                    found = true;
                    let $path = &path.child($own);
                    errors.extend($check);
                }
            }
        };
    }
    source!(host_path, "hostPath", |source, path| validate_host_path(source, path));
    source!(git_repo, "gitRepo", |source, path| {
        let mut errors = required(&[("repository", &source.repository)], path);
        errors.extend(validate_local_descending_path(text(&source.directory), &path.child("directory")));
        errors
    });
    source!(gce_persistent_disk, "gcePersistentDisk", "persistentDisk", |source, path| {
        let mut errors = required(&[("pdName", &source.pd_name)], path);
        errors.extend(validate_partition(source.partition, path));
        errors
    });
    source!(aws_elastic_block_store, "awsElasticBlockStore", |source, path| {
        let mut errors = required(&[("volumeID", &source.volume_id)], path);
        errors.extend(validate_partition(source.partition, path));
        errors
    });
    source!(secret, "secret", |source, path| validate_secret(source, path));
    source!(nfs, "nfs", |source, path| validate_nfs(source, path));
    source!(iscsi, "iscsi", |source, path| validate_iscsi(source, path));
    if let Some(source) = &volume.iscsi
        && source.initiator_name.is_some()
        && volume.name.len() + 1 + source.target_portal.len() > 64
    {
        let why = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if \
            iscsi.initiatorName is specified.";
        errors.push(path.child("name").invalid(volume.name.as_str(), why));
    }
    source!(glusterfs, "glusterfs", |source, path| {
        required(&[("endpoints", &source.endpoints), ("path", &source.path)], path)
    });
    source!(flocker, "flocker", |source, path| validate_flocker(source, path));
    source!(persistent_volume_claim, "persistentVolumeClaim", |source, path| {
        required(&[("claimName", &source.claim_name)], path)
    });
    source!(rbd, "rbd", |source, path| {
        let mut errors = Vec::new();
        if source.monitors.is_empty() {
            errors.push(path.child("monitors").required(""));
        }
        errors.extend(required(&[("image", &source.image)], path));
        errors
    });
    source!(cinder, "cinder", |source, path| validate_cinder(source, path));
    source!(cephfs, "cephFS", "cephfs", |source, path| {
        source.monitors.is_empty().then(|| path.child("monitors").required(""))
    });
    source!(quobyte, "quobyte", |source, path| validate_quobyte(source, path));
    source!(downward_api, "downwarAPI", "downwardAPI", |source, path| validate_downward_api(source, path));
    source!(fc, "fc", |source, path| validate_fc(source, path));
    source!(flex_volume, "flexVolume", |source, path| validate_flex_volume(source, path));
    source!(config_map, "configMap", |source, path| validate_config_map(source, path));
    source!(azure_file, "azureFile", |source, path| {
        required(&[("secretName", &source.secret_name), ("shareName", &source.share_name)], path)
    });
    source!(vsphere_volume, "vsphereVolume", |source, path| required(&[("volumePath", &source.volume_path)], path));
    source!(photon_persistent_disk, "photonPersistentDisk", |source, path| {
        required(&[("pdID", &source.pd_id)], path)
    });
    source!(portworx_volume, "portworxVolume", |source, path| required(&[("volumeID", &source.volume_id)], path));
    source!(azure_disk, "azureDisk", |source, path| validate_azure_disk(source, path));
    source!(storageos, "storageos", |source, path| validate_storage_os(source, path));
    source!(projected, "projected", |source, path| projected::validate_projected(source, path, options));
    source!(scale_io, "scaleIO", |source, path| {
        let name = source.volume_name.clone().unwrap_or_default();
        required(&[("gateway", &source.gateway), ("system", &source.system), ("volumeName", &name)], path)
    });
    source!(csi, "csi", |source, path| validate_csi(source, path));
    if let Some(source) = &volume.ephemeral {
        if found {
            errors.push(path.child("ephemeral").forbidden(MORE_THAN_ONE));
        } else {
            found = true;
            errors.extend(validate_ephemeral(source, &path.child("ephemeral")));
            if let Some(pod) = pod_name.filter(|_| !volume.name.is_empty()) {
                let claim = format!("{pod}-{}", volume.name);
                for message in name_is_dns_subdomain(&claim, false) {
                    let why = format!("PVC name {}: {message}", go_quote(&claim));
                    errors.push(path.child("name").invalid(volume.name.as_str(), why));
                }
            }
        }
    }
    source!(image, "image", |source, path| validate_image(source, path, options));
    if !found {
        errors.push(path.required("must specify a volume type"));
    }
    errors
}

/// `Required value` for each field that is empty.
fn required(fields: &[(&str, &String)], path: &Path<'_>) -> ErrorList {
    fields.iter().filter(|(_, value)| value.is_empty()).map(|(field, _)| path.child(field).required("")).collect()
}

fn validate_partition(partition: Option<i32>, path: &Path<'_>) -> ErrorList {
    let partition = partition.unwrap_or(0);
    if (0..=255).contains(&partition) {
        return Vec::new();
    }
    vec![path.child("partition").invalid(partition, inclusive_range_error(1, 255))]
}

/// Also for PersistentVolumes (`validateHostPathVolumeSource`).
pub fn validate_host_path(source: &HostPathVolumeSource, path: &Path<'_>) -> ErrorList {
    if source.path.is_empty() {
        return vec![path.child("path").required("")];
    }
    let mut errors = validate_path_no_backsteps(&source.path, &path.child("path"));
    let types = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
    if let Some(kind) = &source.type_
        && !types.contains(&kind.as_str())
    {
        errors.push(path.child("type").not_supported(kind.as_str(), &types));
    }
    errors
}

/// Also for PersistentVolumes (`validateNFSVolumeSource`).
pub fn validate_nfs(source: &NFSVolumeSource, path: &Path<'_>) -> ErrorList {
    let mut errors = required(&[("server", &source.server), ("path", &source.path)], path);
    if !source.path.starts_with('/') {
        errors.push(path.child("path").invalid(source.path.as_str(), "must be an absolute path"));
    }
    errors
}

pub(super) fn validate_file_mode(mode: Option<i32>, path: &Path<'_>) -> ErrorList {
    match mode {
        Some(mode) if !(0..=0o777).contains(&mode) => vec![path.invalid(mode, FILE_MODE)],
        _ => Vec::new(),
    }
}

fn validate_secret(source: &SecretVolumeSource, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    if text(&source.secret_name).is_empty() {
        errors.push(path.child("secretName").required(""));
    }
    errors.extend(validate_file_mode(source.default_mode, &path.child("defaultMode")));
    errors.extend(validate_items(source.items.as_deref(), path));
    errors
}

fn validate_config_map(source: &ConfigMapVolumeSource, path: &Path<'_>) -> ErrorList {
    let mut errors = required(&[("name", &source.name)], path);
    errors.extend(validate_file_mode(source.default_mode, &path.child("defaultMode")));
    errors.extend(validate_items(source.items.as_deref(), path));
    errors
}

fn validate_items(items: Option<&[KeyToPath]>, path: &Path<'_>) -> ErrorList {
    let path = path.child("items");
    let each = items.unwrap_or_default().iter().enumerate();
    each.flat_map(|(i, item)| validate_key_to_path(item, &path.index(i))).collect()
}

pub(super) fn validate_key_to_path(item: &KeyToPath, path: &Path<'_>) -> ErrorList {
    let mut errors = required(&[("key", &item.key), ("path", &item.path)], path);
    errors.extend(validate_local_non_reserved_path(&item.path, &path.child("path")));
    errors.extend(validate_file_mode(item.mode, &path.child("mode")));
    errors
}

fn validate_downward_api(source: &DownwardAPIVolumeSource, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_file_mode(source.default_mode, &path.child("defaultMode"));
    for file in source.items.iter().flatten() {
        errors.extend(validate_downward_api_file(file, path));
    }
    errors
}

pub(super) fn validate_downward_api_file(file: &DownwardAPIVolumeFile, path: &Path<'_>) -> ErrorList {
    let mut errors = required(&[("path", &file.path)], path);
    errors.extend(validate_local_non_reserved_path(&file.path, &path.child("path")));
    if let Some(field) = &file.field_ref {
        errors.extend(validate_object_field_selector(field, &VOLUME_FIELD_PATHS, &path.child("fieldRef")));
        if file.resource_field_ref.is_some() {
            let why = "fieldRef and resourceFieldRef can not be specified simultaneously";
            errors.push(path.invalid("resource", why));
        }
    } else if let Some(resource) = &file.resource_field_ref {
        errors.extend(validate_resource_field_selector(resource, true, &path.child("resourceFieldRef")));
    } else {
        errors.push(path.required("one of fieldRef and resourceFieldRef is required"));
    }
    errors.extend(validate_file_mode(file.mode, &path.child("mode")));
    errors
}

/// Whether a name is an iSCSI qualified name as the three regular expressions of `validation.go` want it.
fn is_iscsi_name(name: &str) -> bool {
    let alphanumeric = |text: &str, len: usize| text.len() == len && text.bytes().all(|b| b.is_ascii_alphanumeric());
    let mut chars = name.chars();
    match name.get(..3) {
        // iqn\.\d{4}-\d{2}\.([[:alnum:]-.]+)(:[^,;*&$|\s]+)$
        Some("iqn") => name.match_indices("iqn.").any(|(at, _)| {
            let rest = &name[at + 4..];
            let date = rest.as_bytes();
            let digits =
                |range: std::ops::Range<usize>| date.get(range).is_some_and(|d| d.iter().all(u8::is_ascii_digit));
            if !(digits(0..4) && date.get(4) == Some(&b'-') && digits(5..7) && date.get(7) == Some(&b'.')) {
                return false;
            }
            rest[8..].split_once(':').is_some_and(|(authority, id)| {
                !authority.is_empty()
                    && authority.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
                    && !id.is_empty()
                    && !id.contains(|c: char| ",;*&$|".contains(c) || c.is_ascii_whitespace())
            })
        }),
        Some("eui") => chars.nth(3).is_some() && alphanumeric(chars.as_str(), 16),
        Some("naa") => chars.nth(3).is_some() && alphanumeric(chars.as_str(), 32),
        _ => false,
    }
}

fn validate_iscsi(source: &ISCSIVolumeSource, path: &Path<'_>) -> ErrorList {
    let mut errors = required(&[("targetPortal", &source.target_portal), ("iqn", &source.iqn)], path);
    let known = |name: &str| ["iqn", "eui", "naa"].iter().any(|prefix| name.starts_with(prefix));
    let mut check = |name: &str, field: &str| {
        if !known(name) {
            let why = "must be valid format starting with iqn, eui, or naa";
            errors.push(path.child(field).invalid(name, why));
        } else if !is_iscsi_name(name) {
            errors.push(path.child(field).invalid(name, "must be valid format"));
        }
    };
    if !source.iqn.is_empty() {
        check(&source.iqn, "iqn");
    }
    if let Some(name) = &source.initiator_name {
        check(name, "initiatorname");
    }
    let mut middle = Vec::new();
    if !(0..=255).contains(&source.lun) {
        middle.push(path.child("lun").invalid(source.lun, inclusive_range_error(0, 255)));
    }
    let chap = source.chap_auth_discovery == Some(true) || source.chap_auth_session == Some(true);
    if chap && source.secret_ref.is_none() {
        middle.push(path.child("secretRef").required(""));
    }
    // lun and secretRef come between the two names
    let at = errors.iter().position(|e| e.field.ends_with("initiatorname")).unwrap_or(errors.len());
    errors.splice(at..at, middle);
    errors
}

/// Also for PersistentVolumes.
pub fn validate_fc(source: &FCVolumeSource, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let wwns = source.target_wwns.as_deref().unwrap_or_default();
    let wwids = source.wwids.as_deref().unwrap_or_default();
    if wwns.is_empty() && wwids.is_empty() {
        errors.push(path.child("targetWWNs").required("must specify either targetWWNs or wwids, but not both"));
    }
    if !wwns.is_empty() && !wwids.is_empty() {
        let why = "targetWWNs and wwids can not be specified simultaneously";
        errors.push(path.child("targetWWNs").invalid(wwns.to_vec(), why));
    }
    if !wwns.is_empty() {
        match source.lun {
            None => errors.push(path.child("lun").required("lun is required if targetWWNs is specified")),
            Some(lun) if !(0..=255).contains(&lun) => {
                errors.push(path.child("lun").invalid(lun, inclusive_range_error(0, 255)));
            }
            Some(_) => {}
        }
    }
    errors
}

/// Also for PersistentVolumes.
pub fn validate_flocker(source: &FlockerVolumeSource, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let (name, uuid) = (text(&source.dataset_name), text(&source.dataset_uuid));
    if name.is_empty() && uuid.is_empty() {
        errors.push(path.required("one of datasetName and datasetUUID is required"));
    }
    if !name.is_empty() && !uuid.is_empty() {
        errors.push(path.invalid("resource", "datasetName and datasetUUID can not be specified simultaneously"));
    }
    if name.contains('/') {
        errors.push(path.child("datasetName").invalid(name, "must not contain '/'"));
    }
    errors
}

fn validate_cinder(source: &CinderVolumeSource, path: &Path<'_>) -> ErrorList {
    let mut errors = required(&[("volumeID", &source.volume_id)], path);
    if let Some(secret) = &source.secret_ref {
        errors.extend(required(&[("name", &secret.name)], &path.child("secretRef")));
    }
    errors
}

/// Also for PersistentVolumes.
pub fn validate_quobyte(source: &QuobyteVolumeSource, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let pairs = "must be a host:port pair or multiple pairs separated by commas";
    if source.registry.is_empty() {
        errors.push(path.child("registry").required(pairs));
    } else if text(&source.tenant).len() >= 65 {
        errors.push(path.child("tenant").required("must be a UUID and may not exceed a length of 64 characters"));
    } else {
        for _ in source.registry.split(',').filter(|pair| !is_host_port(pair)) {
            errors.push(path.child("registry").invalid(source.registry.as_str(), pairs));
        }
    }
    errors.extend(required(&[("volume", &source.volume)], path));
    errors
}

/// Whether Go's `net.SplitHostPort` takes a text.
fn is_host_port(pair: &str) -> bool {
    let Some((host, port)) = pair.rsplit_once(':') else { return false };
    if let Some(rest) = host.strip_prefix('[') {
        return rest.find([']', '[']).is_some_and(|end| end + 1 == rest.len() && rest.ends_with(']'))
            && !port.contains(['[', ']']);
    }
    !host.contains([':', '[', ']']) && !port.contains(['[', ']'])
}

fn validate_flex_volume(source: &FlexVolumeSource, path: &Path<'_>) -> ErrorList {
    let mut errors = required(&[("driver", &source.driver)], path);
    let options = path.child("options");
    for key in source.options.iter().flatten().map(|(key, _)| key) {
        let namespace = key.split_once('/').map_or(key.as_str(), |(namespace, _)| namespace);
        let normalized = format!(".{}", namespace.to_lowercase());
        if normalized.ends_with(".kubernetes.io") || normalized.ends_with(".k8s.io") {
            let why = "kubernetes.io and k8s.io namespaces are reserved";
            errors.push(options.key(key).invalid(key.as_str(), why));
        }
    }
    errors
}

/// Also for PersistentVolumes.
pub fn validate_azure_disk(source: &AzureDiskVolumeSource, path: &Path<'_>) -> ErrorList {
    let mut errors = required(&[("diskName", &source.disk_name), ("diskURI", &source.disk_uri)], path);
    let caching = ["None", "ReadOnly", "ReadWrite"];
    if let Some(mode) = source.caching_mode.as_deref().filter(|mode| !caching.contains(mode)) {
        errors.push(path.child("cachingMode").not_supported(mode, &caching));
    }
    let kinds = sorted(&["Shared", "Dedicated", "Managed"]);
    if let Some(kind) = source.kind.as_deref() {
        if !kinds.contains(&kind) {
            errors.push(path.child("kind").not_supported(kind, &kinds));
        }
        let (prefix, form) = if kind == "Managed" {
            let form =
                "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}";
            ("/subscriptions/", form)
        } else {
            ("https://", "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd")
        };
        if !source.disk_uri.starts_with(prefix) {
            errors.push(path.child("diskURI").not_supported(source.disk_uri.as_str(), &[form]));
        }
    }
    errors
}

fn validate_storage_os(source: &StorageOSVolumeSource, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    match text(&source.volume_name) {
        "" => errors.push(path.child("volumeName").required("")),
        name => errors.extend(validate_dns1123_label(name, &path.child("volumeName"))),
    }
    let namespace = text(&source.volume_namespace);
    if !namespace.is_empty() {
        errors.extend(validate_dns1123_label(namespace, &path.child("volumeNamespace")));
    }
    if let Some(secret) = &source.secret_ref {
        errors.extend(required(&[("name", &secret.name)], &path.child("secretRef")));
    }
    errors
}

/// The name of a CSI driver; also for PersistentVolumes (`ValidateCSIDriverName`).
pub fn validate_csi_driver_name(driver: &str, path: &Path<'_>) -> ErrorList {
    if driver.is_empty() {
        return vec![path.required("")];
    }
    let mut errors = Vec::new();
    if driver.len() > 63 {
        errors.push(path.too_long(63));
    }
    errors.extend(invalid_each(path, driver, is_dns1123_subdomain(&driver.to_lowercase())));
    errors
}

fn validate_csi(source: &CSIVolumeSource, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_csi_driver_name(&source.driver, &path.child("driver"));
    if let Some(secret) = &source.node_publish_secret_ref {
        if secret.name.is_empty() {
            errors.push(path.child("nodePublishSecretRef").child("name").required(""));
        } else {
            errors.extend(invalid_each(&path.child("name"), &secret.name, name_is_dns_subdomain(&secret.name, false)));
        }
    }
    errors
}

fn validate_ephemeral(source: &EphemeralVolumeSource, path: &Path<'_>) -> ErrorList {
    let path = path.child("volumeClaimTemplate");
    match &source.volume_claim_template {
        None => vec![path.required("")],
        Some(template) => persistent_volume_claim::validate_template(template, &path),
    }
}

fn validate_image(source: &ImageVolumeSource, path: &Path<'_>, options: &PodValidationOptions) -> ErrorList {
    let mut errors = Vec::new();
    if options.resource_is_pod && text(&source.reference).is_empty() {
        errors.push(path.child("reference").required(""));
    }
    errors.extend(super::containers::validate_pull_policy(text(&source.pull_policy), &path.child("pullPolicy")));
    errors
}

/// No `..` between slashes (`validatePathNoBacksteps`).
pub fn validate_path_no_backsteps(target: &str, path: &Path<'_>) -> ErrorList {
    if target.split('/').any(|part| part == "..") {
        return vec![path.invalid(target, "must not contain '..'")];
    }
    Vec::new()
}

/// Relative and without `..` (`validateLocalDescendingPath`).
pub fn validate_local_descending_path(target: &str, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    if target.starts_with('/') {
        errors.push(path.invalid(target, "must be a relative path"));
    }
    errors.extend(validate_path_no_backsteps(target, path));
    errors
}

/// Relative, without `..`, and not beginning with two dots, which the kubelet keeps for itself
/// (`ValidateLocalNonReservedPath`).
pub fn validate_local_non_reserved_path(target: &str, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_local_descending_path(target, path);
    if target.starts_with("..") && !target.starts_with("../") {
        errors.push(path.invalid(target, "must not start with '..'"));
    }
    errors
}
