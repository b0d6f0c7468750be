//! EndpointSlices (`pkg/registry/discovery/endpointslice/strategy.go`, `pkg/apis/discovery/v1/defaults.go`).
use k8s_openapi::api::discovery::v1::EndpointSlice;

use crate::api::strategy::Strategy;

impl Strategy for EndpointSlice {
    fn set_defaults(&mut self) {
        for port in self.ports.iter_mut().flatten() {
            port.name.get_or_insert_default();
            port.protocol.get_or_insert_with(|| "TCP".to_owned());
        }
    }

    fn prepare_for_create(&mut self) {
        self.metadata.generation = Some(1);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        let same = self.endpoints == old.endpoints
            && self.ports == old.ports
            && self.address_type == old.address_type
            && self.metadata.labels == old.metadata.labels;
        if !same {
            self.metadata.generation = Some(old.metadata.generation.unwrap_or(0) + 1);
        }
    }
}
