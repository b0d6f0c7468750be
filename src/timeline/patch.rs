//! `kubectl patch KIND/NAME --type TYPE --patch BODY` (`kubectl/pkg/cmd/patch`).
use super::command::{Command, Done, DryRun, Kubectl};
use super::flags::Spec;
use super::kubectl::{self, Error, Output};
use super::resources::{self, Options};
use crate::api::dynamic::{FieldValidation, Patch};
use crate::cluster::Cluster;

/// What to patch, how, and with what.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// `KIND/NAME`.
    pub target: String,
    /// `--type`.
    pub patch_type: PatchType,
    /// `--patch`: JSON or YAML.
    pub body: String,
}

/// `--type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum PatchType {
    #[default]
    Strategic,
    Merge,
    Json,
}

/// Patches an object.
pub fn run(cluster: &mut Cluster, arguments: &Arguments, namespace: Option<&str>) -> Output {
    let mut warnings = Vec::new();
    let done = patch(cluster, arguments, namespace.unwrap_or("default"), &mut warnings);
    Output::of(done, &warnings)
}

fn patch(
    cluster: &mut Cluster,
    arguments: &Arguments,
    namespace: &str,
    warnings: &mut Vec<String>,
) -> Result<String, Error> {
    let patch = parse(&arguments.body, arguments.patch_type)?;
    let (kind, name) = kubectl::parse_resource_and_name(&arguments.target)?;
    warnings.extend(kind.deprecation().map(str::to_owned));
    kubectl::find(cluster, kind, namespace, name)?;
    let accepted = cluster.api_mut().patch(kind, namespace, name, &patch, FieldValidation::Warn)?;
    warnings.extend(accepted.warnings);
    let verb = if accepted.changed { "patched" } else { "patched (no change)" };
    Ok(format!("{} {verb}\n", kubectl::object_name(kind, name)))
}

fn parse(text: &str, patch_type: PatchType) -> Result<Patch, Error> {
    if text.is_empty() {
        let message = "must specify --patch or --patch-file containing the contents of the patch";
        return Err(Error::Client(message.to_owned()));
    }
    let read = crate::manifest::read("", text.as_bytes());
    let body = match (read.error, read.documents.into_iter().next()) {
        (Some(error), _) => {
            let text = crate::api::field::go_quote(text);
            let message = error.message.trim_start_matches("error converting YAML to JSON: ");
            return Err(Error::Client(format!("unable to parse {text}: {message}")));
        }
        (None, document) => document.map(|d| d.value).unwrap_or_default(),
    };
    Ok(match patch_type {
        PatchType::Strategic => Patch::Strategic(body),
        PatchType::Merge => Patch::Merge(body),
        PatchType::Json => Patch::Json(body),
    })
}

pub(super) const COMMAND: Command = Command {
    path: "kubectl patch",
    spec: Spec {
        switches: &["local", "record", "recursive/R", "show-managed-fields"],
        texts: &["dry-run", "kustomize/k", "output/o", "patch/p", "patch-file", "subresource", "template", "type"],
        lists: &["filename/f"],
    },
    run: from_flags,
};

fn from_flags(k: &mut Kubectl<'_>) -> Done {
    let client = |message: String| Err(Error::Client(message));
    let (text, file) = (k.flags.or_empty("patch").to_owned(), k.flags.or_empty("patch-file").to_owned());
    if text.is_empty() == file.is_empty() {
        return client(match text.is_empty() {
            true => "must specify --patch or --patch-file containing the contents of the patch".to_owned(),
            false => "cannot specify --patch and --patch-file together".to_owned(),
        });
    }
    let patch_type = match k.flags.text("type").map(str::to_lowercase).as_deref() {
        None | Some("strategic") => PatchType::Strategic,
        Some("merge") => PatchType::Merge,
        Some("json") => PatchType::Json,
        Some(_) => {
            let given = k.flags.or_empty("type");
            return client(format!(
                "--type must be one of [json merge strategic], not {}",
                crate::api::field::go_quote(given)
            ));
        }
    };
    let text = match k.files.file(&file) {
        _ if file.is_empty() => text,
        Some(found) => String::from_utf8_lossy(&found.bytes).into_owned(),
        None => return client(format!("unable to read patch file: open {file}: no such file or directory")),
    };
    let patch = parse(&text, patch_type)?;
    let args = k.flags.args();
    let (targets, errors) = resources::find(k, &args, Options::default())?;
    k.errors.extend(errors);
    for target in targets {
        let object = kubectl::find(k.cluster, target.kind, &target.namespace, &target.name)?.to_value();
        if k.dry_run == DryRun::Client {
            k.print(target.kind, &target.name, "patched", &object)?;
            continue;
        }
        let api = k.cluster.api_mut();
        let accepted = match k.flags.or_empty("subresource") {
            "" => api.patch(target.kind, &target.namespace, &target.name, &patch, FieldValidation::Warn),
            other => return client(format!("the subresource \"{other}\" cannot be patched here")),
        };
        match accepted {
            Ok(accepted) => {
                k.warnings.extend(accepted.warnings);
                let verb = if accepted.changed { "patched" } else { "patched (no change)" };
                k.print(target.kind, &target.name, verb, &accepted.object.to_value())?;
            }
            Err(status) => k.errors.push(status.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::timeline::testing::Shell;

    #[test]
    fn an_object_is_patched_in_three_ways() {
        let mut shell = Shell::with("create deployment web --image=nginx");
        let container = r#"{"spec":{"template":{"spec":{"containers":[{"name":"nginx","image":"nginx:1.28"}]}}}}"#;
        assert_eq!(shell.stdout(&format!("patch deploy web -p '{container}'")), "deployment.apps/web patched\n");
        assert_eq!(
            shell.stdout(&format!("patch deploy web -p '{container}'")),
            "deployment.apps/web patched (no change)\n"
        );
        let line = r#"patch deploy/web --type=merge --patch 'spec: {replicas: 2}'"#;
        assert_eq!(shell.stdout(line), "deployment.apps/web patched\n");
        let line = r#"patch deploy/web --type json -p '[{"op":"replace","path":"/spec/replicas","value":3}]'"#;
        assert_eq!(shell.stdout(line), "deployment.apps/web patched\n");
        assert_eq!(shell.value("Deployment", "web", "/spec/replicas"), "3");
        let said = shell.stderr("patch deploy web");
        assert_eq!(said, "error: must specify --patch or --patch-file containing the contents of the patch\n");
        let said = shell.stderr("patch deploy web -p a --type=x");
        assert_eq!(said, "error: --type must be one of [json merge strategic], not \"x\"\n");
    }
}
