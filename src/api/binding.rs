//! The `binding` subresource of pods (`pkg/registry/core/pod/storage` `BindingREST`).
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, PodCondition};

use super::admission::pod_topology_labels::labels_of_node;
use super::object::{ApiObject, Kind};
use super::pod_condition::set_condition;
use super::server::ApiServer;
use super::status::Status;

impl ApiServer {
    /// Binds a pod to a node.
    pub fn bind(&mut self, pod: &Pod, node: &str) -> Result<Arc<Pod>, Status> {
        let found = self.get::<Pod>(pod.namespace(), pod.name()).filter(|p| p.uid() == pod.uid());
        let mut bound = Pod::clone(found.ok_or_else(|| Status::not_found(Kind::Pod, pod.name()))?);
        let refuse = |why: String| Err(Status::conflict(Kind::Pod, pod.name(), why));
        let spec = bound.spec.get_or_insert_default();
        if bound.metadata.deletion_timestamp.is_some() {
            return refuse(format!("pod {} is being deleted, cannot be assigned to a host", pod.name()));
        }
        if let Some(other) = spec.node_name.as_deref().filter(|n| !n.is_empty()) {
            return refuse(format!("pod {} is already assigned to node \"{other}\"", pod.name()));
        }
        if spec.scheduling_gates.as_ref().is_some_and(|g| !g.is_empty()) {
            return refuse(format!("pod {} has non-empty .spec.schedulingGates", pod.name()));
        }
        spec.node_name = Some(node.to_owned());
        let labels = labels_of_node(self.store(), node);
        if !labels.is_empty() {
            bound.metadata.labels.get_or_insert_default().extend(labels);
        }
        let now = self.time();
        let status = bound.status.get_or_insert_default();
        status.nominated_node_name = None;
        let condition = PodCondition {
            type_: "PodScheduled".to_owned(),
            status: "True".to_owned(),
            last_transition_time: Some(now),
            ..Default::default()
        };
        set_condition(status.conditions.get_or_insert_default(), condition);
        let bound = Arc::new(bound);
        self.write(bound.clone().into_object());
        Ok(bound)
    }
}
