//! `kubectl delete KIND/NAME --wait=false` (`kubectl/pkg/cmd/delete`).
use super::kubectl::{self, Error, Output};
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
        warnings.push("deleting cluster-scoped resources, not scoped to the provided namespace".to_owned());
    }
    kubectl::find(cluster, kind, namespace, name)?;
    let namespace = if kind.namespaced() { namespace } else { "" };
    let force = arguments.grace_period_seconds == Some(0);
    if force {
        warnings.push(
            "Immediate deletion does not wait for confirmation that the running resource has been terminated. The \
             resource may continue to run on the cluster indefinitely."
                .to_owned(),
        );
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
}
