//! `dns`: a name resolves to these pods.
use super::{NotSimulated, Verdict};
use crate::cluster::Cluster;
use crate::scenario::Dns;

/// The cluster's name service is not simulated yet, and a guess would be worse than no answer.
pub(super) fn ask(_dns: &Dns, _cluster: &Cluster) -> Verdict {
    Verdict::NotSimulated(NotSimulated::Dns)
}
