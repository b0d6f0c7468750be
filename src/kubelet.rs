//! The kubelets of all nodes: what becomes of a pod on its node.
pub mod actions;
pub mod container_status;
pub mod environment_variables;
pub mod explain;
pub mod host_path;
pub mod images;
pub mod mounts;
pub mod predicate;
pub mod probes;
pub mod restart;
pub mod runtime;
pub mod status;
pub mod sysctls;
pub mod volume_manager;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Container, HostIP, Node, Pod, PodIP, PodStatus, ResourceRequirements, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::event::EventType;
use crate::api::object::{Kind, ObjectKey};
use crate::api::pod_resources::{pod_limits, pod_requests, to_resource_list};
use crate::api::server::DeleteOptions;
use crate::api::{ApiObject, ApiServer, Change, Store};
use crate::environment::Environment;
use crate::reconcile::{Context, Reconciler, WorkQueue};
use crate::scheduler::node_info::{NodeInfo, PodInfo, PodKey, is_terminal, key_of, node_name, phase, spec_of};
use crate::scheduler::resource::is_sidecar;
use container_status::Reasons;
use environment_variables::{Addresses, pod_text};
use restart::BackOff;
use runtime::{Exit, PodRuntime, RuntimeContainer};
use status::Statuses;
use volume_manager::{NodeState, VolumeUser};

/// The kubelets' name in events.
pub const NAME: &str = "kubelet";
/// What says whether volumes are attached; a controller of its own in a real cluster.
const ATTACH_DETACH: &str = "attachdetach-controller";

/// The kubelets as reconcilers.
pub fn all() -> Vec<Box<dyn Reconciler>> {
    vec![Box::new(Kubelets::default())]
}

/// A pod on its node (`podWorkers`).
#[derive(Clone, Debug)]
struct Worker {
    pod: Arc<Pod>,
    admitted: bool,
    mounted: bool,
    /// Nothing runs any more, for good.
    finished: bool,
    runtime: PodRuntime,
    reasons: Reasons,
    back_offs: BTreeMap<String, BackOff>,
    start_time: Time,
    /// What the pod waits for before it is worth trying again.
    waits_for: BTreeSet<ObjectKey>,
    exclusive: BTreeSet<String>,
}

/// A volume on a node.
type NodeVolume = (String, String);

/// All kubelets.
#[derive(Clone, Debug, Default)]
pub struct Kubelets {
    queue: WorkQueue<PodKey>,
    nodes: BTreeMap<String, NodeInfo>,
    numbers: BTreeMap<String, usize>,
    addresses: BTreeMap<String, Addressing>,
    refusals: BTreeMap<String, Refusals>,
    images: BTreeMap<String, BTreeSet<String>>,
    host_paths: host_path::HostPaths,
    workers: BTreeMap<PodKey, Worker>,
    /// Pods whose node is not there.
    homeless: BTreeMap<String, BTreeSet<PodKey>>,
    waiting: BTreeMap<ObjectKey, BTreeSet<PodKey>>,
    mounted: BTreeMap<NodeVolume, BTreeSet<PodKey>>,
    waiting_for_unmount: BTreeMap<NodeVolume, BTreeSet<PodKey>>,
}

/// So many pods of a node are refused in a second: no more come, since kube-controller-manager asks the API server at most so
/// often (`--kube-api-qps`). Without it pods that are refused at once would be replaced for ever in the same moment.
const MOST_REFUSALS: usize = 20;

/// How many pods a kubelet has refused in the second that began then.
#[derive(Clone, Debug, Default)]
struct Refusals {
    since: Timestamp,
    number: usize,
}

impl Refusals {
    /// Counts one more, or says when there can be one.
    fn count(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        let second = SignedDuration::from_secs(1);
        if now.duration_since(self.since) >= second {
            *self = Refusals { since: now, number: 0 };
        }
        if self.number >= MOST_REFUSALS {
            return Err(self.since + second);
        }
        self.number += 1;
        Ok(())
    }
}

/// Hands out pod addresses on one node.
#[derive(Clone, Debug, Default)]
struct Addressing {
    last: usize,
}

impl Reconciler for Kubelets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if let Some((old, new)) = change.of::<Pod>() {
            let bound = new.or(old).filter(|p| !node_name(p).is_empty());
            if let Some(pod) = bound {
                self.queue.add(key_of(pod));
            }
        } else if let Some((_, new)) = change.of::<Node>() {
            match new {
                Some(node) => self.set_node(node),
                None => {
                    self.nodes.remove(change.object().name());
                }
            }
        } else {
            match change.kind() {
                Kind::ConfigMap | Kind::Secret | Kind::PersistentVolumeClaim | Kind::PersistentVolume => {
                    for pod in self.waiting.get(&change.object().key()).into_iter().flatten() {
                        self.queue.add(pod.clone());
                    }
                }
                _ => {}
            }
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let Some(key) = self.queue.pop(context.api.now()) else { return false };
        self.sync(context.api, context.environment, &key);
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
}

impl Kubelets {
    fn set_node(&mut self, node: &Arc<Node>) {
        let name = node.name().to_owned();
        let number = self.numbers.len();
        self.numbers.entry(name.clone()).or_insert(number);
        match self.nodes.get_mut(&name) {
            Some(info) => info.set_node(node.clone()),
            None => {
                let mut info = NodeInfo::new(node.clone());
                for worker in self.workers.values().filter(|w| node_name(&w.pod) == name && w.admitted && !w.finished) {
                    info.add(PodInfo::new(worker.pod.clone()));
                }
                self.nodes.insert(name.clone(), info);
            }
        }
        for pod in self.homeless.remove(&name).unwrap_or_default() {
            self.queue.add(pod);
        }
    }

    /// A node's own address.
    fn host_ip(&self, node: &str) -> String {
        let addresses = self.nodes.get(node).and_then(|n| n.node.status.as_ref()?.addresses.as_ref());
        let internal = addresses.into_iter().flatten().find(|a| a.type_ == "InternalIP");
        internal.map_or_else(
            || format!("192.168.49.{}", 2 + self.numbers.get(node).copied().unwrap_or(0)),
            |a| a.address.clone(),
        )
    }

    /// The next pod address on a node: `10.244.NODE.2` and up.
    fn next_ip(&mut self, node: &str) -> String {
        let number = self.numbers.get(node).copied().unwrap_or(0);
        let used = &mut self.addresses.entry(node.to_owned()).or_default().last;
        let own = *used;
        *used += 1;
        // more than 253 addresses on one node go on in another network
        format!("10.{}.{}.{}", (244 - own / 253 % 200) % 256, number % 256, own % 253 + 2)
    }

    fn sync(&mut self, api: &mut ApiServer, environment: &Environment, key: &PodKey) {
        let pod = api.get::<Pod>(&key.0, &key.1).cloned();
        let same = |w: &Worker| pod.as_ref().is_some_and(|p| p.uid() == w.pod.uid());
        if self.workers.get(key).is_some_and(|w| !same(w)) {
            self.pod_removed(api, key);
        }
        let Some(pod) = pod else { return };
        let node = node_name(&pod).to_owned();
        if node.is_empty() {
            return;
        }
        if !self.nodes.contains_key(&node) {
            self.homeless.entry(node).or_default().insert(key.clone());
            return;
        }
        let mut worker = match self.workers.remove(key) {
            Some(mut worker) => {
                worker.pod = pod;
                worker
            }
            None if is_terminal(&pod) => return,
            None => {
                let start_time = pod.status.as_ref().and_then(|s| s.start_time.clone()).unwrap_or_else(|| api.time());
                Worker {
                    pod,
                    admitted: false,
                    mounted: false,
                    finished: false,
                    runtime: PodRuntime::default(),
                    reasons: Reasons::new(),
                    back_offs: BTreeMap::new(),
                    start_time,
                    waits_for: BTreeSet::new(),
                    exclusive: BTreeSet::new(),
                }
            }
        };
        self.sync_worker(api, environment, key, &mut worker);
        self.workers.insert(key.clone(), worker);
    }

    fn sync_worker(&mut self, api: &mut ApiServer, environment: &Environment, key: &PodKey, worker: &mut Worker) {
        if worker.pod.is_terminating() {
            return self.terminate(api, key, worker);
        }
        if worker.finished {
            return self.write_status(api, worker);
        }
        if !worker.admitted && !self.admit(api, key, worker) {
            return;
        }
        if self.deadline_exceeded(api, key, worker) {
            return;
        }
        if worker.mounted || self.mount(api, environment, key, worker) {
            if !worker.runtime.sandbox_ready {
                pull_secrets(api, &worker.pod);
                worker.runtime.sandbox_ready = true;
                let host_network = spec_of(&worker.pod).host_network == Some(true);
                let node = node_name(&worker.pod).to_owned();
                let ip = if host_network { self.host_ip(&node) } else { self.next_ip(&node) };
                worker.runtime.ip = Some(ip);
            }
            self.run_containers(api, environment, key, worker);
        }
        self.write_status(api, worker);
        if worker.finished || is_terminal(&worker.pod) {
            self.stop(api, worker);
            worker.finished = true;
            self.release(key, worker);
            self.write_status(api, worker);
        } else if let Some(at) = container_status::next_probe(&worker.pod, &worker.runtime, api.now()) {
            self.queue.add_at(key.clone(), at);
        }
    }

    /// Takes the pod, or refuses it for good.
    fn admit(&mut self, api: &mut ApiServer, key: &PodKey, worker: &mut Worker) -> bool {
        let Some(node) = self.nodes.get_mut(node_name(&worker.pod)) else { return false };
        let info = PodInfo::new(worker.pod.clone());
        match predicate::admit(&info, node) {
            Err(refusal) if !(predicate::is_critical(&worker.pod) && refusal.reason.starts_with("OutOf")) => {
                let refusals = self.refusals.entry(node_name(&worker.pod).to_owned()).or_default();
                if let Err(later) = refusals.count(api.now()) {
                    self.queue.add_at(key.clone(), later);
                    return false;
                }
                api.event(NAME, &worker.pod, EventType::Warning, &refusal.reason, &refusal.message);
                let mut changed = Pod::clone(&worker.pod);
                let old = changed.status.take().unwrap_or_default();
                let kept = old.conditions.unwrap_or_default().into_iter().filter(|c| !status::is_owned(&c.type_));
                let kept: Vec<_> = kept.collect();
                changed.status = Some(PodStatus {
                    phase: Some("Failed".to_owned()),
                    reason: Some(refusal.reason),
                    message: Some(format!("Pod was rejected: {}", refusal.message)),
                    qos_class: old.qos_class,
                    start_time: Some(worker.start_time.clone()),
                    observed_generation: changed.metadata.generation,
                    conditions: (!kept.is_empty()).then_some(kept),
                    ..Default::default()
                });
                if let Ok(accepted) = api.update_status(changed) {
                    worker.pod = accepted.object;
                }
                worker.finished = true;
                false
            }
            _ => {
                node.add(info);
                worker.admitted = true;
                true
            }
        }
    }

    /// Fails a pod that has been active for too long.
    fn deadline_exceeded(&mut self, api: &mut ApiServer, key: &PodKey, worker: &mut Worker) -> bool {
        let Some(seconds) = spec_of(&worker.pod).active_deadline_seconds else { return false };
        let deadline = worker.start_time.0 + SignedDuration::from_secs(seconds);
        if api.now() < deadline {
            self.queue.add_at(key.clone(), deadline);
            return false;
        }
        let (reason, message) = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline");
        api.event(NAME, &worker.pod, EventType::Normal, reason, message);
        self.stop(api, worker);
        worker.finished = true;
        self.release(key, worker);
        let mut changed = Pod::clone(&worker.pod);
        let status = changed.status.get_or_insert_default();
        status.phase = Some("Failed".to_owned());
        status.reason = Some(reason.to_owned());
        status.message = Some(message.to_owned());
        if let Ok(accepted) = api.update_status(changed) {
            worker.pod = accepted.object;
        }
        self.write_status(api, worker);
        true
    }

    /// Mounts the pod's volumes; `false` if it has to wait.
    fn mount(&mut self, api: &mut ApiServer, environment: &Environment, key: &PodKey, worker: &mut Worker) -> bool {
        let name = node_name(&worker.pod).to_owned();
        let Some(node) = self.nodes.get(&name) else { return false };
        let (mounted, nodes) = (&self.mounted, &self.nodes);
        let users = |volume: &str| {
            let on = |node: &String| Some((node.clone(), mounted.get(&(node.clone(), volume.to_owned()))?));
            let pods = nodes.keys().filter_map(on).flat_map(|(node, pods)| {
                pods.iter().map(move |(namespace, name)| VolumeUser {
                    node: node.clone(),
                    namespace: namespace.clone(),
                    name: name.clone(),
                })
            });
            pods.collect()
        };
        let mut state = NodeState { node: &node.node, host_paths: &mut self.host_paths, users: &users, environment };
        let result = volume_manager::mount(api.store(), &worker.pod, &mut state);
        for message in &result.not_attached {
            api.event(ATTACH_DETACH, &worker.pod, EventType::Warning, "FailedAttachVolume", message);
        }
        for volume in &result.attached {
            let message = format!("AttachVolume.Attach succeeded for volume \"{volume}\"");
            api.event(ATTACH_DETACH, &worker.pod, EventType::Normal, "SuccessfulAttachVolume", message);
        }
        for message in &result.events {
            api.event(NAME, &worker.pod, EventType::Warning, "FailedMount", message);
        }
        for volume in result.exclusive {
            self.mounted.entry((name.clone(), volume.clone())).or_default().insert(key.clone());
            worker.exclusive.insert(volume);
        }
        let unmounts = result.waits_for_unmount.into_iter().map(|volume| (name.clone(), volume));
        for volume in unmounts.chain(result.waits_for_detach) {
            self.waiting_for_unmount.entry(volume).or_default().insert(key.clone());
        }
        self.wait_for(key, worker, result.waits_for);
        worker.mounted = !result.blocked;
        worker.mounted
    }

    /// Remembers which objects may help the pod.
    fn wait_for(&mut self, key: &PodKey, worker: &mut Worker, objects: BTreeSet<ObjectKey>) {
        for object in std::mem::take(&mut worker.waits_for) {
            if let Some(pods) = self.waiting.get_mut(&object) {
                pods.remove(key);
                if pods.is_empty() {
                    self.waiting.remove(&object);
                }
            }
        }
        for object in &objects {
            self.waiting.entry(object.clone()).or_default().insert(key.clone());
        }
        worker.waits_for = objects;
    }

    /// Starts and restarts containers until nothing is left to do now.
    fn run_containers(&mut self, api: &mut ApiServer, environment: &Environment, key: &PodKey, worker: &mut Worker) {
        let pod = worker.pod.clone();
        let spec = spec_of(&pod);
        let init = spec.init_containers.as_deref().unwrap_or_default();
        let mut waits_for = BTreeSet::new();
        // every round starts something; a container that ends at once is started twice and then backs off
        for _ in 0..(4 * (spec.containers.len() + init.len()) + 4) {
            let todo = actions::compute(&pod, &worker.runtime, api.now());
            if todo.kill_pod {
                worker.finished = true;
                break;
            }
            for (container, message) in &todo.kill {
                api.event(NAME, &pod, EventType::Normal, "Killing", message);
                worker.runtime.stop(container, Exit { code: 0, at: api.now() });
            }
            waits_for.clear();
            let mut started = false;
            let mut through = true;
            for container in todo.start_init.iter().filter_map(|i| init.get(*i)) {
                let running = self.start(api, environment, key, worker, container, &mut waits_for);
                started |= running;
                if !running && !is_sidecar(container) {
                    through = false;
                    break;
                }
            }
            if through {
                for container in todo.start.iter().filter_map(|i| spec.containers.get(*i)) {
                    started |= self.start(api, environment, key, worker, container, &mut waits_for);
                }
            }
            if !started {
                break;
            }
        }
        self.wait_for(key, worker, waits_for);
    }

    /// Starts one container; `false` if that has to wait (`startContainer`, `doBackOff`).
    fn start(
        &mut self,
        api: &mut ApiServer,
        environment: &Environment,
        key: &PodKey,
        worker: &mut Worker,
        container: &Container,
        waits_for: &mut BTreeSet<ObjectKey>,
    ) -> bool {
        let pod = worker.pod.clone();
        let name = &container.name;
        let image = container.image.clone().unwrap_or_default();
        let now = api.now();
        let ended = worker.runtime.latest(name).and_then(|c| c.exit.as_ref()).map(|e| e.at);
        if let Some(finished) = ended {
            let entry = worker.back_offs.get(name);
            if let Some(until) = BackOff::until(entry, &image, finished, now) {
                let text = entry.map(BackOff::text).unwrap_or_default();
                let whom = pod_text(&pod);
                let event = format!("Back-off restarting failed container {name} in pod {whom}");
                api.event(NAME, &pod, EventType::Warning, "BackOff", event);
                let message = format!("back-off {text} restarting failed container={name} pod={whom}");
                worker.reasons.insert(name.clone(), ("CrashLoopBackOff".to_owned(), message));
                self.queue.add_at(key.clone(), until);
                return false;
            }
            let next = BackOff::next(entry, &image, finished, now);
            worker.back_offs.insert(name.clone(), next);
        }
        let pull = images::ensure(container, self.images.entry(node_name(&pod).to_owned()).or_default());
        for (type_, reason, message) in pull.events {
            api.event(NAME, &pod, type_, reason, message);
        }
        if let Some((reason, message)) = pull.failure {
            worker.reasons.insert(name.clone(), (reason.to_owned(), message));
            return false;
        }
        let host = self.host_ip(node_name(&pod));
        let addresses = Addresses { pod: worker.runtime.ip.as_deref().unwrap_or_default(), host: &host };
        let checked = environment_variables::variables(api.store(), &pod, container, addresses)
            .and_then(|variables| environment_variables::check_rest(&pod, container, &variables));
        if let Err(error) = checked {
            api.event(NAME, &pod, EventType::Warning, "Failed", format!("Error: {}", error.message));
            worker.reasons.insert(name.clone(), ("CreateContainerConfigError".to_owned(), error.message));
            waits_for.extend(error.waits_for);
            return false;
        }
        worker.reasons.remove(name);
        api.event(NAME, &pod, EventType::Normal, "Created", "Container created");
        api.event(NAME, &pod, EventType::Normal, "Started", "Container started");
        let identities = api.identities_mut();
        let id = format!("{}{}", identities.uid(), identities.uid()).replace('-', "");
        worker.runtime.add(
            name,
            RuntimeContainer {
                id: format!("containerd://{id}"),
                image,
                attempt: worker.runtime.latest(name).map_or(0, |c| c.attempt + 1),
                started: now,
                exit: environment.exit_code(name).map(|code| Exit { code, at: now }),
            },
        );
        true
    }

    /// Stops everything that runs.
    fn stop(&mut self, api: &mut ApiServer, worker: &mut Worker) {
        let pod = worker.pod.clone();
        let spec = spec_of(&pod);
        // sidecars last, in reverse order
        let sidecars = spec.init_containers.iter().flatten().rev();
        for container in spec.containers.iter().chain(sidecars) {
            if worker.runtime.is_running(&container.name) {
                let message = format!("Stopping container {}", container.name);
                api.event(NAME, &pod, EventType::Normal, "Killing", message);
                worker.runtime.stop(&container.name, Exit { code: 0, at: api.now() });
            }
        }
        worker.runtime.sandbox_ready = false;
    }

    /// The pod is being deleted: stop it, say so, and let it go (`SyncTerminatingPod`, `SyncTerminatedPod`).
    fn terminate(&mut self, api: &mut ApiServer, key: &PodKey, worker: &mut Worker) {
        self.stop(api, worker);
        worker.finished = true;
        self.release(key, worker);
        self.write_status(api, worker);
        if worker.pod.metadata.deletion_grace_period_seconds.unwrap_or(0) > 0 {
            let options = DeleteOptions {
                grace_period_seconds: Some(0),
                uid: worker.pod.metadata.uid.clone(),
                ..Default::default()
            };
            // somebody else may have deleted it meanwhile, which is as good
            let _ = api.delete(&ObjectKey::new(Kind::Pod, &key.0, &key.1), &options);
        }
    }

    /// The pod is gone, perhaps by force while its containers ran.
    fn pod_removed(&mut self, api: &mut ApiServer, key: &PodKey) {
        let Some(mut worker) = self.workers.remove(key) else { return };
        // a node that is gone tells nothing
        if self.nodes.contains_key(node_name(&worker.pod)) {
            self.stop(api, &mut worker);
        }
        self.release(key, &mut worker);
        if let Some(pods) = self.homeless.get_mut(node_name(&worker.pod)) {
            pods.remove(key);
        }
    }

    /// Gives back what the pod had of its node.
    fn release(&mut self, key: &PodKey, worker: &mut Worker) {
        let name = node_name(&worker.pod).to_owned();
        if let Some(node) = self.nodes.get_mut(&name)
            && worker.admitted
        {
            node.remove(key);
        }
        self.wait_for(key, worker, BTreeSet::new());
        for volume in std::mem::take(&mut worker.exclusive) {
            let volume = (name.clone(), volume);
            if let Some(pods) = self.mounted.get_mut(&volume) {
                pods.remove(key);
            }
            for pod in self.waiting_for_unmount.remove(&volume).unwrap_or_default() {
                self.queue.add(pod);
            }
        }
    }

    /// Writes the pod's status if it changed (`generateAPIPodStatus`).
    fn write_status(&mut self, api: &mut ApiServer, worker: &mut Worker) {
        let pod = worker.pod.clone();
        if !worker.admitted && is_terminal(&pod) {
            return;
        }
        let spec = spec_of(&pod);
        let now = api.now();
        let (mut containers, mut init) = container_status::statuses(&pod, &worker.runtime, &worker.reasons, now);
        let statuses = Statuses { containers: &containers, init: &init };
        let initialized = spec.containers.iter().any(|c| worker.runtime.latest(&c.name).is_some());
        let old_phase = phase(&pod);
        let new_phase = match old_phase {
            "Failed" | "Succeeded" => old_phase,
            _ => status::phase(&pod, statuses, worker.finished, initialized),
        };
        let conditions =
            status::conditions(&pod, statuses, new_phase, worker.runtime.sandbox_ready, initialized, api.time());
        let all = spec.containers.iter().chain(spec.init_containers.iter().flatten());
        let stopped = worker.finished && !all.into_iter().any(|c| worker.runtime.is_running(&c.name));
        let new_phase = if stopped && !matches!(new_phase, "Failed" | "Succeeded") { "Failed" } else { new_phase };
        if stopped {
            container_status::terminate(spec, &mut containers, &mut init);
        }
        let old = pod.status.as_ref();
        let same_phase = old.filter(|_| new_phase == old_phase);
        let requests = to_resource_list(&pod_requests(spec));
        let limits = to_resource_list(&pod_limits(spec));
        let some = |list: BTreeMap<_, _>| (!list.is_empty()).then_some(list);
        let host_ip = self.host_ip(node_name(&pod));
        // a pod on its node's network has its address from the start
        let shared = (spec.host_network == Some(true)).then(|| host_ip.clone());
        let ip = worker.runtime.ip.clone().or(shared);
        let status = PodStatus {
            phase: Some(new_phase.to_owned()),
            reason: same_phase.and_then(|s| s.reason.clone()),
            message: same_phase.and_then(|s| s.message.clone()),
            conditions: Some(conditions),
            container_statuses: Some(containers).filter(|c| !c.is_empty()),
            init_container_statuses: Some(init).filter(|c| !c.is_empty()),
            host_ips: Some(vec![HostIP { ip: host_ip.clone() }]),
            host_ip: Some(host_ip),
            pod_ips: ip.clone().map(|ip| vec![PodIP { ip }]),
            pod_ip: ip,
            qos_class: old.and_then(|s| s.qos_class.clone()),
            start_time: Some(worker.start_time.clone()),
            observed_generation: pod.metadata.generation,
            allocated_resources: some(requests.clone()),
            resources: Some(ResourceRequirements { requests: some(requests), limits: some(limits), claims: None }),
            ephemeral_container_statuses: old.and_then(|s| s.ephemeral_container_statuses.clone()),
            resource_claim_statuses: old.and_then(|s| s.resource_claim_statuses.clone()),
            ..Default::default()
        };
        if pod.status.as_ref() == Some(&status) {
            return;
        }
        let changed = Pod { metadata: pod.metadata.clone(), spec: pod.spec.clone(), status: Some(status) };
        // fails only if the pod is gone, which its deletion will tell
        if let Ok(accepted) = api.update_status(changed) {
            worker.pod = accepted.object;
        }
    }
}

/// Complains about image pull secrets that are not there; pulling goes on without (`getPullSecretsForPod`).
fn pull_secrets(api: &mut ApiServer, pod: &Arc<Pod>) {
    let named = spec_of(pod).image_pull_secrets.iter().flatten().map(|s| s.name.as_str());
    let missing: Vec<&str> =
        named.filter(|n| !n.is_empty() && api.get::<Secret>(pod.namespace(), n).is_none()).collect();
    if !missing.is_empty() {
        let message = format!(
            "Unable to retrieve some image pull secrets ({}); attempting to pull the image may not succeed.",
            missing.join(", ")
        );
        api.event(NAME, pod, EventType::Warning, "FailedToRetrieveImagePullSecret", message);
    }
}
