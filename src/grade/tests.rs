#![allow(clippy::unwrap_used)]
use super::{Finding, Grade, Verdict, grade};
use crate::scenario::Scenario;
use crate::timeline::ManifestFile;

/// A scenario with one check; the namespace `a` is there.
fn scenario(rest: &str) -> Scenario {
    let text = "title = { en = \"a\", zh-TW = \"b\" }";
    let source = format!(
        "format = 1\nid = \"scenario-1\"\nchapter = \"1\"\nlevel = \"exam\"\nminutes = 1\n{text}\n{}\n\
         [cluster]\nobjects = '''\napiVersion: v1\nkind: Namespace\nmetadata: {{name: a}}\n'''\n\
         [[checks]]\nid = \"x\"\npoints = 3\n{text}\n{rest}\n",
        text.replace("title", "task")
    );
    Scenario::parse(&source, "scenario-1.toml").unwrap()
}

fn play(rest: &str, answer: &str) -> Grade {
    let file = ManifestFile { name: "a.yaml".to_owned(), bytes: answer.as_bytes().to_vec() };
    grade(&scenario(rest), &[file]).unwrap()
}

fn passes(rest: &str, answer: &str) -> bool {
    play(rest, answer).is_full()
}

fn finding(rest: &str, answer: &str) -> Finding {
    match play(rest, answer).checks.pop().unwrap().verdict {
        Verdict::Failed(failure) => failure.finding,
        other => unreachable!("{other:?}"),
    }
}

fn config_map(name: &str) -> String {
    format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: a}}\ndata: {{key: v-{name}}}\n")
}

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: a}\n";

#[test]
fn expect_without_a_name_is_met_by_any_object() {
    let rest = format!("expect = '''\n{MAP}data: {{key: v-two}}\n'''");
    assert!(passes(&rest, &(config_map("one") + &config_map("two"))));
    assert!(
        matches!(finding(&rest, &config_map("one")), Finding::NoneLike { nearest: Some(key), .. } if key.name == "one")
    );
}

#[test]
fn a_missing_object_may_be_elsewhere_or_misspelt() {
    let rest = "expect = '''\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: a}\n'''";
    let instead = |answer: &str| match finding(rest, answer) {
        Finding::Missing { instead, .. } => instead.map(|key| format!("{}/{}", key.namespace, key.name)),
        other => unreachable!("{other:?}"),
    };
    assert_eq!(instead(&config_map("setings")).as_deref(), Some("a/setings"));
    assert_eq!(
        instead("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n").as_deref(),
        Some("default/settings")
    );
    assert_eq!(instead(""), None);
}

#[test]
fn absent_fails_when_such_an_object_is_there() {
    let rest = format!("absent = '''\n{MAP}data: {{key: v-two}}\n'''");
    assert!(passes(&rest, &config_map("one")));
    assert!(
        matches!(finding(&rest, &config_map("two")), Finding::Present { fields, .. } if fields == [("data.key".to_owned(), "v-two".into())])
    );
}

#[test]
fn count_has_two_ends() {
    let rest = format!("count = {{ min = 2, max = 3, like = '''\n{MAP}data: {{key: <any>}}\n''' }}");
    let maps = |names: &[&str]| names.iter().map(|name| config_map(name)).collect::<String>();
    assert!(!passes(&rest, &maps(&["one"])));
    assert!(passes(&rest, &maps(&["one", "two"])) && passes(&rest, &maps(&["one", "two", "three"])));
    assert!(
        matches!(finding(&rest, &maps(&["1a", "2a", "3a", "4a"])), Finding::Number { objects, .. } if objects.len() == 4)
    );
}

#[test]
fn cel_sees_objects_and_quantities() {
    let answer = config_map("one");
    for truth in [
        "object('ConfigMap', 'a', 'one').data.key == 'v-one'",
        "object('ConfigMap', 'a', 'two') == null",
        "objects('ConfigMap', 'a').exists(m, m.metadata.name == 'one')",
        "objects('Namespace').size() > 1",
        "quantity('1Gi') == quantity('1024Mi') && quantity('500m') < 1.0 && quantity('2') > quantity('1500m')",
        "'v-one'.matches('^v-')",
    ] {
        assert!(passes(&format!("cel = \"{truth}\""), &answer), "{truth}");
    }
    assert!(matches!(
        finding("cel = \"object('ConfigMap', 'a', 'x').data.key == ''\"", &answer),
        Finding::NoValue { .. }
    ));
    assert!(matches!(finding("cel = \"objects('Pod').size() > 0\"", &answer), Finding::False { .. }));
}

#[test]
fn a_wrong_expression_is_the_scenarios_fault() {
    let error =
        |expression: &str| grade(&scenario(&format!("cel = '''\n{expression}\n'''")), &[]).err().unwrap().to_string();
    assert!(error("objects('Pod'").starts_with("scenario-1.toml:"), "{}", error("objects('Pod'"));
    assert!(error("objcts('Pod')").contains("objcts"));
    assert!(error("objects('Podd') == []").contains("did you mean `Pod`?"));
    assert!(error("1 + 1").contains("not true or false"));
}

#[test]
fn after_looks_at_an_earlier_moment() {
    let gone = "after = 0\nexpect = '''\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: a}\n'''\n\
                [[steps]]\ndelete = \"configmap/one\"\nnamespace = \"a\"";
    assert!(passes(gone, &config_map("one")));
    assert!(!passes(&gone.replace("after = 0\n", ""), &config_map("one")));
}

#[test]
fn names_lead_to_services_or_nowhere() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: a}\nspec: {ports: [{port: 80}]}\n";
    let ask = |name: &str, namespace: &str, target: &str| {
        passes(&format!("dns = {{ name = \"{name}\", namespace = \"{namespace}\", {target} }}"), service)
    };
    assert!(ask("web", "a", "service = \"web\"") && ask("web.a.svc.cluster.local", "a", "service = \"web\""));
    assert!(!ask("web", "default", "service = \"web\""));
    assert!(ask("web", "default", "nothing = true") && !ask("web", "a", "nothing = true"));
    assert!(!ask("web", "a", "pods = [\"web-0\"]"));
}

fn pods(one: &str, other: &str, volume: &str) -> String {
    let pod = |name: &str, node: &str| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: a}}\nspec:\n  nodeName: {node}\n  \
             containers: [{{name: c, image: x, volumeMounts: [{{name: v, mountPath: /data/}}]}}]\n  \
             volumes: [{{name: v, {volume}}}]\n"
        )
    };
    pod("one", one) + &pod("two", other)
}

#[test]
fn a_host_path_is_one_disk_on_one_node_and_two_on_two() {
    let same = "storage.same = [\"a/one/c:/data/x\", \"a/two/c:/data/x\"]";
    let different = same.replace("same", "different");
    let path = "hostPath: {path: /srv}";
    assert!(passes(same, &pods("node01", "node01", path)) && !passes(same, &pods("node01", "node02", path)));
    assert!(
        passes(&different, &pods("node01", "node02", path)) && !passes(&different, &pods("node01", "node01", path))
    );
    assert!(passes(&different, &pods("node01", "node01", "emptyDir: {}")));
    assert!(matches!(finding(same, &pods("node01", "node02", path)), Finding::Paths { same: false, .. }));
    assert!(matches!(finding(same, ""), Finding::NoPath { .. }));
}

#[test]
fn made_up_files_are_not_simulated_and_do_not_count() {
    let same = "storage.same = [\"a/one/c:/data/x\", \"a/two/c:/data/x\"]";
    let grade = play(same, &pods("node01", "node01", "downwardAPI: {items: []}"));
    assert_eq!((grade.points(), grade.possible(), grade.is_full()), (0, 0, false));
}

#[test]
fn a_mount_is_known_by_its_path_and_its_volume() {
    let mount = "mount.at = \"a/one/c:/data\"\nmount.volume = \"hostPath: {path: /srv}\"";
    assert!(passes(mount, &pods("node01", "node01", "hostPath: {path: /srv/}")));
    assert!(!passes(mount, &pods("node01", "node01", "emptyDir: {}")));
    assert!(!passes(&mount.replace(":/data", ":/date"), &pods("node01", "node01", "hostPath: {path: /srv}")));
    assert!(!passes(&format!("{mount}\nmount.read-only = true"), &pods("node01", "node01", "hostPath: {path: /srv}")));
    assert!(matches!(finding(mount, ""), Finding::Missing { .. }));
}

#[test]
fn a_mount_is_read_only_by_itself_or_by_its_volume() {
    let asked = |volume: &str, read_only: bool| {
        format!("mount.at = \"a/one/c:/data\"\nmount.volume = \"{volume}\"\nmount.read-only = {read_only}")
    };
    let nfs = "nfs: {server: s, path: /x}";
    let answer = |volume: &str| pods("node01", "node01", volume);
    assert!(passes(&asked(nfs, true), &answer("nfs: {server: s, path: /x, readOnly: true}")));
    assert!(!passes(&asked(nfs, true), &answer(nfs)) && passes(&asked(nfs, false), &answer(nfs)));
    assert!(!passes(&asked(nfs, false), &answer("nfs: {server: s, path: /x, readOnly: true}")));
    let claim = "persistentVolumeClaim: {claimName: c}";
    assert!(passes(&asked(claim, true), &answer("persistentVolumeClaim: {claimName: c, readOnly: true}")));
    assert!(!passes(&asked(claim, true), &answer(claim)));
    let map = "configMap: {name: m}";
    assert!(!passes(&asked(map, true), &answer(map)));
    let by_itself = answer(claim).replace("mountPath: /data/", "mountPath: /data/, readOnly: true");
    assert!(passes(&asked(claim, true), &by_itself) && !passes(&asked(claim, false), &by_itself));
}

#[test]
fn a_check_with_two_questions_asks_both() {
    let rest = format!("expect = '''\n{MAP}data: {{key: <any>}}\n'''\nabsent = '''\n{MAP}data: {{key: v-two}}\n'''");
    assert!(passes(&rest, &config_map("one")) && !passes(&rest, "") && !passes(&rest, &config_map("two")));
}

#[test]
fn a_claim_that_got_another_volume_is_told_why() {
    use super::reasons::{NotChosen, Reason};
    let volume = |name: &str, size: &str, modes: &str| {
        format!(
            "---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: {name}}}\nspec: {{capacity: {{storage: {size}}}, \
             accessModes: [{modes}], hostPath: {{path: /x}}}}\n"
        )
    };
    let claim = "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c, namespace: a}\nspec: \
                 {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n";
    let rest = "expect = '''\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c, namespace: a}\n\
                spec: {volumeName: wanted}\n'''";
    let why = |wanted: String| {
        let answer = volume("other", "2Gi", "ReadWriteOnce") + &wanted + claim;
        let Some(Verdict::Failed(failure)) = play(rest, &answer).checks.pop().map(|c| c.verdict) else { return None };
        failure.reasons.into_iter().find_map(|reason| match reason {
            Reason::NotChosen { why, .. } => Some(why),
            _ => None,
        })
    };
    let larger = why(volume("wanted", "5Gi", "ReadWriteOnce"));
    assert_eq!(larger, Some(NotChosen::Larger { has: "5Gi".into(), chosen_has: "2Gi".into() }));
    assert_eq!(why(volume("wanted", "1Gi", "ReadWriteOnce, ReadOnlyMany")), Some(NotChosen::MoreModes));
    assert!(matches!(why(volume("wanted", "500Mi", "ReadWriteOnce")), Some(NotChosen::PassedOver(_))));
}

/// Why the only check fails.
fn reasons(rest: &str, answer: &str) -> Vec<super::reasons::Reason> {
    match play(rest, answer).checks.pop().unwrap().verdict {
        Verdict::Failed(failure) => failure.reasons,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn one_pattern_compares_all_the_pods_it_means() {
    let answer = |node: &str| pods("node01", node, "hostPath: {path: /srv}");
    let same = "storage.same = [\"a/*/c:/data\"]";
    assert!(passes(same, &answer("node01")) && !passes(same, &answer("node02")));
    let one = "storage.same = [\"a/o*/c:/data\"]";
    assert!(matches!(finding(one, &answer("node01")), Finding::OnePod { pod, .. } if pod == "one"));
}

#[test]
fn a_path_that_is_not_mounted_is_told_with_what_is_mounted() {
    let mount = "mount.at = \"a/one/c:/data/db\"\nmount.volume = \"hostPath: {path: /srv}\"";
    let found = finding(mount, &pods("node01", "node01", "hostPath: {path: /srv}"));
    assert!(
        matches!(&found, Finding::NotMounted { mounts, .. } if *mounts == [("/data/".to_owned(), "v".to_owned())]),
        "{found:?}"
    );
    let nothing =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: one, namespace: a}\nspec: {containers: [{name: c, image: x}]}";
    assert!(matches!(finding(mount, nothing), Finding::NotMounted { mounts, .. } if mounts.is_empty()));
}

#[test]
fn a_service_of_another_namespace_is_named_with_it() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: a}\nspec: {ports: [{port: 80}]}\n";
    let ask = |service_name: &str| {
        let rest = format!("dns = {{ name = \"web.a\", namespace = \"default\", service = \"{service_name}\" }}");
        passes(&rest, service)
    };
    assert!(ask("a/web") && !ask("web") && !ask("default/web"));
}

#[test]
fn a_volume_made_for_a_claim_is_not_called_the_smallest() {
    use super::reasons::{NotChosen, Reason};
    let rest = "expect = '''\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c, namespace: a}\n\
                spec: {volumeName: wanted}\n'''\n[[steps]]\nmanifest = '''\napiVersion: v1\nkind: PersistentVolume\n\
                metadata: {name: wanted}\nspec: {storageClassName: fast, capacity: {storage: 4Gi}, accessModes: \
                [ReadWriteOnce], hostPath: {path: /x}}\n'''\n[cluster]\nprovisioners = [\"x.io\"]";
    let answer = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: fast}\nprovisioner: x.io\n---\n\
                  apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c, namespace: a}\nspec: {storageClassName: \
                  fast, accessModes: [ReadWriteOnce], resources: {requests: {storage: 2Gi}}}\n";
    let rest = rest.replace("\n[cluster]\nprovisioners = [\"x.io\"]", "");
    let mut scenario = scenario(&rest);
    scenario.cluster.environment.provisioners.push("x.io".to_owned());
    let file = ManifestFile { name: "a.yaml".to_owned(), bytes: answer.as_bytes().to_vec() };
    let Verdict::Failed(failure) = grade(&scenario, &[file]).unwrap().checks.pop().unwrap().verdict else {
        unreachable!()
    };
    let why = failure.reasons.iter().find_map(|reason| match reason {
        Reason::NotChosen { why, .. } => Some(why),
        _ => None,
    });
    assert_eq!(why, Some(&NotChosen::MadeForIt), "{:?}", failure.reasons);
}

#[test]
fn a_workload_that_is_not_ready_tells_once_why_its_pods_do_not_run() {
    use super::reasons::Reason;
    let deployment = |container: &str, volumes: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: a}}\nspec:\n  replicas: 3\n  selector: \
             {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    spec: {{containers: \
             [{{name: c, image: nginx, {container}}}], volumes: [{volumes}]}}\n"
        )
    };
    let rest = "expect = '''\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: a}\n\
                status: {readyReplicas: 3}\n'''";
    let told = |answer: &str| {
        let groups = reasons(rest, answer).into_iter().filter_map(|reason| match reason {
            Reason::Pods { pods, message } => Some((pods.len(), message)),
            Reason::Pod { message, .. } => Some((1, message)),
            _ => None,
        });
        groups.collect::<Vec<_>>()
    };
    let mount = deployment("volumeMounts: [{name: v, mountPath: /v}]", "{name: v, configMap: {name: none}}");
    let failed = "FailedMount: MountVolume.SetUp failed for volume \"v\" : configmap \"none\" not found";
    assert_eq!(told(&mount), [(3, failed.to_owned())]);
    let environment = deployment("env: [{name: A, valueFrom: {configMapKeyRef: {name: none, key: k}}}]", "");
    let told_once = |answer: &str| match told(answer).as_slice() {
        [(3, message)] => message.clone(),
        other => unreachable!("{other:?}"),
    };
    let message = told_once(&environment);
    assert!(message.contains("CreateContainerConfigError"), "{message}");
    let unscheduled = deployment("resources: {requests: {cpu: 900}}", "");
    let message = told_once(&unscheduled);
    assert!(message.starts_with("Unschedulable: 0/2 nodes are available"), "{message}");
}

#[test]
fn a_workload_tells_that_a_quota_refuses_its_pods() {
    use super::reasons::Reason;
    let quota =
        "---\napiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q, namespace: a}\nspec: {hard: {pods: 1}}\n";
    let answer = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: a}\nspec:\n  replicas: 2\n  \
                  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: \
                  {containers: [{name: c, image: nginx}]}\n";
    let rest = "expect = '''\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: a}\n\
                status: {readyReplicas: 2}\n'''";
    let mut scenario = scenario(rest);
    scenario.cluster.manifests.first_mut().unwrap().text.push_str(quota);
    let file = ManifestFile { name: "a.yaml".to_owned(), bytes: answer.as_bytes().to_vec() };
    let Verdict::Failed(failure) = grade(&scenario, &[file]).unwrap().checks.pop().unwrap().verdict else {
        unreachable!()
    };
    let found = failure.reasons;
    let quota = |reason: &&Reason| match reason {
        Reason::Condition { message, .. } | Reason::Event { message, .. } => message.contains("exceeded quota: q"),
        _ => false,
    };
    assert_eq!(found.iter().filter(quota).count(), 1, "{found:?}");
}

#[test]
fn the_nearest_endpoint_slice_is_one_of_the_same_service() {
    let service = |name: &str, app: &str, port: u16| {
        format!(
            "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: a}}\nspec: {{selector: {{app: {app}}}, \
             ports: [{{name: http, port: {port}}}]}}\n"
        )
    };
    let pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: a, labels: {app: web}}\nspec: {containers: \
               [{name: c, image: nginx}]}\n";
    let rest = "expect = '''\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {namespace: a, labels: \
                {kubernetes.io/service-name: web}}\nendpoints: [{targetRef: {kind: Pod, name: p}}]\nports: [{name: http, \
                port: 80}]\n'''";
    let answer = service("other", "web", 80) + &service("web", "wbe", 8080) + pod;
    let found = finding(rest, &answer);
    let nearest = |found: &Finding| found.object().map(|key| key.name.clone()).unwrap_or_default();
    assert!(nearest(&found).starts_with("web-"), "{found:?}");
}

#[test]
fn a_name_that_leads_elsewhere_is_told_why() {
    use super::reasons::Reason;
    use crate::dns::WhyNot;
    let answer = |service_name: &str, cluster_ip: &str, app: &str, namespace: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: db, namespace: {namespace}}}\nspec: {{{cluster_ip} selector: \
             {{app: {app}}}, ports: [{{port: 80}}]}}\n---\napiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: db, \
             namespace: a}}\nspec: {{replicas: 2, serviceName: {service_name}, selector: {{matchLabels: {{app: db}}}}, \
             template: {{metadata: {{labels: {{app: db}}}}, spec: {{containers: [{{name: c, image: nginx}}]}}}}}}\n"
        )
    };
    let why = |name: &str, target: &str, answer: String| {
        let rest = format!("dns = {{ name = \"{name}\", namespace = \"a\", {target} }}");
        let found = reasons(&rest, &answer).into_iter().find_map(|reason| match reason {
            Reason::Name(why) => Some(why),
            _ => None,
        });
        found.unwrap()
    };
    let (pod, headless) = ("pods = [\"db-0\"]", "clusterIP: None,");
    let text = |text: &str| text.to_owned();
    assert_eq!(
        why("db-0.db", pod, answer("other", headless, "db", "a")),
        WhyNot::OtherServiceName { set: text("db"), service_name: text("other"), service: text("db") }
    );
    assert!(matches!(
        why("db-0.db", pod, answer("db", headless, "x", "a")),
        WhyNot::NotSelected { pod, .. } if pod == "db-0"
    ));
    assert!(matches!(
        why("db-5.db", pod, answer("db", headless, "db", "a")),
        WhyNot::NoPod { pods, .. } if pods == ["db-0", "db-1"]
    ));
    assert!(matches!(
        why("db-0.db", pod, answer("db", headless, "db", "default")),
        WhyNot::NoService { elsewhere, .. } if elsewhere == ["default"]
    ));
    assert!(matches!(
        why("db", pod, answer("db", headless, "x", "a")),
        WhyNot::NoReadyPods { selector, .. } if selector == "app=x"
    ));
    assert!(matches!(why("db", pod, answer("db", "", "db", "a")), WhyNot::NotHeadless { .. }));
    assert!(matches!(why("db", "service = \"db\"", answer("db", headless, "db", "a")), WhyNot::Headless { .. }));
    assert!(matches!(
        why("db", pod, answer("db", headless, "db", "a")),
        WhyNot::AlsoSelected { pods, .. } if pods == ["db-1"]
    ));
}

fn said(rest: &str, answer: &str) -> String {
    use crate::report::text::{Message, say};
    match play(rest, answer).checks.pop().unwrap().verdict {
        Verdict::Failed(failure) => {
            crate::lang::Lang::ALL.map(|lang| say(lang, &Message::Finding(&failure))).join(" | ")
        }
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn counts_and_presence_are_said_naturally() {
    let maps = |names: &[&str]| names.iter().map(|name| config_map(name)).collect::<String>();
    let count = |range: &str| format!("count = {{ {range}, like = '''\n{MAP}data: {{key: <any>}}\n''' }}");
    assert_eq!(
        said(&count("exactly = 1"), &maps(&["one", "two"])),
        "2 ConfigMaps are as asked (a/one, a/two), expected 1 | 符合的 ConfigMap 有 2 個（a/one、a/two），預期 1 個"
    );
    let other = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: other, namespace: a}\n";
    assert_eq!(
        said(&count("min = 2"), &(maps(&["one"]) + other)),
        "1 ConfigMap is as asked (a/one), expected at least 2; nearest is ConfigMap a/other: data.key is not set | 符合的 \
         ConfigMap 有 1 個（a/one），預期至少 2 個；最接近的是 ConfigMap a/other：data.key 沒有設定"
    );
    assert_eq!(
        said(&count("exactly = 1"), ""),
        "no ConfigMap is as asked, expected 1 | 沒有符合的 ConfigMap，預期 1 個"
    );
    let absent = |rest: &str| format!("absent = '''\napiVersion: v1\nkind: ConfigMap\n{rest}\n'''");
    assert_eq!(
        said(&absent("metadata: {name: one, namespace: a}"), &maps(&["one"])),
        "ConfigMap a/one should not be there | ConfigMap a/one 不該存在"
    );
    assert_eq!(
        said(&absent("metadata: {namespace: a}\ndata: {key: v-one}"), &maps(&["one"])),
        "ConfigMap a/one should not be there: data.key is v-one | ConfigMap a/one 不該存在：data.key 是 v-one"
    );
    assert_eq!(
        said(&absent("metadata: {name: one, namespace: a}\ndata: {key: v-one, other: null}"), &maps(&["one"])),
        "ConfigMap a/one should not be like this: data.key is v-one, data.other is not set | \
         ConfigMap a/one 不該是這樣：data.key 是 v-one，data.other 沒有設定"
    );
}

#[test]
fn an_expression_that_is_not_true_tells_what_it_read() {
    let cel = |expression: &str| said(&format!("cel = \"{expression}\""), &config_map("one"));
    let cel = |expression: &str| cel(expression).split(" | ").next().unwrap_or_default().to_owned();
    assert_eq!(
        cel("1 == 1 && object('ConfigMap', 'a', 'one').data.key == 'x'"),
        "not so in the simulated cluster: object('ConfigMap', 'a', 'one').data.key == 'x'; ConfigMap a/one: data.key is v-one"
    );
    assert_eq!(cel("object('ConfigMap', 'a', 'x').data.key == ''"), "there is no ConfigMap a/x");
    assert_eq!(
        cel("objects('ConfigMap', 'a').all(m, has(m.data) && m.data.size() == 7)"),
        "not so in the simulated cluster; m is ConfigMap a/kube-root-ca.crt, m.data.size() is 1"
    );
}

#[test]
fn a_service_leads_to_exactly_the_pods_and_ports_that_are_asked() {
    use super::endpoints::EndpointsWhy;
    let service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: a}\nspec: {selector: {app: web}, \
                   ports: [{name: http, port: 80, targetPort: http}]}\n";
    let pod = |name: &str, app: &str, port: &str, more: &str| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: a, labels: {{app: {app}}}}}\nspec: \
             {{containers: [{{name: c, image: nginx, ports: [{{name: {port}, containerPort: 8080}}]{more}}}]}}\n"
        )
    };
    let ask = |rest: &str| format!("endpoints = {{ service = \"a/web\", {rest} }}");
    let both = service.to_owned() + &pod("web-1", "web", "http", "") + &pod("web-2", "web", "http", "");
    for asked in [
        "pods = [\"web-*\"]",
        "pods = [\"web-1\", \"web-2\"], ports = [8080]",
        "pods = [\"web-*\"], ports = [\"http=8080/TCP\"]",
    ] {
        assert!(passes(&ask(asked), &both), "{asked}");
    }
    let why = |asked: &str, answer: &str| match finding(&ask(asked), answer) {
        Finding::LeadsTo(found) => (found.missing, found.extra, found.ports.is_some(), found.why),
        other => unreachable!("{other:?}"),
    };
    let web = vec!["web-1".to_owned()];
    assert_eq!(why("pods = [\"web-2\"]", &both), (vec![], web.clone(), false, vec![]));
    assert_eq!(why("pods = []", &(service.to_owned() + &pod("web-1", "web", "http", ""))).1, web);
    for ports in ["80", "\"8080/UDP\"", "\"web=8080\"", "8080, 9090"] {
        assert!(why(&format!("pods = [\"web-*\"], ports = [{ports}]"), &both).2, "{ports}");
    }
    let one = "pods = [\"web-1\"]";
    let selector = || "app=web".to_owned();
    let other = service.to_owned() + &pod("web-1", "wbe", "http", "");
    let not_selected =
        EndpointsWhy::NotSelected { pod: "web-1".into(), selector: selector(), labels: "app=wbe".into() };
    let nothing = EndpointsWhy::SelectsNothing { selector: selector() };
    assert_eq!(why(one, &other), (web.clone(), vec![], false, vec![nothing.clone(), not_selected]));
    assert_eq!(why(one, service).3, [nothing, EndpointsWhy::NoPod { pod: "web-1".into() }]);
    let unready = service.to_owned()
        + &pod("web-1", "web", "http", ", env: [{name: A, valueFrom: {configMapKeyRef: {name: none, key: k}}}]");
    assert_eq!(why(one, &unready).3, [EndpointsWhy::NotReady { pods: web.clone() }]);
    let unnamed = service.to_owned() + &pod("web-1", "web", "www", "");
    let port = EndpointsWhy::NoPortNamed { pod: "web-1".into(), port: "http".into() };
    assert_eq!(why("pods = [\"web-1\"], ports = [8080]", &unnamed).3, [port]);
    assert!(matches!(finding(&ask(one), ""), Finding::Missing { .. }));
}
