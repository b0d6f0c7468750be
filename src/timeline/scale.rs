//! `kubectl scale KIND/NAME --replicas N` (`kubectl/pkg/cmd/scale`).
use serde_json::json;

use super::kubectl::{self, Error, Output};
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
        return Err(Error::Client(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0".to_owned(),
        ));
    }
    let (kind, name) = kubectl::parse_resource_and_name(&arguments.target)?;
    kubectl::find(cluster, kind, namespace, name)?;
    if !matches!(kind, Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet) {
        let mut status = Status::bad_request("the server could not find the requested resource");
        status.reason = Reason::NotFound;
        return Err(status.into());
    }
    let patch = Patch::Merge(json!({ "spec": { "replicas": arguments.replicas } }));
    cluster.api_mut().patch(kind, namespace, name, &patch, FieldValidation::Strict)?;
    Ok(format!("{} scaled\n", kubectl::object_name(kind, name)))
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
}
