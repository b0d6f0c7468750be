#![allow(clippy::unwrap_used)]
use super::*;
use crate::environment::Environment;

fn file(name: &str, text: &str) -> ManifestFile {
    ManifestFile { name: name.to_owned(), bytes: text.as_bytes().to_vec() }
}

fn play(files: &[ManifestFile]) -> (Output, Cluster) {
    let mut cluster = Cluster::new(Environment::default());
    let (output, settled) = run(&mut cluster, files, None);
    assert_eq!(settled, Settled::Yes);
    (output, cluster)
}

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

#[test]
fn what_no_command_names_is_applied_first() {
    let script = "#!/bin/sh\nkubectl label cm a x=y\nkubectl create -f b.yaml\n";
    let (output, _) = play(&[
        file("dir/a.yaml", MAP),
        file("dir/b.yaml", &MAP.replace("name: a", "name: b")),
        file("dir/commands.sh", script),
        file("dir/notes.txt", "not: [a manifest"),
        file("dir/more/c.yaml", &MAP.replace("name: a", "name: c")),
    ]);
    assert_eq!(output.stdout, "configmap/a created\nconfigmap/a labeled\nconfigmap/b created\n");
    assert_eq!((output.stderr.as_str(), output.exit_code), ("", 0));
}

#[test]
fn a_dry_run_writes_a_file_that_later_commands_name() {
    let script = "k run web --image=nginx --dry-run=client -o yaml > pod.yaml\nk apply -f pod.yaml\n\
                  k create cm a --from-literal=x=1 --dry-run=client -o yaml | k apply -f -\n\
                  k apply -f - <<EOF\napiVersion: v1\nkind: Namespace\nmetadata: {name: team}\nEOF\n\
                  k config set-context --current --namespace=team\nk run b --image=nginx\nk get pods -n other\n";
    // the file that was left from trying it is not applied as well
    let (output, cluster) = play(&[file("commands.sh", script), file("pod.yaml", MAP)]);
    assert_eq!(
        output.stdout,
        "pod/web created\nconfigmap/a created\nnamespace/team created\nContext \"kubernetes-admin@kubernetes\" \
         modified.\npod/b created\n"
    );
    assert!(cluster.api().store().object(crate::api::Kind::Pod, "team", "b").is_some());
}

#[test]
fn a_line_that_fails_is_named_and_does_not_stop_the_others() {
    let script = "kubectl lable pod a b=c\n\nrm -rf /\nkubectl apply -f /etc/passwd\nkubectl apply -f ../x.yaml\n\
                  kubectl edit pod a\nkubectl get pods > x\nkubectl delete pod a\nkubectl create ns late\n";
    let (output, _) = play(&[file("commands.sh", script)]);
    assert_eq!(output.stdout, "namespace/late created\n");
    assert_eq!(output.exit_code, 1);
    let lines: Vec<usize> = output
        .problems
        .iter()
        .map(|problem| match (&problem.line, &problem.unreadable) {
            (Some((_, place)), _) => place.line,
            (None, Some(error)) => error.location.as_ref().unwrap().line,
            (None, None) => 0,
        })
        .collect();
    assert_eq!(lines, [1, 3, 4, 5, 6, 7, 8]);
    let refusals: Vec<Option<Refusal>> = output.problems.into_iter().map(|problem| problem.refusal).collect();
    assert_eq!(refusals[1], Some(Refusal::NotKubectl("rm".to_owned())));
    assert_eq!(refusals[2], Some(Refusal::Outside("/etc/passwd".to_owned())));
    assert_eq!(refusals[4], Some(Refusal::Interactive("edit".to_owned())));
    assert_eq!(refusals[5], Some(Refusal::Redirect));
    assert!(refusals[0].is_none() && refusals[6].is_none());
}

#[test]
fn a_manifest_of_a_command_keeps_its_own_place() {
    let (output, _) = play(&[file("commands.sh", "kubectl apply -f bad.yaml\n"), file("bad.yaml", "kind: Pod\n")]);
    let place = output.problems.iter().map(|p| p.document.as_ref().map(|d| d.source().name.clone()));
    assert_eq!(place.collect::<Vec<_>>(), [Some("bad.yaml".to_owned())], "{:?}", output.problems);
}
