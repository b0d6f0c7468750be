//! Pods, what makes them, and where they run.
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::graph::Graph;
use super::{Relation, Role, State, Words, volumes};
use crate::api::ApiObject;
use crate::api::object::{Kind, ObjectKey};
use crate::explain::wish::is_as_wished;
use crate::grade::reasons;
use crate::kubelet;
use crate::report::tables::pod_status;
use crate::report::text::{Message, say};
use crate::timeline::record::is_furniture;

pub(super) fn add(graph: &mut Graph<'_>) {
    let store = graph.cluster.api().store();
    let kinds = [Kind::CronJob, Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::ReplicaSet];
    for kind in kinds {
        for object in graph.objects(kind) {
            // the sets a Deployment keeps of older templates have no pods
            let idle = |set: &ReplicaSet| set.controller().is_some() && wanted_by_set(set) == 0;
            if object.get::<ReplicaSet>().is_some_and(|set| idle(set)) {
                continue;
            }
            let key = object.key();
            let item = graph.object(role(kind), &key);
            if !is_as_wished(object) {
                graph.set_state(item, State::Waiting);
            }
            own(graph, item, object.metadata().owner_references.as_deref(), &key.namespace);
        }
    }
    for pod in store.list::<Pod>().filter(|pod| !is_furniture(&pod.to_owned().clone().into_object())) {
        add_pod(graph, pod);
    }
    let sets = |kind: Kind| graph.objects(kind).collect::<Vec<_>>();
    for object in kinds.into_iter().flat_map(sets).collect::<Vec<_>>() {
        let key = object.key();
        let Some(item) = graph.find(role(key.kind), &key) else { continue };
        if let Some(job) = object.get::<CronJob>() {
            graph.fact(item, &job.spec.schedule);
            continue;
        }
        if let Some(job) = object.get::<Job>() {
            let status = job.status.clone().unwrap_or_default();
            let wanted = job.spec.as_ref().and_then(|spec| spec.completions).unwrap_or(1);
            graph.fact(item, &format!("{}/{wanted}", status.succeeded.unwrap_or(0)));
            if !is_as_wished(object) {
                trouble(graph, item, &key);
            }
            continue;
        }
        let (there, ready, wanted) = if let Some(set) = object.get::<Deployment>() {
            let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
            let status = set.status.clone().unwrap_or_default();
            // what is missing shows at its ReplicaSet
            (wanted, status.ready_replicas.unwrap_or(0), wanted)
        } else if let Some(set) = object.get::<ReplicaSet>() {
            let status = set.status.clone().unwrap_or_default();
            (status.replicas, status.ready_replicas.unwrap_or(0), wanted_by_set(set))
        } else if let Some(set) = object.get::<StatefulSet>() {
            let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
            let status = set.status.clone().unwrap_or_default();
            (status.replicas, status.ready_replicas.unwrap_or(0), wanted)
        } else if let Some(set) = object.get::<DaemonSet>() {
            let status = set.status.clone().unwrap_or_default();
            (status.current_number_scheduled, status.number_ready, status.desired_number_scheduled)
        } else {
            continue;
        };
        graph.fact(item, &format!("{ready}/{wanted} ready"));
        if there < wanted {
            missing_pods(graph, item, &key, object.get::<StatefulSet>().map(|set| set.as_ref()), there, wanted);
        } else if ready < wanted && key.kind == Kind::Deployment && !has_children(graph, item) {
            trouble(graph, item, &key);
        }
    }
}

/// Where a kind stands.
fn role(kind: Kind) -> Role {
    match kind {
        Kind::CronJob | Kind::Deployment => Role::Parent,
        _ => Role::Workload,
    }
}

fn wanted_by_set(set: &ReplicaSet) -> i32 {
    set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
}

fn has_children(graph: &Graph<'_>, item: usize) -> bool {
    graph.has_links_from(item)
}

/// The link from the controller of an object.
fn own(graph: &mut Graph<'_>, item: usize, owners: Option<&[OwnerReference]>, namespace: &str) {
    let Some(owner) = owners.into_iter().flatten().find(|owner| owner.controller == Some(true)) else { return };
    let Some(kind) = Kind::find(&owner.api_version, &owner.kind) else { return };
    if let Some(from) = graph.find(role(kind), &ObjectKey::new(kind, namespace, &owner.name)) {
        graph.link(from, item, Relation::Owns, "");
    }
}

/// What the cluster says about an object, in one text.
fn because(graph: &Graph<'_>, key: &ObjectKey) -> Option<String> {
    let words = |reason| say(graph.lang, &Message::Reason { reason: &reason, about: Some(key) });
    let said: Vec<String> = reasons::of(graph.cluster, key).into_iter().take(2).map(words).collect();
    (!said.is_empty()).then(|| format!("{}: {}", key.name, said.join("; ")))
}

fn trouble(graph: &mut Graph<'_>, item: usize, key: &ObjectKey) {
    if let Some(text) = because(graph, key) {
        graph.mark(item, State::Broken, &text);
    }
}

/// Pods that a set should have made.
fn missing_pods(
    graph: &mut Graph<'_>,
    item: usize,
    key: &ObjectKey,
    set: Option<&StatefulSet>,
    there: i32,
    wanted: i32,
) {
    let missing = i64::from(wanted) - i64::from(there);
    let store = graph.cluster.api().store();
    let start = set.and_then(|set| set.spec.as_ref()?.ordinals.as_ref()?.start).unwrap_or(0);
    let mut ordinals = (start..).take(usize::try_from(wanted).unwrap_or(0)).map(|n| format!("{}-{n}", key.name));
    let first = ordinals.find(|name| store.get::<Pod>(&key.namespace, name).is_none());
    let name = first.filter(|_| set.is_some()).unwrap_or_else(|| format!("{}-…", key.name));
    let pod = graph.absent(Role::Pod, Kind::Pod.name(), &key.namespace, &name);
    let fact = graph.words(Words::WantedPods { missing });
    graph.fact(pod, &fact);
    let why = because(graph, key).unwrap_or(fact);
    graph.broken(item, pod, Relation::Owns, State::Broken, &why);
}

fn add_pod(graph: &mut Graph<'_>, pod: &Pod) {
    let store = graph.cluster.api().store();
    let key = ObjectKey::new(Kind::Pod, pod.namespace(), pod.name());
    let item = graph.object(Role::Pod, &key);
    let value = serde_json::to_value(pod).unwrap_or_default();
    let (ready, status) = pod_status(&value);
    graph.fact(item, &format!("{status} · {ready} ready"));
    own(graph, item, pod.metadata.owner_references.as_deref(), pod.namespace());
    volumes::add(graph, item, pod);

    let said = kubelet::explain::explain(store, graph.cluster.api().events(), pod);
    // the pods of a set without names of their own mostly have the same trouble
    let set = pod.controller().filter(|owner| owner.kind != Kind::StatefulSet.name());
    let name = set.map_or(pod.name(), |owner| &owner.name);
    let why = format!("{name}: {}", said.join("; "));
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
    if node.is_empty() {
        let text = graph.words(Words::Nothing { kind: Kind::Node.name() });
        let none = graph.absent(Role::Node, Kind::Node.name(), "", &text);
        graph.set_state(item, State::Waiting);
        graph.broken(item, none, Relation::RunsOn, State::Broken, &why);
        return;
    }
    let to = add_node(graph, node);
    if graph.state(to) == State::Absent {
        graph.broken(item, to, Relation::RunsOn, State::Broken, &why);
        return;
    }
    graph.link(item, to, Relation::RunsOn, "");
    if graph.misses_something(item) {
        graph.set_state(item, State::Broken);
    } else if !said.is_empty() {
        graph.mark(item, State::Broken, &why);
    }
}

/// The item of a node.
pub(super) fn add_node(graph: &mut Graph<'_>, name: &str) -> usize {
    let Some(node) = graph.cluster.api().store().get::<Node>("", name) else {
        return graph.absent(Role::Node, Kind::Node.name(), "", name);
    };
    let key = ObjectKey::new(Kind::Node, "", name);
    if let Some(item) = graph.find(Role::Node, &key) {
        return item;
    }
    let item = graph.object(Role::Node, &key);
    let spec = node.spec.clone().unwrap_or_default();
    if spec.unschedulable == Some(true) {
        graph.fact(item, "SchedulingDisabled");
    }
    for taint in spec.taints.iter().flatten().filter(|taint| taint.key != "node.kubernetes.io/unschedulable").take(2) {
        graph.fact(item, &format!("taint {}:{}", taint.key, taint.effect));
    }
    item
}
