//! What a volume is made of: `spec.hostPath`, `spec.nfs`, `spec.csi`…
use k8s_openapi::api::core::v1::{
    CSIPersistentVolumeSource, FlexPersistentVolumeSource, GlusterfsPersistentVolumeSource,
    ISCSIPersistentVolumeSource, PersistentVolumeSpec, SecretReference, StorageOSPersistentVolumeSource,
};

use super::default_text;
use crate::api::field::{ErrorList, FieldError, Path};
use crate::api::validation::invalid_each;
use crate::api::validation::names::{
    inclusive_range_error, is_dns1123_subdomain, name_is_dns_label, validate_dns1123_label, validate_dns1123_subdomain,
};
use crate::api::validation::pod_spec::{
    validate_azure_disk, validate_fc, validate_flocker, validate_host_path, validate_nfs, validate_path_no_backsteps,
    validate_quobyte,
};

/// Defaults of the sources (`SetObjectDefaults_PersistentVolume`).
pub(super) fn set_defaults(spec: &mut PersistentVolumeSpec) {
    if let Some(host_path) = spec.host_path.as_mut() {
        host_path.type_.get_or_insert_default();
    }
    if let Some(rbd) = spec.rbd.as_mut() {
        default_text(&mut rbd.pool, "rbd");
        default_text(&mut rbd.user, "admin");
        default_text(&mut rbd.keyring, "/etc/ceph/keyring");
    }
    if let Some(iscsi) = spec.iscsi.as_mut() {
        default_text(&mut iscsi.iscsi_interface, "default");
    }
    if let Some(disk) = spec.azure_disk.as_mut() {
        disk.caching_mode.get_or_insert_with(|| "ReadWrite".to_owned());
        disk.fs_type.get_or_insert_with(|| "ext4".to_owned());
        disk.read_only.get_or_insert(false);
        disk.kind.get_or_insert_with(|| "Shared".to_owned());
    }
    if let Some(scale_io) = spec.scale_io.as_mut() {
        default_text(&mut scale_io.storage_mode, "ThinProvisioned");
        default_text(&mut scale_io.fs_type, "xfs");
    }
}

/// Every rule the sources break, in the order in which the API server looks at them; of several sources only the first
/// is looked into.
pub(super) fn validate(spec: &PersistentVolumeSpec, name: &str, path: &Path<'_>) -> ErrorList {
    let mut sources = Sources { errors: Vec::new(), count: 0, path };
    sources.one("hostPath", &spec.host_path, |s, p| validate_host_path(s, &p.child("hostPath")));
    sources.one("gcePersistentDisk", &spec.gce_persistent_disk, |s, p| {
        let p = p.child("persistentDisk");
        let mut errors = required(&p, &[("pdName", &s.pd_name)]);
        errors.extend(partition(s.partition, &p));
        errors
    });
    sources.one("awsElasticBlockStore", &spec.aws_elastic_block_store, |s, p| {
        let p = p.child("awsElasticBlockStore");
        let mut errors = required(&p, &[("volumeID", &s.volume_id)]);
        errors.extend(partition(s.partition, &p));
        errors
    });
    sources.one("glusterfs", &spec.glusterfs, |s, p| glusterfs(s, &p.child("glusterfs")));
    sources.one("flocker", &spec.flocker, |s, p| validate_flocker(s, &p.child("flocker")));
    sources.one("nfs", &spec.nfs, |s, p| validate_nfs(s, &p.child("nfs")));
    sources.one("rbd", &spec.rbd, |s, p| {
        let p = p.child("rbd");
        let mut errors = required_list(&p, "monitors", &s.monitors);
        errors.extend(required(&p, &[("image", &s.image)]));
        errors
    });
    sources.one("quobyte", &spec.quobyte, |s, p| validate_quobyte(s, &p.child("quobyte")));
    sources.one("cephFS", &spec.cephfs, |s, p| required_list(&p.child("cephfs"), "monitors", &s.monitors));
    sources.one("iscsi", &spec.iscsi, |s, p| iscsi(s, name, &p.child("iscsi")));
    sources.one("cinder", &spec.cinder, |s, p| {
        let p = p.child("cinder");
        let mut errors = required(&p, &[("volumeID", &s.volume_id)]);
        if let Some(secret) = &s.secret_ref {
            errors.extend(required_reference(text(&secret.name), text(&secret.namespace), &p));
        }
        errors
    });
    sources.one("fc", &spec.fc, |s, p| validate_fc(s, &p.child("fc")));
    if let Some(flex) = &spec.flex_volume {
        // counted, but not refused beside another source
        sources.count += 1;
        sources.errors.extend(flex_volume(flex, &path.child("flexVolume")));
    }
    sources.one("azureFile", &spec.azure_file, |s, p| {
        let p = p.child("azureFile");
        let mut errors = required(&p, &[("secretName", &s.secret_name), ("shareName", &s.share_name)]);
        if s.secret_namespace.as_deref() == Some("") {
            errors.push(p.child("secretNamespace").required(""));
        }
        errors
    });
    sources.one("vsphereVolume", &spec.vsphere_volume, |s, p| {
        required(&p.child("vsphereVolume"), &[("volumePath", &s.volume_path)])
    });
    sources.one("photonPersistentDisk", &spec.photon_persistent_disk, |s, p| {
        required(&p.child("photonPersistentDisk"), &[("pdID", &s.pd_id)])
    });
    sources.one("portworxVolume", &spec.portworx_volume, |s, p| {
        required(&p.child("portworxVolume"), &[("volumeID", &s.volume_id)])
    });
    sources.one("azureDisk", &spec.azure_disk, |s, p| validate_azure_disk(s, &p.child("azureDisk")));
    sources.one("scaleIO", &spec.scale_io, |s, p| {
        let fields = [("gateway", s.gateway.as_str()), ("system", &s.system), ("volumeName", text(&s.volume_name))];
        required(&p.child("scaleIO"), &fields)
    });
    sources.one("local", &spec.local, |s, p| {
        let local = p.child("local");
        let mut errors = required(&local, &[("path", &s.path)]);
        errors.extend(validate_path_no_backsteps(&s.path, &local.child("path")));
        if spec.node_affinity.is_none() {
            errors.push(p.child("nodeAffinity").required("Local volume requires node affinity"));
        }
        errors
    });
    sources.one("storageos", &spec.storageos, |s, p| storage_os(s, &p.child("storageos")));
    sources.one("csi", &spec.csi, |s, p| csi(s, &p.child("csi")));
    if sources.count == 0 {
        sources.errors.push(path.required("must specify a volume type"));
    }
    sources.errors
}

/// Collects errors and counts sources.
struct Sources<'a> {
    errors: ErrorList,
    count: usize,
    path: &'a Path<'a>,
}

impl Sources<'_> {
    fn one<S>(&mut self, field: &str, source: &Option<S>, check: impl FnOnce(&S, &Path<'_>) -> ErrorList) {
        let Some(source) = source else { return };
        if self.count > 0 {
            self.errors.push(self.path.child(field).forbidden("may not specify more than 1 volume type"));
        } else {
            self.count += 1;
            self.errors.extend(check(source, self.path));
        }
    }
}

fn text(field: &Option<String>) -> &str {
    field.as_deref().unwrap_or_default()
}

/// An error for each of some fields that is empty.
fn required(path: &Path<'_>, fields: &[(&str, &str)]) -> ErrorList {
    fields.iter().filter(|(_, value)| value.is_empty()).map(|(field, _)| path.child(field).required("")).collect()
}

fn required_list(path: &Path<'_>, field: &str, list: &[String]) -> ErrorList {
    if list.is_empty() { vec![path.child(field).required("")] } else { Vec::new() }
}

/// `secretRef` with a name and a namespace.
fn required_reference(name: &str, namespace: &str, path: &Path<'_>) -> ErrorList {
    required(&path.child("secretRef"), &[("name", name), ("namespace", namespace)])
}

fn partition(partition: Option<i32>, path: &Path<'_>) -> Option<FieldError> {
    let number = partition.filter(|p| !(0..=255).contains(p))?;
    Some(path.child("partition").invalid(number, inclusive_range_error(1, 255)))
}

fn glusterfs(source: &GlusterfsPersistentVolumeSource, path: &Path<'_>) -> ErrorList {
    let mut errors = required(path, &[("endpoints", &source.endpoints), ("path", &source.path)]);
    let path = path.child("endpointsNamespace");
    match source.endpoints_namespace.as_deref() {
        Some("") => {
            errors.push(path.invalid("", "if the endpointnamespace is set, it must be a valid namespace name"));
        }
        Some(namespace) => errors.extend(invalid_each(&path, namespace, name_is_dns_label(namespace, false))),
        None => {}
    }
    errors
}

fn iscsi(source: &ISCSIPersistentVolumeSource, name: &str, path: &Path<'_>) -> ErrorList {
    let mut errors = required(path, &[("targetPortal", &source.target_portal)]);
    if source.initiator_name.is_some() && name.len() + 1 + source.target_portal.len() > 64 {
        let why = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if \
                   iscsi.initiatorName is specified.";
        errors.push(path.child("targetportal").invalid(source.target_portal.as_str(), why));
    }
    if source.iqn.is_empty() {
        errors.push(path.child("iqn").required(""));
    } else if !is_initiator_name(&source.iqn) {
        errors.push(path.child("iqn").invalid(source.iqn.as_str(), "must be valid format"));
    }
    if !(0..=255).contains(&source.lun) {
        errors.push(path.child("lun").invalid(source.lun, inclusive_range_error(0, 255)));
    }
    let chap = source.chap_auth_discovery == Some(true) || source.chap_auth_session == Some(true);
    match &source.secret_ref {
        None if chap => errors.push(path.child("secretRef").required("")),
        Some(secret) => errors.extend(required(&path.child("secretRef"), &[("name", text(&secret.name))])),
        None => {}
    }
    if let Some(initiator) = source.initiator_name.as_deref().filter(|i| !is_initiator_name(i)) {
        errors.push(path.child("initiatorname").invalid(initiator, "must be valid format"));
    }
    errors
}

/// `iqn.YYYY-MM.domain:name`, `eui.` with 16 or `naa.` with 32 letters or digits.
fn is_initiator_name(name: &str) -> bool {
    let fixed = |length: usize| {
        let mut rest = name.chars().skip(3);
        let letters: Vec<char> = rest.by_ref().skip(1).collect();
        letters.len() == length && letters.iter().all(char::is_ascii_alphanumeric)
    };
    if name.starts_with("eui") {
        return fixed(16);
    }
    if name.starts_with("naa") {
        return fixed(32);
    }
    // the pattern is not anchored at the beginning
    name.starts_with("iqn") && name.match_indices("iqn.").any(|(at, prefix)| is_iqn(&name[at + prefix.len()..]))
}

/// What follows `iqn.`: `YYYY-MM.domain:name`.
fn is_iqn(rest: &str) -> bool {
    let Some((date, rest)) = rest.split_once('.') else { return false };
    let Some((domain, unit)) = rest.split_once(':') else { return false };
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    date.split_once('-').is_some_and(|(year, month)| digits(year, 4) && digits(month, 2))
        && !domain.is_empty()
        && domain.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
        && !unit.is_empty()
        && !unit.chars().any(|c| matches!(c, ',' | ';' | '*' | '&' | '$' | '|') || c.is_ascii_whitespace())
}

fn flex_volume(source: &FlexPersistentVolumeSource, path: &Path<'_>) -> ErrorList {
    let mut errors = required(path, &[("driver", &source.driver)]);
    for key in source.options.iter().flat_map(|o| o.keys()) {
        let namespace = key.split_once('/').map_or(key.as_str(), |(namespace, _)| namespace);
        let normalized = format!(".{}", namespace.to_lowercase());
        if normalized.ends_with(".kubernetes.io") || normalized.ends_with(".k8s.io") {
            let why = "kubernetes.io and k8s.io namespaces are reserved";
            errors.push(path.child("options").key(key).invalid(key.as_str(), why));
        }
    }
    errors
}

fn storage_os(source: &StorageOSPersistentVolumeSource, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    match text(&source.volume_name) {
        "" => errors.push(path.child("volumeName").required("")),
        name => errors.extend(validate_dns1123_label(name, &path.child("volumeName"))),
    }
    match text(&source.volume_namespace) {
        "" => {}
        namespace => errors.extend(validate_dns1123_label(namespace, &path.child("volumeNamespace"))),
    }
    if let Some(secret) = &source.secret_ref {
        errors.extend(required_reference(text(&secret.name), text(&secret.namespace), path));
    }
    errors
}

fn csi(source: &CSIPersistentVolumeSource, path: &Path<'_>) -> ErrorList {
    let mut errors = csi_driver_name(&source.driver, &path.child("driver"));
    errors.extend(required(path, &[("volumeHandle", &source.volume_handle)]));
    let secrets = [
        ("controllerPublishSecretRef", &source.controller_publish_secret_ref),
        ("controllerExpandSecretRef", &source.controller_expand_secret_ref),
        ("nodePublishSecretRef", &source.node_publish_secret_ref),
        ("nodeExpandSecretRef", &source.node_expand_secret_ref),
    ];
    for (field, secret) in secrets {
        if let Some(secret) = secret {
            errors.extend(secret_reference(secret, &path.child(field)));
        }
    }
    errors
}

/// `ValidateCSIDriverName`.
fn csi_driver_name(driver: &str, path: &Path<'_>) -> ErrorList {
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

/// `validatePVSecretReference`.
fn secret_reference(secret: &SecretReference, path: &Path<'_>) -> ErrorList {
    let (name_path, namespace_path) = (path.child("name"), path.child("namespace"));
    let mut errors = match text(&secret.name) {
        "" => vec![name_path.required("")],
        name => validate_dns1123_subdomain(name, &name_path),
    };
    match text(&secret.namespace) {
        "" => errors.push(namespace_path.required("")),
        namespace => errors.extend(validate_dns1123_label(namespace, &namespace_path)),
    }
    errors
}
