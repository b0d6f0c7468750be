//! `kubectl rollout restart|undo|pause|resume|status|history KIND/NAME` (`kubectl/pkg/cmd/rollout`,
//! `kubectl/pkg/polymorphichelpers`).
use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::jiff::SignedDuration;
use serde_json::{Value, json};

use super::apply::LAST_APPLIED;
use super::command::{Command, Done, DryRun, Kubectl};
use super::flags::Spec;
use super::kubectl::{self, Error, Output};
use super::resources::{self, Options};
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
        "status" => return status(&object).map(|(text, _)| text),
        "history" => return history_table(cluster, &object).map(|(text, _)| text),
        other => return Err(client(format!("unknown command \"{other}\" for \"kubectl rollout\""))),
    };
    Ok(format!("{} {done}\n", kubectl::object_name(kind, name)))
}

const SWITCHES: &[&str] = &["recursive/R", "watch/w", "record", "show-managed-fields"];
const TEXTS: &[&str] =
    &["dry-run", "kustomize/k", "output/o", "revision", "selector/l", "template", "timeout", "to-revision"];
const SPEC: Spec = Spec { switches: SWITCHES, texts: TEXTS, lists: &["filename/f"] };

/// The commands.
pub(super) static COMMANDS: &[&Command] = &[
    &Command { path: "kubectl rollout history", spec: SPEC, run: |k| each(k, history) },
    &Command { path: "kubectl rollout pause", spec: SPEC, run: |k| each(k, |k, object| paused(k, object, true)) },
    &Command { path: "kubectl rollout restart", spec: SPEC, run: |k| each(k, restarted) },
    &Command { path: "kubectl rollout resume", spec: SPEC, run: |k| each(k, |k, object| paused(k, object, false)) },
    &Command { path: "kubectl rollout status", spec: SPEC, run: |k| each(k, watched) },
    &Command { path: "kubectl rollout undo", spec: SPEC, run: |k| each(k, undone) },
];

/// Does something with every object that is named.
fn each(k: &mut Kubectl<'_>, act: impl Fn(&mut Kubectl<'_>, &Object) -> Done) -> Done {
    let args = k.flags.args();
    if args.is_empty() && k.flags.list("filename").is_empty() {
        return Err(Error::Client("required resource not specified".to_owned()));
    }
    let options = Options { allow_empty_selector: true, ..Options::default() };
    let (targets, errors) = resources::find(k, &args, options)?;
    k.errors.extend(errors);
    for target in targets {
        let object = kubectl::find(k.cluster, target.kind, &target.namespace, &target.name)?.clone();
        if let Err(error) = act(k, &object) {
            k.errors.push(error);
        }
    }
    Ok(())
}

/// Prints an object as it is now.
fn print(k: &mut Kubectl<'_>, object: &Object, operation: &str) -> Done {
    let (kind, name) = (object.kind(), object.name());
    let value = kubectl::find(k.cluster, kind, object.namespace(), name)?.to_value();
    k.print(kind, name, operation, &value)
}

fn restarted(k: &mut Kubectl<'_>, object: &Object) -> Done {
    let done = restart(k.cluster, object)?;
    print(k, object, &done)
}

fn paused(k: &mut Kubectl<'_>, object: &Object, paused: bool) -> Done {
    let done = set_paused(k.cluster, object, paused)?;
    print(k, object, &done)
}

fn undone(k: &mut Kubectl<'_>, object: &Object) -> Done {
    let to_revision = k.flags.number("to-revision")?.unwrap_or(0);
    let mut warnings = Vec::new();
    let done = match k.dry_run {
        DryRun::Client => Ok("rolled back".to_owned()),
        DryRun::No | DryRun::Server => undo(k.cluster, object, to_revision, &mut warnings),
    };
    k.warnings.extend(warnings);
    print(k, object, &done?)
}

/// `rollout status`: looks until the rollout is done, for ten minutes at most.
fn watched(k: &mut Kubectl<'_>, object: &Object) -> Done {
    let (text, done) = status(object)?;
    k.out.push_str(&text);
    if done || k.flags.switch("watch")? == Some(false) {
        return Ok(());
    }
    const LONGEST: SignedDuration = SignedDuration::from_mins(11);
    let timeout = k.flags.duration("timeout")?.filter(|timeout| !timeout.is_zero()).unwrap_or(LONGEST).min(LONGEST);
    k.cluster.advance(timeout.max(SignedDuration::ZERO));
    let object = kubectl::find(k.cluster, object.kind(), object.namespace(), object.name())?;
    match status(object)? {
        (text, true) => {
            k.out.push_str(&text);
            Ok(())
        }
        (_, false) => Err(Error::Client("timed out waiting for the condition".to_owned())),
    }
}

/// `rollout history`.
fn history(k: &mut Kubectl<'_>, object: &Object) -> Done {
    let (text, revisions) = history_table(k.cluster, object)?;
    match k.flags.number("revision")?.unwrap_or(0) {
        wanted if wanted > 0 && revisions.contains(&wanted) => print(k, object, &format!("with revision #{wanted}")),
        wanted if wanted > 0 => Err(Error::Client(format!("unable to find the specified revision {wanted}"))),
        _ => {
            k.out.push_str(&text);
            Ok(())
        }
    }
}

/// The revisions and why they were made, as `rollout history` prints them, and their numbers.
fn history_table(cluster: &Cluster, object: &Object) -> Result<(String, Vec<i64>), Error> {
    let store = cluster.api().store();
    let owned = |other: &Object| {
        let owners = other.metadata().owner_references.iter().flatten();
        owners.clone().any(|owner| owner.uid == object.uid())
    };
    let cause = |other: &Object| {
        let annotations = other.metadata().annotations.as_ref();
        annotations.and_then(|a| a.get("kubernetes.io/change-cause")).cloned().unwrap_or_else(|| "<none>".to_owned())
    };
    let kind = match object.kind() {
        Kind::Deployment => Kind::ReplicaSet,
        Kind::StatefulSet | Kind::DaemonSet => Kind::ControllerRevision,
        _ => {
            let message = format!("no history viewer has been implemented for \"{}\"", group_kind(object));
            return Err(Error::Client(message));
        }
    };
    let number = |other: &Object| match other {
        Object::ControllerRevision(revision) => Some(revision.revision),
        other => other.metadata().annotations.as_ref()?.get(REVISION)?.parse::<i64>().ok(),
    };
    let mut revisions: Vec<(i64, String)> = store
        .objects_of_in(kind, object.namespace())
        .filter(|other| owned(other))
        .filter_map(|other| Some((number(other)?, cause(other))))
        .collect();
    revisions.sort();
    let numbers = revisions.iter().map(|(revision, _)| *revision).collect();
    let mut table = String::from("REVISION  CHANGE-CAUSE\n");
    for (revision, cause) in revisions {
        table.push_str(&format!("{revision:<8}  {cause}\n"));
    }
    Ok((format!("{} \n{table}\n", kubectl::object_name(object.kind(), object.name())), numbers))
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

/// What `rollout status --watch=false` says, and whether the rollout is done.
fn status(object: &Object) -> Result<(String, bool), Error> {
    match object {
        Object::Deployment(deployment) => deployment_status(deployment),
        Object::StatefulSet(set) => stateful_set_status(set),
        Object::DaemonSet(set) => daemon_set_status(set),
        other => Err(Error::Client(format!("no status viewer has been implemented for {}", group_kind(other)))),
    }
}

fn deployment_status(deployment: &Deployment) -> Result<(String, bool), Error> {
    let name = deployment.name();
    let (spec, status) = (deployment.spec.clone().unwrap_or_default(), deployment.status.clone().unwrap_or_default());
    if deployment.metadata.generation.unwrap_or(0) > status.observed_generation.unwrap_or(0) {
        return Ok(("Waiting for deployment spec update to be observed...\n".to_owned(), false));
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
        return Ok((format!("deployment \"{name}\" successfully rolled out\n"), true));
    };
    Ok((format!("Waiting for deployment \"{name}\" rollout to finish: {waiting}\n"), false))
}

fn only_for_rolling_update(strategy: Option<&str>) -> Result<(), Error> {
    match strategy {
        Some("RollingUpdate") | None => Ok(()),
        Some(_) => Err(Error::Client("rollout status is only available for RollingUpdate strategy type".to_owned())),
    }
}

fn stateful_set_status(set: &StatefulSet) -> Result<(String, bool), Error> {
    let (spec, status) = (set.spec.clone().unwrap_or_default(), set.status.clone().unwrap_or_default());
    only_for_rolling_update(spec.update_strategy.as_ref().and_then(|s| s.type_.as_deref()))?;
    let observed = status.observed_generation.unwrap_or(0);
    if observed == 0 || set.metadata.generation.unwrap_or(0) > observed {
        return Ok(("Waiting for statefulset spec update to be observed...\n".to_owned(), false));
    }
    let (wanted, ready) = (spec.replicas.unwrap_or(1), status.ready_replicas.unwrap_or(0));
    if ready < wanted {
        return Ok((format!("Waiting for {} pods to be ready...\n", wanted - ready), false));
    }
    let updated = status.updated_replicas.unwrap_or(0);
    if let Some(rolling) = spec.update_strategy.as_ref().and_then(|s| s.rolling_update.as_ref()) {
        let wanted = wanted - rolling.partition.unwrap_or(0);
        if updated < wanted {
            let text = format!("{updated} out of {wanted} new pods have been updated...\n");
            return Ok((format!("Waiting for partitioned roll out to finish: {text}"), false));
        }
        return Ok((format!("partitioned roll out complete: {updated} new pods have been updated...\n"), true));
    }
    let (current, update) = (status.current_revision.unwrap_or_default(), status.update_revision.unwrap_or_default());
    if current != update {
        let text = format!("{updated} pods at revision {update}...\n");
        return Ok((format!("waiting for statefulset rolling update to complete {text}"), false));
    }
    let pods = status.current_replicas.unwrap_or(0);
    Ok((format!("statefulset rolling update complete {pods} pods at revision {current}...\n"), true))
}

fn daemon_set_status(set: &DaemonSet) -> Result<(String, bool), Error> {
    let name = set.name();
    let (spec, status) = (set.spec.clone().unwrap_or_default(), set.status.clone().unwrap_or_default());
    only_for_rolling_update(spec.update_strategy.as_ref().and_then(|s| s.type_.as_deref()))?;
    if set.metadata.generation.unwrap_or(0) > status.observed_generation.unwrap_or(0) {
        return Ok(("Waiting for daemon set spec update to be observed...\n".to_owned(), false));
    }
    let wanted = status.desired_number_scheduled;
    let (updated, available) = (status.updated_number_scheduled.unwrap_or(0), status.number_available.unwrap_or(0));
    let waiting = if updated < wanted {
        format!("{updated} out of {wanted} new pods have been updated...")
    } else if available < wanted {
        format!("{available} of {wanted} updated pods are available...")
    } else {
        return Ok((format!("daemon set \"{name}\" successfully rolled out\n"), true));
    };
    Ok((format!("Waiting for daemon set \"{name}\" rollout to finish: {waiting}\n"), false))
}

#[cfg(test)]
mod tests {
    use crate::timeline::testing::Shell;

    #[test]
    fn a_rollout_goes_forth_and_back() {
        let mut shell = Shell::with("create deployment web --image=nginx:1");
        shell.stdout("set image deploy/web nginx=nginx:2");
        shell.stdout("annotate deploy/web kubernetes.io/change-cause=second");
        assert_eq!(
            shell.stdout("rollout history deploy/web"),
            "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         second\n\n"
        );
        assert_eq!(shell.stdout("rollout undo deploy web --to-revision=1"), "deployment.apps/web rolled back\n");
        assert_eq!(shell.value("Deployment", "web", "/spec/template/spec/containers/0/image"), "nginx:1");
        assert_eq!(shell.stdout("rollout status deploy/web"), "deployment \"web\" successfully rolled out\n");
        assert_eq!(shell.stdout("rollout restart deploy"), "deployment.apps/web restarted\n");
        assert_eq!(shell.stdout("rollout pause deploy/web"), "deployment.apps/web paused\n");
        assert_eq!(shell.stderr("rollout pause deploy/web"), "error: deployments.apps \"web\" is already paused\n");
        assert_eq!(shell.stdout("rollout resume deploy/web"), "deployment.apps/web resumed\n");
        assert_eq!(
            shell.stderr("rollout undo deploy/web --to-revision=9"),
            "error: unable to find specified revision 9 in history\n"
        );
        assert_eq!(shell.stderr("rollout status"), "error: required resource not specified\n");
    }
}
