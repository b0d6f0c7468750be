//! CronJobs (`pkg/registry/batch/cronjob/strategy.go`, `pkg/apis/batch/v1/defaults.go`, `pkg/apis/batch/validation`).
pub mod schedule;
mod validation;

use k8s_openapi::api::batch::v1::CronJob;

use super::apps::{drop_disabled_template_fields, name_warning};
use super::job::spec_warnings;
use super::stateful_set::default_string;
use crate::api::defaults::pod_spec::set_pod_template_defaults;
use crate::api::field::{ErrorList, Path};
use crate::api::object::ApiObject;
use crate::api::strategy::Strategy;

impl Strategy for CronJob {
    fn set_defaults(&mut self) {
        let spec = &mut self.spec;
        default_string(&mut spec.concurrency_policy, "Allow");
        spec.suspend.get_or_insert(false);
        spec.successful_jobs_history_limit.get_or_insert(3);
        spec.failed_jobs_history_limit.get_or_insert(1);
        let job = spec.job_template.spec.get_or_insert_default();
        for rule in job.pod_failure_policy.iter_mut().flat_map(|p| &mut p.rules) {
            for pattern in rule.on_pod_conditions.iter_mut().flatten() {
                default_string(&mut pattern.status, "True");
            }
        }
        set_pod_template_defaults(&mut job.template);
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(Default::default());
        self.metadata.generation = Some(1);
        if let Some(job) = &mut self.spec.job_template.spec {
            drop_disabled_template_fields(&mut job.template, None);
        }
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
        if let Some(job) = &mut self.spec.job_template.spec {
            let old = old.spec.job_template.spec.as_ref();
            drop_disabled_template_fields(&mut job.template, old.map(|o| &o.template));
        }
        if self.spec != old.spec {
            self.metadata.generation = Some(old.metadata.generation.unwrap_or(0) + 1);
        }
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        self.spec.clone_from(&old.spec);
    }

    fn validate(&self) -> ErrorList {
        validation::validate_create(self)
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        validation::validate_update(self, old)
    }

    fn warnings(&self, old: Option<&Self>) -> Vec<String> {
        let mut warnings = Vec::new();
        if old.is_none() {
            warnings.extend(name_warning(self.name()));
        }
        if old.is_none_or(|old| old.metadata.generation != self.metadata.generation)
            && let Some(job) = &self.spec.job_template.spec
        {
            let spec = Path::root("spec");
            let template = spec.child("jobTemplate");
            warnings.extend(spec_warnings(job, &template.child("spec")));
        }
        if old.is_some() && self.spec.schedule.contains("TZ") {
            warnings.push(
                "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see \
                 https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
                    .to_owned(),
            );
        }
        warnings
    }
}
