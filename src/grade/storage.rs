//! `storage`: container paths show the same bytes, or do not.
use super::{NotSimulated, Verdict};
use crate::cluster::Cluster;
use crate::scenario::Storage;

pub(super) fn ask(_storage: &Storage, _cluster: &Cluster) -> Verdict {
    Verdict::NotSimulated(NotSimulated::Storage)
}
