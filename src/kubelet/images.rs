//! Getting a container's image (`pkg/kubelet/images`). Every image exists; a node has those that were pulled on it.
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Container;

use crate::api::defaults::image_name::image_name_error;
use crate::api::event::EventType;

/// What a kubelet said about an image, and whether the container can be made.
#[derive(Debug, PartialEq)]
pub struct Pull {
    /// Type, reason, message of each event.
    pub events: Vec<(EventType, &'static str, String)>,
    /// The container's waiting reason and message if there is no image.
    pub failure: Option<(&'static str, String)>,
}

/// Makes an image available on a node (`EnsureImageExists`).
pub fn ensure(container: &Container, on_node: &mut BTreeSet<String>) -> Pull {
    let image = container.image.as_deref().unwrap_or_default();
    if let Some(why) = image_name_error(image) {
        let quoted = crate::api::field::go_quote(image);
        let message = format!("Failed to apply default image tag {quoted}: couldn't parse image name {quoted}: {why}");
        return Pull {
            events: vec![
                (EventType::Warning, "InspectFailed", message.clone()),
                (EventType::Warning, "Failed", "Error: InvalidImageName".to_owned()),
            ],
            failure: Some(("InvalidImageName", message)),
        };
    }
    let policy = container.image_pull_policy.as_deref().unwrap_or("IfNotPresent");
    if on_node.contains(image) && policy != "Always" {
        let message = format!("Container image \"{image}\" already present on machine and can be accessed by the pod");
        return Pull { events: vec![(EventType::Normal, "Pulled", message)], failure: None };
    }
    if policy == "Never" {
        let message = format!("Container image \"{image}\" is not present with pull policy of Never");
        return Pull {
            events: vec![
                (EventType::Warning, "ErrImageNeverPull", message.clone()),
                (EventType::Warning, "Failed", "Error: ErrImageNeverPull".to_owned()),
            ],
            failure: Some(("ErrImageNeverPull", message)),
        };
    }
    on_node.insert(image.to_owned());
    let pulled = format!("Successfully pulled image \"{image}\" in 0s (0s including waiting). Image size: 0 bytes.");
    Pull {
        events: vec![
            (EventType::Normal, "Pulling", format!("Pulling image \"{image}\"")),
            (EventType::Normal, "Pulled", pulled),
        ],
        failure: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(image: &str, policy: &str) -> Container {
        Container { image: Some(image.to_owned()), image_pull_policy: Some(policy.to_owned()), ..Default::default() }
    }

    #[test]
    fn an_image_is_pulled_once_per_node() {
        let mut node = BTreeSet::new();
        assert_eq!(ensure(&container("nginx", "IfNotPresent"), &mut node).events.len(), 2);
        assert_eq!(ensure(&container("nginx", "IfNotPresent"), &mut node).events.len(), 1);
        assert_eq!(ensure(&container("nginx", "Always"), &mut node).events.len(), 2);
    }

    #[test]
    fn what_is_no_image_name_is_said_in_the_parsers_words() {
        let pull = ensure(&container("NGINX LATEST", "Always"), &mut BTreeSet::new());
        let message = "Failed to apply default image tag \"NGINX LATEST\": couldn't parse image name \"NGINX LATEST\": \
                       invalid reference format: repository name (library/NGINX LATEST) must be lowercase";
        assert_eq!(pull.failure, Some(("InvalidImageName", message.to_owned())));
    }

    #[test]
    fn policy_never_wants_the_image_there() {
        let pull = ensure(&container("nginx", "Never"), &mut BTreeSet::new());
        assert_eq!(pull.failure.map(|f| f.0), Some("ErrImageNeverPull"));
    }
}
