//! Arithmetic and annotations of Deployments (`pkg/controller/deployment/util`).
use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};

use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentCondition, DeploymentSpec, DeploymentStatus, ReplicaSet, ReplicaSetCondition,
};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::api::object::ApiObject;

pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
pub(super) const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
pub(super) const DESIRED_REPLICAS: &str = "deployment.kubernetes.io/desired-replicas";
pub(super) const MAX_REPLICAS: &str = "deployment.kubernetes.io/max-replicas";
/// The label that tells the pods of different ReplicaSets of a Deployment apart.
pub(super) const POD_TEMPLATE_HASH: &str = "pod-template-hash";

/// Annotations of a Deployment that are not copied to its ReplicaSets (`annotationsToSkip`).
const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    "deprecated.deployment.rollback.to",
];
/// How long the list of past revisions may become.
const MAX_REVISION_HISTORY_LENGTH: usize = 2000;

static NO_SPEC: LazyLock<DeploymentSpec> = LazyLock::new(DeploymentSpec::default);

pub(super) fn spec_of(d: &Deployment) -> &DeploymentSpec {
    d.spec.as_ref().unwrap_or(&NO_SPEC)
}

pub(super) fn paused(d: &Deployment) -> bool {
    spec_of(d).paused == Some(true)
}

/// `spec.replicas` of a Deployment.
pub(super) fn wanted(d: &Deployment) -> i32 {
    spec_of(d).replicas.unwrap_or(1)
}

/// `spec.replicas` of a ReplicaSet.
pub(super) fn size(set: &ReplicaSet) -> i32 {
    set.spec.as_ref().and_then(|s| s.replicas).unwrap_or(0)
}

/// The sizes of several ReplicaSets together.
pub(super) fn total_size(sets: &[Arc<ReplicaSet>]) -> i32 {
    sets.iter().map(|s| size(s)).fold(0, i32::saturating_add)
}

pub(super) fn available(set: &ReplicaSet) -> i32 {
    set.status.as_ref().and_then(|s| s.available_replicas).unwrap_or(0)
}

/// `status.replicas` of a ReplicaSet.
pub(super) fn actual(set: &ReplicaSet) -> i32 {
    set.status.as_ref().map_or(0, |s| s.replicas)
}

/// Oldest first (`ReplicaSetsByCreationTimestamp`). Sets of the same second are told apart by their revision, not by
/// their hash.
pub(super) fn by_creation(a: &ReplicaSet, b: &ReplicaSet) -> Ordering {
    let created = |set: &ReplicaSet| set.metadata.creation_timestamp.as_ref().map(|t| t.0);
    created(a)
        .cmp(&created(b))
        .then_with(|| first_revision(a).cmp(&first_revision(b)))
        .then_with(|| a.name().cmp(b.name()))
}

/// The revision a ReplicaSet was made for.
fn first_revision(set: &ReplicaSet) -> i64 {
    let history = set.annotation(REVISION_HISTORY).and_then(|h| h.split(',').next()).filter(|h| !h.is_empty());
    history.and_then(|h| h.parse().ok()).or_else(|| revision(set)).unwrap_or(0)
}

/// Largest first, among equals the older ones first (`ReplicaSetsBySizeOlder`).
pub(super) fn by_size_older(a: &ReplicaSet, b: &ReplicaSet) -> Ordering {
    size(b).cmp(&size(a)).then_with(|| by_creation(a, b))
}

/// Largest first, among equals the newer ones first (`ReplicaSetsBySizeNewer`).
pub(super) fn by_size_newer(a: &ReplicaSet, b: &ReplicaSet) -> Ordering {
    size(b).cmp(&size(a)).then_with(|| by_creation(b, a))
}

/// The revision in an annotation; 0 without one, `None` if it is not a number.
pub(super) fn revision(set: &ReplicaSet) -> Option<i64> {
    set.annotation(REVISION).map_or(Some(0), |v| v.parse().ok())
}

pub(super) fn max_revision(sets: &[Arc<ReplicaSet>]) -> i64 {
    sets.iter().filter_map(|s| revision(s)).max().unwrap_or(0).max(0)
}

pub(super) fn is_rolling_update(d: &Deployment) -> bool {
    spec_of(d).strategy.as_ref().and_then(|s| s.type_.as_deref()) == Some("RollingUpdate")
}

/// `intstr.GetScaledValueFromIntOrPercent`.
pub(in crate::controllers) fn scaled(value: Option<&IntOrString>, total: i32, round_up: bool) -> i32 {
    match value {
        None => 0,
        Some(IntOrString::Int(number)) => *number,
        Some(IntOrString::String(text)) => {
            let percent = text.strip_suffix('%').and_then(|p| p.parse::<i64>().ok()).unwrap_or(0);
            let product = percent.saturating_mul(i64::from(total));
            let rounding = if round_up { 99 } else { 0 };
            i32::try_from(product.saturating_add(rounding).div_euclid(100)).unwrap_or(i32::MAX)
        }
    }
}

/// How many pods a rolling update may have too many and too few (`ResolveFenceposts`).
fn fenceposts(d: &Deployment) -> (i32, i32) {
    let rolling_update = spec_of(d).strategy.as_ref().and_then(|s| s.rolling_update.as_ref());
    let surge = scaled(rolling_update.and_then(|r| r.max_surge.as_ref()), wanted(d), true);
    let unavailable = scaled(rolling_update.and_then(|r| r.max_unavailable.as_ref()), wanted(d), false);
    if surge == 0 && unavailable == 0 { (0, 1) } else { (surge, unavailable) }
}

pub(super) fn max_surge(d: &Deployment) -> i32 {
    if is_rolling_update(d) { fenceposts(d).0 } else { 0 }
}

pub(super) fn max_unavailable(d: &Deployment) -> i32 {
    if !is_rolling_update(d) || wanted(d) == 0 { 0 } else { fenceposts(d).1.min(wanted(d)) }
}

/// How large the new ReplicaSet should be now (`NewRSNewReplicas`).
pub(super) fn new_replicas(d: &Deployment, all: &[Arc<ReplicaSet>], new_size: i32) -> i32 {
    if !is_rolling_update(d) {
        return wanted(d);
    }
    let rolling_update = spec_of(d).strategy.as_ref().and_then(|s| s.rolling_update.as_ref());
    let surge = scaled(rolling_update.and_then(|r| r.max_surge.as_ref()), wanted(d), true);
    let current = total_size(all);
    let most = wanted(d).saturating_add(surge);
    if current >= most {
        return new_size;
    }
    new_size.saturating_add((most - current).min(wanted(d) - new_size))
}

/// Whether two templates are the same but for the hash label (`EqualIgnoreHash`).
pub(super) fn equal_ignoring_hash(a: &PodTemplateSpec, b: &PodTemplateSpec) -> bool {
    if a.spec != b.spec {
        return false;
    }
    if a.metadata == b.metadata {
        return true;
    }
    let bare = |template: &PodTemplateSpec| {
        let mut metadata = template.metadata.clone().unwrap_or_default();
        metadata.labels.iter_mut().for_each(|l| {
            l.remove(POD_TEMPLATE_HASH);
        });
        metadata.labels.take_if(|l| l.is_empty());
        metadata.annotations.take_if(|l| l.is_empty());
        metadata
    };
    bare(a) == bare(b)
}

/// The oldest ReplicaSet with the Deployment's template; the list is sorted by age.
pub(super) fn find_new(d: &Deployment, sets: &[Arc<ReplicaSet>]) -> Option<Arc<ReplicaSet>> {
    let none = PodTemplateSpec::default();
    let template = |set: &Arc<ReplicaSet>| {
        let own = set.spec.as_ref().and_then(|s| s.template.as_ref());
        equal_ignoring_hash(own.unwrap_or(&none), &spec_of(d).template)
    };
    sets.iter().find(|set| template(set)).cloned()
}

/// All ReplicaSets but the new one (`FindOldReplicaSets`).
pub(super) fn find_old(new: Option<&Arc<ReplicaSet>>, sets: &[Arc<ReplicaSet>]) -> Vec<Arc<ReplicaSet>> {
    sets.iter().filter(|s| new.is_none_or(|n| n.uid() != s.uid())).cloned().collect()
}

/// The one ReplicaSet that has pods; if none has, the new or the newest. `None` when several have pods
/// (`FindActiveOrLatest`).
pub(super) fn find_active_or_latest(new: Option<&Arc<ReplicaSet>>, old: &[Arc<ReplicaSet>]) -> Option<Arc<ReplicaSet>> {
    let mut newest_first = old.to_vec();
    newest_first.sort_by(|a, b| by_creation(b, a));
    let active: Vec<&Arc<ReplicaSet>> = newest_first.iter().chain(new).filter(|s| size(s) > 0).collect();
    match active.as_slice() {
        [] => new.or(newest_first.first()).cloned(),
        [one] => Some((*one).clone()),
        _ => None,
    }
}

/// Copies a Deployment's annotations and gives the new ReplicaSet its revision; says whether anything changed
/// (`SetNewReplicaSetAnnotations`).
pub(super) fn set_new_annotations(d: &Deployment, set: &mut ReplicaSet, new_revision: i64, exists: bool) -> bool {
    let mut changed = false;
    for (key, value) in d.metadata.annotations.iter().flatten().filter(|(k, _)| !NOT_COPIED.contains(&k.as_str())) {
        changed |= set.set_annotation(key, value);
    }
    let text = set.annotation(REVISION).map(str::to_owned);
    let old_revision = match text.as_deref().unwrap_or_default() {
        "" => 0,
        number => match number.parse::<i64>() {
            Ok(number) => number,
            Err(_) => return false,
        },
    };
    if old_revision < new_revision {
        set.set_annotation(REVISION, &new_revision.to_string());
        changed = true;
        if let Some(text) = text {
            push_revision(set, &text);
        }
    }
    if !exists {
        changed |= set_replicas_annotations(set, wanted(d), wanted(d).saturating_add(max_surge(d)));
    }
    changed
}

/// Appends to the list of revisions a ReplicaSet has had, dropping the first ones when it becomes too long.
fn push_revision(set: &mut ReplicaSet, old_revision: &str) {
    let history = set.annotation(REVISION_HISTORY).unwrap_or_default().to_owned();
    let mut revisions: Vec<&str> = history.split(',').filter(|r| !r.is_empty()).collect();
    revisions.push(old_revision);
    let length = |revisions: &[&str]| revisions.iter().map(|r| r.len() + 1).sum::<usize>();
    while length(&revisions) > MAX_REVISION_HISTORY_LENGTH + 1 && revisions.len() > 1 {
        revisions.remove(0);
    }
    set.set_annotation(REVISION_HISTORY, &revisions.join(","));
}

pub(super) fn set_replicas_annotations(set: &mut ReplicaSet, desired: i32, max: i32) -> bool {
    let desired = set.set_annotation(DESIRED_REPLICAS, &desired.to_string());
    set.set_annotation(MAX_REPLICAS, &max.to_string()) || desired
}

pub(super) fn replicas_annotations_need_update(set: &ReplicaSet, desired: i32, max: i32) -> bool {
    set.annotation(DESIRED_REPLICAS) != Some(&*desired.to_string())
        || set.annotation(MAX_REPLICAS) != Some(&*max.to_string())
}

/// A number of replicas in an annotation.
pub(super) fn replicas_annotation(set: &ReplicaSet, key: &str) -> Option<i32> {
    set.annotation(key)?.parse().ok().filter(|n| *n >= 0)
}

/// How many of the replicas to add (or remove) fall to one ReplicaSet (`GetReplicaSetProportion`).
pub(super) fn proportion(set: &ReplicaSet, d: &Deployment, to_add: i32, added: i32) -> i32 {
    if size(set) == 0 || to_add == 0 || to_add == added {
        return 0;
    }
    let fraction = fraction(set, d);
    let allowed = to_add.saturating_sub(added);
    if to_add > 0 { fraction.min(allowed) } else { fraction.max(allowed) }
}

fn fraction(set: &ReplicaSet, d: &Deployment) -> i32 {
    if wanted(d) == 0 {
        return -size(set);
    }
    let before = replicas_annotation(set, MAX_REPLICAS).filter(|n| *n != 0);
    let before = before.unwrap_or_else(|| d.status.as_ref().and_then(|s| s.replicas).unwrap_or(0));
    if before == 0 {
        return 0;
    }
    let now = wanted(d).saturating_add(max_surge(d));
    let scaled = f64::from(size(set)) * f64::from(now) / f64::from(before);
    // half away from zero, as `integer.RoundToInt32`
    (scaled.round() as i32).saturating_sub(size(set))
}

/// Whether the new ReplicaSet has all its pods (`IsSaturated`).
pub(super) fn is_saturated(d: &Deployment, set: Option<&Arc<ReplicaSet>>) -> bool {
    set.is_some_and(|set| {
        let desired = set.annotation(DESIRED_REPLICAS).and_then(|v| v.parse::<i32>().ok());
        size(set) == wanted(d) && desired == Some(wanted(d)) && available(set) == wanted(d)
    })
}

pub(super) fn has_progress_deadline(d: &Deployment) -> bool {
    spec_of(d).progress_deadline_seconds.is_some_and(|s| s != i32::MAX)
}

/// Whether all pods are new and available (`DeploymentComplete`).
pub(super) fn is_complete(d: &Deployment, status: &DeploymentStatus) -> bool {
    let count = |n: Option<i32>| n.unwrap_or(0);
    count(status.updated_replicas) == wanted(d)
        && count(status.replicas) == wanted(d)
        && count(status.available_replicas) == wanted(d)
        && status.observed_generation.unwrap_or(0) >= d.metadata.generation.unwrap_or(0)
}

/// Whether the new status is nearer to the goal than the old one (`DeploymentProgressing`).
pub(super) fn is_progressing(d: &Deployment, new: &DeploymentStatus) -> bool {
    let none = DeploymentStatus::default();
    let old = d.status.as_ref().unwrap_or(&none);
    let count = |n: Option<i32>| n.unwrap_or(0);
    let outdated = |s: &DeploymentStatus| count(s.replicas) - count(s.updated_replicas);
    count(new.updated_replicas) > count(old.updated_replicas)
        || outdated(new) < outdated(old)
        || count(new.ready_replicas) > count(old.ready_replicas)
        || count(new.available_replicas) > count(old.available_replicas)
}

pub(super) fn condition<'a>(status: &'a DeploymentStatus, type_: &str) -> Option<&'a DeploymentCondition> {
    status.conditions.iter().flatten().find(|c| c.type_ == type_)
}

/// A condition that begins now.
pub(super) fn new_condition(now: Time, type_: &str, status: &str, reason: &str, message: &str) -> DeploymentCondition {
    DeploymentCondition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_update_time: Some(now.clone()),
        last_transition_time: Some(now),
    }
}

/// Puts a condition last unless one with the same status and reason is there (`SetDeploymentCondition`).
pub(super) fn set_condition(status: &mut DeploymentStatus, mut new: DeploymentCondition) {
    if let Some(current) = condition(status, &new.type_)
        && current.status == new.status
    {
        if current.reason == new.reason {
            return;
        }
        new.last_transition_time.clone_from(&current.last_transition_time);
    }
    let conditions = status.conditions.get_or_insert_default();
    conditions.retain(|c| c.type_ != new.type_);
    conditions.push(new);
}

pub(super) fn remove_condition(status: &mut DeploymentStatus, type_: &str) {
    status.conditions.iter_mut().for_each(|c| c.retain(|c| c.type_ != type_));
    status.conditions.take_if(|c| c.is_empty());
}

/// A ReplicaSet's failure as a condition of its Deployment.
pub(super) fn from_replica_set(condition: &ReplicaSetCondition) -> DeploymentCondition {
    DeploymentCondition {
        type_: condition.type_.clone(),
        status: condition.status.clone(),
        last_transition_time: condition.last_transition_time.clone(),
        last_update_time: condition.last_transition_time.clone(),
        reason: condition.reason.clone(),
        message: condition.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_that_are_too_large_saturate() {
        let scaled = |text: &str, total| scaled(Some(&IntOrString::String(text.to_owned())), total, true);
        assert_eq!(scaled("25%", 10), 3);
        assert_eq!(scaled("999999999999999999%", i32::MAX), i32::MAX);
    }

    #[test]
    fn sizes_that_are_too_large_saturate() {
        let spec = DeploymentSpec { replicas: Some(i32::MAX), ..Default::default() };
        let d = Deployment { spec: Some(spec), ..Default::default() };
        let mut set = ReplicaSet::default();
        set.spec.get_or_insert_default().replicas = Some(i32::MAX);
        let sets = [Arc::new(set.clone()), Arc::new(set)];
        assert_eq!(total_size(&sets), i32::MAX);
        assert_eq!(new_replicas(&d, &sets, 0), i32::MAX);
        assert_eq!(proportion(&sets[0], &d, i32::MAX, -1), 0);
    }
}
