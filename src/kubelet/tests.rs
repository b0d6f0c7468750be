//! Pods on their nodes, in a whole cluster.
#![allow(clippy::unwrap_used)]
use k8s_openapi::api::core::v1::{ConfigMap, ContainerStatus, PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::jiff::SignedDuration;

use super::explain::explain;
use super::volume_manager::without_driver;
use crate::api::object::{Kind, ObjectKey};
use crate::api::server::DeleteOptions;
use crate::api::strategy::Strategy;
use crate::cluster::Cluster;
use crate::environment::{Environment, ExitRule, NodeConfig};

struct Lab(Cluster);

impl Lab {
    fn new() -> Self {
        let rule = |container: &str, code| ExitRule { container: container.to_owned(), code };
        let nodes = vec![NodeConfig {
            allocatable: [("cpu".to_owned(), "1".to_owned())].into(),
            ..NodeConfig::named("node01")
        }];
        let exits = vec![rule("init-*", 0), rule("fail-*", 1)];
        Lab(Cluster::new(Environment { nodes, exits, ..Environment::default() }))
    }

    fn create<T: Strategy>(&mut self, yaml: &str) {
        let object: T = serde_yaml::from_str(yaml).unwrap();
        self.0.api_mut().create(object).map_err(|s| s.message).unwrap();
        self.0.settle();
    }

    fn pod(&mut self, spec: &str) {
        self.create::<Pod>(&format!("metadata: {{name: p, namespace: default}}\nspec: {spec}"));
    }

    fn get(&self) -> Pod {
        Pod::clone(self.0.api().get::<Pod>("default", "p").unwrap())
    }

    fn phase(&self) -> String {
        self.get().status.unwrap().phase.unwrap()
    }

    fn container(&self, name: &str) -> ContainerStatus {
        let status = self.get().status.unwrap();
        let all = status.container_statuses.unwrap_or_default().into_iter();
        all.chain(status.init_container_statuses.unwrap_or_default()).find(|s| s.name == name).unwrap()
    }

    /// `reason: message` of what a container waits for.
    fn waiting(&self, name: &str) -> String {
        let waiting = self.container(name).state.unwrap().waiting.unwrap();
        format!("{}: {}", waiting.reason.unwrap_or_default(), waiting.message.unwrap_or_default())
    }

    fn condition(&self, type_: &str) -> (String, String) {
        let conditions = self.get().status.unwrap().conditions.unwrap();
        let condition = conditions.into_iter().find(|c| c.type_ == type_).unwrap();
        (condition.status, condition.reason.unwrap_or_default())
    }

    fn events(&self, reason: &str) -> Vec<String> {
        self.0.api().events().iter().filter(|e| e.reason == reason).map(|e| e.message.clone()).collect()
    }

    fn delete(&mut self) {
        self.0.api_mut().delete(&ObjectKey::new(Kind::Pod, "default", "p"), &DeleteOptions::default()).unwrap();
        self.0.settle();
    }
}

#[test]
fn init_containers_run_one_after_another_and_sidecars_stay() {
    let mut lab = Lab::new();
    lab.pod(
        "{initContainers: [{name: init-a, image: i}, {name: side, image: i, restartPolicy: Always}, {name: init-b, image: \
         i}], containers: [{name: c, image: i}]}",
    );
    assert_eq!(lab.phase(), "Running");
    for name in ["init-a", "init-b"] {
        let status = lab.container(name);
        assert_eq!((status.ready, status.started), (true, Some(false)), "{name}");
        assert_eq!(status.state.unwrap().terminated.unwrap().reason.as_deref(), Some("Completed"));
    }
    assert!(lab.container("side").state.unwrap().running.is_some() && lab.container("side").ready);
    assert_eq!(lab.condition("Ready").0, "True");
}

#[test]
fn a_running_init_container_holds_the_others_back() {
    let mut lab = Lab::new();
    lab.pod("{initContainers: [{name: setup, image: i}], containers: [{name: c, image: i}]}");
    assert_eq!(lab.phase(), "Pending");
    assert_eq!(lab.waiting("c"), "PodInitializing: ");
    assert_eq!(lab.condition("Initialized"), ("False".to_owned(), "ContainersNotInitialized".to_owned()));
}

#[test]
fn a_container_that_fails_is_restarted_ever_more_slowly() {
    let mut lab = Lab::new();
    lab.pod("{containers: [{name: fail-c, image: i}]}");
    // at once, after 10 s and after 30 s; the next time would be after 70 s
    let uid = lab.get().metadata.uid.unwrap();
    assert_eq!(lab.container("fail-c").restart_count, 3);
    let text = format!("CrashLoopBackOff: back-off 40s restarting failed container=fail-c pod=p_default({uid})");
    assert_eq!(lab.waiting("fail-c"), text);
    assert_eq!(lab.container("fail-c").last_state.unwrap().terminated.unwrap().exit_code, 1);
    assert_eq!(lab.phase(), "Running");
    let event = format!("Back-off restarting failed container fail-c in pod p_default({uid})");
    assert_eq!(lab.events("BackOff"), [event]);
    lab.0.advance(SignedDuration::from_hours(1));
    assert!(lab.waiting("fail-c").contains("back-off 5m0s"));
}

#[test]
fn restart_policies_decide_how_a_pod_ends() {
    let ends = |policy: &str, container: &str| {
        let mut lab = Lab::new();
        lab.pod(&format!("{{restartPolicy: {policy}, containers: [{{name: {container}, image: i}}]}}"));
        (lab.phase(), lab.condition("Ready").1, lab.condition("PodReadyToStartContainers").0)
    };
    let said = |phase: &str, ready: &str| (phase.to_owned(), ready.to_owned(), "False".to_owned());
    assert_eq!(ends("Never", "init-x"), said("Succeeded", "PodCompleted"));
    assert_eq!(ends("OnFailure", "init-x"), said("Succeeded", "PodCompleted"));
    assert_eq!(ends("Never", "fail-x"), said("Failed", "PodFailed"));
    assert_eq!(ends("OnFailure", "fail-x").0, "Running");
}

#[test]
fn a_failed_init_container_fails_a_pod_that_never_restarts() {
    let mut lab = Lab::new();
    lab.pod("{restartPolicy: Never, initContainers: [{name: fail-i, image: i}], containers: [{name: c, image: i}]}");
    assert_eq!(lab.phase(), "Failed");
    assert!(explain(lab.0.api().store(), lab.0.api().events(), &lab.get())[0].contains("fail-i ended with status 1"));
}

#[test]
fn sidecars_are_stopped_when_the_containers_are_done() {
    let mut lab = Lab::new();
    lab.pod(
        "{restartPolicy: Never, initContainers: [{name: side, image: i, restartPolicy: Always}], containers: [{name: \
         init-c, image: i}]}",
    );
    assert_eq!(lab.phase(), "Succeeded");
    assert_eq!(lab.events("Killing"), ["Stopping container side"]);
}

#[test]
fn missing_keys_and_maps_hold_a_container_back_until_they_come() {
    let mut lab = Lab::new();
    let spec = "{containers: [{name: a, image: i, env: [{name: X, valueFrom: {configMapKeyRef: {name: m, key: k}}}]}, \
                {name: b, image: i}]}";
    lab.pod(spec);
    assert_eq!(lab.waiting("a"), "CreateContainerConfigError: configmap \"m\" not found");
    assert!(lab.container("b").ready);
    assert_eq!(lab.phase(), "Pending");
    lab.create::<ConfigMap>("metadata: {name: m, namespace: default}\ndata: {other: '1'}");
    assert_eq!(lab.waiting("a"), "CreateContainerConfigError: couldn't find key k in ConfigMap default/m");
    let mut map = ConfigMap::clone(lab.0.api().get::<ConfigMap>("default", "m").unwrap());
    map.data.get_or_insert_default().insert("k".to_owned(), "v".to_owned());
    lab.0.api_mut().update(map).unwrap();
    lab.0.settle();
    assert_eq!(lab.phase(), "Running");
    assert_eq!(lab.events("Failed").len(), 2);
}

#[test]
fn a_volume_that_cannot_be_mounted_holds_the_pod_back() {
    let mut lab = Lab::new();
    lab.pod(
        "{containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /v}]}], \
         volumes: [{name: v, hostPath: {path: /data, type: Directory}}, {name: unused, configMap: {name: none}}]}",
    );
    let failed = "MountVolume.SetUp failed for volume \"v\" : hostPath type check failed: /data is not a directory";
    assert_eq!(lab.events("FailedMount"), [failed]);
    assert_eq!(lab.waiting("c"), "ContainerCreating: ");
    let why = explain(lab.0.api().store(), lab.0.api().events(), &lab.get());
    assert_eq!(why, [format!("FailedMount: {failed}")]);
}

#[test]
fn a_projected_volume_names_all_its_missing_sources() {
    let mut lab = Lab::new();
    lab.pod(
        "{containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /v}]}], volumes: [{name: v, projected: \
         {sources: [{secret: {name: s}}, {configMap: {name: m}}, {configMap: {name: o, optional: true}}]}}]}",
    );
    let why = "MountVolume.SetUp failed for volume \"v\" : [secret \"s\" not found, configmap \"m\" not found]";
    assert_eq!(lab.events("FailedMount"), [why]);
}

#[test]
fn a_local_volume_on_another_node_is_refused_on_mounting() {
    let mut lab = Lab::new();
    lab.create::<PersistentVolume>(
        "metadata: {name: pv}\nspec: {storageClassName: x, capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], local: \
         {path: /x}, nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, \
         operator: In, values: [elsewhere]}]}]}}}",
    );
    lab.create::<PersistentVolumeClaim>(
        "metadata: {name: data, namespace: default}\nspec: {storageClassName: x, accessModes: [ReadWriteOnce], resources: \
         {requests: {storage: 1Gi}}}",
    );
    lab.pod(
        "{nodeName: node01, containers: [{name: c, image: i, volumeMounts: [{name: d, mountPath: /d}]}], \
         volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]}",
    );
    let why = "MountVolume.NodeAffinity check failed for volume \"pv\" : no matching NodeSelectorTerms";
    assert_eq!(lab.events("FailedMount"), [why]);
}

#[test]
fn a_node_refuses_what_does_not_belong_there() {
    let refused = |spec: &str| {
        let mut lab = Lab::new();
        lab.pod(spec);
        let status = lab.get().status.unwrap();
        (status.phase.unwrap(), status.reason.unwrap(), status.message.unwrap())
    };
    let cpu = "{nodeName: node01, containers: [{name: c, image: i, resources: {requests: {cpu: 2}}}]}";
    let message = "Pod was rejected: Node didn't have enough resource: cpu, requested: 2000, used: 0, capacity: 1000";
    assert_eq!(refused(cpu), ("Failed".into(), "OutOfcpu".into(), message.into()));
    let selector = "{nodeName: node01, nodeSelector: {disk: ssd}, containers: [{name: c, image: i}]}";
    let message = "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector";
    assert_eq!(refused(selector), ("Failed".into(), "NodeAffinity".into(), message.into()));
}

#[test]
fn a_deleted_pod_stops_and_goes() {
    let mut lab = Lab::new();
    lab.pod("{containers: [{name: a, image: i}, {name: b, image: i}]}");
    lab.delete();
    assert!(lab.0.api().get::<Pod>("default", "p").is_none());
    assert_eq!(lab.events("Killing"), ["Stopping container a", "Stopping container b"]);
}

#[test]
fn a_finalizer_keeps_a_stopped_pod() {
    let mut lab = Lab::new();
    lab.create::<Pod>(
        "metadata: {name: p, namespace: default, finalizers: [x.io/keep]}\nspec: {containers: [{name: c, image: i}]}",
    );
    lab.delete();
    assert_eq!(lab.phase(), "Succeeded");
    assert_eq!(lab.get().metadata.deletion_grace_period_seconds, Some(0));
    let why = explain(lab.0.api().store(), lab.0.api().events(), &lab.get());
    assert_eq!(why, ["is being deleted; finalizers hold it: x.io/keep"]);
}

#[test]
fn a_new_image_restarts_a_container_in_place() {
    let mut lab = Lab::new();
    lab.pod("{containers: [{name: c, image: 'nginx:1'}]}");
    let mut pod = lab.get();
    pod.spec.as_mut().unwrap().containers[0].image = Some("nginx:2".to_owned());
    lab.0.api_mut().update(pod).unwrap();
    lab.0.settle();
    let status = lab.container("c");
    assert_eq!((status.restart_count, status.image.as_str(), status.ready), (1, "nginx:2", true));
    assert_eq!(lab.events("Killing"), ["Container c definition changed, will be restarted"]);
}

#[test]
fn probes_take_their_time() {
    let mut lab = Lab::new();
    lab.pod("{containers: [{name: c, image: i, readinessProbe: {initialDelaySeconds: 300, tcpSocket: {port: 80}}}]}");
    assert_eq!((lab.phase(), lab.container("c").ready), ("Running".to_owned(), false));
    lab.0.advance(SignedDuration::from_secs(300));
    assert!(lab.container("c").ready);
}

#[test]
fn an_active_deadline_ends_a_pod() {
    let mut lab = Lab::new();
    lab.pod("{activeDeadlineSeconds: 30, containers: [{name: c, image: i}]}");
    let status = lab.get().status.unwrap();
    assert_eq!((status.phase.as_deref(), status.reason.as_deref()), (Some("Failed"), Some("DeadlineExceeded")));
    assert_eq!(lab.condition("Ready"), ("False".to_owned(), "PodFailed".to_owned()));
}

#[test]
fn run_as_non_root_is_held_against_images_that_run_as_root() {
    let mut lab = Lab::new();
    lab.pod("{securityContext: {runAsNonRoot: true}, containers: [{name: c, image: i}]}");
    assert!(lab.waiting("c").starts_with(
        "CreateContainerConfigError: container has runAsNonRoot and image will run as root (pod: \"p_default("
    ));
}

/// A cluster of two nodes in which these storage drivers are installed.
fn with_drivers(drivers: &[&str]) -> Lab {
    let provisioners = drivers.iter().map(|driver| (*driver).to_owned()).collect();
    Lab(Cluster::new(Environment { provisioners, ..Environment::default() }))
}

fn claim_of_driver(lab: &mut Lab, source: &str, modes: &str) {
    lab.create::<PersistentVolume>(&format!(
        "metadata: {{name: pv}}\nspec: {{storageClassName: x, capacity: {{storage: 1Gi}}, accessModes: {modes}, {source}}}"
    ));
    lab.create::<PersistentVolumeClaim>(&format!(
        "metadata: {{name: data, namespace: default}}\nspec: {{storageClassName: x, accessModes: {modes}, resources: \
         {{requests: {{storage: 1Gi}}}}}}"
    ));
}

const VSPHERE: &str = "csi: {driver: csi.vsphere.vmware.com, volumeHandle: disk-1}";
const MOUNTS_CLAIM: &str = "containers: [{name: c, image: i, volumeMounts: [{name: d, mountPath: /d}]}], \
                            volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]";

#[test]
fn the_volume_of_an_installed_driver_is_attached_and_mounted() {
    let mut lab = with_drivers(&["csi.vsphere.vmware.com"]);
    claim_of_driver(&mut lab, VSPHERE, "[ReadWriteOnce]");
    lab.pod(&format!("{{{MOUNTS_CLAIM}}}"));
    assert_eq!(lab.phase(), "Running");
    assert_eq!(lab.events("SuccessfulAttachVolume"), ["AttachVolume.Attach succeeded for volume \"pv\""]);
}

#[test]
fn a_cloud_disk_is_mounted_by_the_driver_that_took_over_from_its_plugin() {
    let disk = "awsElasticBlockStore: {volumeID: vol-1}";
    for (drivers, phase) in
        [(["ebs.csi.aws.com"], "Running"), (["kubernetes.io/aws-ebs"], "Running"), (["other.io"], "Pending")]
    {
        let mut lab = with_drivers(&drivers);
        claim_of_driver(&mut lab, disk, "[ReadWriteOnce]");
        lab.pod(&format!("{{{MOUNTS_CLAIM}}}"));
        assert_eq!(lab.phase(), phase, "{drivers:?}");
    }
}

#[test]
fn without_its_driver_a_volume_is_not_attached_and_that_is_explained() {
    let mut lab = with_drivers(&[]);
    claim_of_driver(&mut lab, VSPHERE, "[ReadWriteOnce]");
    lab.pod(&format!("{{{MOUNTS_CLAIM}}}"));
    assert_eq!(lab.waiting("c"), "ContainerCreating: ");
    let why = without_driver(lab.0.api().store(), lab.0.environment(), &lab.get());
    let said = "waits for volume \"pv\", which nobody attaches: CSI driver csi.vsphere.vmware.com is not installed in this \
                cluster";
    assert_eq!(why, [said]);
}

#[test]
fn drivers_whose_volumes_are_not_attached_are_missed_on_mounting() {
    let mut lab = with_drivers(&[]);
    claim_of_driver(&mut lab, "csi: {driver: nfs.csi.k8s.io, volumeHandle: share}", "[ReadWriteMany]");
    lab.pod(&format!("{{{MOUNTS_CLAIM}}}"));
    let why = "MountVolume.MountDevice failed for volume \"pv\" : kubernetes.io/csi: attacher.MountDevice failed to create \
               newCsiDriverClient: driver name nfs.csi.k8s.io not found in the list of registered CSI drivers";
    assert_eq!(lab.events("FailedMount"), [why]);
}

#[test]
fn a_volume_for_one_node_is_not_attached_to_a_second_until_the_first_gives_it_back() {
    let mut lab = with_drivers(&["csi.vsphere.vmware.com"]);
    claim_of_driver(&mut lab, VSPHERE, "[ReadWriteOnce]");
    lab.pod(&format!("{{nodeName: node01, {MOUNTS_CLAIM}}}"));
    lab.create::<Pod>(&format!(
        "metadata: {{name: q, namespace: default}}\nspec: {{nodeName: node02, {MOUNTS_CLAIM}}}"
    ));
    let why = "Multi-Attach error for volume \"pv\" Volume is already used by pod(s) p";
    assert_eq!(lab.events("FailedAttachVolume"), [why]);
    let phase = |lab: &Lab| lab.0.api().get::<Pod>("default", "q").unwrap().status.clone().unwrap().phase.unwrap();
    assert_eq!(phase(&lab), "Pending");
    lab.delete();
    assert_eq!(phase(&lab), "Running");
}

#[test]
fn a_volume_for_several_nodes_is_attached_to_all() {
    let mut lab = with_drivers(&["csi.vsphere.vmware.com"]);
    claim_of_driver(&mut lab, VSPHERE, "[ReadWriteMany]");
    lab.pod(&format!("{{nodeName: node01, {MOUNTS_CLAIM}}}"));
    lab.create::<Pod>(&format!(
        "metadata: {{name: q, namespace: default}}\nspec: {{nodeName: node02, {MOUNTS_CLAIM}}}"
    ));
    assert_eq!(lab.events("FailedAttachVolume"), [""; 0]);
    assert_eq!(lab.events("SuccessfulAttachVolume").len(), 2);
}

#[test]
fn every_volume_that_cannot_be_mounted_is_explained() {
    let mut lab = Lab::new();
    lab.pod(
        "{containers: [{name: c, image: i, volumeMounts: [{name: a, mountPath: /a}, {name: b, mountPath: /b}]}], \
         volumes: [{name: a, configMap: {name: m}}, {name: b, secret: {secretName: s}}]}",
    );
    let why = explain(lab.0.api().store(), lab.0.api().events(), &lab.get());
    let expected = [
        "FailedMount: MountVolume.SetUp failed for volume \"a\" : configmap \"m\" not found",
        "FailedMount: MountVolume.SetUp failed for volume \"b\" : secret \"s\" not found",
    ];
    assert_eq!(why, expected);
    lab.0.advance(SignedDuration::from_secs(5));
    lab.create::<ConfigMap>("metadata: {name: m, namespace: default}");
    let why = explain(lab.0.api().store(), lab.0.api().events(), &lab.get());
    assert_eq!(why, expected[1..]);
}

#[test]
fn what_never_ran_of_a_pod_that_is_over_counts_as_failed() {
    let mut lab = Lab::new();
    let missing = "{name: c, image: i, envFrom: [{configMapRef: {name: none}}]}";
    lab.pod(&format!("{{activeDeadlineSeconds: 5, containers: [{missing}, {{name: d, image: i}}]}}"));
    assert_eq!(lab.phase(), "Failed");
    let terminated = lab.container("c").state.unwrap().terminated.unwrap();
    assert_eq!((terminated.exit_code, terminated.reason.as_deref()), (137, Some("ContainerStatusUnknown")));
    let mut lab = Lab::new();
    lab.pod(
        "{restartPolicy: Never, initContainers: [{name: fail-i, image: i}, {name: j, image: i}], containers: [{name: c, \
         image: i}]}",
    );
    assert_eq!((lab.waiting("c"), lab.waiting("j")), ("PodInitializing: ".to_owned(), "PodInitializing: ".to_owned()));
}

#[test]
fn a_container_that_is_not_there_has_no_resources_to_tell() {
    let mut lab = Lab::new();
    let reference = "resourceFieldRef: {resource: limits.cpu, containerName: other}";
    lab.pod(&format!("{{containers: [{{name: c, image: i, env: [{{name: X, valueFrom: {{{reference}}}}}]}}]}}"));
    assert_eq!(lab.waiting("c"), "CreateContainerConfigError: container other not found");
    let mut lab = Lab::new();
    lab.pod(&format!(
        "{{containers: [{{name: c, image: i, volumeMounts: [{{name: v, mountPath: /d}}]}}], volumes: [{{name: v, \
         downwardAPI: {{items: [{{path: a, {reference}}}]}}}}]}}"
    ));
    assert_eq!(lab.events("FailedMount"), ["MountVolume.SetUp failed for volume \"v\" : container other not found"]);
}

#[test]
fn a_pod_on_its_nodes_network_has_the_address_before_it_runs() {
    let mut lab = Lab::new();
    lab.pod(
        "{hostNetwork: true, containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /d}]}], volumes: [{name: \
         v, configMap: {name: none}}]}",
    );
    let status = lab.get().status.unwrap();
    assert!(status.pod_ip.is_some() && status.pod_ip == status.host_ip);
}

#[test]
fn a_sysctl_that_is_not_safe_is_refused() {
    let mut lab = Lab::new();
    lab.pod("{securityContext: {sysctls: [{name: kernel.msgmax, value: '1'}]}, containers: [{name: c, image: i}]}");
    let status = lab.get().status.unwrap();
    assert_eq!(status.reason.as_deref(), Some("SysctlForbidden"));
    let message = "Pod was rejected: forbidden sysctl: \"kernel.msgmax\" not allowlisted";
    assert_eq!(status.message.as_deref(), Some(message));
}

#[test]
fn a_persistent_volume_whose_plugin_is_gone_is_not_even_planned() {
    let mut lab = Lab::new();
    lab.create::<PersistentVolume>(
        "{metadata: {name: pv}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], storageClassName: '', \
         glusterfs: {endpoints: e, path: p}}}",
    );
    lab.create::<PersistentVolumeClaim>(
        "{metadata: {name: data, namespace: default}, spec: {accessModes: [ReadWriteOnce], storageClassName: '', resources: \
         {requests: {storage: 1Gi}}}}",
    );
    lab.pod(
        "{containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /d}]}], volumes: [{name: v, \
         persistentVolumeClaim: {claimName: data}}]}",
    );
    let said = lab.events("FailedMount");
    let words = ": failed to get Plugin from volumeSpec for volume \"pv\" err=no volume plugin matched";
    assert!(said.len() == 1 && said[0].ends_with(words), "{said:?}");
}
