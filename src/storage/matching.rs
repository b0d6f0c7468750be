//! Which volume fits a claim, and why another does not (`component-helpers/storage/volume/pv_helpers.go`
//! `FindMatchingVolume`; `checkVolumeSatisfyClaim` of the volume controller).
use std::fmt;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use super::{
    check_access_modes, check_node_affinity, check_volume_mode, claim_attributes_class, claim_class, claim_ref,
    claim_request, claim_spec, claim_volume_mode, is_volume_bound_to_claim, missing_access_modes,
    volume_attributes_class, volume_capacity, volume_class, volume_mode, volume_phase, volume_spec,
};
use crate::api::label_selector::{self, Labels};
use crate::api::quantity::Quantity;
use crate::api::{ApiObject, label_selector::matches_requirement};

/// A claim with what is looked up once for many volumes.
#[derive(Clone, Debug)]
pub struct ClaimNeeds<'a> {
    /// The claim.
    pub claim: &'a PersistentVolumeClaim,
    /// The size it asks for.
    pub request: Quantity,
    /// The class it asks for, empty for none.
    pub class: &'a str,
}

impl<'a> ClaimNeeds<'a> {
    /// What a claim asks for.
    pub fn of(claim: &'a PersistentVolumeClaim) -> Self {
        ClaimNeeds { claim, request: claim_request(claim), class: claim_class(claim) }
    }
}

/// What [`ClaimNeeds::consider`] makes of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The volume is reserved for this claim or bound to it: take it at once.
    Reserved,
    /// The volume is reserved for this claim but cannot be used from this node: the claim can have none here.
    ReservedElsewhere,
    /// The volume fits; the smallest one (of the narrowest access modes) wins.
    Fits,
    /// The volume does not fit; [`ClaimNeeds::explain`] says more.
    PassedOver(Rule),
}

/// The rules a volume must meet to serve a claim, in the order in which they are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Rule {
    NotTaken,
    Size,
    VolumeMode,
    AttributesClass,
    NotTerminating,
    Immediate,
    Available,
    Selector,
    StorageClass,
    NodeAffinity,
    AccessModes,
}

/// Why a volume is not for a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum PassedOver {
    /// Its claimRef names a claim that is not there (yet), or not by this uid.
    ReservedFor {
        /// The namespace in the claimRef.
        namespace: String,
        /// The name in the claimRef.
        name: String,
    },
    /// It serves another claim.
    BoundTo {
        /// The claim's namespace.
        namespace: String,
        /// The claim's name.
        name: String,
    },
    /// It served a claim that is gone, and its claimRef still says so.
    Released {
        /// The namespace of the claim it served.
        namespace: String,
        /// The name of the claim it served.
        name: String,
        /// Whether reclaiming it failed, too.
        failed: bool,
        /// Whether that claim had the name of the one that looks for a volume now.
        earlier: bool,
    },
    /// It is smaller than the claim asks for.
    TooSmall {
        /// The volume's size.
        has: String,
        /// The claim's request.
        wants: String,
    },
    /// It lacks access modes the claim asks for.
    AccessModes {
        /// The modes the volume offers.
        has: Vec<String>,
        /// The modes it lacks.
        missing: Vec<String>,
    },
    /// `Filesystem` against `Block`.
    VolumeMode {
        /// The volume's mode.
        has: String,
        /// The claim's mode.
        wants: String,
    },
    /// The VolumeAttributesClass differs.
    AttributesClass {
        /// The volume's, empty for none.
        has: String,
        /// The claim's, empty for none.
        wants: String,
    },
    /// It is being deleted.
    Terminating,
    /// The claim's class waits for a pod; the scheduler picks the volume then.
    WaitsForConsumer,
    /// Its phase is not `Available`.
    NotAvailable {
        /// The phase, empty if it has none yet.
        phase: String,
    },
    /// Its labels do not satisfy the claim's selector.
    SelectorMismatch {
        /// The first requirement that fails, e.g. `tier=gold`.
        requirement: String,
        /// The volume's value of that label.
        has: Option<String>,
    },
    /// The storage class differs.
    StorageClass {
        /// The volume's, empty for none.
        has: String,
        /// The claim's, empty for none.
        wants: String,
    },
    /// Its node affinity excludes the node.
    NodeAffinity,
}

impl ClaimNeeds<'_> {
    /// Whether a volume could serve the claim. `node` is a node's labels in the scheduler and `None` in the volume
    /// controller, where `delay_binding` says that the class waits for the first consumer.
    ///
    /// The volume controller looks at access modes before it calls this, by searching groups of equal modes.
    pub fn consider(&self, volume: &PersistentVolume, node: Option<Option<&Labels>>, delay_binding: bool) -> Verdict {
        match self.first_broken_rule(volume, node, delay_binding) {
            Err(verdict) => verdict,
            Ok(None) => Verdict::Fits,
            Ok(Some(rule)) => Verdict::PassedOver(rule),
        }
    }

    fn first_broken_rule(
        &self,
        volume: &PersistentVolume,
        node: Option<Option<&Labels>>,
        delay_binding: bool,
    ) -> Result<Option<Rule>, Verdict> {
        let reserved = is_volume_bound_to_claim(volume, self.claim);
        let usable_from_node = || node.is_none_or(|labels| check_node_affinity(volume, labels));
        let rule = if !reserved && claim_ref(volume).is_some() {
            Rule::NotTaken
        } else if volume_capacity(volume) < self.request {
            Rule::Size
        } else if !check_volume_mode(self.claim, volume) {
            Rule::VolumeMode
        } else if volume_attributes_class(volume) != claim_attributes_class(self.claim) {
            Rule::AttributesClass
        } else if volume.is_terminating() {
            Rule::NotTerminating
        } else if reserved {
            return Err(if usable_from_node() { Verdict::Reserved } else { Verdict::ReservedElsewhere });
        } else if node.is_none() && delay_binding {
            Rule::Immediate
        } else if volume_phase(volume) != "Available" {
            Rule::Available
        } else if !self.selects(volume) {
            Rule::Selector
        } else if volume_class(volume) != self.class {
            Rule::StorageClass
        } else if !usable_from_node() {
            Rule::NodeAffinity
        } else if node.is_some() && !check_access_modes(self.claim, volume) {
            Rule::AccessModes
        } else {
            return Ok(None);
        };
        Ok(Some(rule))
    }

    /// Whether a volume has the labels the claim asks for.
    fn selects(&self, volume: &PersistentVolume) -> bool {
        let selector = claim_spec(self.claim).selector.as_ref();
        selector.is_none_or(|s| label_selector::matches(Some(s), volume.metadata.labels.as_ref()))
    }

    /// What exactly is wrong with a volume that breaks a rule.
    pub fn explain(&self, rule: Rule, volume: &PersistentVolume) -> PassedOver {
        let (claim, spec) = (self.claim, volume_spec(volume));
        let pair = |has: &str, wants: &str| (has.to_owned(), wants.to_owned());
        match rule {
            Rule::NotTaken => taken_by(volume, claim),
            Rule::Size => {
                PassedOver::TooSmall { has: volume_capacity(volume).to_string(), wants: self.request.to_string() }
            }
            Rule::VolumeMode => {
                let (has, wants) = pair(volume_mode(volume), claim_volume_mode(claim));
                PassedOver::VolumeMode { has, wants }
            }
            Rule::AttributesClass => {
                let (has, wants) = pair(volume_attributes_class(volume), claim_attributes_class(claim));
                PassedOver::AttributesClass { has, wants }
            }
            Rule::NotTerminating => PassedOver::Terminating,
            Rule::Immediate => PassedOver::WaitsForConsumer,
            Rule::Available => PassedOver::NotAvailable { phase: volume_phase(volume).to_owned() },
            Rule::Selector => selector_mismatch(claim_spec(claim).selector.as_ref(), volume.metadata.labels.as_ref()),
            Rule::StorageClass => {
                let (has, wants) = pair(volume_class(volume), self.class);
                PassedOver::StorageClass { has, wants }
            }
            Rule::NodeAffinity => PassedOver::NodeAffinity,
            Rule::AccessModes => PassedOver::AccessModes {
                has: spec.access_modes.clone().unwrap_or_default(),
                missing: missing_access_modes(claim, volume).map(str::to_owned).collect(),
            },
        }
    }

    /// Whether the volume a claim names, which is reserved for nobody, may be bound to it (`checkVolumeSatisfyClaim`).
    /// Sizes are compared in whole bytes; the selector does not count.
    pub fn check_named_volume(&self, volume: &PersistentVolume) -> Result<(), NamedMismatch> {
        if volume.is_terminating() {
            return Err(NamedMismatch::Terminating { volume: volume.name().to_owned() });
        }
        if volume_capacity(volume).value() < self.request.value() {
            return Err(NamedMismatch::TooSmall);
        }
        if volume_class(volume) != self.class {
            return Err(NamedMismatch::StorageClass);
        }
        if volume_attributes_class(volume) != claim_attributes_class(self.claim) {
            return Err(NamedMismatch::AttributesClass);
        }
        if !check_volume_mode(self.claim, volume) {
            return Err(NamedMismatch::VolumeMode);
        }
        if !check_access_modes(self.claim, volume) {
            return Err(NamedMismatch::AccessModes);
        }
        Ok(())
    }
}

/// The best of some volumes for a claim: one that is reserved for it, else the smallest that fits, of equal ones the
/// first (`FindMatchingVolume`). In the scheduler pass a node's labels and the volumes chosen for other claims.
pub fn find_matching_volume<'v>(
    needs: &ClaimNeeds<'_>,
    volumes: impl IntoIterator<Item = &'v Arc<PersistentVolume>>,
    node: Option<Option<&Labels>>,
    excluded: impl Fn(&str) -> bool,
    delay_binding: bool,
) -> Option<&'v Arc<PersistentVolume>> {
    let mut smallest: Option<(&Arc<PersistentVolume>, Quantity)> = None;
    for volume in volumes {
        if excluded(volume.name()) {
            continue;
        }
        match needs.consider(volume, node, delay_binding) {
            Verdict::Reserved => return Some(volume),
            Verdict::ReservedElsewhere => return None,
            Verdict::PassedOver(_) => {}
            Verdict::Fits => {
                let size = volume_capacity(volume);
                if smallest.as_ref().is_none_or(|(_, s)| *s > size) {
                    smallest = Some((volume, size));
                }
            }
        }
    }
    smallest.map(|(volume, _)| volume)
}

/// Who has a volume whose claimRef names another claim.
fn taken_by(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> PassedOver {
    let (namespace, name, _) = claim_ref(volume).unwrap_or_default();
    let earlier = (namespace, name) == (claim.namespace(), claim.name());
    let (namespace, name) = (namespace.to_owned(), name.to_owned());
    match volume_phase(volume) {
        "Bound" => PassedOver::BoundTo { namespace, name },
        phase @ ("Released" | "Failed") => PassedOver::Released { namespace, name, failed: phase == "Failed", earlier },
        _ => PassedOver::ReservedFor { namespace, name },
    }
}

/// The first requirement of a selector that labels do not meet.
fn selector_mismatch(selector: Option<&LabelSelector>, labels: Option<&Labels>) -> PassedOver {
    let value = |key: &str| labels.and_then(|l| l.get(key)).cloned();
    let pairs = selector.and_then(|s| s.match_labels.as_ref()).into_iter().flatten();
    let expressions = selector.and_then(|s| s.match_expressions.as_ref()).into_iter().flatten();
    let pair = pairs.clone().find(|(key, wanted)| value(key).as_ref() != Some(*wanted));
    let expression = expressions.clone().find(|r| !matches_requirement(r, labels));
    let (requirement, key) = match (pair, expression) {
        (Some((key, wanted)), _) => (format!("{key}={wanted}"), key.as_str()),
        (None, Some(r)) => (requirement_text(r), r.key.as_str()),
        (None, None) => Default::default(),
    };
    PassedOver::SelectorMismatch { requirement, has: value(key) }
}

/// A requirement as label selectors are written on the command line.
fn requirement_text(requirement: &LabelSelectorRequirement) -> String {
    let key = &requirement.key;
    let values = requirement.values.as_deref().unwrap_or_default().join(",");
    match requirement.operator.as_str() {
        "In" => format!("{key} in ({values})"),
        "NotIn" => format!("{key} notin ({values})"),
        "DoesNotExist" => format!("!{key}"),
        _ => key.clone(),
    }
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = |name: &str| if name.is_empty() { "no class".to_owned() } else { format!("class \"{name}\"") };
        match self {
            PassedOver::ReservedFor { namespace, name } => {
                write!(f, "its claimRef reserves it for claim {namespace}/{name}")
            }
            PassedOver::BoundTo { namespace, name } => write!(f, "it is bound to claim {namespace}/{name}"),
            PassedOver::Released { namespace, name, failed, earlier } => {
                let also = if *failed { " and reclaiming it failed" } else { "" };
                if *earlier {
                    return write!(
                        f,
                        "its claimRef still names an earlier claim {namespace}/{name} (of another uid), which is gone{also}"
                    );
                }
                write!(f, "its claimRef still names claim {namespace}/{name}, which is gone{also}")
            }
            PassedOver::TooSmall { has, wants } => write!(f, "it has {has}, the claim asks for {wants}"),
            PassedOver::AccessModes { has, missing } => {
                let has = if has.is_empty() { "none".to_owned() } else { has.join(", ") };
                write!(f, "it does not offer {} (it offers {has})", missing.join(", "))
            }
            PassedOver::VolumeMode { has, wants } => {
                write!(f, "its volumeMode is {has}, the claim asks for {wants}")
            }
            PassedOver::AttributesClass { has, wants } => {
                write!(f, "its VolumeAttributesClass is \"{has}\", the claim asks for \"{wants}\"")
            }
            PassedOver::Terminating => f.write_str("it is being deleted"),
            PassedOver::WaitsForConsumer => f.write_str("the claim's class waits for a pod that uses the claim"),
            PassedOver::NotAvailable { phase } => write!(f, "its phase is \"{phase}\", not \"Available\""),
            PassedOver::SelectorMismatch { requirement, has } => {
                write!(f, "the claim's selector asks for {requirement}, ")?;
                match has {
                    Some(value) => write!(f, "its label is \"{value}\""),
                    None => f.write_str("it has no such label"),
                }
            }
            PassedOver::StorageClass { has, wants } => {
                write!(f, "it has {}, the claim asks for {}", class(has), class(wants))
            }
            PassedOver::NodeAffinity => f.write_str("its node affinity excludes the node"),
        }
    }
}

/// Why the volume a claim names is not bound to it; prints in the words of the event `VolumeMismatch`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum NamedMismatch {
    Terminating { volume: String },
    TooSmall,
    StorageClass,
    AttributesClass,
    VolumeMode,
    AccessModes,
}

impl fmt::Display for NamedMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NamedMismatch::Terminating { volume } => write!(f, "the volume is marked for deletion \"{volume}\""),
            NamedMismatch::TooSmall => f.write_str("requested PV is too small"),
            NamedMismatch::StorageClass => f.write_str("storageClassName does not match"),
            NamedMismatch::AttributesClass => f.write_str("volumeAttributesClassName does not match"),
            NamedMismatch::VolumeMode => f.write_str("incompatible volumeMode"),
            NamedMismatch::AccessModes => f.write_str("incompatible accessMode"),
        }
    }
}

#[cfg(test)]
mod tests;
