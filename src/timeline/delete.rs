//! `kubectl delete` (`kubectl/pkg/cmd/delete`).
use super::command::{Command, Done, DryRun, Kubectl};
use super::flags::Spec;
use super::kubectl::{self, Error, Output};
use super::resources::{self, Options};
use crate::api::Kind;
use crate::api::object::ObjectKey;
use crate::api::server::{DeleteOptions, Propagation};
use crate::cluster::Cluster;

/// What to delete and how.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// `KIND/NAME`.
    pub target: String,
    /// `--cascade`.
    pub cascade: Propagation,
    /// `--grace-period`; 0 together with `--force`.
    pub grace_period_seconds: Option<i64>,
}

/// Deletes an object without waiting for its end.
pub fn run(cluster: &mut Cluster, arguments: &Arguments, namespace: Option<&str>) -> Output {
    let mut warnings = Vec::new();
    let done = delete(cluster, arguments, namespace.unwrap_or("default"), &mut warnings);
    Output::of(done, &warnings)
}

fn delete(
    cluster: &mut Cluster,
    arguments: &Arguments,
    namespace: &str,
    warnings: &mut Vec<String>,
) -> Result<String, Error> {
    let (kind, name) = kubectl::parse_resource_and_name(&arguments.target)?;
    // kubectl does not ask for the object first, so it warns although there may be none
    if !kind.namespaced() {
        warnings.push(CLUSTER_SCOPE.to_owned());
    }
    warnings.extend(kind.deprecation().map(str::to_owned));
    kubectl::find(cluster, kind, namespace, name)?;
    let namespace = if kind.namespaced() { namespace } else { "" };
    let force = arguments.grace_period_seconds == Some(0);
    if force {
        warnings.push(IMMEDIATE.to_owned());
    }
    let options = DeleteOptions {
        propagation: arguments.cascade,
        grace_period_seconds: arguments.grace_period_seconds,
        uid: None,
    };
    let accepted = cluster.api_mut().delete(&ObjectKey::new(kind, namespace, name), &options)?;
    warnings.extend(accepted.warnings);
    let deleted = if force { "force deleted" } else { "deleted" };
    let scope = if kind.namespaced() { format!(" from {namespace} namespace") } else { String::new() };
    Ok(format!("{} \"{name}\" {deleted}{scope}\n", kind.kubectl_name()))
}

const IMMEDIATE: &str = "Immediate deletion does not wait for confirmation that the running resource has been terminated. \
                         The resource may continue to run on the cluster indefinitely.";
const CLUSTER_SCOPE: &str = "deleting cluster-scoped resources, not scoped to the provided namespace";

pub(super) const COMMAND: Command = Command {
    path: "kubectl delete",
    spec: Spec {
        switches: &[
            "all",
            "all-namespaces/A",
            "force",
            "ignore-not-found",
            "interactive/i",
            "now",
            "recursive/R",
            "wait",
        ],
        texts: &[
            "cascade",
            "dry-run",
            "field-selector",
            "grace-period",
            "kustomize/k",
            "output/o",
            "raw",
            "selector/l",
            "timeout",
        ],
        lists: &["filename/f"],
    },
    run: from_flags,
};

fn client<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Client(message.into()))
}

fn from_flags(k: &mut Kubectl<'_>) -> Done {
    let (force, now, all) = (k.flags.on("force")?, k.flags.on("now")?, k.flags.on("all")?);
    let mut grace = k.flags.number("grace-period")?.unwrap_or(-1);
    let given = |flag: &str| k.flags.text(flag).is_some_and(|text| !text.is_empty());
    let selected = all || given("selector") || given("field-selector");
    let ignore_not_found = k.flags.switch("ignore-not-found")?.unwrap_or(selected);
    if now {
        if grace != -1 {
            return client("--now and --grace-period cannot be specified together");
        }
        grace = 1;
    }
    grace = match (grace, force) {
        (0, false) => 1,
        (grace, true) if grace < 0 => 0,
        (grace, _) => grace,
    };
    if all && given("selector") {
        return client("cannot set --all and --selector at the same time");
    }
    if all && given("field-selector") {
        return client("cannot set --all and --field-selector at the same time");
    }
    if grace > 0 && force {
        return client("--force and --grace-period greater than 0 cannot be specified together");
    }
    let propagation = match k.flags.text("cascade") {
        None | Some("background" | "true") => Propagation::Background,
        Some("foreground") => Propagation::Foreground,
        Some("orphan" | "false") => Propagation::Orphan,
        Some(other) => {
            return client(format!(
                "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
            ));
        }
    };
    let args = k.flags.args();
    let (targets, errors) = resources::find(k, &args, Options { without_object: true, ..Options::default() })?;
    if !errors.is_empty() {
        k.errors.push(Error::Aggregate(errors));
    }
    if grace == 0 && force {
        k.warnings.push(IMMEDIATE.to_owned());
    }
    let mut warn_cluster_scope = k.namespace.enforced && !k.flags.on("all-namespaces")?;
    let mut found = 0;
    for target in &targets {
        found += 1;
        if warn_cluster_scope && !target.kind.namespaced() {
            k.warnings.push(CLUSTER_SCOPE.to_owned());
            warn_cluster_scope = false;
        }
        if k.dry_run != DryRun::Client {
            let key = ObjectKey::new(target.kind, &target.namespace, &target.name);
            let grace_period_seconds = (grace >= 0).then_some(grace);
            let options = DeleteOptions { propagation, grace_period_seconds, uid: None };
            match k.cluster.api_mut().delete(&key, &options) {
                Ok(accepted) => k.warnings.extend(accepted.warnings),
                Err(status) if status.reason == crate::api::status::Reason::NotFound && ignore_not_found => {
                    found -= 1;
                    continue;
                }
                Err(status) => {
                    let error = Error::from(status);
                    k.errors.push(match &target.source {
                        Some(source) => error.add_source("deleting", source),
                        None => error,
                    });
                    continue;
                }
            }
            k.cluster.run();
        }
        print(k, target.kind, &target.namespace, &target.name, grace == 0);
    }
    if found == 0 && k.errors.is_empty() {
        k.out.push_str("No resources found\n");
    }
    Ok(())
}

fn print(k: &mut Kubectl<'_>, kind: Kind, namespace: &str, name: &str, force: bool) {
    if k.flags.or_empty("output") == "name" && k.flags.path == COMMAND.path {
        k.out.push_str(&format!("{}\n", kubectl::object_name(kind, name)));
        return;
    }
    let deleted = if force { "force deleted" } else { "deleted" };
    let scope = if kind.namespaced() { format!(" from {namespace} namespace") } else { String::new() };
    let suffix = match k.dry_run {
        DryRun::No => "",
        DryRun::Client => " (dry run)",
        DryRun::Server => " (server dry run)",
    };
    k.out.push_str(&format!("{} \"{name}\" {deleted}{scope}{suffix}\n", kind.kubectl_name()));
}

/// `--force` of `kubectl replace`: the object goes at once.
pub(super) fn delete_at_once(k: &mut Kubectl<'_>, kind: Kind, namespace: &str, name: &str) -> Done {
    let grace = k.flags.number("grace-period")?.filter(|grace| *grace >= 0).unwrap_or(0);
    let grace = if k.flags.text("grace-period").is_some() { grace.max(1) } else { grace };
    let options = DeleteOptions { grace_period_seconds: Some(grace), ..DeleteOptions::default() };
    let accepted = k.cluster.api_mut().delete(&ObjectKey::new(kind, namespace, name), &options)?;
    k.warnings.extend(accepted.warnings);
    print(k, kind, namespace, name, grace == 0);
    Ok(())
}

/// `kubectl run --rm`: the pod goes when whoever was attached has left.
pub(super) fn remove_pod(k: &mut Kubectl<'_>, name: &str) -> Done {
    let namespace = k.namespace.name.to_owned();
    let key = ObjectKey::new(Kind::Pod, &namespace, name);
    let accepted = k.cluster.api_mut().delete(&key, &DeleteOptions::default())?;
    k.warnings.extend(accepted.warnings);
    print(k, Kind::Pod, &namespace, name, false);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;

    #[test]
    fn the_warning_about_cluster_scope_comes_before_the_object_is_missed() {
        let mut cluster = Cluster::new(Environment::default());
        let mut said = |target: &str| {
            let cascade = Propagation::default();
            let arguments = Arguments { target: target.to_owned(), cascade, grace_period_seconds: None };
            run(&mut cluster, &arguments, None).stderr
        };
        assert_eq!(
            said("pv/none"),
            "Warning: deleting cluster-scoped resources, not scoped to the provided namespace\n\
             Error from server (NotFound): persistentvolumes \"none\" not found\n"
        );
        assert_eq!(said("pvc/none"), "Error from server (NotFound): persistentvolumeclaims \"none\" not found\n");
    }

    #[test]
    fn objects_are_deleted_by_name_selector_and_file() {
        use crate::timeline::testing::Shell;
        let mut shell = Shell::with("run a --image=nginx");
        for name in ["b", "c", "d", "e"] {
            shell.stdout(&format!("run {name} --image=nginx -l app=x"));
        }
        assert_eq!(shell.stdout("delete pod a"), "pod \"a\" deleted from default namespace\n");
        let (out, err) = shell.run("delete po/b pod/none --force");
        assert_eq!(out, "pod \"b\" force deleted from default namespace\n");
        assert!(err.ends_with("indefinitely.\nError from server (NotFound): pods \"none\" not found\n"), "{err}");
        shell.file("d.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: d}\n");
        assert_eq!(shell.stdout("delete -f d.yaml --now"), "pod \"d\" deleted from default namespace\n");
        assert_eq!(
            shell.stdout("delete pods -l app=x"),
            "pod \"c\" deleted from default namespace\npod \"e\" deleted from default namespace\n"
        );
        assert_eq!(shell.stdout("delete pods --all"), "No resources found\n");
        assert_eq!(shell.stderr("delete pods"), "error: resource(s) were provided, but no name was specified\n");
        let both = "error: cannot set --all and --selector at the same time\n";
        assert_eq!(shell.stderr("delete pods --all -l a=b"), both);
        assert_eq!(shell.stdout("delete pod none --ignore-not-found"), "No resources found\n");
    }
}
