//! A cluster as a value: the API server, the world around it, and everything that works on it.
mod bootstrap;
pub mod journal;

use std::sync::Arc;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::ApiServer;
use crate::api::identity::{GOLDEN_GAMMA, scramble};
use crate::environment::Environment;
use crate::reconcile::{Context, Reconciler};
use crate::{controllers, kubelet, scheduler};
use journal::Journal;

/// A simulated cluster. Clone it to try something out.
pub struct Cluster {
    api: ApiServer,
    environment: Arc<Environment>,
    workers: Vec<Worker>,
    journal: Option<Journal>,
}

/// A reconciler and how far it has read the change log.
struct Worker {
    reconciler: Box<dyn Reconciler>,
    seen: usize,
}

/// Whether a cluster came to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Nothing is left to do, except for timers further away than the horizon.
    Yes,
    /// The bound on work was reached; the outcome is not final.
    GaveUp,
}

/// How far [`Cluster::settle`] looks ahead for the next timer.
pub const HORIZON: SignedDuration = SignedDuration::from_secs(45);

/// The most items one settling works on before it gives up.
const MAX_WORK: usize = 5_000_000;

impl Cluster {
    /// A cluster with its nodes and the namespaces every cluster has, settled.
    pub fn new(environment: Environment) -> Self {
        // the scheduler first: it decides in memory and reacts to a change before any controller's request arrives
        let reconcilers = scheduler::all().into_iter().chain(controllers::all()).chain(kubelet::all());
        let workers = reconcilers.map(|reconciler| Worker { reconciler, seen: 0 }).collect();
        let environment = Arc::new(environment);
        let mut cluster = Cluster { api: ApiServer::default(), environment, workers, journal: None };
        bootstrap::create_initial_objects(&mut cluster.api, &cluster.environment);
        cluster.settle();
        cluster
    }

    /// The same cluster, in which those who work take their turns in another order, one for each seed. What settles must be
    /// the same in any order; this is for tests that try it.
    pub fn with_turns_shuffled(mut self, seed: u64) -> Self {
        let place = |index: usize| scramble(seed.wrapping_add((index as u64 + 1).wrapping_mul(GOLDEN_GAMMA)));
        let mut workers: Vec<(u64, Worker)> = (0..).map(place).zip(self.workers).collect();
        workers.sort_by_key(|(place, _)| *place);
        self.workers = workers.into_iter().map(|(_, worker)| worker).collect();
        self
    }

    /// The API server.
    pub fn api(&self) -> &ApiServer {
        &self.api
    }
    /// The API server, for a client's requests.
    pub fn api_mut(&mut self) -> &mut ApiServer {
        &mut self.api
    }
    /// The world around the cluster.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// A copy to look at: nobody works in it.
    pub fn moment(&self) -> Cluster {
        Cluster { api: self.api.clone(), environment: self.environment.clone(), workers: Vec::new(), journal: None }
    }

    /// Writes down from now on what happens.
    pub fn keep_journal(&mut self) {
        self.journal = Some(Journal::new(&self.api));
    }
    /// What has happened since [`keep_journal`](Self::keep_journal).
    pub fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// Lets everything work that has something to do now, without moving the clock: what happens in the moment between
    /// two requests of a client.
    pub fn run(&mut self) -> Settled {
        for _ in 0..MAX_WORK {
            if !self.turn() {
                return Settled::Yes;
            }
        }
        Settled::GaveUp
    }

    /// Runs to a fixed point, moving the clock from timer to timer as long as the next one is at most [`HORIZON`] after
    /// the moment at which settling began.
    pub fn settle(&mut self) -> Settled {
        self.run_until(self.api.now() + HORIZON, false)
    }

    /// Lets virtual time pass.
    pub fn advance(&mut self, duration: SignedDuration) -> Settled {
        self.run_until(self.api.now() + duration, true)
    }

    fn run_until(&mut self, end: Timestamp, stay_until_end: bool) -> Settled {
        loop {
            if self.run() == Settled::GaveUp {
                return Settled::GaveUp;
            }
            // alarms are not waited for when settling
            let alarm = |w: &Worker| w.reconciler.next_alarm().filter(|_| stay_until_end);
            match self.workers.iter().flat_map(|w| w.reconciler.next_timer().into_iter().chain(alarm(w))).min() {
                Some(timer) if timer <= end => self.api.advance_to(timer),
                _ => break,
            }
        }
        if stay_until_end {
            self.api.advance_to(end);
        }
        Settled::Yes
    }

    /// One item of work for everyone who has some; `false` when nobody has.
    fn turn(&mut self) -> bool {
        let mut worked = false;
        if let Some(journal) = &mut self.journal {
            journal.note("kubectl", &self.api);
        }
        for worker in &mut self.workers {
            while let Some(change) = self.api.store().change(worker.seen) {
                worker.reconciler.observe(change, self.api.store());
                worker.seen += 1;
            }
            let mut context = Context { api: &mut self.api, environment: &self.environment };
            worked |= worker.reconciler.reconcile_next(&mut context);
            if let Some(journal) = &mut self.journal {
                journal.note(worker.reconciler.name(), &self.api);
            }
        }
        let revision = self.api.store().revision();
        let seen = self.workers.iter().map(|w| w.seen).min().unwrap_or(revision);
        self.api.store_mut().forget_changes_before(seen);
        worked || seen < revision
    }
}

impl Clone for Cluster {
    fn clone(&self) -> Self {
        let copy = |w: &Worker| Worker { reconciler: w.reconciler.boxed_clone(), seen: w.seen };
        Cluster {
            api: self.api.clone(),
            environment: self.environment.clone(),
            workers: self.workers.iter().map(copy).collect(),
            journal: self.journal.clone(),
        }
    }
}
