//! What controllers, the scheduler and the kubelet have in common: they watch changes, keep a queue of what to look at,
//! and bring one object at a time closer to what it should be.
mod work_queue;

pub use work_queue::WorkQueue;

use k8s_openapi::jiff::Timestamp;

use crate::api::{ApiServer, Change, Store};
use crate::environment::Environment;

/// A component that works on the cluster through the API server, level-triggered.
pub trait Reconciler: BoxedClone + Send {
    /// The component's name, as in events.
    fn name(&self) -> &'static str;

    /// Looks at one change (an informer's event handler) and queues what it concerns. `store` is the store *now*.
    fn observe(&mut self, change: &Change, store: &Store);

    /// Takes one item off the queue and works on it; `false` when nothing is due at the current time.
    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool;

    /// When something in the queue becomes due that is not yet.
    fn next_timer(&self) -> Option<Timestamp>;

    /// When something is due that lies in the nature of the calendar, e.g. the schedule of a CronJob: settling does not
    /// wait for it, but it happens when time passes.
    fn next_alarm(&self) -> Option<Timestamp> {
        None
    }
}

/// Copies a reconciler with its queue; every reconciler that is `Clone` has it.
pub trait BoxedClone {
    /// The copy.
    fn boxed_clone(&self) -> Box<dyn Reconciler>;
}

impl<T: Reconciler + Clone + 'static> BoxedClone for T {
    fn boxed_clone(&self) -> Box<dyn Reconciler> {
        Box::new(self.clone())
    }
}

/// What a reconciler works with.
pub struct Context<'a> {
    /// The API server: the only way to read or change objects.
    pub api: &'a mut ApiServer,
    /// The world outside the API: machines, storage back ends, what containers do.
    pub environment: &'a Environment,
}
