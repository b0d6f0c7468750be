#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use super::*;

fn volume(name: &str, spec: Value) -> Arc<PersistentVolume> {
    let mut all = json!({"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]});
    all.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    let object = json!({"metadata": {"name": name}, "spec": all, "status": {"phase": "Available"}});
    Arc::new(serde_json::from_value(object).unwrap())
}

fn claim(spec: Value) -> PersistentVolumeClaim {
    let mut all = json!({"resources": {"requests": {"storage": "1Gi"}}, "accessModes": ["ReadWriteOnce"]});
    all.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    let object = json!({"metadata": {"name": "data", "namespace": "default", "uid": "u1"}, "spec": all});
    serde_json::from_value(object).unwrap()
}

fn best(claim: &PersistentVolumeClaim, volumes: &[Arc<PersistentVolume>]) -> Option<String> {
    let found = find_matching_volume(&ClaimNeeds::of(claim), volumes, None, |_| false, false);
    found.map(|v| v.name().to_owned())
}

#[test]
fn a_reserved_volume_is_taken_whatever_its_class_selector_and_phase() {
    let reserved =
        volume("reserved", json!({"storageClassName": "other", "claimRef": {"namespace": "default", "name": "data"}}));
    let mut pending = (*reserved).clone();
    pending.status = None;
    let claim = claim(json!({"selector": {"matchLabels": {"tier": "gold"}}}));
    assert_eq!(best(&claim, &[volume("free", json!({})), Arc::new(pending)]).as_deref(), Some("reserved"));
}

#[test]
fn a_reserved_volume_must_still_be_large_enough() {
    let claim = claim(json!({"resources": {"requests": {"storage": "2Gi"}}}));
    let reserved = volume("reserved", json!({"claimRef": {"namespace": "default", "name": "data"}}));
    assert_eq!(best(&claim, &[reserved]), None);
}

#[test]
fn the_smallest_volume_wins_and_equal_ones_by_order() {
    let claim = claim(json!({}));
    let sizes = [("a", "20Gi"), ("b", "5Gi"), ("c", "5120Mi"), ("d", "512Mi")];
    let volumes: Vec<_> = sizes.iter().map(|(n, s)| volume(n, json!({"capacity": {"storage": s}}))).collect();
    assert_eq!(best(&claim, &volumes).as_deref(), Some("b"));
}

#[test]
fn named_volumes_are_compared_in_whole_bytes_and_searched_ones_exactly() {
    let claim = claim(json!({"resources": {"requests": {"storage": "1500m"}}}));
    let nearly = volume("pv", json!({"capacity": {"storage": "1100m"}}));
    let needs = ClaimNeeds::of(&claim);
    assert_eq!(needs.check_named_volume(&nearly), Ok(()));
    assert_eq!(needs.consider(&nearly, None, false), Verdict::PassedOver(Rule::Size));
}

#[test]
fn the_beta_annotation_beats_the_class_field() {
    let mut annotated = (*volume("pv", json!({"storageClassName": "slow"}))).clone();
    annotated.set_annotation(super::super::BETA_STORAGE_CLASS, "fast");
    assert_eq!(best(&claim(json!({"storageClassName": "fast"})), &[Arc::new(annotated)]).as_deref(), Some("pv"));
}

#[test]
fn reasons_name_what_differs() {
    let volume = volume("pv", json!({"storageClassName": "slow", "accessModes": ["ReadOnlyMany"]}));
    let said = |spec: Value, rule| ClaimNeeds::of(&claim(spec)).explain(rule, &volume).to_string();
    assert_eq!(said(json!({}), Rule::StorageClass), "it has class \"slow\", the claim asks for no class");
    assert_eq!(said(json!({}), Rule::AccessModes), "it does not offer ReadWriteOnce (it offers ReadOnlyMany)");
    let selector = json!({"selector": {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["a", "b"]}]}});
    assert_eq!(said(selector, Rule::Selector), "the claim's selector asks for tier in (a,b), it has no such label");
}
