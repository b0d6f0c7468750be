//! The `[cluster]` table: what is there before the answer.
use serde::Deserialize;
use toml::Spanned;

use super::error::{LoadError, Place};
use crate::environment::{Environment, ExitRule, NodeConfig};
use crate::suggest;

/// The cluster in which a scenario begins.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Machines, provisioners and what containers do.
    pub environment: Environment,
    /// Manifests that are applied before the answer, in this order.
    pub manifests: Vec<Manifest>,
}

/// A manifest with the place it stands in.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// YAML, any number of documents.
    pub text: String,
    /// Where the text begins.
    pub place: Place,
}

/// A named cluster: number of workers, installed provisioners, objects.
struct Profile {
    name: &'static str,
    nodes: usize,
    provisioners: &'static [&'static str],
    objects: &'static str,
}

const PROFILES: &[Profile] = &[
    Profile { name: "two-nodes", nodes: 2, provisioners: &[], objects: "" },
    Profile { name: "one-node", nodes: 1, provisioners: &[], objects: "" },
    Profile { name: "three-nodes", nodes: 3, provisioners: &[], objects: "" },
    Profile {
        name: "dynamic",
        nodes: 2,
        provisioners: &["kubernetes.io/host-path"],
        objects: "\
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: standard
  annotations:
    storageclass.kubernetes.io/is-default-class: \"true\"
provisioner: kubernetes.io/host-path
",
    },
];

/// The names of the profiles a scenario can begin with; the first is the default.
pub fn profile_names() -> impl Iterator<Item = &'static str> {
    PROFILES.iter().map(|profile| profile.name)
}

/// The table as it is written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCluster {
    profile: Option<Spanned<String>>,
    nodes: Option<Vec<NodeConfig>>,
    provisioners: Option<Vec<String>>,
    exits: Option<Vec<ExitRule>>,
    objects: Option<Spanned<String>>,
}

impl RawCluster {
    pub(super) fn into_setup(self, file: &str, source: &str) -> Result<Setup, LoadError> {
        let profile = match &self.profile {
            None => PROFILES.first(),
            Some(name) => {
                let found = PROFILES.iter().find(|profile| profile.name == name.get_ref());
                if found.is_none() {
                    let message = format!("there is no profile `{}`", name.get_ref());
                    let suggestion = suggest::nearest(name.get_ref(), profile_names());
                    return Err(LoadError::new(file, source, name.span(), message).suggesting(suggestion));
                }
                found
            }
        };
        let mut manifests = Vec::new();
        let mut environment = Environment::default();
        if let Some(profile) = profile {
            environment.nodes = (1..=profile.nodes).map(|n| NodeConfig::named(format!("node{n:02}"))).collect();
            environment.provisioners = profile.provisioners.iter().map(|&p| p.to_owned()).collect();
            if !profile.objects.is_empty() {
                let place = Place { file: format!("profile {}", profile.name), line: 1, column: 1 };
                manifests.push(Manifest { text: profile.objects.to_owned(), place });
            }
        }
        if let Some(nodes) = self.nodes {
            environment.nodes = nodes;
        }
        if let Some(provisioners) = self.provisioners {
            environment.provisioners = provisioners;
        }
        if let Some(exits) = self.exits {
            environment.exits = exits;
        }
        if let Some(objects) = self.objects {
            let place = super::loader::text_place(file, source, objects.span());
            manifests.push(Manifest { text: objects.into_inner(), place });
        }
        Ok(Setup { environment, manifests })
    }
}
