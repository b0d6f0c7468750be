//! English.
mod explain;

use serde_json::Value;

use super::{
    FEW, MAX_VALUE, Message, first_difference, names_of, object, objects, prefix, several, short_value, value,
};
use crate::api::object::ObjectKey;
use crate::dns::WhyNot;
use crate::grade::compare::{ANY, Difference};
use crate::grade::endpoints::{EndpointsWhy, LeadsTo};
use crate::grade::reasons::{NotChosen, Reason};
use crate::grade::{Failure, Finding, NotSimulated};
use crate::kubelet::mounts::{Location, Medium};
use crate::picture::{Relation, Words};
use crate::report::html::Words as Page;
use crate::scenario::{DnsTarget, Level, Range, short_id};

pub(super) fn say(message: &Message<'_>) -> String {
    match *message {
        Message::Finding(failure) => finding(failure),
        Message::Reason { reason, about } => because(reason, about),
        Message::AsAbove => "why: as above".into(),
        Message::NotSimulated(NotSimulated::VolumeContent) => {
            "not simulated: the content of such a volume; the check does not count".into()
        }
        Message::DidNotSettle => "the cluster did not come to rest; the outcome is not final".into(),
        Message::Step(number) => format!("step {number}"),
        Message::StepFailed { number, stderr } => format!("step {number} of the scenario failed: {stderr}"),

        Message::Why => "why".into(),
        Message::ExpectedAndSimulated => "- expected, + simulated".into(),
        Message::Advice => "advice".into(),
        Message::DidYouMean(words) => format!("did you mean `{}`?", words.join("` or `")),
        Message::FullMarks { points } => format!("full marks, {points} of {points} points"),
        Message::Points { points, possible, percent, needed, passed } => {
            let verdict = if passed { "passed" } else { "not passed" };
            format!("{points} of {possible} points ({percent} %), {verdict}: {needed} % pass")
        }
        Message::CheckPoints { points, possible } => format!("{points}/{possible} points"),
        Message::TryHint { scenario } => format!("A hint: ckad-grade hint {}", short_id(scenario)),
        Message::SeeExplanation { scenario } => {
            format!("The key and why it is right: ckad-grade solution {}", short_id(scenario))
        }
        Message::Refused => "refused".into(),
        Message::Warning => "warning".into(),
        Message::MoreDifferences(number) => format!("and {number} more"),
        Message::UnreadableCharacters => "the file is not text".into(),

        Message::NoAnswerYet { scenario } => format!(
            "There is no answer to {scenario} here yet.\n\nWrite your manifests to {scenario}.yaml (or into a folder \
             {scenario}/) and run the same command again, or name the files: ckad-grade {} FILE...",
            short_id(scenario)
        ),
        Message::NextScenario { scenario } => format!("The next task: ckad-grade show {}", short_id(scenario)),
        Message::EmptyAnswer { scenario } => {
            format!("the answer is still empty. The task: ckad-grade show {}", short_id(scenario))
        }
        Message::AnswerFiles { names } => format!("answer: {names}"),
        Message::UnknownScenario { name, suggestion } => {
            let hint = match suggestion {
                Some(suggestion) => format!("Did you mean `{}`?", short_id(suggestion)),
                None => "`ckad-grade list` shows all scenarios.".to_owned(),
            };
            format!("there is no scenario `{name}`. {hint}")
        }
        Message::CannotReadAnswer { file, error } => format!("cannot read the answer {file}: {error}"),
        Message::NothingInAnswer { folder } => {
            format!("the folder {folder} holds no .yaml, .yml or .json file")
        }
        Message::UsingScenariosOf { folder, scenario } => {
            format!("note: {scenario} is taken from {folder}, not from the built-in scenarios")
        }
        Message::OverriddenScenarios { folder, number } => {
            let (plural, are) = if number == 1 { ("", "is") } else { ("s", "are") };
            let differ = if number == 1 { "differs" } else { "differ" };
            format!("note: {number} scenario{plural} of {folder} {are} new or {differ} from the built-in ones")
        }
        Message::ScenarioIsWrong => "the scenario itself is wrong".into(),
        Message::Level(Level::WarmUp) => "warm-up".into(),
        Message::Level(Level::Exam) => "exam".into(),
        Message::Level(Level::Hard) => "hard".into(),
        Message::Minutes(minutes) => format!("{minutes} min"),
        Message::Chapter(chapter) => format!("chapter {chapter}"),
        Message::PointsWorth(points) => format!("{points} points"),
        Message::ScenarioTotals { number, of, minutes } => {
            let of = of.map(|total| format!(" of {total}")).unwrap_or_default();
            let (hours, minutes) = (minutes / 60, minutes % 60);
            let hours = if hours > 0 { format!("{hours} h ") } else { String::new() };
            format!("{number}{of} scenarios, {hours}{minutes} min. Start one: ckad-grade show SCENARIO")
        }
        Message::NothingListed { total } => {
            format!("none of the {total} scenarios is like this. `ckad-grade list` shows all.")
        }
        Message::HowToAnswer { scenario } => {
            format!("Write your answer to {scenario}.yaml, then run: ckad-grade {}", short_id(scenario))
        }
        Message::HintOf { number, total } => format!("hint {number} of {total}"),
        Message::NoSuchHint { total } => format!("the hints are numbered 1 to {total}"),
        Message::NoHints => "there are no hints for this scenario".into(),
        Message::MoreHints { scenario, next } => format!("The next one: ckad-grade hint {} {next}", short_id(scenario)),
        Message::NoKey { scenario } => format!("there is no key for {scenario}"),
        Message::Explanation => "why".into(),
        Message::Sources => "sources".into(),
        Message::Checks => "what is scored".into(),
        Message::ClusterAsYaml { scenario } => format!("as YAML: ckad-grade show {} --cluster", short_id(scenario)),
        Message::ClusterAtStart => "already in the cluster".into(),
        Message::NothingThere => "No objects.".into(),
        Message::NotAsWished => "Not as one would wish:".into(),
        Message::AllAsWished => "Everything is as one would wish.".into(),
        Message::BadScenarioName { name } => {
            format!("`{name}` is no name: it is small letters, digits and `-`, such as 107-archive")
        }
        Message::AlreadyThere { file } => format!("{file} is already there"),
        Message::Wrote { file } => format!("wrote {file}"),
        Message::NewScenario { file } => {
            format!("Replace what says TODO, then prove it: ckad-grade scenario check {file}\nHow: docs/authors.md")
        }
        Message::RefusedLine(refusal) => refusal.to_string(),
        Message::NoSuchPod { pod } => format!("there is no pod {pod} in the end"),
        Message::NameNotFound(why) => format!("NXDOMAIN: {}", why_not(why)),
        Message::AsksFor { name, from: None } => name.to_owned(),
        Message::AsksFor { name, from: Some(pod) } => format!("{name}, asked by pod {pod}"),
        Message::SearchDomains(domains) => format!("search domains: {domains}"),
        Message::NameTried(name) => format!("tried: {name}"),
        Message::NoRecords => "the name exists but has no addresses".into(),
        Message::NoScenarioFiles => "there are no scenario files here; name some: ckad-grade scenario check DIR".into(),
        Message::Picture(words) => picture(words),
        Message::Html(words) => page(words),
        Message::PictureFormat { file } => {
            format!("{file}: a picture's name ends in .svg, .png, .dot or .mermaid; - draws in the terminal")
        }
        Message::PictureBesideData => "--picture - draws between the data; name a file".into(),

        Message::WhatHappened => "what happened".into(),
        Message::WhatWaits => "what is not as one would wish".into(),
        Message::ChecksNotPassed => "what is not as asked".into(),
        Message::WhatHelps => "this would help".into(),
        Message::AlsoThis => "or".into(),
        Message::HelpsAll => "one change for everything".into(),
        Message::HelpedAbove => "the change above helps here, too".into(),
        Message::NothingWaits => "Nothing waits: there is nothing to change.".into(),
        Message::AllChecksPass => "Every check passes: there is nothing to change.".into(),
        Message::Deed(line) => explain::deed(line),
        Message::FixStep(step) => explain::step(step),
        Message::Remark(remark) => explain::remark(remark),
        Message::NothingHelps { tried, cut_short } => {
            let more = if cut_short { "; there would be more to try" } else { "" };
            format!("no change of one or two places helps ({tried} tried{more})")
        }
        Message::Tried { tried: 1 } => "1 changed answer was tried in the simulation".into(),
        Message::Tried { tried } => format!("{tried} changed answers were tried in the simulation"),
        Message::Unreadable { file } => format!("{file} cannot be read to its end"),
        Message::RefusedDocument { object } => format!("{object} was refused"),
    }
}

fn why_not(why: &WhyNot) -> String {
    match why {
        WhyNot::OutsideTheCluster => "the name is not below cluster.local; names outside are not simulated".into(),
        WhyNot::NotTheClustersDns => "by its dnsPolicy the pod does not ask the cluster's DNS".into(),
        WhyNot::NoSuchForm => "names are SERVICE.NAMESPACE.svc or POD.SERVICE.NAMESPACE.svc below cluster.local".into(),
        WhyNot::NoNamespace { namespace } => format!("there is no namespace {namespace}"),
        WhyNot::NoService { namespace, service, elsewhere } => {
            let elsewhere = match elsewhere.as_slice() {
                [] => String::new(),
                [one] => format!("; there is one in namespace {one}"),
                several => format!("; there are some in {}", several.join(", ")),
            };
            format!("there is no Service {service} in namespace {namespace}{elsewhere}")
        }
        WhyNot::NoPodWithAddress { namespace, address } => {
            format!("no pod in namespace {namespace} has the address {address}")
        }
        WhyNot::NoReadyPods { namespace, service, selector, waiting } if waiting.is_empty() => {
            match selector.as_str() {
                "" => format!("the headless Service {namespace}/{service} has no selector, and so no pods"),
                selector => {
                    format!("the headless Service {namespace}/{service} has no pods: none has the labels {selector}")
                }
            }
        }
        WhyNot::NoReadyPods { namespace, service, waiting, .. } => {
            format!("none of the pods of Service {namespace}/{service} is ready: {}", waiting.join(", "))
        }
        WhyNot::NoPort { service, port, ports } if ports.is_empty() => {
            format!("Service {service} has no port {port}; none of its ports has a name")
        }
        WhyNot::NoPort { service, port, ports } => {
            format!("Service {service} has no port {port}; it has {}", ports.join(", "))
        }
        WhyNot::BelowExternalName { service } => {
            format!("Service {service} is of type ExternalName and has no names below it")
        }
        WhyNot::NoPod { namespace, pod, pods } => {
            let pods = match few(pods) {
                pods if pods.is_empty() => String::new(),
                pods => format!("; the Service has {pods}"),
            };
            format!("there is no pod in namespace {namespace} with the name or hostname {pod}{pods}")
        }
        WhyNot::OtherServiceName { set, service_name, service } => {
            let has =
                if service_name.is_empty() { "no serviceName".into() } else { format!("serviceName {service_name}") };
            format!("StatefulSet {set} has {has}; for names below Service {service} it would have to be {service}")
        }
        WhyNot::NotHeadless { service, address } => {
            format!("Service {service} is not headless: its name leads to its own address {address}, not to its pods")
        }
        WhyNot::Headless { service } => {
            format!("Service {service} is headless (clusterIP: None): it has no address, its name leads to its pods")
        }
        WhyNot::AlsoSelected { pods, service, selector } => {
            format!("the selector of Service {service} ({selector}) also selects {}", few(pods))
        }
        WhyNot::NotSelected { pod, service } => format!("the selector of Service {service} does not select pod {pod}"),
        WhyNot::NotReady { pod } => format!("pod {pod} is not ready"),
        WhyNot::OtherHostname { pod, hostname: None } => format!("pod {pod} has no hostname"),
        WhyNot::OtherHostname { pod, hostname: Some(hostname) } => format!("pod {pod} has the hostname {hostname}"),
        WhyNot::OtherSubdomain { pod, subdomain: None, service } => {
            format!("pod {pod} has no subdomain; it would have to be {service}")
        }
        WhyNot::OtherSubdomain { pod, subdomain: Some(subdomain), service } => {
            format!("pod {pod} has the subdomain {subdomain}; it would have to be {service}")
        }
    }
}

/// `NetworkPolicies`.
fn plural(kind: &str) -> String {
    match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if kind.ends_with('s') => format!("{kind}es"),
        None => format!("{kind}s"),
    }
}

/// The first few names and how many more.
fn few(names: &[String]) -> String {
    let more = names.len().saturating_sub(FEW);
    let shown = names.iter().take(FEW).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

fn finding(failure: &Failure) -> String {
    let first = first_difference(failure).map(difference).unwrap_or_default();
    let more = match failure.differences.len() {
        0 | 1 => String::new(),
        number => format!(" (and {} more)", number - 1),
    };
    match &failure.finding {
        Finding::Missing { object: key, instead: None } => format!("there is no {}", object(key)),
        Finding::Missing { object: key, instead: Some(other) } => {
            format!("there is no {}, but there is {}", object(key), object(other))
        }
        Finding::Different { object: key } => format!("{}: {first}{more}", object(key)),
        Finding::NoneLike { kind, namespace, nearest } => {
            let place = namespace.as_ref().map(|n| format!(" in namespace {n}")).unwrap_or_default();
            match nearest {
                None => format!("there is no {}{place}", kind.name()),
                Some(key) => {
                    format!("no {}{place} is as asked; nearest is {}: {first}{more}", kind.name(), object(key))
                }
            }
        }
        Finding::Present { objects: keys, fields, named } => {
            let (names, others) = objects(keys);
            let others = if others > 0 { format!(" and {others} more") } else { String::new() };
            let field = |(path, found): &(String, Value)| match found {
                Value::Null => format!("{path} is not set"),
                found => format!("{path} is {}", value(found)),
            };
            let what = if *named { "be like this" } else { "be there" };
            match fields.as_slice() {
                [] => format!("{names}{others} should not be there"),
                fields => {
                    let fields: Vec<String> = fields.iter().take(FEW).map(field).collect();
                    format!("{names}{others} should not {what}: {}", fields.join(", "))
                }
            }
        }
        Finding::Number { expected, objects: keys, kind, nearest } => {
            let number = match keys.len() {
                0 => format!("no {} is as asked", kind.name()),
                1 => format!("1 {} is as asked", kind.name()),
                number => format!("{number} {} are as asked", plural(kind.name())),
            };
            let names = if keys.is_empty() { String::new() } else { format!(" ({})", few(&names_of(keys))) };
            let nearest = nearest.as_ref().map(|key| format!("; nearest is {}: {first}{more}", object(key)));
            format!("{number}{names}, expected {}{}", range(*expected), nearest.unwrap_or_default())
        }
        Finding::False { missing, .. } | Finding::NoValue { missing, .. } if !missing.is_empty() => {
            format!("there is no {}", missing.iter().take(FEW).map(object).collect::<Vec<_>>().join(" and no "))
        }
        Finding::False { part, values, .. } => {
            let values: Vec<String> = values
                .iter()
                .map(|(text, found)| match found {
                    None | Some(Value::Null) => format!("{} is not there", value(&text.as_str().into())),
                    Some(found) => format!("{} = {}", value(&text.as_str().into()), short_value(found)),
                })
                .collect();
            let values = if values.is_empty() { String::new() } else { format!("; {}", values.join(", ")) };
            format!("not so in the simulated cluster{}{values}", short(part))
        }
        Finding::NoValue { message, .. } => format!("cannot be said of the simulated cluster: {message}"),
        Finding::Resolves { name, target, found } => {
            let target = match target {
                DnsTarget::Pods(pods) => pods.join(", "),
                DnsTarget::Service(service) => format!("the address of Service {service}"),
                DnsTarget::Nothing => "nothing".to_owned(),
            };
            match found {
                None => format!("the name {name} does not exist, expected {target}"),
                Some(found) if found.is_empty() => format!("the name {name} has no address, expected {target}"),
                Some(found) => format!("the name {name} leads to {}, expected {target}", found.join(", ")),
            }
        }
        Finding::Paths { one, other, same: true } => {
            format!("{} and {} show the same files: {}", one.0, other.0, location(&one.1))
        }
        Finding::Paths { one, other, same: false } => {
            format!("{} shows {}, but {} shows {}", one.0, location(&one.1), other.0, location(&other.1))
        }
        Finding::LeadsTo(found) => leads_to(found),
        Finding::OnePod { path, pod } => {
            format!("{path} means only pod {pod}: there is no other to compare it with")
        }
        Finding::NotMounted { path, mounts, .. } if mounts.is_empty() => {
            format!("nothing is mounted at {path}; the container mounts no volume")
        }
        Finding::NotMounted { path, mounts, .. } => {
            let mounts: Vec<String> = mounts.iter().map(|(at, volume)| format!("{volume} at {at}")).collect();
            format!("nothing is mounted at {path}; the container mounts {}", mounts.join(", "))
        }
        Finding::NoPath { path } => format!("there is nothing at {path}: no such container runs"),
    }
}

fn leads_to(found: &LeadsTo) -> String {
    let mut parts = vec![match found.found.as_slice() {
        [] => format!("{} leads to no pod", object(&found.service)),
        pods => format!("{} leads to {}", object(&found.service), pods.join(", ")),
    }];
    if !found.missing.is_empty() {
        parts.push(format!("missing: {}", found.missing.join(", ")));
    }
    if !found.extra.is_empty() {
        parts.push(format!("too many: {}", found.extra.join(", ")));
    }
    if let Some((wanted, ports)) = &found.ports {
        let ports = if ports.is_empty() { "none".to_owned() } else { ports.join(", ") };
        parts.push(format!("its ports are {ports}, expected {}", wanted.join(", ")));
    }
    parts.extend(found.why.iter().map(|why| match why {
        EndpointsWhy::NoSelector => "the Service has no selector".to_owned(),
        EndpointsWhy::SelectsNothing { selector } => format!("no pod of its namespace has the labels {selector}"),
        EndpointsWhy::NotSelected { pod, selector, labels } if labels.is_empty() => {
            format!("pod {pod} has no labels, the selector asks for {selector}")
        }
        EndpointsWhy::NotSelected { pod, selector, labels } => {
            format!("pod {pod} has the labels {labels}, the selector asks for {selector}")
        }
        EndpointsWhy::NoPod { pod } => format!("there is no pod {pod}"),
        EndpointsWhy::NotReady { pods } => match pods.as_slice() {
            [pod] => format!("pod {pod} is not ready"),
            pods => format!("the pods {} are not ready", pods.join(", ")),
        },
        EndpointsWhy::NoPortNamed { pod, port } => format!("no container port of pod {pod} is named {port}"),
    }));
    parts.join("; ")
}

/// An expression, if it is short enough to be of help.
fn short(expression: &str) -> String {
    let fits = expression.chars().count() <= MAX_VALUE && !expression.contains('\n');
    if fits { format!(": {expression}") } else { String::new() }
}

fn range(range: Range) -> String {
    match range {
        Range { min: 0, max: Some(0) } => "none".to_owned(),
        Range { min, max: Some(max) } if min == max => min.to_string(),
        Range { min: 0, max: Some(max) } => format!("at most {max}"),
        Range { min, max: Some(max) } => format!("{min} to {max}"),
        Range { min, max: None } => format!("at least {min}"),
    }
}

fn location(location: &Location) -> String {
    let path = &location.path;
    match &location.medium {
        Medium::Node(node) => format!("/{path} of {node}"),
        Medium::Nfs(server) => format!("/{path} of NFS server {server}"),
        Medium::Csi(driver, handle) => format!("/{path} of {driver} volume {handle}"),
        Medium::Volume(volume) => format!("/{path} of volume {volume}"),
        Medium::Pod(_, volume) => format!("/{path} of the pod's own volume {volume}"),
        Medium::ConfigMap(namespace, name) => format!("ConfigMap {namespace}/{name} {path}").trim_end().to_owned(),
        Medium::Secret(namespace, name) => format!("Secret {namespace}/{name} {path}").trim_end().to_owned(),
        Medium::Image(image) => format!("/{path} of image {image}"),
        Medium::Container(_, container) => format!("the container {container}'s own files"),
    }
}

fn difference(difference: &Difference) -> String {
    let Difference { path, expected, actual } = difference;
    match (expected, actual) {
        (Some(expected), Some(actual)) => format!("{path} is {}, expected {}", value(actual), value(expected)),
        (Some(expected), None) if expected == ANY => format!("{path} is not set"),
        (Some(expected), None) if expected.is_object() => format!("{path} is missing"),
        (Some(expected), None) => format!("{path} is not set, expected {}", value(expected)),
        (None, Some(actual)) => format!("{path} is {}, but should not be set", value(actual)),
        (None, None) => path.clone(),
    }
}

fn because(reason: &Reason, about: Option<&ObjectKey>) -> String {
    let of = |key: &ObjectKey| prefix(key, about, ": ");
    match reason {
        Reason::PassedOver { volume, why, .. } => format!("volume {volume}: {why}"),
        Reason::Claim { claim, state } => format!("{}not bound: {state}", of(claim)),
        Reason::Condition { object: key, condition, reason, message } => {
            format!("{}{condition}: {reason}: {message}", of(key))
        }
        Reason::NotChosen { volume, chosen, why } => match why {
            NotChosen::PassedOver(why) => format!("volume {volume}: {why}"),
            NotChosen::Larger { has, chosen_has } => {
                format!(
                    "{chosen} ({chosen_has}) fits and is smaller than {volume} ({has}): the smallest that fits is taken"
                )
            }
            NotChosen::MadeForIt => {
                format!(
                    "{chosen} was made for the claim by its class; a claim that is bound does not change to {volume}"
                )
            }
            NotChosen::MoreModes => {
                format!("{chosen} fits and offers fewer access modes than {volume}: the narrowest that fits is taken")
            }
            NotChosen::Equal => format!("{chosen} fits as well as {volume}: either could be taken"),
        },
        Reason::Replicas { set, ready, wanted, waits_for } => {
            let waiting = waits_for.iter().map(|pod| format!("; the pods after {pod} wait until it is ready"));
            format!("{}{ready} of {wanted} pods are ready{}", of(set), waiting.collect::<String>())
        }
        Reason::Pods { pods, message } => {
            let names = several(pods, &|one, other| format!("{one} and {other}"), &|number, kind, prefix| {
                format!("{number} {kind}s {prefix}…")
            });
            format!("{names}: {message}")
        }
        Reason::Name(why) => why_not(why),
        Reason::Pod { pod, message } => format!("{}{message}", of(pod)),
        Reason::Event { object: key, reason, message, .. } => format!("{}{reason}: {message}", of(key)),
    }
}

fn picture(words: Words<'_>) -> String {
    match words {
        Words::Relation(relation) => match relation {
            Relation::Resolves => "resolves to",
            Relation::Selects => "selects",
            Relation::Governs => "serviceName",
            Relation::Owns => "owns",
            Relation::Mounts => "mounts",
            Relation::Reads => "reads",
            Relation::Asks => "asks for",
            Relation::Bound => "bound to",
            Relation::WasBound => "was bound to",
            Relation::Provisions => "provisions",
            Relation::RunsOn => "runs on",
            Relation::OnlyFrom => "only from",
        }
        .to_owned(),
        Words::TitleOfOutcome => "The simulated cluster".to_owned(),
        Words::TitleOfGrade { scenario, points, possible } => format!("{scenario}: {points} of {possible} points"),
        Words::Objects { items, troubles: 0 } => format!("{items} objects; no link is broken."),
        Words::Objects { items, troubles } => format!("{items} objects; what is wrong ({troubles}):"),
        Words::Nothing { kind } => format!("no {kind}"),
        Words::DoesNotExist { kind, name } => format!("{kind} {name} does not exist"),
        Words::HasNoKey { kind, name, key } => format!("{kind} {name} has no key {key}"),
        Words::NotMounted { volume } => format!("volume {volume} is declared, but no container mounts it"),
        Words::SelectsNothing { selector } => format!("no pod has the labels {selector}"),
        Words::NotReady { pod } => format!("pod {pod} is not ready and gets no traffic"),
        Words::WantedPods { missing: 1 } => "1 pod is not there".to_owned(),
        Words::WantedPods { missing } => format!("{missing} pods are not there"),
        Words::NoSuchService { service } => {
            format!("there is no Service {service}: the pods have no DNS names")
        }
        Words::More { number } => format!("and {number} more"),
        Words::Others { kind, number } => format!("and {number} more {kind}s"),
        Words::Missing => "not there".to_owned(),
        Words::See => "see above".to_owned(),
    }
}

fn page(words: Page<'_>) -> String {
    let plural = |number: u64| if number == 1 { "" } else { "s" };
    match words {
        Page::Title => "Report of a batch".to_owned(),
        Page::Scenarios => "scenarios".to_owned(),
        Page::Answers => "answers".to_owned(),
        Page::StudentsPassed { passed, students } => {
            format!("{passed} of {students} student{} passed", plural(students))
        }
        Page::MeanPercent => "mean of all points".to_owned(),
        Page::Glance => "At one glance".to_owned(),
        Page::GlanceLegend { percent } => format!(
            "Points of every answer. {percent} % of all points pass. – nothing handed in, \
             ! no grade. A number leads to what came of the answer, a name to all of a student's answers."
        ),
        Page::Distribution => "Distribution".to_owned(),
        Page::DistributionOf { students } => format!("percent of the points, {students} in all"),
        Page::Student => "Student".to_owned(),
        Page::Total => "Total".to_owned(),
        Page::PerScenario => "Scenarios".to_owned(),
        Page::PerStudent => "Students".to_owned(),
        Page::GradedAnswers { graded, passed, full } => {
            format!("{graded} answer{} graded, {passed} passed, {full} with full marks", plural(graded))
        }
        Page::Ungraded { number } => format!("{number} without a grade"),
        Page::NotHandedIn { number } => format!("{number} not handed in"),
        Page::FailedBy { failed, graded } => {
            format!("{failed} of {graded} failed ({} %)", (failed * 100).checked_div(graded).unwrap_or(0))
        }
        Page::Outcomes => "Outcomes, the most frequent first".to_owned(),
        Page::AnswersAlike { number: 1 } => "1 answer".to_owned(),
        Page::AnswersAlike { number } => format!("{number} answers"),
        Page::MoreOutcomes { number } => {
            format!("{number} rarer outcomes are left out; the CSV and JSON reports have all.")
        }
        Page::MoreStudents { number } => format!("and {number} more"),
        Page::KubectlSaid => "kubectl said".to_owned(),
        Page::Line { line } => format!("line {line}"),
        Page::PictureLeftOut => "Difference and picture are left out: the report would become too large.".to_owned(),
        Page::Difference => "difference".to_owned(),
        Page::Late => "late".to_owned(),
        Page::Attempt { number, of } => format!("attempt {number} of {of}"),
        Page::Unreadable => "not readable to the end".to_owned(),
        Page::Limit => "exceeds a limit".to_owned(),
        Page::Crashed => "the grader crashed (a bug of ours)".to_owned(),
        Page::ScenarioWrong => "the scenario is wrong".to_owned(),
        Page::Missing => "nothing handed in".to_owned(),
        Page::Unmatched => "not an answer to anything".to_owned(),
        Page::Nobody => "Nobody's files".to_owned(),
        Page::Alike => "Answers that are alike".to_owned(),
        Page::AlikeBy { shared, percent } => format!("{shared} peculiar lines shared ({percent} %)"),
        Page::Filter => "Name".to_owned(),
        Page::OnlyNotPassed => "only who did not pass".to_owned(),
        Page::SortBy { column } => format!("sort by {column}"),
    }
}
