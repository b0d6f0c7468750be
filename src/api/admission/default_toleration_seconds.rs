//! DefaultTolerationSeconds (`plugin/pkg/admission/defaulttolerationseconds`).
use std::sync::Arc;

use k8s_openapi::api::core::v1::Toleration;

use super::Request;
use crate::api::object::Object;

/// Lets pods stay for five minutes on nodes that are not ready or not reachable, unless they say otherwise.
pub fn admit(request: &mut Request<'_>) {
    let Object::Pod(pod) = &mut request.object else { return };
    let own = pod.spec.as_ref().and_then(|s| s.tolerations.as_deref()).unwrap_or_default();
    let tolerates = |key: &str| {
        own.iter().any(|toleration| {
            let is =
                |value: &Option<String>, wanted: &str| value.as_deref().is_none_or(|v| v.is_empty() || v == wanted);
            is(&toleration.key, key) && is(&toleration.effect, "NoExecute")
        })
    };
    let keys = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
    let missing: Vec<&str> = keys.into_iter().filter(|key| !tolerates(key)).collect();
    if missing.is_empty() {
        return;
    }
    let spec = Arc::make_mut(pod).spec.get_or_insert_default();
    spec.tolerations.get_or_insert_default().extend(missing.into_iter().map(|key| Toleration {
        key: Some(key.to_owned()),
        operator: Some("Exists".to_owned()),
        effect: Some("NoExecute".to_owned()),
        toleration_seconds: Some(300),
        ..Default::default()
    }));
}
