//! Probes, lifecycle hooks and what they do (`validateProbe`, `validateHandler`, `validateLifecycle` of
//! `pkg/apis/core/validation`).
use k8s_openapi::api::core::v1::{
    Container, ExecAction, GRPCAction, HTTPGetAction, Lifecycle, LifecycleHandler, PodOS, Probe, SleepAction,
    TCPSocketAction,
};

use super::text;
use crate::api::field::{ErrorList, Path};
use crate::api::validation::names::is_http_header_name;
use crate::api::validation::ports::{validate_port_num, validate_port_num_or_name};
use crate::api::validation::{invalid_each, validate_nonnegative};

/// Signals of Linux that `stopSignal` can name, sorted.
const LINUX_SIGNALS: [&str; 65] = [
    "SIGABRT",
    "SIGALRM",
    "SIGBUS",
    "SIGCHLD",
    "SIGCLD",
    "SIGCONT",
    "SIGFPE",
    "SIGHUP",
    "SIGILL",
    "SIGINT",
    "SIGIO",
    "SIGIOT",
    "SIGKILL",
    "SIGPIPE",
    "SIGPOLL",
    "SIGPROF",
    "SIGPWR",
    "SIGQUIT",
    "SIGRTMAX",
    "SIGRTMAX-1",
    "SIGRTMAX-10",
    "SIGRTMAX-11",
    "SIGRTMAX-12",
    "SIGRTMAX-13",
    "SIGRTMAX-14",
    "SIGRTMAX-2",
    "SIGRTMAX-3",
    "SIGRTMAX-4",
    "SIGRTMAX-5",
    "SIGRTMAX-6",
    "SIGRTMAX-7",
    "SIGRTMAX-8",
    "SIGRTMAX-9",
    "SIGRTMIN",
    "SIGRTMIN+1",
    "SIGRTMIN+10",
    "SIGRTMIN+11",
    "SIGRTMIN+12",
    "SIGRTMIN+13",
    "SIGRTMIN+14",
    "SIGRTMIN+15",
    "SIGRTMIN+2",
    "SIGRTMIN+3",
    "SIGRTMIN+4",
    "SIGRTMIN+5",
    "SIGRTMIN+6",
    "SIGRTMIN+7",
    "SIGRTMIN+8",
    "SIGRTMIN+9",
    "SIGSEGV",
    "SIGSTKFLT",
    "SIGSTOP",
    "SIGSYS",
    "SIGTERM",
    "SIGTRAP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGUSR1",
    "SIGUSR2",
    "SIGVTALRM",
    "SIGWINCH",
    "SIGXCPU",
    "SIGXFSZ",
];

/// How a pod ends, as far as hooks depend on it.
pub(super) struct Lifetime<'a> {
    pub(super) grace_period: Option<i64>,
    pub(super) os: Option<&'a PodOS>,
}

/// The three probes of a container.
pub(super) fn validate_probes(container: &Container, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let must_be_one = |probe: &Probe, path: &Path<'_>, errors: &mut ErrorList| {
        let threshold = probe.success_threshold.unwrap_or(0);
        if threshold != 1 {
            errors.push(path.child("successThreshold").invalid(threshold, "must be 1"));
        }
    };
    if let Some(probe) = &container.liveness_probe {
        let path = path.child("livenessProbe");
        errors.extend(validate_probe(probe, &path));
        must_be_one(probe, &path, &mut errors);
    }
    if let Some(probe) = &container.readiness_probe {
        let path = path.child("readinessProbe");
        errors.extend(validate_probe(probe, &path));
        if let Some(seconds) = probe.termination_grace_period_seconds {
            let path = path.child("terminationGracePeriodSeconds");
            errors.push(path.invalid(seconds, "must not be set for readinessProbes"));
        }
    }
    if let Some(probe) = &container.startup_probe {
        let path = path.child("startupProbe");
        errors.extend(validate_probe(probe, &path));
        must_be_one(probe, &path, &mut errors);
    }
    errors
}

fn validate_probe(probe: &Probe, path: &Path<'_>) -> ErrorList {
    let handler = Handler {
        exec: probe.exec.as_ref(),
        http_get: probe.http_get.as_ref(),
        tcp_socket: probe.tcp_socket.as_ref(),
        grpc: probe.grpc.as_ref(),
        sleep: None,
    };
    let mut errors = validate_handler(&handler, None, path);
    let numbers = [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ];
    for (field, number) in numbers {
        errors.extend(validate_nonnegative(i64::from(number.unwrap_or(0)), &path.child(field)));
    }
    if let Some(seconds) = probe.termination_grace_period_seconds.filter(|s| *s <= 0) {
        errors.push(path.child("terminationGracePeriodSeconds").invalid(seconds, "must be greater than 0"));
    }
    errors
}

/// `validateLifecycle`.
pub(super) fn validate_lifecycle(lifecycle: &Lifecycle, lifetime: &Lifetime<'_>, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let hook = |hook: &LifecycleHandler, path: &Path<'_>| {
        let handler = Handler {
            exec: hook.exec.as_ref(),
            http_get: hook.http_get.as_ref(),
            tcp_socket: hook.tcp_socket.as_ref(),
            grpc: None,
            sleep: hook.sleep.as_ref(),
        };
        validate_handler(&handler, lifetime.grace_period, path)
    };
    if let Some(handler) = &lifecycle.post_start {
        errors.extend(hook(handler, &path.child("postStart")));
    }
    if let Some(handler) = &lifecycle.pre_stop {
        errors.extend(hook(handler, &path.child("preStop")));
    }
    if let Some(signal) = lifecycle.stop_signal.as_deref() {
        let path = path.child("stopSignal");
        let windows = ["SIGKILL", "SIGTERM"];
        match lifetime.os.map(|os| os.name.as_str()) {
            None => errors.push(path.forbidden("may not be set for containers with empty `spec.os.name`")),
            Some("windows") if !windows.contains(&signal) => errors.push(path.not_supported(signal, &windows)),
            Some("linux") if !LINUX_SIGNALS.contains(&signal) => {
                errors.push(path.not_supported(signal, &LINUX_SIGNALS));
            }
            Some(_) => {}
        }
    }
    errors
}

/// What a probe or a hook does (`commonHandler`).
struct Handler<'a> {
    exec: Option<&'a ExecAction>,
    http_get: Option<&'a HTTPGetAction>,
    tcp_socket: Option<&'a TCPSocketAction>,
    grpc: Option<&'a GRPCAction>,
    sleep: Option<&'a SleepAction>,
}

fn validate_handler(handler: &Handler<'_>, grace_period: Option<i64>, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let mut found = false;
    let mut one = |field: &str, check: Option<ErrorList>, errors: &mut ErrorList| match check {
        Some(_) if found => errors.push(path.child(field).forbidden("may not specify more than 1 handler type")),
        Some(list) => {
            found = true;
            errors.extend(list);
        }
        None => {}
    };
    let exec = handler.exec.map(|action| {
        let empty = action.command.as_ref().is_none_or(Vec::is_empty);
        empty.then(|| path.child("exec").child("command").required("")).into_iter().collect()
    });
    one("exec", exec, &mut errors);
    one("httpGet", handler.http_get.map(|a| validate_http_get(a, &path.child("httpGet"))), &mut errors);
    let tcp = handler.tcp_socket.map(|a| validate_port_num_or_name(&a.port, &path.child("tcpSocket").child("port")));
    one("tcpSocket", tcp, &mut errors);
    one("grpc", handler.grpc.map(|a| validate_port_num(a.port, &path.child("grpc").child("port"))), &mut errors);
    let sleep = handler.sleep.map(|action| match grace_period {
        Some(grace) if action.seconds < 0 || action.seconds > grace => {
            let why = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
            vec![path.child("sleep").invalid(action.seconds, why)]
        }
        _ => Vec::new(),
    });
    one("sleep", sleep, &mut errors);
    if !found {
        errors.push(path.required("must specify a handler type"));
    }
    errors
}

fn validate_http_get(action: &HTTPGetAction, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    if text(&action.path).is_empty() {
        errors.push(path.child("path").required(""));
    }
    errors.extend(validate_port_num_or_name(&action.port, &path.child("port")));
    let scheme = text(&action.scheme);
    if !matches!(scheme, "HTTP" | "HTTPS") {
        errors.push(path.child("scheme").not_supported(scheme, &["HTTP", "HTTPS"]));
    }
    for header in action.http_headers.iter().flatten() {
        errors.extend(invalid_each(&path.child("httpHeaders"), &header.name, is_http_header_name(&header.name)));
    }
    errors
}
