//! `kubectl rollout restart|undo|pause|resume|status KIND/NAME` (`kubectl/pkg/cmd/rollout`,
//! `kubectl/pkg/polymorphichelpers`).
use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use serde_json::{Value, json};

use super::apply::LAST_APPLIED;
use super::kubectl::{self, Error, Output};
use crate::api::dynamic::{FieldValidation, Patch};
use crate::api::{ApiObject, Kind, Object};
use crate::cluster::Cluster;

/// The annotation that carries a ReplicaSet's place in its Deployment's history.
const REVISION: &str = "deployment.kubernetes.io/revision";
/// Annotations of a Deployment that undo leaves alone (`annotationsToSkip`).
const KEPT_ANNOTATIONS: [&str; 6] = [
    LAST_APPLIED,
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
];

/// Plays the arguments of `kubectl rollout`, e.g. `undo deployment/web --to-revision=2`.
pub fn run(cluster: &mut Cluster, arguments: &str, namespace: Option<&str>) -> Output {
    let mut warnings = Vec::new();
    let done = rollout(cluster, arguments, namespace.unwrap_or("default"), &mut warnings);
    Output::of(done, &warnings)
}

fn rollout(
    cluster: &mut Cluster,
    arguments: &str,
    namespace: &str,
    warnings: &mut Vec<String>,
) -> Result<String, Error> {
    let client = |message: String| Error::Client(message);
    let mut words = arguments.split_whitespace();
    let command = words.next().unwrap_or_default();
    let mut target = String::new();
    let mut to_revision = 0;
    while let Some(word) = words.next() {
        match word.strip_prefix("--to-revision") {
            Some(rest) => {
                let number = rest.strip_prefix('=').or_else(|| words.next()).unwrap_or_default();
                let bad = || client(format!("invalid argument \"{number}\" for \"--to-revision\" flag"));
                to_revision = number.parse::<i64>().map_err(|_| bad())?;
            }
            None if word.starts_with('-') => return Err(client(format!("unknown flag: {word}"))),
            None if target.is_empty() => target = word.to_owned(),
            None => target = format!("{target}/{word}"),
        }
    }
    if target.is_empty() {
        return Err(client("required resource not specified".to_owned()));
    }
    let (kind, name) = kubectl::parse_resource_and_name(&target)?;
    let object = kubectl::find(cluster, kind, namespace, name)?.clone();
    let done = match command {
        "restart" => restart(cluster, &object)?,
        "undo" => undo(cluster, &object, to_revision, warnings)?,
        "pause" => set_paused(cluster, &object, true)?,
        "resume" => set_paused(cluster, &object, false)?,
        "status" => return status(&object),
        other => return Err(client(format!("unknown command \"{other}\" for \"kubectl rollout\""))),
    };
    Ok(format!("{} {done}\n", kubectl::object_name(kind, name)))
}

fn patch(cluster: &mut Cluster, object: &Object, patch: Patch) -> Result<(), Error> {
    cluster.api_mut().patch(object.kind(), object.namespace(), object.name(), &patch, FieldValidation::Strict)?;
    Ok(())
}

fn failed(object: &Object, why: &str) -> Error {
    Error::Client(format!("error: {} \"{}\" {why}", object.kind().qualified_resource(), object.name()))
}

fn is_paused(object: &Object) -> bool {
    let spec = object.get::<Deployment>().and_then(|d| d.spec.as_ref());
    spec.and_then(|s| s.paused).unwrap_or(false)
}

fn restart(cluster: &mut Cluster, object: &Object) -> Result<String, Error> {
    if !matches!(object.kind(), Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet) {
        return Err(failed(object, "restarting is not supported"));
    }
    if is_paused(object) {
        return Err(failed(object, "can't restart paused deployment (run rollout resume first)"));
    }
    let now = cluster.api().now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let annotations = json!({ "kubectl.kubernetes.io/restartedAt": now });
    let body = json!({ "spec": { "template": { "metadata": { "annotations": annotations } } } });
    patch(cluster, object, Patch::Strategic(body))?;
    Ok("restarted".to_owned())
}

fn set_paused(cluster: &mut Cluster, object: &Object, paused: bool) -> Result<String, Error> {
    if object.kind() != Kind::Deployment {
        return Err(failed(object, if paused { "pausing is not supported" } else { "resuming is not supported" }));
    }
    if is_paused(object) == paused {
        return Err(failed(object, if paused { "is already paused" } else { "is not paused" }));
    }
    patch(cluster, object, Patch::Strategic(json!({ "spec": { "paused": paused.then_some(true) } })))?;
    Ok(if paused { "paused" } else { "resumed" }.to_owned())
}

fn undo(cluster: &mut Cluster, object: &Object, to_revision: i64, warnings: &mut Vec<String>) -> Result<String, Error> {
    if object.metadata().annotations.as_ref().is_some_and(|a| a.contains_key(LAST_APPLIED)) {
        warnings.push(format!(
            "resource {}/{} was previously managed with 'kubectl apply'. Rolling back will not update the {LAST_APPLIED} \
             annotation, which may cause unexpected behavior on future 'kubectl apply' operations. Consider using \
             'kubectl apply' with your previous configuration file instead.",
            object.kind().plural(),
            object.name()
        ));
    }
    if to_revision < 0 {
        return Err(revision_not_found(to_revision));
    }
    let skipped = || Ok(format!("skipped rollback (current template already matches revision {to_revision})"));
    match object {
        Object::Deployment(deployment) => {
            let replica_set = deployment_revision(cluster, deployment, to_revision)?;
            if is_paused(object) {
                let hint = "resume it first with 'kubectl rollout resume' and try again";
                return Err(Error::Client(format!("you cannot rollback a paused deployment; {hint}")));
            }
            let template = replica_set.spec.as_ref().and_then(|s| s.template.clone()).unwrap_or_default();
            let template = without_hash(template);
            if Some(&template) == deployment.spec.as_ref().map(|s| without_hash(s.template.clone())).as_ref() {
                return skipped();
            }
            let annotations = undo_annotations(deployment, &replica_set);
            let body = json!([
                { "op": "replace", "path": "/spec/template", "value": template },
                { "op": "replace", "path": "/metadata/annotations", "value": annotations },
            ]);
            patch(cluster, object, Patch::Json(body))?;
        }
        Object::StatefulSet(_) | Object::DaemonSet(_) => {
            let revision = controller_revision(cluster, object, to_revision)?;
            let body = revision.data.as_ref().map(|data| data.0.clone()).unwrap_or(Value::Null);
            if template_matches(object, &body) {
                return skipped();
            }
            patch(cluster, object, Patch::Strategic(body))?;
        }
        other => {
            return Err(Error::Client(format!("no rollbacker has been implemented for \"{}\"", group_kind(other))));
        }
    }
    Ok("rolled back".to_owned())
}

/// `schema.GroupKind.String`.
fn group_kind(object: &Object) -> String {
    let kind = object.kind();
    if kind.group().is_empty() { kind.name().to_owned() } else { format!("{}.{}", kind.name(), kind.group()) }
}

fn revision_not_found(revision: i64) -> Error {
    Error::Client(format!("unable to find specified revision {revision} in history"))
}

fn without_hash(mut template: PodTemplateSpec) -> PodTemplateSpec {
    if let Some(labels) = template.metadata.as_mut().and_then(|m| m.labels.as_mut()) {
        labels.remove("pod-template-hash");
    }
    template
}

fn undo_annotations(deployment: &Deployment, replica_set: &ReplicaSet) -> Value {
    let kept = deployment.metadata.annotations.iter().flatten().filter(|(k, _)| KEPT_ANNOTATIONS.contains(&k.as_str()));
    let taken = replica_set.metadata.annotations.iter().flatten();
    let taken = taken.filter(|(k, _)| !KEPT_ANNOTATIONS.contains(&k.as_str()));
    Value::Object(kept.chain(taken).map(|(k, v)| (k.clone(), Value::String(v.clone()))).collect())
}

/// The ReplicaSet of a revision; the one before the newest for revision 0 (`deploymentRevision`).
fn deployment_revision(cluster: &Cluster, deployment: &Deployment, to_revision: i64) -> Result<ReplicaSet, Error> {
    let owned = |rs: &&std::sync::Arc<ReplicaSet>| rs.controller().is_some_and(|c| c.uid == deployment.uid());
    let mut history: Vec<(i64, _)> = cluster
        .api()
        .store()
        .list_in::<ReplicaSet>(deployment.namespace())
        .filter(owned)
        .filter_map(|rs| Some((rs.annotation(REVISION)?.parse().ok()?, rs)))
        .collect();
    history.sort_by_key(|(revision, _)| *revision);
    let found = match to_revision {
        0 => history.iter().rev().nth(1),
        wanted => history.iter().find(|(revision, _)| *revision == wanted),
    };
    match found {
        Some((_, replica_set)) => Ok(ReplicaSet::clone(replica_set)),
        None if to_revision > 0 => Err(revision_not_found(to_revision)),
        None => Err(Error::Client(format!("no rollout history found for deployment \"{}\"", deployment.name()))),
    }
}

fn controller_revision(cluster: &Cluster, object: &Object, to_revision: i64) -> Result<ControllerRevision, Error> {
    let store = cluster.api().store();
    let mut history: Vec<_> = store
        .list_in::<ControllerRevision>(object.namespace())
        .filter(|r| r.controller().is_some_and(|c| c.uid == object.uid()))
        .collect();
    history.sort_by_key(|r| r.revision);
    if to_revision == 0 && history.len() <= 1 {
        return Err(Error::Client("no last revision to roll back to".to_owned()));
    }
    let found = match to_revision {
        0 => history.iter().rev().nth(1),
        wanted => history.iter().find(|r| r.revision == wanted),
    };
    found.map(|r| ControllerRevision::clone(r)).ok_or_else(|| revision_not_found(to_revision))
}

/// Whether the pod template a revision keeps is the present one (`statefulsetMatch`).
fn template_matches(object: &Object, revision: &Value) -> bool {
    let mut kept = revision.pointer("/spec/template").cloned().unwrap_or_default();
    if let Value::Object(map) = &mut kept {
        map.remove("$patch");
    }
    object.to_value().pointer("/spec/template") == Some(&kept)
}

/// What `rollout status --watch=false` says.
fn status(object: &Object) -> Result<String, Error> {
    match object {
        Object::Deployment(deployment) => deployment_status(deployment),
        Object::StatefulSet(set) => stateful_set_status(set),
        Object::DaemonSet(set) => daemon_set_status(set),
        other => Err(Error::Client(format!("no status viewer has been implemented for {}", group_kind(other)))),
    }
}

fn deployment_status(deployment: &Deployment) -> Result<String, Error> {
    let name = deployment.name();
    let (spec, status) = (deployment.spec.clone().unwrap_or_default(), deployment.status.clone().unwrap_or_default());
    if deployment.metadata.generation.unwrap_or(0) > status.observed_generation.unwrap_or(0) {
        return Ok("Waiting for deployment spec update to be observed...\n".to_owned());
    }
    let progressing = status.conditions.iter().flatten().find(|c| c.type_ == "Progressing");
    if progressing.is_some_and(|c| c.reason.as_deref() == Some("ProgressDeadlineExceeded")) {
        return Err(Error::Client(format!("deployment \"{name}\" exceeded its progress deadline")));
    }
    let updated = status.updated_replicas.unwrap_or(0);
    let replicas = status.replicas.unwrap_or(0);
    let available = status.available_replicas.unwrap_or(0);
    let wanted = spec.replicas.unwrap_or(1);
    let waiting = if updated < wanted {
        format!("{updated} out of {wanted} new replicas have been updated...")
    } else if replicas > updated {
        format!("{} old replicas are pending termination...", replicas - updated)
    } else if available < updated {
        format!("{available} of {updated} updated replicas are available...")
    } else {
        return Ok(format!("deployment \"{name}\" successfully rolled out\n"));
    };
    Ok(format!("Waiting for deployment \"{name}\" rollout to finish: {waiting}\n"))
}

fn only_for_rolling_update(strategy: Option<&str>) -> Result<(), Error> {
    match strategy {
        Some("RollingUpdate") | None => Ok(()),
        Some(_) => Err(Error::Client("rollout status is only available for RollingUpdate strategy type".to_owned())),
    }
}

fn stateful_set_status(set: &StatefulSet) -> Result<String, Error> {
    let (spec, status) = (set.spec.clone().unwrap_or_default(), set.status.clone().unwrap_or_default());
    only_for_rolling_update(spec.update_strategy.as_ref().and_then(|s| s.type_.as_deref()))?;
    let observed = status.observed_generation.unwrap_or(0);
    if observed == 0 || set.metadata.generation.unwrap_or(0) > observed {
        return Ok("Waiting for statefulset spec update to be observed...\n".to_owned());
    }
    let (wanted, ready) = (spec.replicas.unwrap_or(1), status.ready_replicas.unwrap_or(0));
    if ready < wanted {
        return Ok(format!("Waiting for {} pods to be ready...\n", wanted - ready));
    }
    let updated = status.updated_replicas.unwrap_or(0);
    if let Some(rolling) = spec.update_strategy.as_ref().and_then(|s| s.rolling_update.as_ref()) {
        let wanted = wanted - rolling.partition.unwrap_or(0);
        if updated < wanted {
            return Ok(format!(
                "Waiting for partitioned roll out to finish: {updated} out of {wanted} new pods have been updated...\n"
            ));
        }
        return Ok(format!("partitioned roll out complete: {updated} new pods have been updated...\n"));
    }
    let (current, update) = (status.current_revision.unwrap_or_default(), status.update_revision.unwrap_or_default());
    if current != update {
        return Ok(format!(
            "waiting for statefulset rolling update to complete {updated} pods at revision {update}...\n"
        ));
    }
    let pods = status.current_replicas.unwrap_or(0);
    Ok(format!("statefulset rolling update complete {pods} pods at revision {current}...\n"))
}

fn daemon_set_status(set: &DaemonSet) -> Result<String, Error> {
    let name = set.name();
    let (spec, status) = (set.spec.clone().unwrap_or_default(), set.status.clone().unwrap_or_default());
    only_for_rolling_update(spec.update_strategy.as_ref().and_then(|s| s.type_.as_deref()))?;
    if set.metadata.generation.unwrap_or(0) > status.observed_generation.unwrap_or(0) {
        return Ok("Waiting for daemon set spec update to be observed...\n".to_owned());
    }
    let wanted = status.desired_number_scheduled;
    let (updated, available) = (status.updated_number_scheduled.unwrap_or(0), status.number_available.unwrap_or(0));
    let waiting = if updated < wanted {
        format!("{updated} out of {wanted} new pods have been updated...")
    } else if available < wanted {
        format!("{available} of {wanted} updated pods are available...")
    } else {
        return Ok(format!("daemon set \"{name}\" successfully rolled out\n"));
    };
    Ok(format!("Waiting for daemon set \"{name}\" rollout to finish: {waiting}\n"))
}
