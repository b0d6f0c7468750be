//! A cluster for the tests of controllers: all controllers and the scheduler, and a kubelet that does no more than they
//! need to see.
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, Pod, PodCondition, PodIP};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::api::object::{ApiObject, Kind, ObjectKey};
use crate::api::server::{DeleteOptions, Propagation};
use crate::api::strategy::Strategy;
use crate::api::{ApiServer, Change, Store};
use crate::cluster::Cluster;
use crate::environment::Environment;
use crate::reconcile::{Context, Reconciler};

/// A cluster, by default of two nodes.
pub(crate) struct World {
    pub(crate) api: ApiServer,
    environment: Environment,
    workers: Vec<(Box<dyn Reconciler>, usize)>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Environment::default())
    }

    pub(crate) fn with(environment: Environment) -> Self {
        let api = Cluster::new(environment.clone()).api().clone();
        let kubelet: Box<dyn Reconciler> = Box::new(TestKubelet::default());
        let reconcilers = crate::controllers::all().into_iter().chain(crate::scheduler::all()).chain([kubelet]);
        let mut world = World { api, environment, workers: reconcilers.map(|r| (r, usize::MAX)).collect() };
        world.replay();
        world.settle();
        world
    }

    /// Shows the reconcilers what is in the store already.
    fn replay(&mut self) {
        let revision = self.api.store().revision();
        let objects: Vec<_> = self.api.store().objects().cloned().collect();
        for (reconciler, seen) in &mut self.workers {
            for object in &objects {
                let change = Change { old: None, new: Some(object.clone()) };
                reconciler.observe(&change, self.api.store());
            }
            *seen = revision;
        }
    }

    /// Creates an object from JSON, in the namespace `default`.
    pub(crate) fn create<T: Strategy>(&mut self, mut object: Value) {
        if Kind::namespaced(T::ID) {
            object["metadata"]["namespace"] = "default".into();
        }
        let typed: T = serde_json::from_value(object).expect("a test object of the right type");
        self.api.create(typed).expect("a valid test object");
    }

    /// Changes an object.
    pub(crate) fn edit<T: Strategy>(&mut self, name: &str, edit: impl Fn(&mut T)) {
        let mut object = T::clone(self.get(name));
        edit(&mut object);
        self.api.update(object).expect("a valid change");
    }

    pub(crate) fn delete(&mut self, kind: Kind, name: &str, propagation: Propagation) {
        let options = DeleteOptions { propagation, ..Default::default() };
        self.api.delete(&ObjectKey::new(kind, "default", name), &options).expect("an object to delete");
    }

    pub(crate) fn get<T: ApiObject>(&self, name: &str) -> &T {
        self.api.get::<T>("default", name).expect("an object of this name")
    }

    pub(crate) fn names<T: ApiObject>(&self) -> Vec<String> {
        self.api.store().list_in::<T>("default").map(|o| o.name().to_owned()).collect()
    }

    /// The messages of all events about objects of a kind, in order.
    pub(crate) fn events(&self, kind: Kind) -> Vec<String> {
        let about = |e: &&crate::api::event::Event| e.involved_object.kind == kind;
        self.api.events().iter().filter(about).map(|e| e.message.clone()).collect()
    }

    /// Lets everything come to rest, moving the clock to timers within a minute.
    pub(crate) fn settle(&mut self) {
        self.run_until(self.api.now() + SignedDuration::from_secs(60), false);
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, seconds: i64) {
        self.run_until(self.api.now() + SignedDuration::from_secs(seconds), true);
    }

    fn run_until(&mut self, end: Timestamp, wait: bool) {
        loop {
            let mut turns = 0;
            while self.turn() {
                turns += 1;
                assert!(turns < 200_000, "the cluster does not come to rest");
            }
            let alarm = |r: &dyn Reconciler| r.next_alarm().filter(|_| wait);
            let timers = self.workers.iter().flat_map(|(r, _)| r.next_timer().into_iter().chain(alarm(r.as_ref())));
            match timers.min() {
                Some(timer) if timer <= end => self.api.advance_to(timer),
                _ => break,
            }
        }
        if wait {
            self.api.advance_to(end);
        }
    }

    fn turn(&mut self) -> bool {
        let mut worked = false;
        for (reconciler, seen) in &mut self.workers {
            while let Some(change) = self.api.store().change(*seen) {
                reconciler.observe(change, self.api.store());
                *seen += 1;
            }
            let mut context = Context { api: &mut self.api, environment: &self.environment };
            worked |= reconciler.reconcile_next(&mut context);
        }
        let revision = self.api.store().revision();
        worked || self.workers.iter().any(|(_, seen)| *seen < revision)
    }
}

/// Starts bound pods and removes deleted ones. Pods labelled `never-ready` do not get ready; containers named `exit-N`
/// end with the status N.
#[derive(Clone, Default)]
struct TestKubelet {
    pods: BTreeSet<(String, String)>,
    addresses: u16,
}

impl Reconciler for TestKubelet {
    fn name(&self) -> &'static str {
        "kubelet"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if let Some((_, Some(pod))) = change.of::<Pod>() {
            self.pods.insert((pod.namespace().to_owned(), pod.name().to_owned()));
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let Some((namespace, name)) = self.pods.pop_first() else { return false };
        let Some(pod) = context.api.get::<Pod>(&namespace, &name).cloned() else { return true };
        if pod.is_terminating() {
            let options = DeleteOptions { grace_period_seconds: Some(0), ..Default::default() };
            let _ = context.api.delete(&ObjectKey::new(Kind::Pod, &namespace, &name), &options);
            return true;
        }
        let spec = pod.spec.clone().unwrap_or_default();
        let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or_default();
        if spec.node_name.is_none() || phase != "Pending" {
            return true;
        }
        self.addresses += 1;
        let ip = format!("10.40.{}.{}", self.addresses / 256, self.addresses % 256);
        let mut changed = Pod::clone(&pod);
        let now = context.api.time();
        let exit = spec.containers.iter().find_map(|c| c.name.strip_prefix("exit-")?.parse::<i32>().ok());
        let ready = exit.is_none() && pod.label("never-ready").is_none();
        let status = changed.status.get_or_insert_default();
        status.pod_ip = Some(ip.clone());
        status.pod_ips = Some(vec![PodIP { ip }]);
        let phase = match exit {
            None => "Running",
            Some(0) => "Succeeded",
            Some(_) => "Failed",
        };
        status.phase = Some(phase.to_owned());
        if let Some(exit_code) = exit {
            let terminated =
                ContainerStateTerminated { exit_code, finished_at: Some(now.clone()), ..Default::default() };
            let state = Some(ContainerState { terminated: Some(terminated), ..Default::default() });
            status.container_statuses = Some(vec![ContainerStatus { state, ..Default::default() }]);
        }
        status.conditions.get_or_insert_default().push(PodCondition {
            type_: "Ready".to_owned(),
            status: if ready { "True" } else { "False" }.to_owned(),
            last_transition_time: Some(now),
            ..Default::default()
        });
        context.api.update_status(changed).expect("a pod to update");
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        None
    }
}
