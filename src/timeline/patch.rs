//! `kubectl patch KIND/NAME --type TYPE --patch BODY` (`kubectl/pkg/cmd/patch`).
use super::kubectl::{self, Error, Output};
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
    if arguments.body.is_empty() {
        let message = "must specify --patch or --patch-file containing the contents of the patch";
        return Err(Error::Client(message.to_owned()));
    }
    let read = crate::manifest::read("", arguments.body.as_bytes());
    let body = match (read.error, read.documents.into_iter().next()) {
        (Some(error), _) => {
            let text = crate::api::field::go_quote(&arguments.body);
            let message = error.message.trim_start_matches("error converting YAML to JSON: ");
            return Err(Error::Client(format!("unable to parse {text}: {message}")));
        }
        (None, document) => document.map(|d| d.value).unwrap_or_default(),
    };
    let (kind, name) = kubectl::parse_resource_and_name(&arguments.target)?;
    kubectl::find(cluster, kind, namespace, name)?;
    let patch = match arguments.patch_type {
        PatchType::Strategic => Patch::Strategic(body),
        PatchType::Merge => Patch::Merge(body),
        PatchType::Json => Patch::Json(body),
    };
    let accepted = cluster.api_mut().patch(kind, namespace, name, &patch, FieldValidation::Warn)?;
    warnings.extend(accepted.warnings);
    let verb = if accepted.changed { "patched" } else { "patched (no change)" };
    Ok(format!("{} {verb}\n", kubectl::object_name(kind, name)))
}
