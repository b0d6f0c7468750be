//! What the workload controllers do together.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::storage::v1::StorageClass;
use serde_json::{Value, json};

use super::testing::World;
use crate::api::object::{ApiObject, Kind};
use crate::api::server::Propagation;
use crate::environment::Environment;

fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": image}]}})
}

fn deployment(replicas: i32) -> Value {
    json!({"metadata": {"name": "web"}, "spec": {"replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}}, "template": template("nginx:1.25")}})
}

fn set(replicas: i32, more: Value) -> Value {
    let mut set = json!({"metadata": {"name": "db"}, "spec": {"replicas": replicas, "serviceName": "db",
        "selector": {"matchLabels": {"app": "web"}}, "template": template("mysql:8")}});
    for (key, value) in more.as_object().unwrap() {
        set["spec"][key] = value.clone();
    }
    set
}

fn claim_template() -> Value {
    json!([{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}}}}])
}

fn set_image(template: &mut k8s_openapi::api::core::v1::PodTemplateSpec, image: &str) {
    template.spec.as_mut().unwrap().containers[0].image = Some(image.to_owned());
}

fn condition(world: &World, type_: &str) -> (String, String) {
    let deployment = world.get::<Deployment>("web");
    let conditions = deployment.status.as_ref().unwrap().conditions.clone().unwrap();
    let condition = conditions.into_iter().find(|c| c.type_ == type_).unwrap();
    (condition.status, condition.reason.unwrap())
}

/// The sizes of a Deployment's ReplicaSets, oldest first.
fn sizes(world: &World) -> Vec<i32> {
    let mut sets: Vec<&ReplicaSet> = world.api.store().list_in::<ReplicaSet>("default").map(AsRef::as_ref).collect();
    sets.sort_by_key(|s| s.annotation("deployment.kubernetes.io/revision").map(str::to_owned));
    sets.iter().map(|s| s.spec.as_ref().unwrap().replicas.unwrap()).collect()
}

fn stuck(world: &mut World) {
    world.edit::<Deployment>("web", |d| {
        let template = &mut d.spec.as_mut().unwrap().template;
        set_image(template, "nginx:1.26");
        let labels = template.metadata.as_mut().unwrap().labels.as_mut().unwrap();
        labels.insert("never-ready".to_owned(), "true".to_owned());
    });
    world.settle();
}

#[test]
fn a_deployment_rolls_over_to_a_new_template() {
    let mut world = World::new();
    world.create::<Deployment>(deployment(4));
    world.settle();
    assert_eq!(condition(&world, "Progressing"), ("True".to_owned(), "NewReplicaSetAvailable".to_owned()));
    world.edit::<Deployment>("web", |d| set_image(&mut d.spec.as_mut().unwrap().template, "nginx:1.26"));
    world.settle();
    assert_eq!(sizes(&world), [0, 4]);
    assert_eq!(world.names::<Pod>().len(), 4);
    assert_eq!(condition(&world, "Available"), ("True".to_owned(), "MinimumReplicasAvailable".to_owned()));
}

#[test]
fn a_stuck_rollout_stops_at_surge_and_unavailable_and_is_scaled_in_proportion() {
    let mut world = World::new();
    world.create::<Deployment>(deployment(4));
    world.settle();
    stuck(&mut world);
    assert_eq!(sizes(&world), [3, 2]);
    world.edit::<Deployment>("web", |d| d.spec.as_mut().unwrap().replicas = Some(8));
    world.settle();
    assert_eq!(sizes(&world), [6, 4]);
}

#[test]
fn a_stuck_rollout_times_out_after_its_deadline() {
    let mut world = World::new();
    world.create::<Deployment>(deployment(1));
    world.settle();
    stuck(&mut world);
    assert_eq!(condition(&world, "Progressing").1, "ReplicaSetUpdated");
    world.wait(610);
    assert_eq!(condition(&world, "Progressing"), ("False".to_owned(), "ProgressDeadlineExceeded".to_owned()));
}

#[test]
fn undoing_gives_the_old_replica_set_the_next_revision() {
    let mut world = World::new();
    world.create::<Deployment>(deployment(1));
    world.settle();
    for image in ["nginx:1.26", "nginx:1.25"] {
        world.edit::<Deployment>("web", |d| set_image(&mut d.spec.as_mut().unwrap().template, image));
        world.settle();
    }
    let history: Vec<_> = world
        .api
        .store()
        .list_in::<ReplicaSet>("default")
        .map(|s| s.annotation("deployment.kubernetes.io/revision-history").map(str::to_owned))
        .collect();
    assert_eq!(history.len(), 2);
    assert!(history.contains(&Some("1".to_owned())));
    assert_eq!(world.get::<Deployment>("web").annotation("deployment.kubernetes.io/revision"), Some("3"));
}

#[test]
fn recreate_stops_all_pods_before_it_makes_new_ones() {
    let mut world = World::new();
    let mut recreate = deployment(2);
    recreate["spec"]["strategy"] = json!({"type": "Recreate"});
    world.create::<Deployment>(recreate);
    world.settle();
    world.edit::<Deployment>("web", |d| set_image(&mut d.spec.as_mut().unwrap().template, "nginx:1.26"));
    world.settle();
    assert_eq!(sizes(&world), [0, 2]);
    let events = world.events(Kind::Deployment);
    assert!(events[1].ends_with("from 2 to 0") && events[2].ends_with("from 0 to 2"), "{events:?}");
}

#[test]
fn deleting_a_deployment_removes_its_replica_sets_and_pods_unless_orphaned() {
    for propagation in [Propagation::Background, Propagation::Foreground, Propagation::Orphan] {
        let mut world = World::new();
        world.create::<Deployment>(deployment(2));
        world.settle();
        world.delete(Kind::Deployment, "web", propagation);
        world.settle();
        assert!(world.names::<Deployment>().is_empty());
        let left = if propagation == Propagation::Orphan { (1, 2) } else { (0, 0) };
        assert_eq!((world.names::<ReplicaSet>().len(), world.names::<Pod>().len()), left, "{propagation:?}");
        let owned = |s: &std::sync::Arc<ReplicaSet>| s.controller().is_some();
        assert!(!world.api.store().list_in::<ReplicaSet>("default").any(owned));
    }
}

#[test]
fn a_stateful_set_makes_its_pods_in_order_each_with_its_claim() {
    let mut world = World::new();
    world.create::<StatefulSet>(set(
        2,
        json!({"podManagementPolicy": "Parallel",
        "volumeClaimTemplates": claim_template()}),
    ));
    world.settle();
    assert_eq!(world.names::<PersistentVolumeClaim>(), ["data-db-0", "data-db-1"]);
    assert_eq!(world.names::<Pod>(), ["db-0", "db-1"]);
    let pod = world.get::<Pod>("db-1");
    assert_eq!(pod.label("apps.kubernetes.io/pod-index"), Some("1"));
    assert_eq!(pod.spec.as_ref().unwrap().subdomain.as_deref(), Some("db"));
    assert_eq!(
        world.events(Kind::StatefulSet),
        [
            "Create Claim data-db-0 Pod db-0 in StatefulSet db success",
            "Create Pod db-0 in StatefulSet db successful",
            "Create Claim data-db-1 Pod db-1 in StatefulSet db success",
            "Create Pod db-1 in StatefulSet db successful",
        ]
    );
}

#[test]
fn an_ordered_set_stops_at_a_pod_that_is_not_ready() {
    let mut world = World::new();
    let mut broken = set(3, json!({}));
    broken["spec"]["template"]["metadata"]["labels"]["never-ready"] = "true".into();
    world.create::<StatefulSet>(broken);
    world.settle();
    assert_eq!(world.names::<Pod>(), ["db-0"]);
    // nor does it scale down before that pod is ready
    world.edit::<StatefulSet>("db", |s| s.spec.as_mut().unwrap().replicas = Some(0));
    world.settle();
    assert!(world.names::<Pod>().is_empty(), "the lowest unhealthy pod may go");
}

#[test]
fn an_update_goes_from_the_highest_ordinal_down_to_the_partition() {
    let mut world = World::new();
    world.create::<StatefulSet>(set(3, json!({"updateStrategy": {"rollingUpdate": {"partition": 1}}})));
    world.settle();
    world.edit::<StatefulSet>("db", |s| set_image(&mut s.spec.as_mut().unwrap().template, "mysql:9"));
    world.settle();
    let image = |name: &str| world.get::<Pod>(name).spec.as_ref().unwrap().containers[0].image.clone().unwrap();
    assert_eq!([image("db-0"), image("db-1"), image("db-2")], ["mysql:8", "mysql:9", "mysql:9"]);
    let deleted: Vec<String> =
        world.events(Kind::StatefulSet).into_iter().filter(|e| e.starts_with("Delete")).collect();
    assert_eq!(
        deleted,
        ["Delete Pod db-2 in StatefulSet db successful", "Delete Pod db-1 in StatefulSet db successful"]
    );
    let status = world.get::<StatefulSet>("db").status.clone().unwrap();
    assert_eq!((status.current_replicas, status.updated_replicas), (Some(1), Some(2)));
    assert_ne!(status.current_revision, status.update_revision);
}

#[test]
fn a_pod_below_the_partition_comes_back_at_the_old_revision() {
    let mut world = World::new();
    world.create::<StatefulSet>(set(2, json!({"updateStrategy": {"rollingUpdate": {"partition": 2}}})));
    world.settle();
    world.edit::<StatefulSet>("db", |s| set_image(&mut s.spec.as_mut().unwrap().template, "mysql:9"));
    world.delete(Kind::Pod, "db-0", Propagation::Background);
    world.settle();
    let pod = world.get::<Pod>("db-0");
    assert_eq!(pod.spec.as_ref().unwrap().containers[0].image.as_deref(), Some("mysql:8"));
}

#[test]
fn min_ready_seconds_holds_up_the_next_pod() {
    let mut world = World::new();
    world.create::<StatefulSet>(set(2, json!({"minReadySeconds": 90})));
    world.settle();
    assert_eq!(world.names::<Pod>(), ["db-0"]);
    let available = |world: &World| world.get::<StatefulSet>("db").status.clone().unwrap().available_replicas;
    assert_eq!(available(&world), Some(0));
    world.wait(90);
    world.settle();
    assert_eq!(world.names::<Pod>(), ["db-0", "db-1"]);
    assert_eq!(available(&world), Some(1));
}

#[test]
fn scaling_down_takes_the_highest_first_and_leaves_or_removes_the_claims() {
    for (policy, left) in [("Retain", 3), ("Delete", 1)] {
        let mut world = World::new();
        world.create::<StatefulSet>(set(
            3,
            json!({"podManagementPolicy": "Parallel",
            "volumeClaimTemplates": claim_template(),
            "persistentVolumeClaimRetentionPolicy": {"whenScaled": policy}}),
        ));
        world.settle();
        world.edit::<StatefulSet>("db", |s| s.spec.as_mut().unwrap().replicas = Some(1));
        world.settle();
        assert_eq!(world.names::<Pod>(), ["db-0"]);
        assert_eq!(world.names::<PersistentVolumeClaim>().len(), left, "{policy}");
    }
}

#[test]
fn claims_go_with_the_set_if_it_says_so() {
    let mut world = World::new();
    world.create::<StatefulSet>(set(
        1,
        json!({"volumeClaimTemplates": claim_template(),
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}),
    ));
    world.settle();
    assert!(world.get::<PersistentVolumeClaim>("data-db-0").controller().is_some());
    world.delete(Kind::StatefulSet, "db", Propagation::Background);
    world.settle();
    assert!(world.names::<PersistentVolumeClaim>().is_empty());
}

#[test]
fn a_lost_claim_of_a_waiting_pod_returns() {
    let mut world = World::new();
    world.create::<StatefulSet>(set(1, json!({"volumeClaimTemplates": claim_template()})));
    world.settle();
    assert_eq!(world.get::<Pod>("db-0").status.as_ref().unwrap().phase.as_deref(), Some("Pending"));
    let uid = world.get::<PersistentVolumeClaim>("data-db-0").uid().to_owned();
    world.delete(Kind::PersistentVolumeClaim, "data-db-0", Propagation::Background);
    world.settle();
    assert_ne!(world.get::<PersistentVolumeClaim>("data-db-0").uid(), uid);
}

#[test]
fn a_replica_set_adopts_pods_that_match_and_gives_up_the_unscheduled_one() {
    let mut world = World::new();
    let pod = |name: &str, selector: Value| {
        json!({"metadata": {"name": name, "labels": {"app": "web"}},
            "spec": {"nodeSelector": selector, "containers": [{"name": "web", "image": "nginx"}]}})
    };
    world.create::<Pod>(pod("a", json!({"disk": "ssd"})));
    world.create::<Pod>(pod("b", json!({})));
    world.settle();
    world.create::<ReplicaSet>(json!({"metadata": {"name": "front"}, "spec": {"replicas": 1,
        "selector": {"matchLabels": {"app": "web"}}, "template": template("nginx")}}));
    world.settle();
    assert_eq!(world.names::<Pod>(), ["b"]);
    assert_eq!(world.events(Kind::ReplicaSet), ["Deleted pod: a"]);
}

#[test]
fn endpoints_follow_the_pods_of_a_service() {
    let mut world = World::new();
    world.create::<Service>(json!({"metadata": {"name": "db"}, "spec": {"clusterIP": "None",
        "selector": {"app": "web"}, "ports": [{"port": 3306}]}}));
    world.settle();
    let slice = |world: &World| {
        let slices: Vec<_> = world.api.store().list_in::<EndpointSlice>("default").cloned().collect();
        assert_eq!(slices.len(), 1);
        slices[0].clone()
    };
    let placeholder = slice(&world);
    assert!(placeholder.endpoints.is_none() && placeholder.ports.is_none());
    world.create::<StatefulSet>(set(2, json!({})));
    world.settle();
    let filled = slice(&world);
    assert_eq!(filled.name(), placeholder.name());
    let hostnames: Vec<_> = filled.endpoints.iter().flatten().map(|e| e.hostname.clone().unwrap()).collect();
    assert_eq!(hostnames, ["db-0", "db-1"]);
    assert_eq!(filled.metadata.generation, Some(3));
    world.edit::<StatefulSet>("db", |s| s.spec.as_mut().unwrap().replicas = Some(0));
    world.settle();
    assert!(slice(&world).endpoints.is_none());
    world.delete(Kind::Service, "db", Propagation::Background);
    world.settle();
    assert!(world.names::<EndpointSlice>().is_empty());
}

fn job(container: &str, more: Value) -> Value {
    let mut job = json!({"metadata": {"name": "work"}, "spec": {"template": {"spec": {"restartPolicy": "Never",
        "containers": [{"name": container, "image": "busybox"}]}}}});
    for (key, value) in more.as_object().unwrap() {
        job["spec"][key] = value.clone();
    }
    job
}

#[test]
fn a_job_is_complete_when_enough_pods_have_succeeded() {
    let mut world = World::new();
    world.create::<Job>(job("exit-0", json!({"completions": 3, "parallelism": 2})));
    world.settle();
    let status = world.get::<Job>("work").status.clone().unwrap();
    assert_eq!((status.succeeded, status.active, status.failed), (Some(3), None, None));
    let types: Vec<_> = status.conditions.unwrap().into_iter().map(|c| c.type_).collect();
    assert_eq!(types, ["SuccessCriteriaMet", "Complete"]);
    assert_eq!(world.names::<Pod>().len(), 3);
    assert_eq!(world.events(Kind::Job).last().unwrap(), "Job completed");
    assert!(world.api.store().list_in::<Pod>("default").all(|p| p.metadata.finalizers.is_none()));
}

#[test]
fn a_job_fails_at_its_backoff_limit() {
    let mut world = World::new();
    world.create::<Job>(job("exit-1", json!({"backoffLimit": 1})));
    world.settle();
    let status = world.get::<Job>("work").status.clone().unwrap();
    assert_eq!(status.failed, Some(2));
    let types: Vec<_> = status.conditions.unwrap().into_iter().map(|c| (c.type_, c.reason.unwrap())).collect();
    let reason = "BackoffLimitExceeded".to_owned();
    assert_eq!(types, [("FailureTarget".to_owned(), reason.clone()), ("Failed".to_owned(), reason)]);
}

#[test]
fn an_indexed_job_has_one_pod_for_each_index() {
    let mut world = World::new();
    world.create::<Job>(job("exit-0", json!({"completionMode": "Indexed", "completions": 4, "parallelism": 4})));
    world.settle();
    assert_eq!(world.get::<Job>("work").status.as_ref().unwrap().completed_indexes.as_deref(), Some("0-3"));
    let hostnames: std::collections::BTreeSet<_> =
        world.api.store().list_in::<Pod>("default").map(|p| p.spec.clone().unwrap().hostname.unwrap()).collect();
    assert_eq!(hostnames.into_iter().collect::<Vec<_>>(), ["work-0", "work-1", "work-2", "work-3"]);
}

#[test]
fn a_cron_job_makes_jobs_when_time_passes_and_keeps_three() {
    let mut world = World::new();
    world.create::<CronJob>(json!({"metadata": {"name": "tick"}, "spec": {"schedule": "* * * * *",
        "jobTemplate": {"spec": job("exit-0", json!({}))["spec"]}}}));
    world.settle();
    assert!(world.names::<Job>().is_empty(), "settling does not wait for a schedule");
    world.wait(60);
    world.settle();
    assert_eq!(world.names::<Job>().len(), 1);
    world.wait(300);
    world.settle();
    assert_eq!(world.names::<Job>().len(), 3);
    assert!(world.events(Kind::CronJob).iter().any(|e| e.starts_with("Saw completed job: tick-")));
}

#[test]
fn a_daemon_set_has_one_pod_on_every_node_and_updates_one_at_a_time() {
    let mut world = World::new();
    world.create::<DaemonSet>(json!({"metadata": {"name": "agent"}, "spec": {
        "selector": {"matchLabels": {"app": "web"}}, "template": template("agent:1")}}));
    world.settle();
    let nodes = |world: &World| -> Vec<String> {
        let mut nodes: Vec<String> =
            world.api.store().list_in::<Pod>("default").map(|p| p.spec.clone().unwrap().node_name.unwrap()).collect();
        nodes.sort();
        nodes
    };
    assert_eq!(nodes(&world), ["node01", "node02"]);
    world.edit::<DaemonSet>("agent", |s| set_image(&mut s.spec.as_mut().unwrap().template, "agent:2"));
    world.settle();
    assert_eq!(nodes(&world), ["node01", "node02"]);
    let status = world.get::<DaemonSet>("agent").status.clone().unwrap();
    assert_eq!((status.updated_number_scheduled, status.number_available), (Some(2), Some(2)));
}

#[test]
#[ignore = "a measurement"]
fn time_of_large_sets() {
    for policy in ["OrderedReady", "Parallel"] {
        for replicas in [125, 250, 500, 1000] {
            let mut environment = Environment::default();
            environment.provisioners.push("kubernetes.io/host-path".to_owned());
            environment.nodes[0].allocatable.insert("pods".to_owned(), "5000".to_owned());
            let mut world = World::with(environment);
            world.create::<StorageClass>(json!({"metadata": {"name": "fast",
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
                "provisioner": "kubernetes.io/host-path"}));
            let mut more = claim_template();
            more[0]["metadata"]["name"] = "logs".into();
            let templates = json!([claim_template()[0], more[0]]);
            world.create::<Service>(json!({"metadata": {"name": "db"}, "spec": {"clusterIP": "None",
                "selector": {"app": "web"}, "ports": [{"port": 3306}]}}));
            world.create::<StatefulSet>(set(
                replicas,
                json!({"podManagementPolicy": policy,
                "volumeClaimTemplates": templates}),
            ));
            let start = std::time::Instant::now();
            world.settle();
            assert_eq!(world.names::<Pod>().len(), usize::try_from(replicas).unwrap());
            println!("{policy} {replicas}: {:?}", start.elapsed());
        }
    }
}
