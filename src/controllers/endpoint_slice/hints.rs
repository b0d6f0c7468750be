//! Which endpoints are for whom (`k8s.io/endpointslice/trafficdist`). The older annotation for it, which goes by the
//! sizes of zones, gives no hints here.
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointHints, EndpointSlice, ForNode, ForZone};

use crate::api::object::ApiObject;

/// How traffic is to be kept near.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Distribution {
    /// Everywhere alike.
    Default,
    SameZone,
    SameNode,
}

impl Distribution {
    /// What a Service asks for. The annotation goes before the field (`hintsEnabled`).
    pub(super) fn of(service: &Service) -> Self {
        let annotation = ["service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"];
        let annotation = annotation.iter().find_map(|key| service.annotation(key));
        if annotation.is_some_and(|mode| matches!(mode, "Auto" | "auto")) {
            return Distribution::Default;
        }
        match service.spec.as_ref().and_then(|s| s.traffic_distribution.as_deref()) {
            Some("PreferClose" | "PreferSameZone") => Distribution::SameZone,
            Some("PreferSameNode") => Distribution::SameNode,
            _ => Distribution::Default,
        }
    }

    fn hints_for(self, endpoint: &Endpoint) -> Option<EndpointHints> {
        let zone = endpoint.zone.clone().filter(|_| self != Distribution::Default);
        let node = endpoint.node_name.clone().filter(|_| self == Distribution::SameNode);
        let hints = EndpointHints {
            for_zones: zone.map(|name| vec![ForZone { name }]),
            for_nodes: node.map(|name| vec![ForNode { name }]),
        };
        (hints != EndpointHints::default()).then_some(hints)
    }

    /// Whether a slice that would not be written has hints that are not right (`needsUpdate`).
    pub(super) fn is_outdated(self, slice: &EndpointSlice) -> bool {
        slice.endpoints.iter().flatten().any(|endpoint| match self {
            Distribution::Default => endpoint.hints.is_some(),
            _ => is_ready(endpoint) && endpoint.hints != self.hints_for(endpoint),
        })
    }

    /// Gives the endpoints of a slice that is written their hints; only those that are ready have some.
    pub(super) fn update(self, slice: &mut EndpointSlice) {
        for endpoint in slice.endpoints.iter_mut().flatten() {
            endpoint.hints = if is_ready(endpoint) { self.hints_for(endpoint) } else { None };
        }
    }
}

fn is_ready(endpoint: &Endpoint) -> bool {
    endpoint.conditions.as_ref().and_then(|c| c.ready) == Some(true)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_ready_endpoints_are_for_their_own_zone_and_node() {
        let mut slice: EndpointSlice =
            serde_json::from_value(json!({"addressType": "IPv4", "metadata": {}, "endpoints": [
            {"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "zone": "a", "nodeName": "n"},
            {"addresses": ["10.0.0.2"], "conditions": {"ready": false}, "zone": "a", "nodeName": "n"}]}))
            .unwrap();
        let hints = |slice: &EndpointSlice| -> Vec<_> {
            slice.endpoints.iter().flatten().map(|e| serde_json::to_value(&e.hints).unwrap()).collect()
        };
        assert!(Distribution::SameZone.is_outdated(&slice));
        Distribution::SameZone.update(&mut slice);
        assert!(!Distribution::SameZone.is_outdated(&slice));
        assert_eq!(hints(&slice), [json!({"forZones": [{"name": "a"}]}), json!(null)]);
        Distribution::SameNode.update(&mut slice);
        let both = json!({"forZones": [{"name": "a"}], "forNodes": [{"name": "n"}]});
        assert_eq!(hints(&slice), [both, json!(null)]);
        Distribution::Default.update(&mut slice);
        assert_eq!(hints(&slice), [json!(null), json!(null)]);
    }

    #[test]
    fn the_annotation_goes_before_the_field() {
        let of = |annotations: serde_json::Value| {
            let service =
                json!({"metadata": {"annotations": annotations}, "spec": {"trafficDistribution": "PreferSameNode"}});
            Distribution::of(&serde_json::from_value(service).unwrap())
        };
        assert_eq!(of(json!({})), Distribution::SameNode);
        assert_eq!(of(json!({"service.kubernetes.io/topology-mode": "Auto"})), Distribution::Default);
    }
}
