//! The resources the API server serves: kinds, plurals, short names, scope.
//!
//! Short names and the category `all` are those of `ShortNames()` and `Categories()` in
//! `pkg/registry/*/*/storage/storage.go`, scope is `NamespaceScoped()` of the strategies.

/// A resource as discovery lists it.
#[derive(Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// Empty for the core group.
    pub group: &'static str,
    /// `v1`.
    pub version: &'static str,
    /// `PersistentVolumeClaim`.
    pub kind: &'static str,
    /// `persistentvolumeclaims`.
    pub plural: &'static str,
    /// `persistentvolumeclaim`.
    pub singular: &'static str,
    /// `pvc`; empty if there is none (no built-in resource has two).
    pub short_name: &'static str,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Whether `kubectl get all` shows it.
    pub in_all: bool,
}

const CLUSTER: bool = false;
const NAMESPACED: bool = true;

const fn resource(
    (group, version): (&'static str, &'static str),
    kind: &'static str,
    (plural, singular, short_name): (&'static str, &'static str, &'static str),
    namespaced: bool,
) -> ResourceType {
    ResourceType { group, version, kind, plural, singular, short_name, namespaced, in_all: false }
}

const fn in_all(resource: ResourceType) -> ResourceType {
    ResourceType { in_all: true, ..resource }
}

const CORE: (&str, &str) = ("", "v1");
const APPS: (&str, &str) = ("apps", "v1");
const BATCH: (&str, &str) = ("batch", "v1");
const STORAGE: (&str, &str) = ("storage.k8s.io", "v1");
const RBAC: (&str, &str) = ("rbac.authorization.k8s.io", "v1");
const NETWORKING: (&str, &str) = ("networking.k8s.io", "v1");

/// All resources. A group's preferred version stands before its others, and the groups are in discovery's order, so
/// the first match is kubectl's.
pub static RESOURCES: &[ResourceType] = &[
    resource(CORE, "Binding", ("bindings", "binding", ""), NAMESPACED),
    resource(CORE, "ConfigMap", ("configmaps", "configmap", "cm"), NAMESPACED),
    resource(CORE, "Endpoints", ("endpoints", "endpoints", "ep"), NAMESPACED),
    resource(CORE, "Event", ("events", "event", "ev"), NAMESPACED),
    resource(CORE, "LimitRange", ("limitranges", "limitrange", "limits"), NAMESPACED),
    resource(CORE, "Namespace", ("namespaces", "namespace", "ns"), CLUSTER),
    resource(CORE, "Node", ("nodes", "node", "no"), CLUSTER),
    resource(CORE, "PersistentVolumeClaim", ("persistentvolumeclaims", "persistentvolumeclaim", "pvc"), NAMESPACED),
    resource(CORE, "PersistentVolume", ("persistentvolumes", "persistentvolume", "pv"), CLUSTER),
    in_all(resource(CORE, "Pod", ("pods", "pod", "po"), NAMESPACED)),
    resource(CORE, "PodTemplate", ("podtemplates", "podtemplate", ""), NAMESPACED),
    in_all(resource(
        CORE,
        "ReplicationController",
        ("replicationcontrollers", "replicationcontroller", "rc"),
        NAMESPACED,
    )),
    resource(CORE, "ResourceQuota", ("resourcequotas", "resourcequota", "quota"), NAMESPACED),
    resource(CORE, "Secret", ("secrets", "secret", ""), NAMESPACED),
    resource(CORE, "ServiceAccount", ("serviceaccounts", "serviceaccount", "sa"), NAMESPACED),
    in_all(resource(CORE, "Service", ("services", "service", "svc"), NAMESPACED)),
    resource(APPS, "ControllerRevision", ("controllerrevisions", "controllerrevision", ""), NAMESPACED),
    in_all(resource(APPS, "DaemonSet", ("daemonsets", "daemonset", "ds"), NAMESPACED)),
    in_all(resource(APPS, "Deployment", ("deployments", "deployment", "deploy"), NAMESPACED)),
    in_all(resource(APPS, "ReplicaSet", ("replicasets", "replicaset", "rs"), NAMESPACED)),
    in_all(resource(APPS, "StatefulSet", ("statefulsets", "statefulset", "sts"), NAMESPACED)),
    in_all(resource(
        ("autoscaling", "v2"),
        "HorizontalPodAutoscaler",
        ("horizontalpodautoscalers", "horizontalpodautoscaler", "hpa"),
        NAMESPACED,
    )),
    in_all(resource(
        ("autoscaling", "v1"),
        "HorizontalPodAutoscaler",
        ("horizontalpodautoscalers", "horizontalpodautoscaler", "hpa"),
        NAMESPACED,
    )),
    in_all(resource(BATCH, "CronJob", ("cronjobs", "cronjob", "cj"), NAMESPACED)),
    in_all(resource(BATCH, "Job", ("jobs", "job", ""), NAMESPACED)),
    resource(NETWORKING, "IngressClass", ("ingressclasses", "ingressclass", ""), CLUSTER),
    resource(NETWORKING, "Ingress", ("ingresses", "ingress", "ing"), NAMESPACED),
    resource(NETWORKING, "NetworkPolicy", ("networkpolicies", "networkpolicy", "netpol"), NAMESPACED),
    resource(
        ("policy", "v1"),
        "PodDisruptionBudget",
        ("poddisruptionbudgets", "poddisruptionbudget", "pdb"),
        NAMESPACED,
    ),
    resource(RBAC, "ClusterRoleBinding", ("clusterrolebindings", "clusterrolebinding", ""), CLUSTER),
    resource(RBAC, "ClusterRole", ("clusterroles", "clusterrole", ""), CLUSTER),
    resource(RBAC, "RoleBinding", ("rolebindings", "rolebinding", ""), NAMESPACED),
    resource(RBAC, "Role", ("roles", "role", ""), NAMESPACED),
    resource(STORAGE, "CSIDriver", ("csidrivers", "csidriver", ""), CLUSTER),
    resource(STORAGE, "CSINode", ("csinodes", "csinode", ""), CLUSTER),
    resource(STORAGE, "CSIStorageCapacity", ("csistoragecapacities", "csistoragecapacity", ""), NAMESPACED),
    resource(STORAGE, "StorageClass", ("storageclasses", "storageclass", "sc"), CLUSTER),
    resource(STORAGE, "VolumeAttachment", ("volumeattachments", "volumeattachment", ""), CLUSTER),
    resource(STORAGE, "VolumeAttributesClass", ("volumeattributesclasses", "volumeattributesclass", "vac"), CLUSTER),
    resource(("scheduling.k8s.io", "v1"), "PriorityClass", ("priorityclasses", "priorityclass", "pc"), CLUSTER),
    resource(("coordination.k8s.io", "v1"), "Lease", ("leases", "lease", ""), NAMESPACED),
    resource(("node.k8s.io", "v1"), "RuntimeClass", ("runtimeclasses", "runtimeclass", ""), CLUSTER),
    resource(("discovery.k8s.io", "v1"), "EndpointSlice", ("endpointslices", "endpointslice", ""), NAMESPACED),
];

/// What the server serves beside them: kinds whose types are not known here.
const OTHERS: &[(&str, &[&str])] = &[
    ("apiextensions.k8s.io/v1", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io/v1", &["APIService"]),
    (
        "admissionregistration.k8s.io/v1",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("certificates.k8s.io/v1", &["CertificateSigningRequest"]),
    ("flowcontrol.apiserver.k8s.io/v1", &["FlowSchema", "PriorityLevelConfiguration"]),
    ("networking.k8s.io/v1", &["IPAddress", "ServiceCIDR"]),
    ("resource.k8s.io/v1", &["DeviceClass", "ResourceClaim", "ResourceClaimTemplate", "ResourceSlice"]),
    ("authentication.k8s.io/v1", &["SelfSubjectReview", "TokenReview"]),
    (
        "authorization.k8s.io/v1",
        &["LocalSubjectAccessReview", "SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview"],
    ),
    ("events.k8s.io/v1", &["Event"]),
];

/// Whether a cluster serves a kind, whether or not it is simulated.
pub fn is_served(api_version: &str, kind: &str) -> bool {
    let other = |(version, kinds): &(&str, &[&str])| *version == api_version && kinds.contains(&kind);
    by_api_version(api_version, kind).is_some() || OTHERS.iter().any(other)
}

/// Whether a cluster serves anything of this group and version.
pub fn is_served_version(api_version: &str) -> bool {
    RESOURCES.iter().any(|known| known.api_version() == api_version)
        || OTHERS.iter().any(|(version, _)| *version == api_version)
}

impl ResourceType {
    /// `apps/v1`, or `v1` for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The resource with its group, as kubectl names objects: `deployments.apps`, `pods`.
    pub fn qualified_plural(&self) -> String {
        qualified(self.plural, self.group)
    }

    /// As in `deployment.apps/web created`: the singular with its group.
    pub fn qualified_singular(&self) -> String {
        qualified(self.singular, self.group)
    }
}

fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}

/// The resource of an exact group, version and kind.
pub fn by_gvk(group: &str, version: &str, kind: &str) -> Option<&'static ResourceType> {
    RESOURCES.iter().find(|known| known.kind == kind && known.group == group && known.version == version)
}

/// The resource of an object with this `apiVersion` and `kind`.
pub fn by_api_version(api_version: &str, kind: &str) -> Option<&'static ResourceType> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    by_gvk(group, version, kind)
}

/// The resource a kubectl argument names: `po`, `pods`, `Pod`, `deploy.apps`, `hpa.v1.autoscaling`.
///
/// `mappingFor` in cli-runtime's builder.go: plurals and singulars in any case, short names in lower case, kinds as
/// they are written; a group may be cut short (`sc.storage`).
pub fn by_argument(argument: &str) -> Option<&'static ResourceType> {
    let versioned = argument.split_once('.').and_then(|(name, rest)| {
        let (version, group) = rest.split_once('.')?;
        by_resource(name, group, Some(version))
    });
    let (name, group) = argument.split_once('.').unwrap_or((argument, ""));
    versioned.or_else(|| by_resource(name, group, None)).or_else(|| by_kind(argument))
}

fn by_resource(name: &str, group: &str, version: Option<&str>) -> Option<&'static ResourceType> {
    let lower = name.to_lowercase();
    let of_version = || RESOURCES.iter().filter(move |known| version.is_none_or(|version| known.version == version));
    let full = |known: &ResourceType| known.plural == lower || known.singular == lower;
    let short = |known: &ResourceType| !known.short_name.is_empty() && known.short_name == name;
    let exact = |known: &ResourceType| group.is_empty() || known.group == group;
    let prefix = |known: &ResourceType| version.is_none() && known.group.starts_with(group);
    of_version()
        .find(|known| exact(known) && full(known))
        .or_else(|| of_version().find(|known| exact(known) && short(known)))
        .or_else(|| of_version().find(|known| prefix(known) && (full(known) || short(known))))
}

fn by_kind(argument: &str) -> Option<&'static ResourceType> {
    let (kind, rest) = argument.split_once('.').unwrap_or((argument, ""));
    let versioned = rest.split_once('.').and_then(|(version, group)| by_gvk(group, version, kind));
    versioned.or_else(|| RESOURCES.iter().find(|known| known.kind == kind && (rest.is_empty() || known.group == rest)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::api::schema;

    #[test]
    fn every_resource_has_a_type() {
        for known in RESOURCES {
            assert!(schema::kind(&known.api_version(), known.kind).is_some(), "{known:?}");
            assert_eq!(known.singular, known.kind.to_lowercase());
        }
    }

    #[test]
    fn kinds_are_served_in_their_versions_only() {
        assert!(is_served("networking.k8s.io/v1", "IngressClass"));
        assert!(is_served("apiextensions.k8s.io/v1", "CustomResourceDefinition"));
        assert!(!is_served("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition"));
        assert!(!is_served("v1", "Backup"));
    }

    #[test]
    fn arguments_are_read_as_kubectl_reads_them() {
        let plural = |argument: &str| by_argument(argument).map(ResourceType::qualified_plural);
        for argument in ["po", "pod", "pods", "Pod", "PODS"] {
            assert_eq!(plural(argument).as_deref(), Some("pods"), "{argument}");
        }
        let deployments = [
            "deploy",
            "deploy.apps",
            "deployment.apps",
            "deployments.v1.apps",
            "deployment.v1.apps",
            "deploy.app",
            "Deployment",
            "Deployment.apps",
            "Deployment.v1.apps",
        ];
        for argument in deployments {
            assert_eq!(plural(argument).as_deref(), Some("deployments.apps"), "{argument}");
        }
        assert_eq!(plural("sc.storage").as_deref(), Some("storageclasses.storage.k8s.io"));
        assert_eq!(plural("networkpolicies").as_deref(), Some("networkpolicies.networking.k8s.io"));
        assert_eq!(by_argument("hpa").unwrap().version, "v2");
        assert_eq!(by_argument("hpa.v1.autoscaling").unwrap().version, "v1");
        for argument in ["PO", "podz", "pods.apps", "deploy.batch", "", ".", "."] {
            assert_eq!(plural(argument), None, "{argument}");
        }
    }

    #[test]
    fn scope_and_names_follow_the_registry() {
        assert!(!by_gvk("", "v1", "PersistentVolume").unwrap().namespaced);
        assert!(by_api_version("v1", "PersistentVolumeClaim").unwrap().namespaced);
        assert_eq!(by_api_version("apps/v1", "StatefulSet").unwrap().qualified_singular(), "statefulset.apps");
        assert!(by_api_version("apps/v1", "Pod").is_none());
        assert!(by_api_version("v1", "Pods").is_none());
        let all: Vec<_> = RESOURCES.iter().filter(|known| known.in_all).map(|known| known.plural).collect();
        assert_eq!(
            all,
            [
                "pods",
                "replicationcontrollers",
                "services",
                "daemonsets",
                "deployments",
                "replicasets",
                "statefulsets",
                "horizontalpodautoscalers",
                "horizontalpodautoscalers",
                "cronjobs",
                "jobs"
            ]
        );
    }
}
