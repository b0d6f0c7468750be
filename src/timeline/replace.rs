//! `kubectl replace [--force] -f FILE` (`kubectl/pkg/cmd/replace`).
use super::command::{Command, Done, DryRun, Kubectl};
use super::flags::Spec;
use super::kubectl::{self, Error};
use super::{apply, create, delete, resources};
use crate::api::dynamic::FieldValidation;
use crate::api::status::Status;

pub(super) const COMMAND: Command = Command {
    path: "kubectl replace",
    spec: Spec {
        switches: &["force", "record", "recursive/R", "save-config", "wait", "show-managed-fields"],
        texts: &[
            "cascade",
            "dry-run",
            "grace-period",
            "kustomize/k",
            "output/o",
            "raw",
            "subresource",
            "template",
            "timeout",
            "validate",
        ],
        lists: &["filename/f"],
    },
    run,
};

fn run(k: &mut Kubectl<'_>) -> Done {
    let client = |message: &str| Err(Error::Client(message.to_owned()));
    let files = k.flags.list("filename");
    let force = k.flags.on("force")?;
    if files.is_empty() {
        return client("must specify one of -f and -k");
    }
    if k.flags.number("grace-period")?.is_some_and(|grace| grace >= 0) && !force {
        return client("--grace-period must have --force specified");
    }
    if force && k.dry_run != DryRun::No {
        return client("--dry-run can not be used when --force is set");
    }
    let (infos, errors) = resources::read_files(k, &files)?;
    if !errors.is_empty() {
        k.errors.push(Error::Aggregate(errors));
    }
    for info in &infos {
        let namespace = if info.kind.namespaced() { info.namespace.as_str() } else { "" };
        let there = kubectl::find(k.cluster, info.kind, namespace, &info.name).is_ok();
        if force && there {
            delete::delete_at_once(k, info.kind, namespace, &info.name)?;
        }
    }
    if force {
        // it waits until they are gone
        k.cluster.settle();
    }
    for info in infos {
        let mut object = info.object.clone();
        if k.flags.on("save-config")? {
            create::remember(&mut object);
        }
        let namespace = if info.kind.namespaced() { info.namespace.as_str() } else { "" };
        if k.dry_run == DryRun::Client {
            k.print(info.kind, &info.name, "replaced", &object)?;
            continue;
        }
        let accepted = if force {
            k.cluster.api_mut().create_value(info.kind, namespace, &object, FieldValidation::Strict)
        } else {
            replace(k, &info, object)
        };
        match accepted {
            Ok(accepted) => {
                k.warnings.extend(accepted.warnings);
                k.print(info.kind, &info.name, "replaced", &accepted.object.to_value())?;
            }
            Err(status) => {
                let error = Error::from(status);
                let error = if force { error } else { error.add_source("replacing", &info.source) };
                k.problems.push(apply::problem(&info, &error));
                k.errors.push(error);
            }
        }
        k.cluster.run();
    }
    Ok(())
}

/// `PUT`: the whole object as the manifest says, without what only the server knows.
fn replace(
    k: &mut Kubectl<'_>,
    info: &apply::Info,
    mut object: serde_json::Value,
) -> Result<crate::api::server::Accepted<crate::api::Object>, Status> {
    apply::metadata_mut(&mut object).remove("resourceVersion");
    k.cluster.api_mut().replace_value(info.kind, &info.namespace, &info.name, &object, FieldValidation::Strict)
}

#[cfg(test)]
mod tests {
    use crate::timeline::testing::Shell;

    const POD: &str =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: c, image: nginx}]}\n";

    #[test]
    fn a_pod_is_replaced_by_force_only() {
        let mut shell = Shell::with("run web --image=busybox -l a=b");
        shell.file("pod.yaml", POD);
        assert!(
            shell.stderr("replace -f pod.yaml").starts_with("The Pod \"web\" is invalid: spec: Forbidden: pod updates")
        );
        let said = shell.stdout("replace --force -f pod.yaml");
        assert_eq!(said, "pod \"web\" force deleted from default namespace\npod/web replaced\n");
        assert_eq!(shell.value("Pod", "web", "/spec/containers/0/image"), "nginx");
        assert_eq!(shell.labels("Pod", "web"), "");
    }

    #[test]
    fn a_replacement_takes_away_what_it_does_not_have() {
        let mut shell = Shell::with("create configmap a --from-literal=x=1 --from-literal=y=2");
        shell.file("cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '3'}\n");
        assert_eq!(shell.stdout("replace -f cm.yaml"), "configmap/a replaced\n");
        assert_eq!(shell.value("ConfigMap", "a", "/data/x"), "3");
        assert_eq!(shell.value("ConfigMap", "a", "/data/y"), "");
        shell.stdout("delete cm a");
        assert_eq!(
            shell.stderr("replace -f cm.yaml"),
            "Error from server (NotFound): error when replacing \"cm.yaml\": configmaps \"a\" not found\n"
        );
    }
}
