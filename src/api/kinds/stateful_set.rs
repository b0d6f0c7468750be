//! StatefulSets (`pkg/registry/apps/statefulset/strategy.go`, `pkg/apis/apps/v1/defaults.go`, `pkg/apis/apps/validation`).
use k8s_openapi::api::apps::v1::{RollingUpdateStatefulSetStrategy, StatefulSet, StatefulSetUpdateStrategy};

use crate::api::strategy::Strategy;

impl Strategy for StatefulSet {
    fn set_defaults(&mut self) {
        let spec = self.spec.get_or_insert_default();
        default_string(&mut spec.pod_management_policy, "OrderedReady");
        let strategy = spec.update_strategy.get_or_insert_default();
        if strategy.type_.as_deref().unwrap_or_default().is_empty() {
            strategy.type_ = Some("RollingUpdate".to_owned());
            strategy.rolling_update.get_or_insert_default();
        }
        if strategy.type_.as_deref() == Some("RollingUpdate")
            && let Some(rolling_update) = strategy.rolling_update.as_mut()
        {
            rolling_update.partition.get_or_insert(0);
        }
        let retention = spec.persistent_volume_claim_retention_policy.get_or_insert_default();
        default_string(&mut retention.when_deleted, "Retain");
        default_string(&mut retention.when_scaled, "Retain");
        spec.replicas.get_or_insert(1);
        spec.revision_history_limit.get_or_insert(10);
        for claim in spec.volume_claim_templates.iter_mut().flatten() {
            claim.set_defaults();
        }
    }

    fn prepare_for_create(&mut self) {
        self.status = None;
        self.metadata.generation = Some(1);
        drop_max_unavailable(self, None);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
        drop_max_unavailable(self, Some(old));
        if self.spec != old.spec {
            self.metadata.generation = Some(old.metadata.generation.unwrap_or(0) + 1);
        }
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        self.spec.clone_from(&old.spec);
    }
}

/// Gives an unset or empty string its default.
pub(super) fn default_string(field: &mut Option<String>, value: &str) {
    if field.as_deref().unwrap_or_default().is_empty() {
        *field = Some(value.to_owned());
    }
}

fn rolling_update(set: &StatefulSet) -> Option<&RollingUpdateStatefulSetStrategy> {
    set.spec.as_ref()?.update_strategy.as_ref()?.rolling_update.as_ref()
}

/// `maxUnavailable` belongs to a feature that is off: it is dropped unless the stored object has it
/// (`dropStatefulSetDisabledFields`).
fn drop_max_unavailable(set: &mut StatefulSet, old: Option<&StatefulSet>) {
    if old.and_then(rolling_update).is_some_and(|r| r.max_unavailable.is_some()) {
        return;
    }
    let strategy = set.spec.as_mut().and_then(|s| s.update_strategy.as_mut());
    if let Some(StatefulSetUpdateStrategy { rolling_update: Some(rolling_update), .. }) = strategy {
        rolling_update.max_unavailable = None;
    }
}
