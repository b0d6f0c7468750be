//! Scheduling in a whole cluster.
#![allow(clippy::unwrap_used)]
use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::jiff::SignedDuration;

use crate::api::object::{Kind, ObjectKey};
use crate::api::server::DeleteOptions;
use crate::api::strategy::Strategy;
use crate::cluster::Cluster;
use crate::environment::{Environment, NodeConfig};

struct Lab(Cluster);

impl Lab {
    /// Two nodes in two zones, with one cpu each.
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Environment)) -> Self {
        let node = |name: &str, zone: &str| NodeConfig {
            labels: [("topology.kubernetes.io/zone".to_owned(), zone.to_owned())].into(),
            allocatable: [("cpu".to_owned(), "1".to_owned())].into(),
            ..NodeConfig::named(name)
        };
        let mut environment =
            Environment { nodes: vec![node("node01", "a"), node("node02", "b")], ..Environment::default() };
        environment.provisioners.push("kubernetes.io/host-path".to_owned());
        change(&mut environment);
        Lab(Cluster::new(environment))
    }

    fn create<T: Strategy>(&mut self, yaml: &str) {
        let object: T = serde_yaml::from_str(yaml).unwrap();
        self.0.api_mut().create(object).map_err(|s| s.message).unwrap();
    }

    fn pod(&mut self, name: &str, spec: &str) {
        self.create::<Pod>(&format!("metadata: {{name: {name}, namespace: default}}\nspec: {spec}"));
        self.0.settle();
    }

    fn get(&self, name: &str) -> Pod {
        Pod::clone(self.0.api().get::<Pod>("default", name).unwrap())
    }

    fn node_of(&self, name: &str) -> Option<String> {
        self.get(name).spec.unwrap().node_name
    }

    fn message(&self, name: &str) -> String {
        let conditions = self.get(name).status.unwrap().conditions.unwrap_or_default();
        let scheduled = conditions.into_iter().find(|c| c.type_ == "PodScheduled");
        scheduled.and_then(|c| c.message).unwrap_or_default()
    }

    fn delete(&mut self, kind: Kind, name: &str) {
        self.0.api_mut().delete(&ObjectKey::new(kind, "default", name), &DeleteOptions::default()).unwrap();
        self.0.settle();
    }

    fn cpu(cpu: &str, more: &str) -> String {
        format!("{{{more} containers: [{{name: c, image: i, resources: {{requests: {{cpu: {cpu}}}}}}}]}}")
    }
}

const PLAIN: &str = "{containers: [{name: c, image: i}]}";
const NOT_HELPFUL: &str =
    "no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.";

#[test]
fn pods_spread_over_equal_nodes_and_take_zone_labels() {
    let mut lab = Lab::new();
    lab.pod("a", PLAIN);
    lab.pod("b", PLAIN);
    assert_eq!((lab.node_of("a").unwrap().as_str(), lab.node_of("b").unwrap().as_str()), ("node02", "node01"));
    assert_eq!(lab.get("b").metadata.labels.unwrap()["topology.kubernetes.io/zone"], "a");
}

#[test]
fn each_node_is_counted_under_its_first_failing_plugin() {
    let mut lab = Lab::new();
    lab.pod("p", &Lab::cpu("2", "nodeSelector: {kubernetes.io/hostname: node02},"));
    let why = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node affinity/selector.";
    assert_eq!(lab.message("p"), format!("{why} {NOT_HELPFUL}"));
}

#[test]
fn a_pod_without_room_waits_for_another_to_go() {
    let mut lab = Lab::new();
    for name in ["a", "b", "c"] {
        lab.pod(name, &Lab::cpu("600m", ""));
    }
    let why = "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are \
               available: 2 No preemption victims found for incoming pod.";
    assert_eq!(lab.message("c"), why);
    let freed = lab.node_of("a");
    lab.delete(Kind::Pod, "a");
    assert_eq!(lab.node_of("c"), freed);
}

#[test]
fn higher_priority_takes_the_place_of_lower() {
    let mut lab = Lab::new();
    lab.create::<PriorityClass>("metadata: {name: high}\nvalue: 1000");
    for name in ["a", "b"] {
        lab.pod(name, &Lab::cpu("600m", ""));
    }
    lab.pod("vip", &Lab::cpu("600m", "priorityClassName: high,"));
    let vip = lab.get("vip");
    let node = vip.spec.unwrap().node_name.unwrap();
    assert_eq!(vip.status.unwrap().nominated_node_name, None);
    let victims: Vec<_> = lab.0.api().events().iter().filter(|e| e.reason == "Preempted").collect();
    let uid = lab.get("vip").metadata.uid.unwrap();
    assert_eq!(victims.len(), 1);
    assert_eq!(victims[0].message, format!("Preempted by pod {uid} on node {node}"));
    assert!(lab.0.api().get::<Pod>("default", &victims[0].involved_object.name).is_none());
}

#[test]
fn a_pod_that_never_preempts_waits() {
    let mut lab = Lab::new();
    lab.create::<PriorityClass>("metadata: {name: polite}\nvalue: 1000\npreemptionPolicy: Never");
    for name in ["a", "b"] {
        lab.pod(name, &Lab::cpu("600m", ""));
    }
    lab.pod("vip", &Lab::cpu("600m", "priorityClassName: polite,"));
    let why = "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: not eligible due \
               to preemptionPolicy=Never.";
    assert_eq!(lab.message("vip"), why);
}

#[test]
fn claims_are_looked_at_before_any_node() {
    let mut lab = Lab::new();
    let spec = "{nodeSelector: {no: where}, containers: [{name: c, image: i}], \
                volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]}";
    lab.pod("p", spec);
    assert_eq!(lab.message("p"), "0/2 nodes are available: persistentvolumeclaim \"data\" not found. not found");
    lab.create::<PersistentVolumeClaim>(
        "metadata: {name: data, namespace: default}\nspec: {storageClassName: none, accessModes: [ReadWriteOnce], \
         resources: {requests: {storage: 1Gi}}}",
    );
    lab.0.settle();
    let unbound = "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found";
    assert_eq!(lab.message("p"), unbound);
    lab.create::<PersistentVolume>(
        "metadata: {name: pv}\nspec: {storageClassName: none, capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], \
         hostPath: {path: /x}}",
    );
    lab.0.settle();
    let selector =
        format!("0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. {NOT_HELPFUL}");
    assert_eq!(lab.message("p"), selector);
    // nothing that concerns NodeAffinity happens when the claim goes
    lab.delete(Kind::PersistentVolumeClaim, "data");
    assert_eq!(lab.message("p"), selector);
}

fn local_volume(lab: &mut Lab, name: &str, node: &str) {
    lab.create::<PersistentVolume>(&format!(
        "metadata: {{name: {name}}}\nspec: {{storageClassName: local, capacity: {{storage: 1Gi}}, accessModes: \
         [ReadWriteOnce], local: {{path: /x}}, nodeAffinity: {{required: {{nodeSelectorTerms: [{{matchExpressions: \
         [{{key: kubernetes.io/hostname, operator: In, values: [{node}]}}]}}]}}}}}}"
    ));
}

fn local_claim(lab: &mut Lab, name: &str) {
    lab.create::<PersistentVolumeClaim>(&format!(
        "metadata: {{name: {name}, namespace: default}}\nspec: {{storageClassName: local, accessModes: [ReadWriteOnce], \
         resources: {{requests: {{storage: 1Gi}}}}}}"
    ));
}

const LOCAL_CLASS: &str =
    "metadata: {name: local}\nprovisioner: kubernetes.io/no-provisioner\nvolumeBindingMode: WaitForFirstConsumer";
const WITH_DATA: &str = "{containers: [{name: c, image: i, volumeMounts: [{name: d, mountPath: /d}]}], \
                         volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]}";

#[test]
fn the_first_consumer_binds_a_volume_of_its_node() {
    let mut lab = Lab::new();
    lab.create::<StorageClass>(LOCAL_CLASS);
    local_volume(&mut lab, "there", "node02");
    local_claim(&mut lab, "data");
    lab.0.settle();
    lab.pod("p", WITH_DATA);
    assert_eq!(lab.node_of("p").as_deref(), Some("node02"));
    let claim = lab.0.api().get::<PersistentVolumeClaim>("default", "data").unwrap();
    assert_eq!(claim.spec.as_ref().unwrap().volume_name.as_deref(), Some("there"));
}

#[test]
fn without_a_volume_to_bind_the_pod_waits_for_one() {
    let mut lab = Lab::new();
    lab.create::<StorageClass>(LOCAL_CLASS);
    local_claim(&mut lab, "data");
    lab.pod("p", WITH_DATA);
    let why = "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind.";
    assert_eq!(lab.message("p"), format!("{why} {NOT_HELPFUL}"));
    local_volume(&mut lab, "late", "node01");
    lab.0.settle();
    assert_eq!(lab.node_of("p").as_deref(), Some("node01"));
}

#[test]
fn an_absent_provisioner_leaves_the_pod_nominated_and_then_fails() {
    let mut lab = Lab::new();
    lab.create::<StorageClass>(
        "metadata: {name: local}\nprovisioner: csi.example.com\nvolumeBindingMode: WaitForFirstConsumer",
    );
    local_claim(&mut lab, "data");
    lab.pod("p", WITH_DATA);
    let status = lab.get("p").status.unwrap();
    assert_eq!((status.nominated_node_name.as_deref(), status.conditions), (Some("node02"), None));
    lab.0.advance(SignedDuration::from_secs(601));
    let why = "running PreBind plugin \"VolumeBinding\": binding volumes: context deadline exceeded";
    assert_eq!(lab.message("p"), why);
}

#[test]
fn a_read_write_once_pod_claim_serves_one_pod() {
    let mut lab = Lab::new();
    lab.create::<PersistentVolume>(
        "metadata: {name: pv}\nspec: {storageClassName: x, capacity: {storage: 1Gi}, accessModes: [ReadWriteOncePod], \
         hostPath: {path: /x}}",
    );
    lab.create::<PersistentVolumeClaim>(
        "metadata: {name: data, namespace: default}\nspec: {storageClassName: x, accessModes: [ReadWriteOncePod], \
         resources: {requests: {storage: 1Gi}}}",
    );
    lab.0.settle();
    lab.pod("a", WITH_DATA);
    lab.pod("b", WITH_DATA);
    assert!(lab.message("b").starts_with(
        "0/2 nodes are available: 2 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode \
         already in-use by another pod. no new claims"
    ));
    lab.delete(Kind::Pod, "a");
    assert!(lab.node_of("b").is_some());
}

#[test]
fn gates_and_foreign_schedulers_keep_the_scheduler_away() {
    let mut lab = Lab::new();
    lab.pod("gated", "{schedulingGates: [{name: x/y}], containers: [{name: c, image: i}]}");
    assert_eq!(lab.node_of("gated"), None);
    assert_eq!(lab.message("gated"), "Scheduling is blocked due to non-empty scheduling gates");
    let mut open = lab.get("gated");
    open.spec.as_mut().unwrap().scheduling_gates = None;
    lab.0.api_mut().update(open).unwrap();
    lab.0.settle();
    assert!(lab.node_of("gated").is_some());
    lab.pod("foreign", "{schedulerName: mine, containers: [{name: c, image: i}]}");
    assert_eq!((lab.node_of("foreign"), lab.get("foreign").status.unwrap().conditions), (None, None));
}

#[test]
fn taints_and_cordons_keep_pods_away() {
    let mut lab = Lab::with(|environment| {
        environment.nodes[0].taints.push("gpu=yes:NoSchedule".to_owned());
        environment.nodes[1].unschedulable = true;
    });
    lab.pod("p", PLAIN);
    let why = "0/2 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable.";
    assert_eq!(lab.message("p"), format!("{why} {NOT_HELPFUL}"));
    lab.pod("t", "{tolerations: [{key: gpu, operator: Exists}], containers: [{name: c, image: i}]}");
    assert_eq!(lab.node_of("t").as_deref(), Some("node01"));
    let mut node = Node::clone(lab.0.api().get::<Node>("", "node01").unwrap());
    node.spec.as_mut().unwrap().taints = None;
    lab.0.api_mut().update(node).unwrap();
    lab.0.settle();
    assert_eq!(lab.node_of("p").as_deref(), Some("node01"));
}

#[test]
fn anti_affinity_and_spread_constraints_count_domains() {
    let mut lab = Lab::new();
    let apart = "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: \
                 kubernetes.io/hostname, labelSelector: {matchLabels: {app: w}}}]}}";
    for name in ["a", "b", "c"] {
        let yaml = format!(
            "metadata: {{name: {name}, namespace: default, labels: {{app: w}}}}\nspec: {{{apart}, containers: [{{name: c, \
             image: i}}]}}"
        );
        lab.create::<Pod>(&yaml);
        lab.0.settle();
    }
    assert_ne!(lab.node_of("a"), lab.node_of("b"));
    assert!(
        lab.message("c").starts_with("0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules. no new")
    );
    lab.delete(Kind::Pod, "a");
    assert!(lab.node_of("c").is_some());

    let spread = "{topologySpreadConstraints: [{maxSkew: 1, topologyKey: rack, whenUnsatisfiable: DoNotSchedule, \
                  labelSelector: {matchLabels: {app: w}}}], containers: [{name: c, image: i}]}";
    lab.pod("s", spread);
    let why = "2 node(s) didn't match pod topology spread constraints (missing required label).";
    assert_eq!(lab.message("s"), format!("0/2 nodes are available: {why} {NOT_HELPFUL}"));
}

#[test]
fn a_host_port_is_taken_once_per_node() {
    let mut lab = Lab::new();
    let spec = "{containers: [{name: c, image: i, ports: [{containerPort: 80, hostPort: 80}]}]}";
    for name in ["a", "b", "c"] {
        lab.pod(name, spec);
    }
    let why = "2 node(s) didn't have free ports for the requested pod ports.";
    assert!(lab.message("c").starts_with(&format!("0/2 nodes are available: {why} no new")));
    let freed = lab.node_of("b");
    lab.delete(Kind::Pod, "b");
    assert_eq!(lab.node_of("c"), freed);
}

#[test]
fn node_names_in_match_fields_restrict_the_search() {
    let mut lab = Lab::new();
    let on = |node: &str| {
        format!(
            "{{affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: \
             [{{matchFields: [{{key: metadata.name, operator: In, values: [{node}]}}]}}]}}}}}}, containers: [{{name: c, \
             image: i}}]}}"
        )
    };
    lab.pod("here", &on("node02"));
    assert_eq!(lab.node_of("here").as_deref(), Some("node02"));
    lab.pod("nowhere", &on("node09"));
    let why = "0/2 nodes are available: 2 node(s) didn't satisfy plugin(s) [NodeAffinity].";
    assert_eq!(lab.message("nowhere"), format!("{why} {NOT_HELPFUL}"));
}

#[test]
fn of_the_pods_that_wait_the_one_tried_longest_ago_goes_first() {
    let mut lab = Lab::new();
    let pinned = "{nodeName: node01, containers: [{name: c, image: i, ports: [{containerPort: 80, hostPort: 80}]}]}";
    let port = "{nodeSelector: {topology.kubernetes.io/zone: a}, containers: [{name: c, image: i, ports: \
                [{containerPort: 80, hostPort: 80}]}]}";
    lab.pod("first", pinned);
    lab.pod("zoe", port);
    lab.pod("adam", port);
    lab.delete(Kind::Pod, "first");
    lab.0.settle();
    assert_eq!((lab.node_of("zoe").as_deref(), lab.node_of("adam")), (Some("node01"), None));
}
