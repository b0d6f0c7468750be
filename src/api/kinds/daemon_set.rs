//! DaemonSets (`pkg/registry/apps/daemonset/strategy.go`, `pkg/apis/apps/v1/defaults.go`, `pkg/apis/apps/validation`).
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::stateful_set::default_string;
use crate::api::object::ApiObject;
use crate::api::strategy::Strategy;

/// Where `apps/v1` keeps what was `spec.templateGeneration` (`apps.DeprecatedTemplateGeneration`).
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

fn template_generation(set: &DaemonSet) -> i64 {
    set.annotation(TEMPLATE_GENERATION).and_then(|v| v.parse().ok()).unwrap_or(0)
}

impl Strategy for DaemonSet {
    fn set_defaults(&mut self) {
        let spec = self.spec.get_or_insert_default();
        let strategy = spec.update_strategy.get_or_insert_default();
        default_string(&mut strategy.type_, "RollingUpdate");
        if strategy.type_.as_deref() == Some("RollingUpdate") {
            let rolling_update = strategy.rolling_update.get_or_insert_default();
            rolling_update.max_unavailable.get_or_insert(IntOrString::Int(1));
            rolling_update.max_surge.get_or_insert(IntOrString::Int(0));
        }
        spec.revision_history_limit.get_or_insert(10);
    }

    fn prepare_for_create(&mut self) {
        self.status = None;
        self.metadata.generation = Some(1);
        if template_generation(self) < 1 {
            self.set_annotation(TEMPLATE_GENERATION, "1");
        }
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
        let template = |set: &DaemonSet| set.spec.as_ref().map(|s| s.template.clone());
        let generation = template_generation(old) + i64::from(template(self) != template(old));
        self.set_annotation(TEMPLATE_GENERATION, &generation.to_string());
        if self.spec != old.spec {
            self.metadata.generation = Some(old.metadata.generation.unwrap_or(0) + 1);
        }
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        self.spec.clone_from(&old.spec);
    }
}
