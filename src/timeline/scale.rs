//! `kubectl scale KIND/NAME --replicas N` (`kubectl/pkg/cmd/scale`).
use serde_json::{Value, json};

use super::command::{Command, Done, DryRun, Kubectl};
use super::flags::Spec;
use super::kubectl::{self, Error, Output};
use super::resources::{self, Options};
use crate::api::Kind;
use crate::api::dynamic::{FieldValidation, Patch};
use crate::api::status::{Reason, Status};
use crate::cluster::Cluster;

/// What to scale and to how many.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// `KIND/NAME`.
    pub target: String,
    /// `--replicas`.
    pub replicas: i32,
}

/// Sets `spec.replicas` through the scale subresource.
pub fn run(cluster: &mut Cluster, arguments: &Arguments, namespace: Option<&str>) -> Output {
    let done = scale(cluster, arguments, namespace.unwrap_or("default"));
    Output::of(done, &[])
}

fn scale(cluster: &mut Cluster, arguments: &Arguments, namespace: &str) -> Result<String, Error> {
    if arguments.replicas < 0 {
        return Err(Error::Client(REQUIRED.to_owned()));
    }
    let (kind, name) = kubectl::parse_resource_and_name(&arguments.target)?;
    kubectl::find(cluster, kind, namespace, name)?;
    check_scalable(kind)?;
    let patch = Patch::Merge(json!({ "spec": { "replicas": arguments.replicas } }));
    cluster.api_mut().patch(kind, namespace, name, &patch, FieldValidation::Strict)?;
    Ok(format!("{} scaled\n", kubectl::object_name(kind, name)))
}

const REQUIRED: &str = "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0";

fn check_scalable(kind: Kind) -> Result<(), Error> {
    if matches!(kind, Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet) {
        return Ok(());
    }
    let mut status = Status::bad_request("the server could not find the requested resource");
    status.reason = Reason::NotFound;
    Err(status.into())
}

pub(super) const COMMAND: Command = Command {
    path: "kubectl scale",
    spec: Spec {
        switches: &["all", "record", "recursive/R"],
        texts: &[
            "current-replicas",
            "dry-run",
            "kustomize/k",
            "output/o",
            "replicas",
            "resource-version",
            "selector/l",
            "template",
            "timeout",
        ],
        lists: &["filename/f"],
    },
    run: from_flags,
};

fn from_flags(k: &mut Kubectl<'_>) -> Done {
    k.flags.require(&["replicas"])?;
    let replicas = k.flags.number32("replicas")?.unwrap_or(-1);
    let current = k.flags.number32("current-replicas")?.unwrap_or(-1);
    if replicas < 0 {
        return Err(Error::Client(REQUIRED.to_owned()));
    }
    if current < -1 {
        return Err(Error::Client("The --current-replicas must specify an integer of -1 or greater".to_owned()));
    }
    let args = k.flags.args();
    let (targets, errors) = resources::find(k, &args, Options::default())?;
    if targets.is_empty() && errors.is_empty() {
        return Err(Error::Client("no objects passed to scale".to_owned()));
    }
    for target in targets {
        let object = kubectl::find(k.cluster, target.kind, &target.namespace, &target.name)?.clone();
        if k.dry_run != DryRun::Client {
            check_scalable(target.kind)?;
            let actual = object.to_value().pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
            if current != -1 && actual != i64::from(current) {
                return Err(Error::Client(format!("Expected replicas to be {current}, was {actual}")));
            }
        }
        let value = super::label::change(k, &object, json!({ "spec": { "replicas": replicas } }), true)?;
        k.print(target.kind, &target.name, "scaled", &value)?;
    }
    k.errors.extend(errors);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;

    #[test]
    fn a_negative_count_is_refused_before_the_object_is_looked_for() {
        let mut cluster = Cluster::new(Environment::default());
        let arguments = Arguments { target: "deploy/none".to_owned(), replicas: -1 };
        let said = run(&mut cluster, &arguments, None).stderr;
        assert!(said.starts_with("error: The --replicas=COUNT flag is required"), "{said}");
    }

    #[test]
    fn a_workload_is_scaled_if_it_has_the_replicas_that_are_expected() {
        use crate::timeline::testing::Shell;
        let mut shell = Shell::with("create deployment web --image=nginx");
        assert_eq!(shell.stdout("scale deploy web --replicas=3"), "deployment.apps/web scaled\n");
        assert_eq!(shell.value("Deployment", "web", "/status/readyReplicas"), "3");
        assert_eq!(
            shell.stderr("scale deploy/web --current-replicas=2 --replicas=1"),
            "error: Expected replicas to be 2, was 3\n"
        );
        assert_eq!(shell.stdout("scale --replicas=0 deploy --all"), "deployment.apps/web scaled\n");
        assert_eq!(shell.stderr("scale deploy web"), "error: required flag(s) \"replicas\" not set\n");
        assert!(shell.stderr("scale ds/none --replicas=1").contains("daemonsets.apps \"none\" not found"));
    }
}
