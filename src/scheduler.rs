//! kube-scheduler: which node a pod goes to, and why to none.
use crate::reconcile::Reconciler;

/// The scheduler as reconcilers.
pub fn all() -> Vec<Box<dyn Reconciler>> {
    Vec::new()
}
