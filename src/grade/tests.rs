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
