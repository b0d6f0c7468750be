//! Claims, volumes and classes.
use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;

use super::graph::Graph;
use super::{Relation, Role, State, Words, volumes, workloads};
use crate::api::ApiObject;
use crate::api::object::{Kind, ObjectKey};
use crate::controllers::persistent_volume_binder::{ClaimState, Explanation, explain};
use crate::grade::reasons::Reason;
use crate::report::text::{Message, say};
use crate::storage;

/// For how many claims that are not bound every volume is looked at.
const EXPLAINED: usize = 20;
/// How many volumes are shown to which a claim could not be bound.
const PASSED_OVER: usize = 6;

pub(super) fn add(graph: &mut Graph<'_>) {
    let store = graph.cluster.api().store();
    for class in store.list::<StorageClass>() {
        let item = graph.item(Role::Class, Kind::StorageClass.name(), "", class.name());
        let default = if storage::is_default_class(class) { " (default)" } else { "" };
        graph.fact(item, &format!("{}{default}", class.provisioner));
        if class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer") {
            graph.fact(item, "WaitForFirstConsumer");
        }
    }
    for volume in store.list::<PersistentVolume>() {
        add_volume(graph, volume);
    }
    let mut unbound = 0;
    for claim in store.list::<PersistentVolumeClaim>() {
        let item = graph.item(Role::Claim, Kind::PersistentVolumeClaim.name(), claim.namespace(), claim.name());
        let spec = storage::claim_spec(claim);
        let phase = if claim.is_terminating() { "Terminating" } else { storage::claim_phase(claim) };
        graph.fact(item, &facts(&[phase, &storage::claim_request(claim).to_string(), &modes(&spec.access_modes)]));
        if storage::claim_phase(claim) == "Bound" {
            let volume = volume_item(graph, storage::volume_name(claim));
            graph.link(item, volume, Relation::Bound, "");
            continue;
        }
        graph.set_state(item, State::Waiting);
        unbound += 1;
        if unbound <= EXPLAINED {
            add_unbound(graph, item, claim);
        }
    }
}

/// What there is to say, with dots between.
fn facts(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" · ")
}

fn modes(modes: &Option<Vec<String>>) -> String {
    let short = |mode: &String| match mode.as_str() {
        "ReadWriteOnce" => "RWO".to_owned(),
        "ReadOnlyMany" => "ROX".to_owned(),
        "ReadWriteMany" => "RWX".to_owned(),
        "ReadWriteOncePod" => "RWOP".to_owned(),
        other => other.to_owned(),
    };
    modes.iter().flatten().map(short).collect::<Vec<_>>().join(",")
}

fn volume_item(graph: &mut Graph<'_>, name: &str) -> usize {
    let there = graph.cluster.api().store().get::<PersistentVolume>("", name).is_some();
    match there {
        true => graph.item(Role::Volume, Kind::PersistentVolume.name(), "", name),
        false => graph.absent(Role::Volume, Kind::PersistentVolume.name(), "", name),
    }
}

fn add_volume(graph: &mut Graph<'_>, volume: &PersistentVolume) {
    let store = graph.cluster.api().store();
    let item = graph.item(Role::Volume, Kind::PersistentVolume.name(), "", volume.name());
    let spec = storage::volume_spec(volume);
    let phase = if volume.is_terminating() { "Terminating" } else { storage::volume_phase(volume) };
    let size = storage::volume_capacity(volume).to_string();
    graph.fact(item, &facts(&[phase, &size, &modes(&spec.access_modes)]));
    let class = storage::volume_class(volume);
    let path = spec.host_path.as_ref().map(|source| source.path.clone());
    let path = path.or_else(|| spec.local.as_ref().map(|source| source.path.clone()));
    let path = path.or_else(|| spec.nfs.as_ref().map(|source| format!("{}:{}", source.server, source.path)));
    graph.fact(item, &path.unwrap_or_default());
    if !class.is_empty() {
        graph.fact(item, &format!("class {class}"));
    }
    if volume.annotation(storage::PROVISIONED_BY).is_some() && store.get::<StorageClass>("", class).is_some() {
        let class = graph.item(Role::Class, Kind::StorageClass.name(), "", class);
        graph.link(class, item, Relation::Provisions, "");
    }
    if storage::required_node_affinity(volume).is_some() {
        let fits = |node: &&std::sync::Arc<Node>| storage::check_node_affinity(volume, node.metadata.labels.as_ref());
        let (fitting, others): (Vec<_>, Vec<_>) = store.list::<Node>().partition(fits);
        let fitting = if others.is_empty() { Vec::new() } else { fitting };
        for node in fitting {
            let node = workloads::add_node(graph, node.name());
            graph.link(item, node, Relation::OnlyFrom, "");
        }
    }
    // a volume that was bound keeps the claim it belonged to
    if let Some((namespace, name, uid)) = storage::claim_ref(volume)
        && matches!(storage::volume_phase(volume), "Released" | "Failed")
    {
        let now = store.get::<PersistentVolumeClaim>(namespace, name);
        if now.is_none_or(|claim| claim.uid() != uid) {
            let claim = match now {
                Some(_) => volumes::claim_item(graph, namespace, name),
                None => graph.past(Role::Claim, Kind::PersistentVolumeClaim.name(), namespace, name),
            };
            graph.past_link(claim, item, Relation::WasBound);
        }
    }
}

/// What a claim waits for, and why no volume is for it.
fn add_unbound(graph: &mut Graph<'_>, item: usize, claim: &PersistentVolumeClaim) {
    let store = graph.cluster.api().store();
    let key = ObjectKey::new(Kind::PersistentVolumeClaim, claim.namespace(), claim.name());
    let Some(Explanation { state, volumes }) = explain(store, graph.cluster.environment(), claim) else { return };
    let reason = Reason::Claim { claim: key.clone(), state: state.clone() };
    let why = say(graph.lang, &Message::Reason { reason: &reason, about: Some(&key) });
    let why = format!("{}: {why}", claim.name());
    let (relation, target, broken) = match &state {
        ClaimState::NoVolume if volumes.is_empty() => {
            let text = graph.words(Words::Nothing { kind: Kind::PersistentVolume.name() });
            let none = graph.absent(Role::Volume, Kind::PersistentVolume.name(), "", &text);
            (Relation::Bound, Some(none), State::Broken)
        }
        ClaimState::NoVolume => (Relation::Bound, None, State::Broken),
        ClaimState::WaitingForFirstConsumer { class } => {
            (Relation::Asks, Some(class_item(graph, class)), State::Waiting)
        }
        ClaimState::WaitingForPods { .. } => {
            (Relation::Asks, Some(class_item(graph, storage::claim_class(claim))), State::Waiting)
        }
        ClaimState::ClassMissing { class }
        | ClaimState::ClassDoesNotProvision { class }
        | ClaimState::UnknownProvisioner { class, .. }
        | ClaimState::ProvisionerNotInstalled { class, .. }
        | ClaimState::ProvisioningFails { class, .. } => {
            (Relation::Asks, Some(class_item(graph, class)), State::Broken)
        }
        ClaimState::Lost { volume } if volume.is_empty() => (Relation::Bound, None, State::Broken),
        ClaimState::NamedVolumeMissing { volume }
        | ClaimState::NamedVolumeTaken { volume, .. }
        | ClaimState::NamedVolumeMismatch { volume, .. }
        | ClaimState::Lost { volume } => (Relation::Bound, Some(volume_item(graph, volume)), State::Broken),
        ClaimState::AboutToBind { volume } => (Relation::Bound, Some(volume_item(graph, volume)), State::Waiting),
    };
    match target {
        Some(target) => graph.broken(item, target, relation, broken, &why),
        None => graph.mark(item, broken, &why),
    }
    if broken == State::Waiting {
        return;
    }
    graph.set_state(item, State::Broken);
    for (volume, passed_over) in volumes.into_iter().take(PASSED_OVER) {
        let reason = Reason::PassedOver { claim: key.clone(), volume: volume.clone(), why: passed_over };
        let why = say(graph.lang, &Message::Reason { reason: &reason, about: Some(&key) });
        let target = volume_item(graph, &volume);
        graph.broken(item, target, Relation::Bound, State::Broken, &format!("{}: {why}", claim.name()));
    }
}

fn class_item(graph: &mut Graph<'_>, name: &str) -> usize {
    let there = graph.cluster.api().store().get::<StorageClass>("", name).is_some();
    match there {
        true => graph.item(Role::Class, Kind::StorageClass.name(), "", name),
        false => graph.absent(Role::Class, Kind::StorageClass.name(), "", name),
    }
}
