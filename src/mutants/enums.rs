//! The words that fields with a fixed choice can have (the constants of `k8s.io/api`).

/// The words of a Go type, as [`Type::go_type`](crate::api::schema::Type::go_type) prints it; none for other types.
pub(crate) fn members(go_type: &str) -> &'static [&'static str] {
    match go_type.rsplit('.').next().unwrap_or(go_type) {
        "PersistentVolumeAccessMode" => &["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"],
        "PersistentVolumeReclaimPolicy" => &["Retain", "Delete", "Recycle"],
        "PersistentVolumeMode" => &["Filesystem", "Block"],
        "PersistentVolumeClaimRetentionPolicyType" => &["Retain", "Delete"],
        "HostPathType" => &["DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket"],
        "StorageMedium" => &["", "Memory"],
        "RestartPolicy" => &["Always", "OnFailure", "Never"],
        "PullPolicy" => &["Always", "IfNotPresent", "Never"],
        "ServiceType" => &["ClusterIP", "NodePort", "LoadBalancer"],
        "ServiceAffinity" => &["None", "ClientIP"],
        "ServiceExternalTrafficPolicy" | "ServiceInternalTrafficPolicy" => &["Cluster", "Local"],
        "Protocol" => &["TCP", "UDP", "SCTP"],
        "URIScheme" => &["HTTP", "HTTPS"],
        "VolumeBindingMode" => &["Immediate", "WaitForFirstConsumer"],
        "PodManagementPolicyType" => &["OrderedReady", "Parallel"],
        "DeploymentStrategyType" => &["RollingUpdate", "Recreate"],
        "StatefulSetUpdateStrategyType" | "DaemonSetUpdateStrategyType" => &["RollingUpdate", "OnDelete"],
        "ConcurrencyPolicy" => &["Allow", "Forbid", "Replace"],
        "CompletionMode" => &["NonIndexed", "Indexed"],
        "NodeSelectorOperator" | "LabelSelectorOperator" => &["In", "NotIn", "Exists", "DoesNotExist"],
        "TolerationOperator" => &["Equal", "Exists"],
        "TaintEffect" => &["NoSchedule", "PreferNoSchedule", "NoExecute"],
        "UnsatisfiableConstraintAction" => &["DoNotSchedule", "ScheduleAnyway"],
        "PathType" => &["Exact", "Prefix", "ImplementationSpecific"],
        "PolicyType" => &["Ingress", "Egress"],
        "SecretType" => &["Opaque", "kubernetes.io/basic-auth", "kubernetes.io/tls"],
        "LimitType" => &["Container", "Pod", "PersistentVolumeClaim"],
        "DNSPolicy" => &["ClusterFirst", "Default", "None"],
        "PreemptionPolicy" => &["PreemptLowerPriority", "Never"],
        "PodFailurePolicyAction" => &["FailJob", "Ignore", "Count"],
        "Capability" => &["NET_ADMIN", "SYS_TIME", "ALL"],
        _ => &[],
    }
}
