//! Conditions of pods.
use k8s_openapi::api::core::v1::PodCondition;

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
