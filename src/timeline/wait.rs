//! Waiting: virtual time passes.
use k8s_openapi::jiff::SignedDuration;

use super::kubectl::Output;
use crate::cluster::Cluster;

/// Lets time pass.
pub fn run(cluster: &mut Cluster, duration: SignedDuration) -> Output {
    cluster.advance(duration);
    Output::default()
}
