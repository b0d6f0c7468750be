//! The controllers of kube-controller-manager, one file each.
pub mod persistent_volume_binder;

use crate::reconcile::Reconciler;

/// All controllers, in the order in which they take turns.
pub fn all() -> Vec<Box<dyn Reconciler>> {
    vec![Box::new(persistent_volume_binder::PersistentVolumeBinder::default())]
}
