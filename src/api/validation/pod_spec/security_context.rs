//! Security contexts of pods and containers (`validatePodSpecSecurityContext`, `ValidateSecurityContext` of
//! `pkg/apis/core/validation`).
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{
    AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext, WindowsSecurityContextOptions,
};

use super::volumes::validate_local_descending_path;
use super::{PodValidationOptions, text, visit_containers};
use crate::api::field::{ErrorList, FieldError, Path};
use crate::api::internal;
use crate::api::validation::invalid_printed;
use crate::api::validation::names::{is_dns1123_subdomain, is_valid_user_or_group_id};

fn validate_id(id: Option<i64>, path: &Path<'_>) -> ErrorList {
    let Some(id) = id else { return Vec::new() };
    is_valid_user_or_group_id(id).into_iter().map(|message| path.invalid(id, message)).collect()
}

/// `spec.securityContext`.
pub(super) fn validate_pod_security_context(
    spec: &PodSpec,
    path: &Path<'_>,
    options: &PodValidationOptions,
) -> ErrorList {
    let Some(context) = &spec.security_context else { return Vec::new() };
    let mut errors = validate_id(context.fs_group, &path.child("fsGroup"));
    errors.extend(validate_id(context.run_as_user, &path.child("runAsUser")));
    errors.extend(validate_id(context.run_as_group, &path.child("runAsGroup")));
    let groups = path.child("supplementalGroups");
    for (i, group) in context.supplemental_groups.iter().flatten().enumerate() {
        errors.extend(validate_id(Some(*group), &groups.index(i)));
    }
    if spec.share_process_namespace == Some(true) && spec.host_pid == Some(true) {
        let why = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.push(path.child("shareProcessNamespace").invalid(true, why));
    }
    errors.extend(validate_sysctls(spec, context, &path.child("sysctls"), options));
    errors.extend(one_of(
        &context.fs_group_change_policy,
        &["Always", "OnRootMismatch"],
        &path.child("fsGroupChangePolicy"),
    ));
    errors.extend(validate_seccomp_profile(context.seccomp_profile.as_ref(), &path.child("seccompProfile")));
    errors.extend(validate_windows_options(context.windows_options.as_ref(), &path.child("windowsOptions")));
    errors.extend(validate_app_armor_profile(context.app_armor_profile.as_ref(), &path.child("appArmorProfile")));
    let policy_path = path.child("supplementalGroupsPolicy");
    errors.extend(one_of(&context.supplemental_groups_policy, &["Merge", "Strict"], &policy_path));
    let se_linux: &[&str] =
        if options.allow_any_se_linux_change_policy { &["MountOption", "Recursive"] } else { &["Recursive"] };
    errors.extend(one_of(&context.se_linux_change_policy, se_linux, &path.child("seLinuxChangePolicy")));
    errors
}

fn one_of(value: &Option<String>, supported: &[&str], path: &Path<'_>) -> Option<FieldError> {
    let value = value.as_deref()?;
    (!supported.contains(&value)).then(|| path.not_supported(value, supported))
}

/// `IsValidSysctlName`: segments between dots or slashes.
fn is_valid_sysctl_name(name: &str) -> bool {
    let segment = |text: &str| {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        edge(text.chars().next())
            && edge(text.chars().next_back())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    };
    name.len() <= 253 && name.split(['.', '/']).all(segment)
}

/// The kernel namespace a sysctl belongs to (`k8s.io/component-helpers/node/util/sysctl`).
fn sysctl_namespace(name: &str) -> Option<&'static str> {
    // dots and slashes trade places when a slash comes first
    let first = name.find(['.', '/']).and_then(|at| name.as_bytes().get(at));
    let name = if first == Some(&b'/') {
        name.chars()
            .map(|c| {
                if c == '/' {
                    '.'
                } else if c == '.' {
                    '/'
                } else {
                    c
                }
            })
            .collect()
    } else {
        name.to_owned()
    };
    let name = name.split('*').next().unwrap_or_default();
    let ipc = ["sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced", "shm", "msgmax", "msgmnb", "msgmni", "msg"];
    if name.strip_prefix("kernel.").is_some_and(|rest| ipc.contains(&rest)) || name.starts_with("fs.mqueue.") {
        return Some("ipc");
    }
    (name == "net" || name.starts_with("net.")).then_some("net")
}

/// Why a sysctl cannot be set in a pod that shares the node's namespaces (`ValidateHostSysctl`).
pub(super) fn validate_host_sysctl(spec: &PodSpec, name: &str, path: &Path<'_>) -> Option<FieldError> {
    match sysctl_namespace(name)? {
        "net" if spec.host_network == Some(true) => {
            Some(path.invalid(name, "may not be specified when 'hostNetwork' is true"))
        }
        "ipc" if spec.host_ipc == Some(true) => Some(path.invalid(name, "may not be specified when 'hostIPC' is true")),
        _ => None,
    }
}

fn validate_sysctls(
    spec: &PodSpec,
    context: &PodSecurityContext,
    path: &Path<'_>,
    options: &PodValidationOptions,
) -> ErrorList {
    let mut errors = Vec::new();
    let mut names = BTreeSet::new();
    for (i, sysctl) in context.sysctls.iter().flatten().enumerate() {
        let path = path.index(i);
        let path = path.child("name");
        let name = sysctl.name.as_str();
        if name.is_empty() {
            errors.push(path.required(""));
        } else if !is_valid_sysctl_name(name) {
            let why = "must have at most 253 characters and match regex \
                ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
            errors.push(path.invalid(name, why));
        } else if names.contains(name) {
            errors.push(path.duplicate(name));
        }
        if !options.allow_namespaced_sysctls_for_host_namespaces {
            errors.extend(validate_host_sysctl(spec, name, &path));
        }
        names.insert(name);
    }
    errors
}

/// `securityContext` of a container.
pub(super) fn validate_security_context(context: &SecurityContext, host_users: bool, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_id(context.run_as_user, &path.child("runAsUser"));
    errors.extend(validate_id(context.run_as_group, &path.child("runAsGroup")));
    if let Some(proc_mount) = context.proc_mount.as_deref() {
        let path = path.child("procMount");
        if !matches!(proc_mount, "Default" | "Unmasked") {
            errors.push(path.not_supported(proc_mount, &["Default", "Unmasked"]));
        }
        if host_users && proc_mount == "Unmasked" {
            errors.push(path.invalid(proc_mount, "`hostUsers` must be false to use `Unmasked`"));
        }
    }
    errors.extend(validate_seccomp_profile(context.seccomp_profile.as_ref(), &path.child("seccompProfile")));
    if context.allow_privilege_escalation == Some(false) {
        let printed = || internal::to_json("SecurityContext", context);
        if context.privileged == Some(true) {
            let why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            errors.push(invalid_printed(path, &printed(), why));
        }
        let added = context.capabilities.iter().flat_map(|c| c.add.iter().flatten());
        for _ in added.filter(|capability| *capability == "CAP_SYS_ADMIN") {
            let why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            errors.push(invalid_printed(path, &printed(), why));
        }
    }
    errors.extend(validate_windows_options(context.windows_options.as_ref(), &path.child("windowsOptions")));
    errors.extend(validate_app_armor_profile(context.app_armor_profile.as_ref(), &path.child("appArmorProfile")));
    errors
}

const PROFILE_TYPES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];

fn validate_seccomp_profile(profile: Option<&SeccompProfile>, path: &Path<'_>) -> ErrorList {
    let Some(profile) = profile else { return Vec::new() };
    let mut errors = Vec::new();
    let type_path = path.child("type");
    match profile.type_.as_str() {
        "Localhost" | "RuntimeDefault" | "Unconfined" => {}
        "" => errors.push(type_path.required("type is required when seccompProfile is set")),
        other => errors.push(type_path.not_supported(other, &PROFILE_TYPES)),
    }
    let local_path = path.child("localhostProfile");
    match (profile.type_.as_str(), profile.localhost_profile.as_deref()) {
        ("Localhost", None) => errors.push(local_path.required("must be set when seccomp type is Localhost")),
        ("Localhost", Some(file)) => errors.extend(validate_local_descending_path(file, &local_path)),
        (_, Some(_)) => {
            let printed = internal::to_json("SeccompProfile", profile);
            errors.push(invalid_printed(&local_path, &printed, "can only be set when seccomp type is Localhost"));
        }
        (_, None) => {}
    }
    errors
}

/// `ValidateAppArmorProfileField`.
pub(crate) fn validate_app_armor_profile(profile: Option<&AppArmorProfile>, path: &Path<'_>) -> ErrorList {
    let Some(profile) = profile else { return Vec::new() };
    let mut errors = Vec::new();
    let local_path = path.child("localhostProfile");
    let required = "must be set when AppArmor type is Localhost";
    match (profile.type_.as_str(), profile.localhost_profile.as_deref()) {
        ("Localhost", None) => errors.push(local_path.required(required)),
        ("Localhost", Some(file)) => {
            if file.trim() != file {
                errors.push(local_path.invalid(file, "must not be padded with whitespace"));
            } else if file.is_empty() {
                errors.push(local_path.required(required));
            }
            if file.len() > 4095 {
                errors.push(local_path.too_long(4095));
            }
        }
        ("RuntimeDefault" | "Unconfined", Some(file)) => {
            errors.push(local_path.invalid(file, "can only be set when AppArmor type is Localhost"));
        }
        ("RuntimeDefault" | "Unconfined", None) => {}
        ("", _) => errors.push(path.child("type").required("type is required when appArmorProfile is set")),
        (other, _) => errors.push(path.child("type").not_supported(other, &PROFILE_TYPES)),
    }
    errors
}

fn validate_windows_options(options: Option<&WindowsSecurityContextOptions>, path: &Path<'_>) -> ErrorList {
    let Some(options) = options else { return Vec::new() };
    let mut errors = Vec::new();
    if let Some(name) = options.gmsa_credential_spec_name.as_deref() {
        let path = path.child("gmsaCredentialSpecName");
        errors.extend(is_dns1123_subdomain(name).into_iter().map(|message| path.invalid(name, message)));
    }
    if let Some(spec) = options.gmsa_credential_spec.as_deref() {
        let path = path.child("gmsaCredentialSpec");
        if spec.is_empty() {
            errors.push(path.invalid(spec, "gmsaCredentialSpec cannot be an empty string"));
        } else if spec.len() > 64 * 1024 {
            errors.push(path.invalid(spec, "gmsaCredentialSpec size must be under 64 KiB"));
        }
    }
    if let Some(name) = options.run_as_user_name.as_deref() {
        let path = path.child("runAsUserName");
        errors.extend(windows_user_name_errors(name).into_iter().map(|why| path.invalid(name, why)));
    }
    errors
}

/// What is wrong with `DOMAIN\USER` or `USER`.
fn windows_user_name_errors(name: &str) -> Vec<&'static str> {
    if name.is_empty() {
        return vec!["runAsUserName cannot be an empty string"];
    }
    if name.chars().any(|c| c.is_ascii_control()) {
        return vec!["runAsUserName cannot contain control characters"];
    }
    let (domain, user) = match name.split('\\').collect::<Vec<_>>().as_slice() {
        [user] => (None, *user),
        [domain, user] => (Some(*domain), *user),
        _ => return vec!["runAsUserName cannot contain more than one backslash"],
    };
    let mut errors = Vec::new();
    if let Some(domain) = domain {
        if domain.len() >= 256 {
            errors.push("runAsUserName's Domain length must be under 256 characters");
        }
        let net_bios = (1..=15).contains(&domain.chars().count())
            && !domain.starts_with('.')
            && !domain.contains(['\\', '/', ':', '*', '?', '"', '<', '>', '|']);
        let dns = domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        });
        if !net_bios && !dns {
            errors.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
        }
    }
    if user.is_empty() {
        errors.push("runAsUserName's User cannot be empty");
    } else if user.len() > 104 {
        errors.push("runAsUserName's User length must not be longer than 104 characters");
    }
    if !user.is_empty() && user.chars().all(|c| c == '.' || c == ' ') {
        errors.push("runAsUserName's User cannot contain only periods or spaces");
    }
    if user.contains(['"', '/', '\\', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '@', '[', ']']) {
        errors.push("runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
    }
    errors
}

/// `validateWindowsHostProcessPod`: all containers or none.
pub(super) fn validate_windows_host_process(spec: &PodSpec, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let host_process = |options: Option<&WindowsSecurityContextOptions>| options.and_then(|o| o.host_process);
    let pod = host_process(spec.security_context.as_ref().and_then(|c| c.windows_options.as_ref()));
    let (mut all, mut count) = (0, 0);
    visit_containers(spec, path, |container, path| {
        all += 1;
        let own = host_process(container.security_context.as_ref().and_then(|c| c.windows_options.as_ref()));
        if let (Some(pod), Some(own)) = (pod, own)
            && pod != own
        {
            let why = format!("pod hostProcess value must be identical if both are specified, was {pod}");
            let path = path.child("securityContext");
            let path = path.child("windowsOptions");
            errors.push(path.child("hostProcess").invalid(own, why));
        }
        if own.or(pod) == Some(true) {
            count += 1;
        }
    });
    if count == 0 {
        return errors;
    }
    if count != all {
        let why = "If pod contains any hostProcess containers then all containers must be HostProcess containers";
        errors.push(path.invalid("", why));
    }
    if spec.host_network != Some(true) {
        let why = "hostNetwork must be true if pod contains any hostProcess containers";
        errors.push(path.child("hostNetwork").invalid(false, why));
    }
    errors
}

/// What does not go with `spec.os` (`validateOS`, `validateLinux`, `validateWindows`).
pub(super) fn validate_os(spec: &PodSpec, path: &Path<'_>) -> ErrorList {
    let Some(os) = &spec.os else { return Vec::new() };
    let os_path = path.child("os");
    match os.name.as_str() {
        "linux" => validate_linux(spec, path),
        "windows" => validate_windows(spec, path),
        "" => vec![os_path.child("name").required("")],
        other => vec![os_path.not_supported(other, &["linux", "windows"])],
    }
}

fn validate_linux(spec: &PodSpec, path: &Path<'_>) -> ErrorList {
    let why = "windows options cannot be set for a linux pod";
    let mut errors = Vec::new();
    if spec.security_context.as_ref().is_some_and(|c| c.windows_options.is_some()) {
        errors.push(path.child("securityContext").child("windowsOptions").forbidden(why));
    }
    visit_containers(spec, path, |container, path| {
        if container.security_context.as_ref().is_some_and(|c| c.windows_options.is_some()) {
            errors.push(path.child("securityContext").child("windowsOptions").forbidden(why));
        }
    });
    errors
}

fn validate_windows(spec: &PodSpec, path: &Path<'_>) -> ErrorList {
    let why = "cannot be set for a windows pod";
    let mut errors = Vec::new();
    let context_path = path.child("securityContext");
    if let Some(context) = &spec.security_context {
        let set = [
            (&context_path, "appArmorProfile", context.app_armor_profile.is_some()),
            (&context_path, "seLinuxOptions", context.se_linux_options.is_some()),
            (path, "hostUsers", spec.host_users.is_some()),
            (path, "hostPID", spec.host_pid == Some(true)),
            (path, "hostIPC", spec.host_ipc == Some(true)),
            (&context_path, "seccompProfile", context.seccomp_profile.is_some()),
            (&context_path, "fsGroup", context.fs_group.is_some()),
            (&context_path, "fsGroupChangePolicy", context.fs_group_change_policy.is_some()),
            (&context_path, "sysctls", context.sysctls.as_ref().is_some_and(|s| !s.is_empty())),
            (path, "shareProcessNamespace", spec.share_process_namespace.is_some()),
            (&context_path, "runAsUser", context.run_as_user.is_some()),
            (&context_path, "runAsGroup", context.run_as_group.is_some()),
            (&context_path, "supplementalGroups", context.supplemental_groups.is_some()),
            (&context_path, "supplementalGroupsPolicy", context.supplemental_groups_policy.is_some()),
            (&context_path, "seLinuxChangePolicy", context.se_linux_change_policy.is_some()),
        ];
        errors.extend(set.iter().filter(|(_, _, set)| *set).map(|(path, field, _)| path.child(field).forbidden(why)));
    }
    visit_containers(spec, path, |container, path| {
        let Some(context) = &container.security_context else { return };
        let path = path.child("securityContext");
        let set = [
            ("appArmorProfile", context.app_armor_profile.is_some()),
            ("seLinuxOptions", context.se_linux_options.is_some()),
            ("seccompProfile", context.seccomp_profile.is_some()),
            ("capabilities", context.capabilities.is_some()),
            ("readOnlyRootFilesystem", context.read_only_root_filesystem.is_some()),
            ("privileged", context.privileged.is_some()),
            ("allowPrivilegeEscalation", context.allow_privilege_escalation.is_some()),
            ("procMount", context.proc_mount.is_some()),
            ("runAsUser", context.run_as_user.is_some()),
            ("runAsGroup", context.run_as_group.is_some()),
        ];
        errors.extend(set.iter().filter(|(_, set)| *set).map(|(field, _)| path.child(field).forbidden(why)));
    });
    errors
}

/// What does not go with user namespaces (`validateHostUsers`).
pub(super) fn validate_host_users(spec: &PodSpec, path: &Path<'_>, options: &PodValidationOptions) -> ErrorList {
    if spec.host_users != Some(false) {
        return Vec::new();
    }
    let why = "when `hostUsers` is false";
    let mut errors = Vec::new();
    if spec.host_network == Some(true) && !options.allow_user_namespaces_host_network {
        errors.push(path.child("hostNetwork").forbidden(why));
    }
    if spec.host_pid == Some(true) {
        errors.push(path.child("HostPID").forbidden(why));
    }
    if spec.host_ipc == Some(true) {
        errors.push(path.child("HostIPC").forbidden(why));
    }
    if !options.allow_user_namespaces_with_volume_devices {
        visit_containers(spec, path, |container, path| {
            if container.volume_devices.as_ref().is_some_and(|d| !d.is_empty()) {
                errors.push(path.child("volumeDevices").forbidden(why));
            }
        });
    }
    errors
}

/// Annotations of old that must agree with the fields that replaced them (`validateSeccompAnnotationsAndFields`,
/// `validateAppArmorAnnotationsAndFieldsMatchOnCreate`).
pub(super) fn validate_annotations_match_fields(
    annotations: &std::collections::BTreeMap<String, String>,
    spec: &PodSpec,
    path: &Path<'_>,
) -> ErrorList {
    let mut errors = Vec::new();
    let pod_context = spec.security_context.as_ref();
    let seccomp = |annotation: &str, profile: &SeccompProfile, path: &Path<'_>| {
        let matches = match profile.type_.as_str() {
            "Unconfined" => annotation == "unconfined",
            "RuntimeDefault" => matches!(annotation, "runtime/default" | "docker/default"),
            "Localhost" => match annotation.strip_prefix("localhost/") {
                Some(file) if profile.localhost_profile.as_deref() != Some(file) => {
                    let why = "seccomp profile in annotation and field must match";
                    return Some(path.child("localhostProfile").forbidden(why));
                }
                found => found.is_some(),
            },
            _ => true,
        };
        (!matches).then(|| path.child("type").forbidden("seccomp type in annotation and field must match"))
    };
    if let Some(profile) = pod_context.and_then(|c| c.seccomp_profile.as_ref())
        && let Some(annotation) = annotations.get("seccomp.security.alpha.kubernetes.io/pod")
    {
        errors.extend(seccomp(annotation, profile, &path.child("securityContext").child("seccompProfile")));
    }
    visit_containers(spec, path, |container, path| {
        let profile = container.security_context.as_ref().and_then(|c| c.seccomp_profile.as_ref());
        let key = format!("container.seccomp.security.alpha.kubernetes.io/{}", container.name);
        if let (Some(profile), Some(annotation)) = (profile, annotations.get(&key)) {
            errors.extend(seccomp(annotation, profile, &path.child("securityContext").child("seccompProfile")));
        }
    });
    if spec.os.as_ref().is_some_and(|os| os.name == "windows") {
        return errors;
    }
    let pod_profile = pod_context.and_then(|c| c.app_armor_profile.as_ref());
    visit_containers(spec, path, |container, path| {
        let own = container.security_context.as_ref().and_then(|c| c.app_armor_profile.as_ref());
        let key = format!("container.apparmor.security.beta.kubernetes.io/{}", container.name);
        let (Some(profile), Some(annotation)) = (own.or(pod_profile), annotations.get(&key)) else { return };
        let matches = match profile.type_.as_str() {
            "Unconfined" => annotation == "unconfined",
            "RuntimeDefault" => annotation == "runtime/default",
            "Localhost" => annotation.starts_with("localhost/"),
            _ => true,
        };
        let path = path.child("securityContext");
        let path = path.child("appArmorProfile");
        if !matches {
            errors.push(path.child("type").forbidden("apparmor type in annotation and field must match"));
        } else if profile.type_ == "Localhost"
            && annotation.strip_prefix("localhost/") != Some(text(&profile.localhost_profile))
        {
            let why = "apparmor profile in annotation and field must match";
            errors.push(path.child("localhostProfile").forbidden(why));
        }
    });
    errors
}
