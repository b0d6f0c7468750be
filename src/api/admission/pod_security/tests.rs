//! Namespaces with levels.
#![allow(clippy::unwrap_used)]
use k8s_openapi::api::apps::v1::Deployment;

use super::*;
use crate::api::server::ApiServer;
use crate::cluster::Cluster;
use crate::environment::Environment;

fn cluster(labels: &str) -> Cluster {
    let mut cluster = Cluster::new(Environment::default());
    let yaml = format!("metadata: {{name: n, labels: {{{labels}}}}}");
    cluster.api_mut().create(serde_yaml::from_str::<Namespace>(&yaml).unwrap()).unwrap();
    cluster.settle();
    cluster
}

fn pod(api: &mut ApiServer, spec: &str) -> Result<Vec<String>, String> {
    let yaml = format!("metadata: {{name: p, namespace: n}}\nspec: {spec}");
    let created = api.create(serde_yaml::from_str::<Pod>(&yaml).unwrap());
    created.map(|accepted| accepted.warnings).map_err(|status| status.message)
}

const PLAIN: &str = "{containers: [{name: a, image: i}, {name: b, image: i}]}";
const WORDS: &str = "allowPrivilegeEscalation != false (containers \"a\", \"b\" must set \
                     securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (containers \"a\", \"b\" \
                     must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or containers \"a\", \
                     \"b\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or containers \"a\", \"b\" must \
                     set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")";

#[test]
fn restricted_wants_hardened_pods_and_says_all_that_is_missing() {
    let mut cluster = cluster("pod-security.kubernetes.io/enforce: restricted");
    let refused = pod(cluster.api_mut(), PLAIN).unwrap_err();
    assert_eq!(refused, format!("pods \"p\" is forbidden: violates PodSecurity \"restricted:latest\": {WORDS}"));
    let hardened = "{securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}, containers: [{name: a, \
                    image: i, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]}";
    assert_eq!(pod(cluster.api_mut(), hardened), Ok(Vec::new()));
}

#[test]
fn baseline_forbids_what_reaches_the_node() {
    let mut cluster = cluster("pod-security.kubernetes.io/enforce: baseline");
    let spec = "{hostNetwork: true, containers: [{name: a, image: i, ports: [{containerPort: 80}], securityContext: \
                {privileged: true, capabilities: {add: [SYS_TIME, KILL]}}}], volumes: [{name: v, hostPath: {path: /x}}]}";
    let refused = pod(cluster.api_mut(), spec).unwrap_err();
    let words = "pods \"p\" is forbidden: violates PodSecurity \"baseline:latest\": non-default capabilities (container \
                 \"a\" must not include \"SYS_TIME\" in securityContext.capabilities.add), host namespaces \
                 (hostNetwork=true), hostPath volumes (volume \"v\"), hostPort (container \"a\" uses hostPort 80), \
                 privileged (container \"a\" must not set securityContext.privileged=true)";
    assert_eq!(refused, words);
    assert_eq!(pod(cluster.api_mut(), PLAIN), Ok(Vec::new()));
}

#[test]
fn workloads_are_only_warned_of() {
    let mut cluster = cluster("pod-security.kubernetes.io/enforce: restricted");
    let deployment = format!(
        "metadata: {{name: d, namespace: n}}\nspec: {{selector: {{matchLabels: {{x: z}}}}, template: {{metadata: {{labels: \
         {{x: z}}}}, spec: {PLAIN}}}}}"
    );
    let accepted = cluster.api_mut().create(serde_yaml::from_str::<Deployment>(&deployment).unwrap()).unwrap();
    assert_eq!(accepted.warnings, [format!("would violate PodSecurity \"restricted:latest\": {WORDS}")]);
    cluster.settle();
    assert_eq!(cluster.api().store().list_in::<Pod>("n").count(), 0);
}

#[test]
fn labels_must_name_levels_and_a_higher_level_tells_of_the_pods_that_are_there() {
    let mut cluster =
        cluster("pod-security.kubernetes.io/warn: baseline, pod-security.kubernetes.io/warn-version: v1.20");
    let warned = pod(cluster.api_mut(), "{hostPID: true, containers: [{name: a, image: i}]}").unwrap();
    assert_eq!(warned, ["would violate PodSecurity \"baseline:v1.20\": host namespaces (hostPID=true)"]);
    let mut namespace = Namespace::clone(cluster.api().get::<Namespace>("", "n").unwrap());
    let labels = namespace.metadata.labels.get_or_insert_default();
    labels.insert("pod-security.kubernetes.io/enforce".to_owned(), "high".to_owned());
    let refused = cluster.api_mut().update(namespace.clone()).unwrap_err();
    let words = "Namespace \"n\" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"high\": \
                 must be one of privileged, baseline, restricted";
    assert_eq!(refused.message, words);
    let labels = namespace.metadata.labels.get_or_insert_default();
    labels.insert("pod-security.kubernetes.io/enforce".to_owned(), "baseline".to_owned());
    let warnings = cluster.api_mut().update(namespace).unwrap().warnings;
    let headline = "existing pods in namespace \"n\" violate the new PodSecurity enforce level \"baseline:latest\"";
    assert_eq!(warnings, [headline, "p: host namespaces"]);
}
