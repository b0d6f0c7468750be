//! Errors that kubectl 1.36.2 printed (conformance/reject/yaml-*).
use super::{error, read, value, values};

#[test]
fn anchors_do_not_cross_documents() {
    let text = "kind: ConfigMap\ndata: &shared\n  mode: prod\n---\nkind: ConfigMap\ndata: *shared\n";
    let expected = "error converting YAML to JSON: yaml: unknown anchor 'shared' referenced";
    assert_eq!(error(text), (expected.into(), 6, 1));
}

#[test]
fn unknown_escape_is_put_on_its_line() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: winpath\nspec:\n  containers:\n  - name: winpath\n    \
                image: nginx:1.27\n    env:\n    - name: DATA_DIR\n      value: \"C:\\data\"\n";
    let expected = "error converting YAML to JSON: yaml: line 11: found unknown escape character";
    assert_eq!(error(text), (expected.into(), 11, 0));
}

#[test]
fn helm_template_is_an_invalid_map_key() {
    let text = "metadata:\n  name: {{ .Values.name }}\n";
    let expected = "error converting YAML to JSON: yaml: invalid map key: \
                    map[interface {}]interface {}{\".Values.name\":interface {}(nil)}";
    assert_eq!(error(text), (expected.into(), 2, 0));
}

#[test]
fn unbalanced_json_is_an_unexpected_end() {
    let text = "{\n  \"apiVersion\": \"v1\",\n  \"data\": {\"a\": \"b\"}\n";
    assert_eq!(error(text), ("unexpected EOF".into(), 3, 0));
}

#[test]
fn tab_in_a_continued_scalar_violates_indentation() {
    let text = "a:\n- b:\n  - name: MODE\n    \tvalue: prod\n";
    let expected = "error converting YAML to JSON: yaml: line 4: found a tab character that violates indentation";
    assert_eq!(error(text), (expected.into(), 4, 0));
}

#[test]
fn tab_as_indentation_starts_no_token() {
    let text = "apiVersion: v1\nkind: PersistentVolume\nmetadata:\n  name: tab-pv\nspec:\n\tcapacity:\n";
    let expected = "error converting YAML to JSON: yaml: line 6: found character that cannot start any token";
    assert_eq!(error(text), (expected.into(), 6, 0));
}

#[test]
fn unclosed_quote_is_found_at_the_end() {
    let text = "spec:\n  containers:\n  - name: unclosed\n    image: \"nginx:1.27\n";
    let expected = "error converting YAML to JSON: yaml: line 5: found unexpected end of stream";
    assert_eq!(error(text).0, expected);
    let context = read("f", text.as_bytes()).error.unwrap().context.unwrap();
    assert_eq!((context.text, context.location.line), ("while scanning a quoted scalar", 4));
}

#[test]
fn unindented_pem_is_no_separator_and_loses_its_document() {
    let text = "kind: Secret\nstringData:\n  tls.crt: |\n-----BEGIN CERTIFICATE-----\nMIIB\n";
    assert_eq!(error(text), ("invalid Yaml document separator: --BEGIN CERTIFICATE-----".into(), 4, 0));
}

#[test]
fn comments_alone_are_no_document() {
    assert!(values("# TODO: write the PersistentVolume here\n# 1Gi\n").is_empty());
}

#[test]
fn exclamation_mark_is_a_tag_and_swallows_the_comma() {
    assert_eq!(value("args: [!done, ok]")["args"], serde_json::json!(["ok"]));
}
