#![allow(clippy::unwrap_used)]
use super::*;

fn words(text: &str) -> Vec<String> {
    parse_one(text).unwrap().words
}

fn refused(text: &str) -> Refusal {
    parse_one(text).unwrap_err()
}

#[test]
fn words_are_quoted_as_in_a_shell() {
    assert_eq!(words("get pods"), ["get", "pods"]);
    assert_eq!(words("kubectl  get\tpods # all"), ["get", "pods"]);
    assert_eq!(words("k get pods"), ["get", "pods"]);
    assert_eq!(words(r#"annotate pod a text='it is $5 | ok' b="x \"y\" \z" c=d\ e"#).last().unwrap(), "c=d e");
    assert_eq!(words(r#"annotate pod a b="x \"y\" \z""#).last().unwrap(), r#"b=x "y" \z"#);
    assert_eq!(words("run a --image='' \"\""), ["run", "a", "--image=", ""]);
    assert_eq!(words("get \\\n  pods"), ["get", "pods"]);
    assert_eq!(words("get \\\r\n  pods"), ["get", "pods"]);
    assert_eq!(words("get pods -o jsonpath={.items}"), ["get", "pods", "-o", "jsonpath={.items}"]);
    assert_eq!(words("patch a -p 'x:\n  y'").last().unwrap(), "x:\n  y");
    assert_eq!(words("label pod a b=c#d"), ["label", "pod", "a", "b=c#d"]);
}

#[test]
fn nothing_else_of_a_shell_is_read() {
    assert_eq!(refused("get pods $NS"), Refusal::Variable);
    assert_eq!(refused("get pods \"$NS\""), Refusal::Variable);
    assert_eq!(refused("get pods $(date)"), Refusal::Substitution);
    assert_eq!(refused("get pods `date`"), Refusal::Substitution);
    assert_eq!(refused("get pods; rm -rf /"), Refusal::Operator(";".to_owned()));
    assert_eq!(refused("get pods && date"), Refusal::Operator("&&".to_owned()));
    assert_eq!(refused("get pods || date"), Refusal::Operator("||".to_owned()));
    assert_eq!(refused("get pods &"), Refusal::Operator("&".to_owned()));
    assert_eq!(refused("get pods | grep web"), Refusal::Pipe);
    assert_eq!(refused("get pods 2> x"), Refusal::Redirect);
    assert_eq!(refused("get pods > a > b"), Refusal::Redirect);
    assert_eq!(refused("apply -f - < x.yaml"), Refusal::Redirect);
    assert_eq!(refused("apply -f *.yaml"), Refusal::Glob('*'));
    assert_eq!(refused("apply -f {a,b}.yaml"), Refusal::Glob('{'));
    assert_eq!(refused("apply -f ~/a.yaml"), Refusal::Glob('~'));
    assert_eq!(refused("label pod a 'b=c"), Refusal::UnclosedQuote('\''));
    assert_eq!(refused("get pods\0"), Refusal::Control);
    assert_eq!(refused("get 'pods\u{1b}[2J'"), Refusal::Control);
    assert_eq!(refused("apply -f - <<EOF\na"), Refusal::UnclosedHereDocument("EOF".to_owned()));
    let lines = parse("for i in 1 2; do\nrm -rf /\nexport X=1\n");
    assert!(lines.iter().all(|line| line.command.is_err()), "{lines:?}");
    assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_here_document_is_standard_input() {
    let text =
        "#!/bin/sh\n\nkubectl apply -f - <<EOF\na: 1\n\nb: \\$x\nEOF\ncat <<'EOF' | k create -f -\n$x\nEOF\nk get po\n";
    let lines = parse(text);
    assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [3, 8, 11]);
    let input = |i: usize| lines[i].command.clone().unwrap().input;
    assert_eq!(input(0), Some(Input::Text("a: 1\n\nb: $x\n".to_owned())));
    assert_eq!(input(1), Some(Input::Text("$x\n".to_owned())));
    assert_eq!(refused("apply -f - <<EOF\n${HOME}\nEOF\n"), Refusal::Variable);
}

#[test]
fn a_dry_run_goes_to_a_file_or_to_another_command() {
    let line = parse_one("run a --image=b --dry-run=client -o yaml > a.yaml").unwrap();
    assert_eq!(line.redirect, Some(Redirect { file: "a.yaml".to_owned(), append: false }));
    let line = parse_one("create cm a --dry-run=client -o yaml | kubectl apply -f -").unwrap();
    assert!(matches!(line.input, Some(Input::Command(words)) if words[0] == "create"));
    assert_eq!(line.words, ["apply", "-f", "-"]);
}

#[test]
fn there_are_bounds() {
    assert_eq!(refused(&format!("get {}", "a".repeat(MAX_LINE))), Refusal::TooLong);
    let lines = parse(&"k get po\n".repeat(MAX_COMMANDS * 3));
    assert_eq!(lines.len(), MAX_COMMANDS + 1);
    assert_eq!(lines.last().unwrap().command, Err(Refusal::TooMany));
}
