//! DefaultPreemption: which pods of lower priority have to go so that a pod fits
//! (`plugins/defaultpreemption`, `framework/preemption`).
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::jiff::Timestamp;

use super::framework::{Code, Cycle, CycleState, Diagnosis, Rejection, histogram};
use super::node_info::{NodeInfo, PodInfo, key_of, nominated_node, priority, spec_of};
use super::schedule_one::{Nominated, adjust, filter_with_nominated};
use crate::api::event::EventType;
use crate::api::object::{Kind, ObjectKey};
use crate::api::pod_condition::disruption_target;
use crate::api::server::DeleteOptions;
use crate::api::{ApiObject, ApiServer, label_selector};

/// A node on which the pod fits once the victims are gone.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The node.
    pub node: String,
    /// The pods that have to go, most important first.
    pub victims: Vec<Arc<Pod>>,
    violations: usize,
}

/// What preemption can do for a pod.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Take these pods off that node.
    Candidate(Candidate),
    /// The pod may not preempt others (now).
    NotEligible(&'static str),
    /// It does not help anywhere.
    NoCandidate(String),
}

/// Looks for the node on which preemption hurts least (`Evaluator.Preempt`).
pub fn preempt(cycle: Cycle<'_>, state: &CycleState, diagnosis: &Diagnosis, nominated: Nominated<'_>) -> Outcome {
    let pod = &cycle.pod.pod;
    if spec_of(pod).preemption_policy.as_deref() == Some("Never") {
        return Outcome::NotEligible("not eligible due to preemptionPolicy=Never.");
    }
    if let Some(node) = cycle.cache.node(nominated_node(pod)) {
        let final_there =
            diagnosis.nodes.get(node.name()).is_some_and(|r| r.code == Code::UnschedulableAndUnresolvable);
        let waits = node.pods().any(|p| priority(&p.pod) < priority(pod) && terminating_by_preemption(&p.pod));
        if waits && !final_there {
            return Outcome::NotEligible("not eligible due to a terminating pod on the nominated node.");
        }
    }
    let mut candidates = Vec::new();
    let mut statuses: BTreeMap<String, Rejection> = BTreeMap::new();
    for (name, rejection) in &diagnosis.nodes {
        let Some(node) = cycle.cache.node(name).filter(|_| rejection.code == Code::Unschedulable) else { continue };
        match select_victims(cycle, state, node, nominated) {
            Ok(candidate) => candidates.push(candidate),
            Err(rejection) => {
                statuses.insert(name.clone(), rejection);
            }
        }
    }
    match candidates.into_iter().min_by_key(cost) {
        Some(candidate) => Outcome::Candidate(candidate),
        None => {
            let count = cycle.cache.node_count();
            let absent = Rejection::unresolvable("Preemption is not helpful for scheduling");
            let reasons = histogram(&statuses, Some(&absent), count);
            Outcome::NoCandidate(format!("0/{count} nodes are available: {reasons}."))
        }
    }
}

/// `pickOneNodeForPreemption`: fewest budgets violated, lowest highest priority, lowest sum of priorities, fewest
/// victims, latest start of the most important ones; then the first by name.
fn cost(candidate: &Candidate) -> (usize, i32, i64, usize, Reverse<Option<Timestamp>>) {
    let victims = &candidate.victims;
    let highest = victims.first().map_or(i32::MIN, |p| priority(p));
    let sum = victims.iter().map(|p| i64::from(priority(p)) + i64::from(i32::MAX) + 1).sum();
    let earliest = victims.iter().filter(|p| priority(p) == highest).filter_map(|p| started(p)).min();
    (candidate.violations, highest, sum, victims.len(), Reverse(earliest))
}

fn started(pod: &Pod) -> Option<Timestamp> {
    pod.status.as_ref().and_then(|s| s.start_time.as_ref()).map(|t| t.0)
}

fn terminating_by_preemption(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|s| s.conditions.as_ref());
    pod.is_terminating()
        && conditions.into_iter().flatten().any(|c| {
            c.type_ == "DisruptionTarget" && c.status == "True" && c.reason.as_deref() == Some("PreemptionByScheduler")
        })
}

/// The fewest pods that have to leave a node (`SelectVictimsOnNode`).
fn select_victims(
    cycle: Cycle<'_>,
    state: &CycleState,
    node: &NodeInfo,
    nominated: Nominated<'_>,
) -> Result<Candidate, Rejection> {
    let pod = &cycle.pod.pod;
    let mut node = node.clone();
    let mut state = state.clone();
    let mut potential: Vec<PodInfo> = node.pods().filter(|p| priority(&p.pod) < priority(pod)).cloned().collect();
    if potential.is_empty() {
        return Err(Rejection::unresolvable("No preemption victims found for incoming pod"));
    }
    for victim in &potential {
        node.remove(&key_of(&victim.pod));
        adjust(cycle, &mut state, &victim.pod, &node, -1);
    }
    filter_with_nominated(cycle, &state, &node, nominated).map_err(|(_, rejection)| rejection)?;
    // the most important pods first: by priority, then those that run longest
    potential.sort_by_key(|p| (Reverse(priority(&p.pod)), started(&p.pod), key_of(&p.pod)));
    let (violating, others) = by_disruption_budget(cycle, potential);
    let mut candidate = Candidate { node: node.name().to_owned(), victims: Vec::new(), violations: 0 };
    for (reprieved, breaks_budget) in
        violating.into_iter().map(|p| (p, true)).chain(others.into_iter().map(|p| (p, false)))
    {
        let before = (node.clone(), state.clone());
        adjust(cycle, &mut state, &reprieved.pod, &node, 1);
        node.add(reprieved.clone());
        if filter_with_nominated(cycle, &state, &node, nominated).is_err() {
            (node, state) = before;
            candidate.violations += usize::from(breaks_budget);
            candidate.victims.push(reprieved.pod);
        }
    }
    candidate.victims.sort_by_key(|p| (Reverse(priority(p)), started(p)));
    Ok(candidate)
}

/// Pods whose disruption a budget forbids, and the others (`filterPodsWithPDBViolation`).
fn by_disruption_budget(cycle: Cycle<'_>, pods: Vec<PodInfo>) -> (Vec<PodInfo>, Vec<PodInfo>) {
    let mut budgets: Vec<(&Arc<PodDisruptionBudget>, i32)> = cycle
        .store
        .list::<PodDisruptionBudget>()
        .map(|b| (b, b.status.as_ref().and_then(|s| s.disruptions_allowed).unwrap_or(0)))
        .collect();
    pods.into_iter().partition(|info| {
        let labels = info.pod.metadata.labels.as_ref();
        let mut violated = false;
        for (budget, allowed) in &mut budgets {
            let selector = budget.spec.as_ref().and_then(|s| s.selector.as_ref());
            let selects = budget.namespace() == info.pod.namespace()
                && selector.is_some_and(|s| !label_selector::is_empty(s))
                && label_selector::matches(selector, labels);
            if selects {
                *allowed -= 1;
                violated |= *allowed < 0;
            }
        }
        violated
    })
}

/// Deletes the victims and says why (`prepareCandidate`).
pub fn evict(api: &mut ApiServer, candidate: &Candidate, preemptor: &Pod) {
    for victim in &candidate.victims {
        let Some(victim) = api.get::<Pod>(victim.namespace(), victim.name()).cloned() else { continue };
        if victim.is_terminating() {
            continue;
        }
        let mut changed = Pod::clone(&victim);
        let now = api.time();
        let scheduler = spec_of(preemptor).scheduler_name.as_deref().unwrap_or("default-scheduler");
        let message = format!("{scheduler}: preempting to accommodate a higher priority pod");
        let conditions = changed.status.get_or_insert_default().conditions.get_or_insert_default();
        conditions.retain(|c| c.type_ != "DisruptionTarget");
        conditions.push(disruption_target(&victim, "PreemptionByScheduler", &message, now));
        let updated = api.update_status(changed).map(|a| a.object).unwrap_or(victim);
        let key = ObjectKey::new(Kind::Pod, updated.namespace(), updated.name());
        if api.delete(&key, &DeleteOptions::default()).is_ok() {
            let message = format!("Preempted by pod {} on node {}", preemptor.uid(), candidate.node);
            api.event("default-scheduler", &updated, EventType::Normal, "Preempted", message);
        }
    }
}
