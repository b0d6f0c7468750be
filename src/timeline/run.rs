//! `kubectl run NAME --image=IMAGE -- [COMMAND] [ARGS]` (`kubectl/pkg/cmd/run`, `kubectl/pkg/generate/versioned`).
use std::collections::BTreeMap;

use k8s_openapi::jiff::SignedDuration;
use serde_json::{Value, json};

use super::command::{Command, Done, DryRun, Kubectl};
use super::flags::Spec;
use super::kubectl::Error;
use super::{create, delete};
use crate::api::Kind;
use crate::api::field::go_quote;
use crate::api::validation::names::is_env_var_name;

pub(super) const COMMAND: Command = Command {
    path: "kubectl run",
    spec: Spec {
        switches: &[
            "attach",
            "command",
            "expose",
            "force",
            "leave-stdin-open",
            "privileged",
            "quiet/q",
            "record",
            "rm",
            "save-config",
            "show-managed-fields",
            "stdin/i",
            "tty/t",
            "wait",
        ],
        texts: &[
            "cascade",
            "dry-run",
            "detach-keys",
            "grace-period",
            "image",
            "image-pull-policy",
            "labels/l",
            "output/o",
            "override-type",
            "overrides",
            "pod-running-timeout",
            "port",
            "restart",
            "template",
            "timeout",
        ],
        lists: &["annotations", "env"],
    },
    run,
};

fn client<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Client(message.into()))
}

/// Whether an image's name is one; the tag and the digest need not be as strict here.
fn is_image(image: &str) -> bool {
    let (name, tag) = match image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
        Some((name, tag)) => (name.split('@').next().unwrap_or_default(), tag),
        None => (image.split('@').next().unwrap_or_default(), "latest"),
    };
    let host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    let path = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    let mut parts = name.split('/').peekable();
    let first = parts.next().unwrap_or_default();
    let has_more = parts.peek().is_some();
    let ends = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric()) && part.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    let first_fits = ends(first) && (first.chars().all(path) || (has_more && first.chars().all(host)));
    let tag_fits = !tag.is_empty() && tag.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    first_fits && parts.all(|part| ends(part) && part.chars().all(path)) && tag_fits
}

fn run(k: &mut Kubectl<'_>) -> Done {
    k.flags.require(&["image"])?;
    let mut args = k.flags.args();
    if args.is_empty() {
        return Err(k.flags.usage_error("NAME is required for run"));
    }
    let name = args.remove(0);
    args.extend(k.flags.rest());
    let image = k.flags.or_empty("image").to_owned();
    if image.is_empty() {
        return client("--image is required");
    }
    if !is_image(&image) {
        return client(format!("Invalid image name {}: invalid reference format", go_quote(&image)));
    }
    let (stdin, tty, expose) = (k.flags.on("stdin")?, k.flags.on("tty")?, k.flags.on("expose")?);
    let port = k.flags.or_empty("port").to_owned();
    if tty && !stdin {
        return Err(k.flags.usage_error("-i/--stdin is required for containers with -t/--tty=true"));
    }
    if expose && port.is_empty() {
        return Err(k.flags.usage_error("--port must be set when exposing a service"));
    }
    let restart = match k.flags.text("restart") {
        None => "Always".to_owned(),
        Some("") if stdin => "OnFailure".to_owned(),
        Some("") => "Always".to_owned(),
        Some(policy @ ("Always" | "OnFailure" | "Never")) => policy.to_owned(),
        Some(other) => return Err(k.flags.usage_error(&format!("invalid restart policy: {other}"))),
    };
    let remove = k.flags.on("rm")?;
    let attach = k.flags.switch("attach")?.unwrap_or(stdin);
    if remove && !attach {
        return Err(k.flags.usage_error("--rm should only be used for attached containers"));
    }
    if attach && k.dry_run != DryRun::No {
        let message =
            "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)";
        return Err(k.flags.usage_error(message));
    }
    let pull_policy = k.flags.or_empty("image-pull-policy").to_owned();
    if !matches!(pull_policy.as_str(), "" | "Always" | "IfNotPresent" | "Never") {
        return Err(k.flags.usage_error(&format!("invalid image pull policy: {pull_policy}")));
    }
    let labels = match k.flags.or_empty("labels") {
        "" => BTreeMap::from([("run".to_owned(), name.clone())]),
        text => parse_labels(text)?,
    };
    let mut container = json!({ "name": name, "image": image });
    if !args.is_empty() {
        let field = if k.flags.on("command")? { "command" } else { "args" };
        container[field] = json!(args);
    }
    let env = k.flags.list("env").iter().map(|text| parse_env(text)).collect::<Result<Vec<_>, _>>()?;
    if !env.is_empty() {
        container["env"] = Value::Array(env);
    }
    if !pull_policy.is_empty() {
        container["imagePullPolicy"] = pull_policy.into();
    }
    let number = match port.as_str() {
        "" => None,
        port => Some(atoi(port)?),
    };
    if let Some(number) = number {
        container["ports"] = json!([{ "containerPort": number }]);
    }
    if stdin {
        container["stdin"] = true.into();
        container["stdinOnce"] = (!k.flags.on("leave-stdin-open")?).into();
    }
    if tty {
        container["tty"] = true.into();
    }
    if k.flags.on("privileged")? {
        container["securityContext"] = json!({ "privileged": true });
    }
    let mut object = create::object(k, Kind::Pod, &name);
    object["metadata"]["labels"] = json!(labels);
    let mut annotations = BTreeMap::new();
    for text in k.flags.list("annotations") {
        match text.split_once('=').filter(|(key, _)| !key.is_empty()) {
            Some((key, value)) => annotations.insert(key.to_owned(), value.to_owned()),
            None => return client(format!("invalid annotations format: {text}")),
        };
    }
    if !annotations.is_empty() {
        object["metadata"]["annotations"] = json!(annotations);
    }
    object["spec"] = json!({ "containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": restart });
    if let Some(text) = k.flags.text("overrides").filter(|text| !text.is_empty()) {
        object = overridden(k, object, text)?;
    }
    if expose {
        // the Service is made second but printed first
        let before = std::mem::take(&mut k.out);
        create::submit(k, Kind::Pod, object, "created", None)?;
        let pod = std::mem::replace(&mut k.out, before);
        let service = service(k, &name, number.unwrap_or_default(), &labels);
        create::submit(k, Kind::Service, service, "created", None)?;
        if k.flags.or_empty("output") == "yaml" {
            k.out.push_str("---\n");
        }
        k.out.push_str(&pod);
    } else {
        create::submit(k, Kind::Pod, object, "created", None)?;
    }
    if remove {
        // whoever is attached looks until the container ends
        k.out.clear();
        k.cluster.settle();
        k.cluster.advance(SignedDuration::from_secs(60));
        delete::remove_pod(k, &name)?;
    }
    Ok(())
}

fn service(k: &Kubectl<'_>, name: &str, port: i32, labels: &BTreeMap<String, String>) -> Value {
    let mut object = create::object(k, Kind::Service, name);
    let ports = json!([{ "port": port, "targetPort": port, "protocol": "TCP" }]);
    object["spec"] = json!({ "ports": ports, "selector": labels });
    if k.flags.text("labels").is_some_and(|labels| !labels.is_empty()) {
        object["metadata"]["labels"] = json!(labels);
    }
    object
}

/// `strconv.Atoi`.
pub(super) fn atoi(text: &str) -> Result<i32, Error> {
    let wrong = || Error::Client(format!("strconv.Atoi: parsing {}: invalid syntax", go_quote(text)));
    text.parse().map_err(|_| wrong())
}

/// `a=b,c=d` (`generate.ParseLabels`).
pub(super) fn parse_labels(text: &str) -> Result<BTreeMap<String, String>, Error> {
    let mut labels = BTreeMap::new();
    for pair in text.split(',') {
        match pair.split('=').collect::<Vec<_>>().as_slice() {
            ["", _] => return client("unexpected empty label key"),
            [key, value] => labels.insert((*key).to_owned(), (*value).to_owned()),
            _ => return client(format!("unexpected label spec: {pair}")),
        };
    }
    Ok(labels)
}

fn parse_env(text: &str) -> Result<Value, Error> {
    match text.split_once('=').filter(|(name, _)| is_env_var_name(name).is_empty()) {
        Some((name, value)) => Ok(json!({ "name": name, "value": value })),
        None => client(format!("invalid env: {text}")),
    }
}

/// `--overrides`: merged into what was made.
pub(super) fn overridden(k: &Kubectl<'_>, mut object: Value, text: &str) -> Result<Value, Error> {
    let patch: Value = serde_json::from_str(text)
        .or_else(|_| crate::yaml::documents(text).map(|mut documents| documents.pop().unwrap_or_default()))
        .map_err(|error| Error::Client(format!("Invalid JSON Patch: {}", error.message)))?;
    match k.flags.text("override-type").unwrap_or("merge") {
        "merge" => json_patch::merge(&mut object, &patch),
        "json" => {
            let patch: json_patch::Patch =
                serde_json::from_value(patch).map_err(|error| Error::Client(error.to_string()))?;
            json_patch::patch(&mut object, &patch.0).map_err(|error| Error::Client(error.to_string()))?;
        }
        "strategic" => {
            let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
            let root = crate::api::schema::kind("v1", kind);
            let root = root.ok_or_else(|| Error::Client(format!("no schema for {kind}")))?;
            object = crate::api::patch::strategic_merge(object, patch, root)
                .map_err(|error| Error::Client(error.to_string()))?;
        }
        other => return client(format!("invalid override type: {other}")),
    }
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::is_image;
    use crate::timeline::testing::Shell;

    #[test]
    fn images_have_names() {
        for image in [
            "nginx",
            "nginx:1.27",
            "a/b",
            "reg.io:5000/A".to_lowercase().as_str(),
            "Reg.io/a@sha256:ab12",
            "k8s.gcr.io/a_b:1",
        ] {
            assert!(is_image(image), "{image}");
        }
        for image in ["Nginx", "nginx:", "a b", "-a", "nginx:1 2", "/a"] {
            assert!(!is_image(image), "{image}");
        }
    }

    #[test]
    fn a_pod_is_made_as_the_flags_say() {
        let mut shell = Shell::default();
        let line = "run web --image=nginx --port=80 --env=A=b=c -l app=x,tier=y --expose --restart=Never -- sleep 1d";
        assert_eq!(shell.stdout(line), "service/web created\npod/web created\n");
        assert_eq!(shell.labels("Pod", "web"), "app=x,tier=y");
        assert_eq!(shell.value("Pod", "web", "/spec/containers/0/args/1"), "1d");
        assert_eq!(shell.value("Pod", "web", "/spec/containers/0/env/0/value"), "b=c");
        assert_eq!(shell.value("Pod", "web", "/spec/restartPolicy"), "Never");
        assert_eq!(shell.value("Service", "web", "/spec/selector/app"), "x");
        shell.stdout("run b --image=busybox --command -- sleep 1d");
        assert_eq!(shell.value("Pod", "b", "/spec/containers/0/command/0"), "sleep");
    }

    #[test]
    fn a_dry_run_prints_the_manifest() {
        let mut shell = Shell::default();
        let yaml = shell.stdout("run web --image=nginx --dry-run=client -o yaml");
        assert_eq!(
            yaml,
            "apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    run: web\n  name: web\nspec:\n  containers:\n  - image: \
             nginx\n    name: web\n    resources: {}\n  dnsPolicy: ClusterFirst\n  restartPolicy: Always\nstatus: {}\n"
        );
        assert_eq!(shell.stdout("run web --image=nginx --dry-run=client"), "pod/web created (dry run)\n");
    }

    #[test]
    fn wrong_runs_are_refused() {
        let mut shell = Shell::default();
        let help = "See 'kubectl run -h' for help and examples\n";
        assert_eq!(shell.stderr("run web"), "error: required flag(s) \"image\" not set\n");
        assert_eq!(shell.stderr("run --image=a"), format!("error: NAME is required for run\n{help}"));
        assert_eq!(shell.stderr("run web --image=A"), "error: Invalid image name \"A\": invalid reference format\n");
        assert_eq!(
            shell.stderr("run web --image=a --restart=no"),
            format!("error: invalid restart policy: no\n{help}")
        );
        assert_eq!(shell.stderr("run web --image=a --env=1"), "error: invalid env: 1\n");
        shell.stdout("run web --image=a");
        assert_eq!(
            shell.stderr("run web --image=a"),
            "Error from server (AlreadyExists): pods \"web\" already exists\n"
        );
    }
}
