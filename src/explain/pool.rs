//! Values that could have been meant: those in the cluster, in the answer, in the task's own words and in what a failed check shows
//! as expected. Never the key's.
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::answer::Answer;
use super::references::kind_of;
use crate::api::Object;
use crate::api::object::Kind;
use crate::api::schema::{self, Shape, StructType, Type};
use crate::cluster::Cluster;
use crate::grade::compare::{ANY, NONE, UNSET, bound};
use crate::scenario::{Pattern, Question, Scenario};
use crate::timeline::apply::LAST_APPLIED;
use crate::timeline::record::visible_objects;

/// What is known around an answer.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    /// Names of objects by kind: those of the cluster, then those of the answer.
    names: BTreeMap<Kind, Vec<String>>,
    /// Scalars by the name of the field they stand in.
    scalars: BTreeMap<String, Vec<Value>>,
    /// Keys and values of labels, selectors and the like.
    pairs: Vec<(String, String)>,
    /// Those that the task speaks of.
    pub spoken_pairs: Vec<(String, String)>,
    /// Names and numbers in the task's text.
    pub words: Vec<String>,
    /// Keys of maps by the name of the map's field.
    keys: BTreeMap<String, Vec<String>>,
    /// Fields that are written somewhere or are asked for: Go type and JSON name.
    fields: BTreeSet<(&'static str, &'static str)>,
    /// Names of fields that are spoken of, whatever the type.
    spoken: BTreeSet<String>,
    /// Tolerations of the nodes' taints.
    pub tolerations: Vec<Value>,
    /// What cluster DNS could be asked for: Services, and pods of sets.
    pub dns_names: Vec<String>,
}

/// Choices that a manifest can leave open and that decide what comes of the object.
const CHOICES: [(&str, &str); 33] = [
    ("PodSpec", "affinity"),
    ("Affinity", "nodeAffinity"),
    ("NodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"),
    ("NodeSelector", "nodeSelectorTerms"),
    ("NodeSelectorTerm", "matchExpressions"),
    ("Affinity", "podAntiAffinity"),
    ("PodAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"),
    ("PodAffinityTerm", "labelSelector"),
    ("PodAffinityTerm", "topologyKey"),
    ("DeploymentStrategy", "rollingUpdate"),
    ("RollingUpdateDeployment", "maxSurge"),
    ("RollingUpdateDeployment", "maxUnavailable"),
    ("ServiceAccount", "automountServiceAccountToken"),
    ("PodSpec", "automountServiceAccountToken"),
    ("JobSpec", "completionMode"),
    ("PersistentVolumeClaimSpec", "storageClassName"),
    ("PersistentVolumeClaimSpec", "volumeMode"),
    ("PersistentVolumeSpec", "claimRef"),
    ("ObjectReference", "namespace"),
    ("ObjectReference", "name"),
    ("ServiceSpec", "clusterIP"),
    ("StatefulSetSpec", "podManagementPolicy"),
    ("StatefulSetSpec", "updateStrategy"),
    ("StatefulSetUpdateStrategy", "type"),
    ("StatefulSetUpdateStrategy", "rollingUpdate"),
    ("RollingUpdateStatefulSetStrategy", "partition"),
    ("StatefulSetSpec", "ordinals"),
    ("StatefulSetOrdinals", "start"),
    ("StatefulSetSpec", "persistentVolumeClaimRetentionPolicy"),
    ("StatefulSetPersistentVolumeClaimRetentionPolicy", "whenDeleted"),
    ("StatefulSetPersistentVolumeClaimRetentionPolicy", "whenScaled"),
    ("DeploymentStrategy", "type"),
    ("ServicePort", "targetPort"),
];

pub(super) fn push<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

impl Pool {
    /// What is known in a cluster and an answer, and in a scenario's public text and the fields its checks look at.
    pub fn of(cluster: &Cluster, answer: &Answer, scenario: Option<&Scenario>) -> Pool {
        let mut pool = Pool::default();
        let store = cluster.api().store();
        for kind in [Kind::Namespace, Kind::Node, Kind::ServiceAccount] {
            for object in store.objects_of(kind).filter(|object| !object.name().starts_with("kube-")) {
                push(pool.names.entry(kind).or_default(), object.name().to_owned());
            }
        }
        pool.fields.extend([("LabelSelector", "matchLabels"), ("PodSpec", "nodeSelector")]);
        pool.fields.extend(CHOICES);
        pool.scalars.insert("topologyKey".to_owned(), vec!["kubernetes.io/hostname".into()]);
        for node in store.objects_of(Kind::Node) {
            pool.take_labels(node);
            pool.take_taints(node);
        }
        for object in visible_objects(store) {
            push(pool.names.entry(object.kind()).or_default(), object.name().to_owned());
            let value = written(object);
            pool.document(&value);
        }
        for entry in answer.documents() {
            let text = |pointer: &str| entry.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            if let Some(kind) = Kind::find(text("/apiVersion"), text("/kind")) {
                push(pool.names.entry(kind).or_default(), text("/metadata/name").to_owned());
            }
            pool.document(&entry.value);
        }
        if let Some(scenario) = scenario {
            pool.scenario(scenario);
        }
        pool
    }

    /// A name that something of the answer could have.
    pub fn take_name(&mut self, name: &str) {
        push(self.scalars.entry("name".to_owned()).or_default(), name.into());
    }

    /// Labels that controllers give to their pods.
    pub fn take_pods(&mut self, cluster: &Cluster) {
        for pod in cluster.api().store().objects_of(Kind::Pod) {
            self.take_labels(pod);
        }
    }

    fn take_labels(&mut self, object: &Object) {
        for (key, value) in object.metadata().labels.iter().flatten() {
            push(&mut self.pairs, (key.clone(), value.clone()));
        }
    }

    /// What a pod needs that is to bear a node's taints.
    fn take_taints(&mut self, node: &Object) {
        let Object::Node(node) = node else { return };
        for taint in node.spec.iter().filter_map(|spec| spec.taints.as_ref()).flatten() {
            self.fields.insert(("PodSpec", "tolerations"));
            let parts = [("key", Some(&taint.key)), ("value", taint.value.as_ref()), ("effect", Some(&taint.effect))];
            let parts = parts.iter().filter_map(|(field, text)| Some((*field, text.as_ref()?.as_str())));
            for (field, text) in parts.clone() {
                self.fields.insert(("Toleration", field));
                push(self.scalars.entry(field.to_owned()).or_default(), text.into());
            }
            push(&mut self.tolerations, parts.collect());
        }
    }

    fn document(&mut self, value: &Value) {
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        if let Some(root) = schema::kind(text("apiVersion"), text("kind")) {
            self.structure(root, value);
        }
        self.take_dns_names(value);
    }

    fn take_dns_names(&mut self, value: &Value) {
        const MAX_PODS: i64 = 3;
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let name = text("/metadata/name");
        let namespace =
            Some(text("/metadata/namespace")).filter(|namespace| !namespace.is_empty()).unwrap_or("default");
        match text("/kind") {
            "Service" => push(&mut self.dns_names, format!("{name}.{namespace}.svc.cluster.local")),
            "StatefulSet" => {
                let number = |pointer: &str, default| value.pointer(pointer).and_then(Value::as_i64).unwrap_or(default);
                let (start, replicas) =
                    (number("/spec/ordinals/start", 0).clamp(0, 1 << 20), number("/spec/replicas", 1));
                for ordinal in (start..).take(usize::try_from(replicas.clamp(0, MAX_PODS)).unwrap_or(0)) {
                    let service = text("/spec/serviceName");
                    push(&mut self.dns_names, format!("{name}-{ordinal}.{service}.{namespace}.svc.cluster.local"));
                }
            }
            _ => {}
        }
    }

    fn structure(&mut self, ty: &'static StructType, value: &Value) {
        for (key, value) in value.as_object().into_iter().flatten() {
            if let Some(field) = ty.field(key) {
                self.fields.insert((ty.go_name, field.json_name));
                if let (Some(kind), Some(name)) = (kind_of(ty.go_name, key), value.as_str()) {
                    push(self.names.entry(kind).or_default(), name.to_owned());
                }
                self.value(field.json_name, &field.ty, value);
            }
        }
    }

    fn value(&mut self, name: &str, ty: &'static Type, value: &Value) {
        match (&ty.shape, value) {
            (Shape::Struct(inner), _) => self.structure(inner.get(), value),
            (Shape::List(element), Value::Array(items)) => {
                items.iter().for_each(|item| self.value(name, element, item));
            }
            (Shape::Map(element), Value::Object(entries)) => {
                for (key, value) in entries.iter().filter(|(key, _)| !is_bookkeeping(key)) {
                    push(self.keys.entry(name.to_owned()).or_default(), key.clone());
                    if let Some(text) = value.as_str().filter(|_| matches!(element.shape, Shape::String)) {
                        push(&mut self.pairs, (key.clone(), text.to_owned()));
                    } else {
                        self.value(key, element, value);
                    }
                }
            }
            (_, Value::Null | Value::Object(_) | Value::Array(_)) => {}
            _ => push(self.scalars.entry(name.to_owned()).or_default(), value.clone()),
        }
    }

    fn scenario(&mut self, scenario: &Scenario) {
        for text in [&scenario.task, &scenario.title].into_iter().chain(scenario.checks.iter().map(|c| &c.title)) {
            for text in [&text.en, &text.zh_tw] {
                words_of(text, &mut self.words);
            }
        }
        for word in &self.words {
            if let Some((key, value)) = word.split_once('=') {
                let pair = (key.trim().to_owned(), value.trim().to_owned());
                push(&mut self.spoken_pairs, pair.clone());
                push(&mut self.pairs, pair);
            }
        }
        self.spoken.extend(self.words.iter().cloned());
        for question in scenario.checks.iter().flat_map(|check| &check.questions) {
            match question {
                Question::Expect(pattern) | Question::Absent(pattern) | Question::Count(_, pattern) => {
                    self.pattern(pattern);
                }
                Question::Mount(mount) => {
                    let volume = schema::structure("core/v1", "Volume");
                    if let Some(volume) = volume {
                        self.asked(volume, &mount.volume.value);
                    }
                    self.fields.extend([("PodSpec", "volumes"), ("Container", "volumeMounts")]);
                    self.fields.extend(mount.read_only.map(|_| ("VolumeMount", "readOnly")));
                    self.fields.extend(mount.sub_path.as_ref().map(|_| ("VolumeMount", "subPath")));
                }
                Question::Cel(cel) => self.spoken.extend(identifiers(&cel.expression)),
                Question::Storage(_) => self.fields.extend([
                    ("PodSpec", "volumes"),
                    ("Container", "volumeMounts"),
                    ("VolumeMount", "subPath"),
                ]),
                Question::Endpoints(_) => self.fields.extend([
                    ("ServiceSpec", "selector"),
                    ("ServiceSpec", "ports"),
                    ("ServicePort", "targetPort"),
                    ("Container", "ports"),
                    ("ContainerPort", "name"),
                    ("ObjectMeta", "labels"),
                ]),
                Question::Dns(_) => self.fields.extend([
                    ("PodSpec", "subdomain"),
                    ("PodSpec", "hostname"),
                    ("StatefulSetSpec", "serviceName"),
                    ("ServiceSpec", "clusterIP"),
                    ("ServiceSpec", "selector"),
                    ("ServiceSpec", "publishNotReadyAddresses"),
                ]),
            }
        }
    }

    /// The fields a check looks at, and what is expected in them.
    fn pattern(&mut self, pattern: &Pattern) {
        let text = |key: &str| pattern.value.get(key).and_then(Value::as_str).unwrap_or_default();
        if let Some(root) = schema::kind(text("apiVersion"), text("kind")) {
            self.asked(root, &pattern.value);
        }
    }

    fn asked(&mut self, ty: &'static StructType, value: &Value) {
        for (key, value) in value.as_object().into_iter().flatten() {
            let Some(field) = ty.field(key).filter(|field| field.json_name != "status") else { continue };
            self.fields.insert((ty.go_name, field.json_name));
            if ty.go_name == "PodSpec" {
                // what admission copies from a ServiceAccount
                self.fields.insert(("ServiceAccount", field.json_name));
            }
            let mut inner = vec![(&field.ty, value)];
            while let Some((ty, value)) = inner.pop() {
                match (&ty.shape, value) {
                    (Shape::Struct(found), Value::String(_)) => {
                        // any value will do
                        let fields = found.get().fields().map(|inner| (found.get().go_name, inner.json_name));
                        self.fields.extend(fields);
                    }
                    (Shape::Struct(found), _) => self.asked(found.get(), value),
                    (Shape::List(element), Value::Array(items)) => {
                        inner.extend(items.iter().map(|item| (&**element, item)));
                    }
                    (Shape::Map(element), Value::Object(entries)) => {
                        for (key, value) in entries {
                            push(self.keys.entry(field.json_name.to_owned()).or_default(), key.clone());
                            if let (Shape::String, Some(Value::String(text))) = (&element.shape, expected(value)) {
                                push(&mut self.pairs, (key.clone(), text));
                            }
                            inner.push((element, value));
                        }
                    }
                    (_, value) if !value.is_object() && !value.is_array() => {
                        if let Some(value) = expected(value) {
                            push(self.scalars.entry(field.json_name.to_owned()).or_default(), value);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// Names of objects of a kind.
    pub fn names(&self, kind: Kind) -> &[String] {
        self.names.get(&kind).map(Vec::as_slice).unwrap_or_default()
    }

    /// Names of objects of all kinds.
    pub fn all_names(&self) -> impl Iterator<Item = &String> {
        self.names.values().flatten()
    }

    /// What stands in fields of this name.
    pub fn scalars(&self, field: &str) -> &[Value] {
        self.scalars.get(field).map(Vec::as_slice).unwrap_or_default()
    }

    /// Keys and values of labels and selectors.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// Keys of maps in fields of this name.
    pub fn keys(&self, field: &str) -> impl Iterator<Item = &String> {
        self.keys.get(field).into_iter().flatten().filter(|key| !is_bookkeeping(key) || self.words.contains(key))
    }

    /// Whether a field is written somewhere, or asked for.
    pub fn knows_field(&self, ty: &StructType, name: &str) -> bool {
        self.fields.contains(&(ty.go_name, name)) || self.spoken.contains(name)
    }

    /// Whether a field of this name is written somewhere.
    pub fn knows_name(&self, name: &str) -> bool {
        self.scalars.contains_key(name) || self.keys.contains_key(name) || self.spoken.contains(name)
    }
}

/// A value that a check expects; `None` for words like `<any>`.
pub(super) fn expected(value: &Value) -> Option<Value> {
    match value.as_str() {
        Some(ANY | UNSET | NONE) => None,
        Some(text) => match bound(text) {
            Some(_) => text.split_once(' ').map(|(_, amount)| amount.into()),
            None => Some(value.clone()),
        },
        None => (!value.is_null()).then(|| value.clone()),
    }
}

/// What controllers write for themselves: no manifest should, although it can deceive them.
fn is_bookkeeping(key: &str) -> bool {
    const OWN: [&str; 4] =
        ["pv.kubernetes.io/", "volume.kubernetes.io/", "deployment.kubernetes.io/", "kubectl.kubernetes.io/"];
    OWN.iter().any(|prefix| key.starts_with(prefix))
}

/// An object as somebody wrote it.
pub(super) fn written(object: &Object) -> Value {
    let annotations = object.metadata().annotations.as_ref();
    let text = annotations.and_then(|annotations| annotations.get(LAST_APPLIED));
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| object.to_value())
}

/// What in a text looks like something for a manifest: what is in backquotes, and words that are no plain words.
fn words_of(text: &str, words: &mut Vec<String>) {
    for (number, part) in text.split('`').enumerate() {
        if number % 2 == 1 && !part.is_empty() {
            push(words, part.to_owned());
        }
        let separators = |c: char| c.is_whitespace() || !c.is_ascii() || "`\"'()[]{},;|".contains(c);
        for word in part.split(separators) {
            let word = word.trim_matches(['.', ':', '*', '!', '?']);
            let plain = word.chars().skip(1).all(|c| c.is_ascii_lowercase());
            if !word.is_empty() && (number % 2 == 1 || !plain || word.chars().all(|c| c.is_ascii_digit())) {
                push(words, word.to_owned());
                if let Some((key, value)) = word.split_once('=').or_else(|| word.split_once(':')) {
                    [key, value].into_iter().filter(|p| !p.is_empty()).for_each(|p| push(words, p.to_owned()));
                }
            }
        }
    }
    const NUMBERS: [(&str, &str); 9] = [
        ("two", "2"),
        ("three", "3"),
        ("four", "4"),
        ("five", "5"),
        ("six", "6"),
        ("兩個", "2"),
        ("三個", "3"),
        ("read-only", "true"),
        ("唯讀", "true"),
    ];
    for (_, digits) in NUMBERS.iter().filter(|(name, _)| text.to_lowercase().contains(name)) {
        push(words, (*digits).to_owned());
    }
}

/// The names of fields in an expression.
fn identifiers(expression: &str) -> impl Iterator<Item = String> {
    let parts = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    parts.filter(|part| part.len() > 2).map(str::to_owned)
}
