//! From TOML to a [`Scenario`]; every error says where.
use std::ops::Range as Bytes;

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::cluster::RawCluster;
use super::error::{LoadError, Place};
use super::{
    Cel, Check, ContainerPath, Dns, DnsTarget, EndpointPort, Endpoints, Free, Level, Mount, Pattern, Programs,
    Question, Range, Scenario, Storage,
};
use crate::lang::Text;
use crate::timeline::{self, Step, StepTable};
use crate::yaml;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScenario {
    format: Spanned<u32>,
    id: Spanned<String>,
    chapter: String,
    level: Level,
    minutes: u32,
    #[serde(default)]
    sources: Vec<String>,
    #[serde(default)]
    covers: Vec<String>,
    title: Spanned<Text>,
    task: Spanned<Text>,
    #[serde(default)]
    hints: Vec<Spanned<Text>>,
    explanation: Option<Spanned<Text>>,
    #[serde(default)]
    cluster: RawCluster,
    #[serde(default)]
    steps: Vec<Spanned<StepTable>>,
    checks: Spanned<Vec<Spanned<RawCheck>>>,
    #[serde(default)]
    free: Vec<Free>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCheck {
    id: Spanned<String>,
    points: Spanned<u32>,
    title: Spanned<Text>,
    advice: Option<Spanned<Text>>,
    after: Option<Spanned<usize>>,
    expect: Option<Spanned<String>>,
    absent: Option<Spanned<String>>,
    count: Option<Spanned<RawCount>>,
    cel: Option<Spanned<String>>,
    mount: Option<RawMount>,
    storage: Option<Spanned<RawStorage>>,
    dns: Option<Spanned<RawDns>>,
    endpoints: Option<RawEndpoints>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCount {
    like: Spanned<String>,
    exactly: Option<u64>,
    min: Option<u64>,
    max: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawMount {
    at: Spanned<String>,
    volume: Spanned<String>,
    read_only: Option<bool>,
    sub_path: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStorage {
    #[serde(default)]
    same: Vec<Spanned<String>>,
    #[serde(default)]
    different: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDns {
    name: String,
    namespace: String,
    pods: Option<Vec<String>>,
    service: Option<String>,
    #[serde(default)]
    nothing: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEndpoints {
    service: Spanned<String>,
    pods: Vec<String>,
    ports: Option<Vec<Spanned<RawPort>>>,
    ready: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawPort {
    Number(i64),
    Text(String),
}

const KINDS_OF_CHECK: &str = "`expect`, `absent`, `count`, `cel`, `mount`, `storage`, `dns`, `endpoints`";

impl Scenario {
    /// Reads a scenario; `file` is its name in error messages.
    pub fn parse(source: &str, file: &str) -> Result<Scenario, LoadError> {
        let raw: RawScenario = toml::from_str(source).map_err(|error| LoadError::from_toml(file, source, &error))?;
        Loader { file, source }.scenario(raw)
    }
}

/// The place at which the content of a string begins: after the quotes and, for a multi-line string, after the line break.
pub(super) fn text_place(file: &str, source: &str, span: Bytes<usize>) -> Place {
    let text = source.get(span.clone()).unwrap_or_default();
    let quotes = if text.starts_with("'''") || text.starts_with("\"\"\"") { 3 } else { 1 };
    let rest = text.get(quotes..).unwrap_or_default();
    let line_break = match quotes {
        3 if rest.starts_with("\r\n") => 2,
        3 if rest.starts_with('\n') => 1,
        _ => 0,
    };
    Place::at(file, source, span.start + quotes + line_break)
}

struct Loader<'a> {
    file: &'a str,
    source: &'a str,
}

impl Loader<'_> {
    fn error(&self, span: Bytes<usize>, message: impl Into<String>) -> LoadError {
        LoadError::new(self.file, self.source, span, message)
    }

    fn scenario(&self, raw: RawScenario) -> Result<Scenario, LoadError> {
        if *raw.format.get_ref() != 1 {
            let message = format!("`format = {}` is not known; this version reads format 1", raw.format.get_ref());
            return Err(self.error(raw.format.span(), message));
        }
        let id = raw.id.get_ref();
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !id.chars().all(allowed) || !id.starts_with("scenario-") {
            let message = "an `id` is `scenario-` followed by small letters, digits and `-`";
            return Err(self.error(raw.id.span(), message));
        }
        let stem = std::path::Path::new(self.file).file_stem().and_then(|s| s.to_str());
        if stem.is_some_and(|stem| stem != id) {
            return Err(
                self.error(raw.id.span(), format!("the `id` must be the file's name: it should be `{id}.toml`"))
            );
        }
        let steps = raw.steps.into_iter().map(|step| self.step(step)).collect::<Result<Vec<Step>, _>>()?;
        let checks = self.checks(raw.checks, steps.len())?;
        Ok(Scenario {
            chapter: raw.chapter,
            level: raw.level,
            minutes: raw.minutes,
            sources: raw.sources,
            covers: raw.covers,
            title: self.text("title", raw.title)?,
            task: self.text("task", raw.task)?,
            hints: raw.hints.into_iter().map(|hint| self.text("hint", hint)).collect::<Result<_, _>>()?,
            explanation: raw.explanation.map(|text| self.text("explanation", text)).transpose()?,
            cluster: raw.cluster.into_setup(self.file, self.source)?,
            steps,
            checks,
            free: raw.free,
            id: raw.id.into_inner(),
        })
    }

    /// A scenario is one file, so that its steps name no other files.
    fn step(&self, table: Spanned<StepTable>) -> Result<Step, LoadError> {
        let no_files = |name: &str| {
            let message =
                format!("the step names a file, `{name}`; write the manifest here: `manifest = \'\'\'…\'\'\'`");
            Err(timeline::LoadError::Format(message))
        };
        let span = table.span();
        table.into_inner().into_step(&no_files).map_err(|error| self.error(span, error.to_string()))
    }

    /// A text is there in both languages.
    fn text(&self, what: &str, text: Spanned<Text>) -> Result<Text, LoadError> {
        let missing = match text.get_ref() {
            Text { en, .. } if en.trim().is_empty() => Some("en"),
            Text { zh_tw, .. } if zh_tw.trim().is_empty() => Some("zh-TW"),
            _ => None,
        };
        match missing {
            Some(lang) => Err(self.error(text.span(), format!("the {what} says nothing in `{lang}`"))),
            None => Ok(text.into_inner()),
        }
    }

    fn checks(&self, raw: Spanned<Vec<Spanned<RawCheck>>>, steps: usize) -> Result<Vec<Check>, LoadError> {
        if raw.get_ref().is_empty() {
            return Err(self.error(raw.span(), "a scenario has at least one check"));
        }
        let mut checks: Vec<Check> = Vec::new();
        for check in raw.into_inner() {
            let id = check.get_ref().id.clone();
            let check = self.check(check, steps)?;
            if checks.iter().any(|other| other.id == check.id) {
                return Err(self.error(id.span(), format!("there is already a check `{}`", check.id)));
            }
            checks.push(check);
        }
        Ok(checks)
    }

    fn check(&self, raw: Spanned<RawCheck>, steps: usize) -> Result<Check, LoadError> {
        let span = raw.span();
        let raw = raw.into_inner();
        if *raw.points.get_ref() == 0 {
            return Err(self.error(raw.points.span(), "a check is worth at least one point"));
        }
        if let Some(after) = raw.after.as_ref().filter(|after| *after.get_ref() > steps) {
            let message = format!("`after = {}`, but there are only {steps} steps", after.get_ref());
            return Err(self.error(after.span(), message));
        }
        let mut questions = Vec::new();
        if let Some(text) = &raw.expect {
            questions.push(Question::Expect(self.pattern(text)?));
        }
        if let Some(text) = &raw.absent {
            questions.push(Question::Absent(self.pattern(text)?));
        }
        if let Some(count) = &raw.count {
            questions.push(self.count(count)?);
        }
        if let Some(text) = &raw.cel {
            let place = text_place(self.file, self.source, text.span());
            questions.push(Question::Cel(Cel {
                expression: text.get_ref().clone(),
                place,
                programs: Programs::default(),
            }));
        }
        if let Some(mount) = raw.mount {
            questions.push(Question::Mount(Mount {
                at: self.path(&mount.at)?,
                volume: self.document(&mount.volume)?,
                read_only: mount.read_only,
                sub_path: mount.sub_path,
            }));
        }
        if let Some(storage) = &raw.storage {
            questions.push(self.storage(storage)?);
        }
        if let Some(dns) = raw.dns {
            questions.push(self.dns(dns)?);
        }
        if let Some(endpoints) = raw.endpoints {
            questions.push(self.endpoints(endpoints)?);
        }
        if questions.is_empty() {
            let message = format!("check `{}` asks nothing; it needs one of {KINDS_OF_CHECK}", raw.id.get_ref());
            return Err(self.error(raw.id.span(), message));
        }
        Ok(Check {
            points: raw.points.into_inner(),
            title: self.text("title", raw.title)?,
            advice: raw.advice.map(|text| self.text("advice", text)).transpose()?,
            after: raw.after.map(Spanned::into_inner),
            questions,
            place: Place::at(self.file, self.source, span.start),
            id: raw.id.into_inner(),
        })
    }

    /// A manifest with one partial object.
    fn pattern(&self, text: &Spanned<String>) -> Result<Pattern, LoadError> {
        let pattern = self.document(text)?;
        for key in ["apiVersion", "kind"] {
            if pattern.value.get(key).and_then(Value::as_str).is_none() {
                return Err(self.error(text.span(), format!("the object has no `{key}`")));
            }
        }
        Ok(pattern)
    }

    /// One YAML document.
    fn document(&self, text: &Spanned<String>) -> Result<Pattern, LoadError> {
        let place = text_place(self.file, self.source, text.span());
        let mut documents = yaml::documents(text.get_ref()).map_err(|error| {
            let place = place.lines_below(error.line.unwrap_or(1).saturating_sub(1));
            LoadError { place, message: error.message, suggestion: None, span: text.span() }
        })?;
        match (documents.pop(), documents.is_empty()) {
            (Some(value), true) => Ok(Pattern { value, place }),
            _ => Err(self.error(text.span(), "exactly one object is expected here")),
        }
    }

    fn path(&self, text: &Spanned<String>) -> Result<ContainerPath, LoadError> {
        ContainerPath::parse(text.get_ref())
            .ok_or_else(|| self.error(text.span(), "a path is written `NAMESPACE/POD/CONTAINER:/PATH`"))
    }

    fn count(&self, raw: &Spanned<RawCount>) -> Result<Question, LoadError> {
        let RawCount { like, exactly, min, max } = raw.get_ref();
        let range = match (*exactly, *min, *max) {
            (Some(number), None, None) => Range { min: number, max: Some(number) },
            (None, Some(min), max) => Range { min, max },
            (None, None, Some(max)) => Range { min: 0, max: Some(max) },
            _ => return Err(self.error(raw.span(), "a count has either `exactly`, or `min`, `max` or both")),
        };
        if range.max.is_some_and(|max| max < range.min) {
            return Err(self.error(raw.span(), "`max` is less than `min`"));
        }
        Ok(Question::Count(range, self.pattern(like)?))
    }

    fn dns(&self, raw: Spanned<RawDns>) -> Result<Question, LoadError> {
        let span = raw.span();
        let RawDns { name, namespace, pods, service, nothing } = raw.into_inner();
        let target = match (pods, service, nothing) {
            (Some(pods), None, false) if !pods.is_empty() => DnsTarget::Pods(pods),
            (None, Some(service), false) => DnsTarget::Service(service),
            (None, None, true) => DnsTarget::Nothing,
            _ => return Err(self.error(span, "a name leads to `pods`, or to a `service`, or to `nothing = true`")),
        };
        Ok(Question::Dns(Dns { name, namespace, target }))
    }

    fn endpoints(&self, raw: RawEndpoints) -> Result<Question, LoadError> {
        let (namespace, service) = match raw.service.get_ref().split_once('/') {
            Some((namespace, service)) if !namespace.is_empty() && !service.is_empty() => (namespace, service),
            _ => return Err(self.error(raw.service.span(), "a Service is written `NAMESPACE/NAME`")),
        };
        let port = |port: &Spanned<RawPort>| {
            let text = match port.get_ref() {
                RawPort::Number(number) => number.to_string(),
                RawPort::Text(text) => text.clone(),
            };
            let message = "a port is written `8080`, `8080/UDP` or `http=8080/TCP`";
            EndpointPort::parse(&text).ok_or_else(|| self.error(port.span(), message))
        };
        let ports = raw.ports.map(|ports| ports.iter().map(port).collect::<Result<Vec<_>, _>>()).transpose()?;
        Ok(Question::Endpoints(Endpoints {
            namespace: namespace.to_owned(),
            service: service.to_owned(),
            pods: raw.pods,
            ports,
            ready: raw.ready.unwrap_or(true),
        }))
    }

    fn storage(&self, raw: &Spanned<RawStorage>) -> Result<Question, LoadError> {
        let RawStorage { same, different } = raw.get_ref();
        // one pattern can mean several pods
        let alone = |list: &[Spanned<String>]| match list {
            [one] => ContainerPath::parse(one.get_ref()).is_none_or(|path| !path.pod.contains('*')),
            _ => false,
        };
        if alone(same) || alone(different) || same.len() + different.len() == 0 {
            let message = "`same` and `different` compare at least two paths; `*` in a pod's name can mean several";
            return Err(self.error(raw.span(), message));
        }
        let paths = |list: &[Spanned<String>]| list.iter().map(|text| self.path(text)).collect::<Result<Vec<_>, _>>();
        Ok(Question::Storage(Storage { same: paths(same)?, different: paths(different)? }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{Question, Range, Scenario};

    const HEAD: &str = "format = 1\nid = \"scenario-1\"\nchapter = \"1\"\nlevel = \"exam\"\nminutes = 1\n\
        title = { en = \"a\", zh-TW = \"b\" }\ntask = { en = \"a\", zh-TW = \"b\" }\n";
    const POD: &str = "\'\'\'\napiVersion: v1\nkind: Pod\n\'\'\'";

    fn check(question: &str) -> String {
        format!("{HEAD}[[checks]]\nid = \"x\"\npoints = 1\ntitle = {{ en = \"a\", zh-TW = \"b\" }}\n{question}\n")
    }

    fn error(source: &str) -> String {
        Scenario::parse(source, "dir/scenario-1.toml").unwrap_err().to_string()
    }

    #[test]
    fn each_kind_of_check_is_read() {
        let question = |text: &str| {
            let mut checks = Scenario::parse(&check(text), "scenario-1.toml").unwrap().checks;
            checks.pop().unwrap().questions.pop().unwrap()
        };
        assert!(matches!(question(&format!("expect = {POD}")), Question::Expect(_)));
        assert!(matches!(question(&format!("absent = {POD}")), Question::Absent(_)));
        let count = question(&format!("count = {{ min = 2, like = {POD} }}"));
        assert!(matches!(count, Question::Count(Range { min: 2, max: None }, _)));
        assert!(matches!(question("cel = \"true\""), Question::Cel(_)));
        let mount = "mount = { at = \"ns/pod/a:/x\", volume = \"emptyDir: {}\", read-only = true }";
        assert!(matches!(question(mount), Question::Mount(_)));
        let paths = "storage.same = [\"ns/pod/a:/x\", \"ns/pod/b:/y\"]";
        assert!(matches!(question(paths), Question::Storage(_)));
        assert!(matches!(question("storage.different = [\"ns/pod-*/a:/x\"]"), Question::Storage(_)));
        let endpoints = "endpoints = { service = \"a/b\", pods = [\"c-*\"], ports = [80, \"dns=53/UDP\"] }";
        assert!(matches!(question(endpoints), Question::Endpoints(_)));
        assert!(matches!(question("dns = { name = \"a\", namespace = \"b\", pods = [\"c\"] }"), Question::Dns(_)));
    }

    #[test]
    fn errors_point_at_the_place_and_suggest() {
        let unknown = error(&check("expct = \"\""));
        assert!(unknown.starts_with("dir/scenario-1.toml:12:1: unknown field `expct`"), "{unknown}");
        assert!(unknown.ends_with("(did you mean `expect`?)"), "{unknown}");
        let level = error(&check("cel = \"true\"").replace("\"exam\"", "\"exm\""));
        assert!(level.contains(":4:9:") && level.ends_with("(did you mean `exam`?)"), "{level}");
        let yaml = error(&check("expect = \'\'\'\napiVersion: v1\nkind: [\n\'\'\'"));
        assert!(yaml.starts_with("dir/scenario-1.toml:15:1: "), "{yaml}");
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert!(error(HEAD).contains("missing field `checks`"));
        assert!(error(&check("")).contains("asks nothing"));
        assert!(error(&check("cel = \"true\"\nafter = 1")).contains("there are only 0 steps"));
        assert!(error(&check("cel = \"true\"").replace("points = 1", "points = 0")).contains("at least one point"));
        assert!(
            error(&check("cel = \"true\"").replace("zh-TW = \"b\"", "zh-TW = \" \"")).contains("nothing in `zh-TW`")
        );
        assert!(error(&check("dns = { name = \"a\", namespace = \"b\" }")).contains("a name leads to `pods`"));
        assert!(error(&check("endpoints = { service = \"b\", pods = [] }")).contains("NAMESPACE/NAME"));
        let port = error(&check("endpoints = { service = \"a/b\", pods = [], ports = [\"80/HTTP\"] }"));
        assert!(port.contains("a port is written"), "{port}");
        assert!(error(&check("storage.same = [\"a\"]")).contains("at least two paths"));
        assert!(error(&check("storage.same = [\"ns/a/c:/*\"]")).contains("at least two paths"));
        assert!(error(&check("storage.same = [\"a\", \"b\"]")).contains("NAMESPACE/POD/CONTAINER:/PATH"));
        assert!(
            error(&check("cel = \"true\"").replace("scenario-1", "scenario-2")).contains("must be the file's name")
        );
        assert!(error(&format!("{}\n[[steps]]\napply = \"a.yaml\"", check("cel = \"true\""))).contains("names a file"));
    }
}
