//! Conditions of pods.
use k8s_openapi::api::core::v1::{Pod, PodCondition};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The condition of a pod that a controller is about to delete (`v1.DisruptionTarget`).
pub fn disruption_target(pod: &Pod, reason: &str, message: &str, now: Time) -> PodCondition {
    PodCondition {
        type_: "DisruptionTarget".to_owned(),
        status: "True".to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        observed_generation: pod.metadata.generation,
        last_transition_time: Some(now),
        ..Default::default()
    }
}

/// Sets a condition; its transition time stays if its status does (`podutil.UpdatePodCondition`).
pub fn set_condition(conditions: &mut Vec<PodCondition>, mut condition: PodCondition) {
    match conditions.iter_mut().find(|c| c.type_ == condition.type_) {
        Some(present) => {
            if present.status == condition.status {
                condition.last_transition_time.clone_from(&present.last_transition_time);
            }
            *present = condition;
        }
        None => conditions.push(condition),
    }
}
