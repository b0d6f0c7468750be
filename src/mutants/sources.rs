//! A volume of another type.
use serde_json::{Value, json};

use super::site::Edit;
use super::{How, Key, Mutant, Stance};

pub(super) fn mutants(key: &Key<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for site in &key.sites {
        let is_volume = site.list.is_some_and(|list| list.json_name == "volumes");
        let (true, Some(name)) = (is_volume, site.value.get("name")) else { continue };
        if site.value.get("emptyDir").is_none() {
            let volume = json!({ "name": name, "emptyDir": {} });
            mutants.extend(key.edited(site, How::Source, &Edit::Set(volume), Stance::Asked));
        } else {
            let volume: Value = json!({ "name": name, "hostPath": { "path": "/tmp" } });
            mutants.extend(key.edited(site, How::Source, &Edit::Set(volume), Stance::Asked));
        }
    }
    mutants
}
