#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use super::{Limits, Manifest, read, read_with_limits};

mod encodings;
mod json_stream;
mod mutations;
mod recorded;
mod speed;

fn values(text: &str) -> Vec<Value> {
    let manifest = read("f.yaml", text.as_bytes());
    assert!(manifest.error.is_none(), "{:?}", manifest.error);
    manifest.documents.into_iter().map(|document| document.value).collect()
}

fn value(text: &str) -> Value {
    let mut values = values(text);
    assert_eq!(values.len(), 1, "{values:?}");
    values.remove(0)
}

/// The error text, the line of its place in the file (0 when it has none), and how many documents came before it.
fn error(bytes: impl AsRef<[u8]>) -> (String, usize, usize) {
    let Manifest { documents, error } = read("f.yaml", bytes.as_ref());
    let error = error.expect("the text is wrong");
    (error.message, error.location.map_or(0, |location| location.line), documents.len())
}

fn conversion(text: &str) -> String {
    let (message, _, _) = error(text);
    message.strip_prefix("error converting YAML to JSON: ").unwrap_or(&message).to_owned()
}

#[test]
fn scalars_are_those_of_yaml_1_1() {
    for (text, expected) in [
        ("y", json!(true)),
        ("N", json!(false)),
        ("yes", json!(true)),
        ("Off", json!(false)),
        ("yEs", json!("yEs")),
        ("~", json!(null)),
        ("", json!(null)),
        ("nUll", json!("nUll")),
        ("0120", json!(80)),
        ("0o644", json!(420)),
        ("0644", json!(420)),
        ("08", json!(8)),
        ("0x1F", json!(31)),
        ("0b101", json!(5)),
        ("-0b101", json!(-5)),
        ("0b-1", json!(-1)),
        ("1_000", json!(1000)),
        ("+7", json!(7)),
        ("-0", json!(0)),
        ("-0.0", json!(0)),
        ("12:30", json!("12:30")),
        ("2024-01-31", json!("2024-01-31")),
        ("2024-01-31T10:00:00Z", json!("2024-01-31T10:00:00Z")),
        ("2.0", json!(2)),
        ("1e3", json!(1000)),
        ("1.5", json!(1.5)),
        ("1.", json!(1)),
        (".5", json!(0.5)),
        (".5_0", json!(0.5)),
        ("._5", json!("._5")),
        (".", json!(".")),
        ("1e400", json!("1e400")),
        ("1e21", json!(1e21)),
        ("1.27.0", json!("1.27.0")),
        ("500m", json!("500m")),
        ("0x", json!("0x")),
        ("9223372036854775807", json!(i64::MAX)),
        ("9223372036854775808", json!(9223372036854775808f64)),
        ("18446744073709551616", json!(18446744073709551616f64)),
        ("4611686018427387904.0", json!(4611686018427388000i64)),
        ("'yes'", json!("yes")),
        ("\"1\"", json!("1")),
        ("!!str 1", json!("1")),
        ("!!int \"3\"", json!(3)),
        ("!!float 3", json!(3)),
        ("!!binary aGVsbG8=", json!("hello")),
        ("!custom 3", json!("3")),
        ("! 3", json!("3")),
        ("!!timestamp 2001-12-14t21:59:43.10-05:00", json!("2001-12-14t21:59:43.10-05:00")),
        ("<<", json!("<<")),
        ("<", json!("<")),
    ] {
        assert_eq!(value(&format!("a: {text}\n"))["a"], expected, "{text}");
    }
}

#[test]
fn keys_become_strings() {
    let text = "on: 1\n2: 2\n0x10: 3\n1.5: 4\n~x: 5\n2001-01-01: 6\n1000000.0: 7\n.inf: 8\n0.1: 9\n";
    let expected = json!({
        "true": 1, "2": 2, "16": 3, "1.5": 4, "~x": 5, "2001-01-01": 6, "1e+06": 7, ".inf": 8, "0.1": 9
    });
    assert_eq!(value(text), expected);
}

#[test]
fn what_json_cannot_hold_is_told_in_the_words_of_go() {
    for (text, expected) in [
        ("a: .inf", "json: unsupported value: +Inf"),
        ("a: [-.inf]", "json: unsupported value: -Inf"),
        ("a: .NaN", "json: unsupported value: NaN"),
        ("~: 1", "unsupported map key of type: %!s(<nil>), key: <nil>, value: 1"),
        ("? \n: x", "unsupported map key of type: %!s(<nil>), key: <nil>, value: \"x\""),
        (
            "18446744073709551615: [1, ~, 1.5, yes]",
            "unsupported map key of type: uint64, key: 0xffffffffffffffff, \
             value: []interface {}{1, interface {}(nil), 1.5, true}",
        ),
        ("[a, 1]: x", "yaml: invalid map key: []interface {}{\"a\", 1}"),
        (
            "? {b: \"q\\\"\", a: {}}\n: x",
            "yaml: invalid map key: map[interface {}]interface {}{\"a\":map[interface {}]interface {}{}, \
             \"b\":\"q\\\"\"}",
        ),
        ("a: !!int x", "yaml: cannot decode !!str `x` as a !!int"),
        ("a: !!bool 1", "yaml: cannot decode !!int `1` as a !!bool"),
        ("a: !!timestamp 2001-13-01", "yaml: cannot decode !!str `2001-13-01` as a !!timestamp"),
        ("a: !!binary '*'", "yaml: !!binary value contains invalid base64 data"),
        ("<<: 1", "yaml: map merge requires map or sequence of maps as the value"),
        ("a: &a [*a]", "yaml: anchor 'a' value contains itself"),
        ("a: !x!y z", "yaml: found undefined tag handle"),
    ] {
        assert_eq!(conversion(text), expected, "{text}");
    }
    // What is overridden is not written.
    assert_eq!(value("a: .inf\na: 1"), json!({"a": 1}));
}

#[test]
fn syntax_errors_are_those_of_go_yaml() {
    for (text, expected) in [
        ("a: b: c", "mapping values are not allowed in this context"),
        ("a: 1\nb: c: d", "line 2: mapping values are not allowed in this context"),
        ("a: 1\n b: 2", "line 2: mapping values are not allowed in this context"),
        // The parser counts from 0, only the scanner adds one.
        ("a:\n  b: 1\n c: 2", "line 2: did not find expected key"),
        ("- a\nb: c", "line 1: did not find expected '-' indicator"),
        ("a: 1\nb", "line 3: could not find expected ':'"),
        ("a: [1, 2", "line 1: did not find expected ',' or ']'"),
        ("a: {b: 1", "line 1: did not find expected ',' or '}'"),
        ("a: 1\nb: {c\nd: 1", "line 2: did not find expected ',' or '}'"),
        ("a: @x", "found character that cannot start any token"),
        ("a: `x`", "found character that cannot start any token"),
        ("a: %x", "found character that cannot start any token"),
        ("a: |\n  b\n\tc: d", "line 3: found a tab character where an indentation space is expected"),
        ("a: |0\n  b", "found an indentation indicator equal to 0"),
        ("a: | b\n  c", "did not find expected comment or line break"),
        ("a: 'b", "line 2: found unexpected end of stream"),
        ("a: \"\\xZZ\"", "did not find expected hexdecimal number"),
        ("a: \"\\ud800\"", "found invalid Unicode character escape code"),
        ("a: \"\\", "line 2: found unexpected end of stream"),
        ("a: &", "did not find expected alphabetic or numeric character"),
        ("%YAML 1.2\n", "found incompatible YAML document"),
        ("%FOO\n", "found unknown directive name"),
        ("a: - b", "block sequence entries are not allowed in this context"),
        ("a: [}", "did not find expected node content"),
        ("a: \"b\n---\nc\"", "line 2: found unexpected end of stream"),
        ("a: \u{1}", "control characters are not allowed"),
        ("a: \0", "control characters are not allowed"),
        // The reader looks ahead in pieces of 512 bytes.
        ("a: @x\n# \u{7f}", "control characters are not allowed"),
    ] {
        assert_eq!(conversion(text), format!("yaml: {expected}"), "{text:?}");
    }
    assert_eq!(error("a: 1\nb: \0").1, 2);
    let far = format!("a: @x\n#{}\n# \u{7f}", "x".repeat(600));
    assert_eq!(conversion(&far), "yaml: found character that cannot start any token");
}

#[test]
fn a_key_ends_within_1024_characters() {
    let long = "k".repeat(1024);
    assert_eq!(value(&format!("{long}: 1")), json!({ long: 1 }));
    let longer = "k".repeat(1025);
    let unexpected = "yaml: mapping values are not allowed in this context";
    assert_eq!(conversion(&format!("{longer}: 1")), unexpected);
    let missing = "yaml: line 2: could not find expected ':'";
    assert_eq!(conversion(&format!("a: 1\n{longer}: 1")), missing);
}

#[test]
fn the_last_of_equal_keys_wins() {
    assert_eq!(value("a: 1\na: 2"), json!({"a": 2}));
    assert_eq!(value("1: a\n\"1\": b"), json!({"1": "b"}));
    assert_eq!(value(r#"{"a": 1, "a": 2}"#), json!({"a": 2}));
    assert_eq!(value("kind: A\nx: 1\nkind: B\n"), json!({"kind": "B", "x": 1}));
}

#[test]
fn merges_override_what_stands_before_them() {
    assert_eq!(value("b: &b {x: 1, z: 2}\nm:\n  <<: *b\n  x: 3")["m"], json!({"x": 3, "z": 2}));
    assert_eq!(value("b: &b {x: 1, z: 2}\nm:\n  x: 3\n  <<: *b")["m"], json!({"x": 1, "z": 2}));
    assert_eq!(value("a: &a {x: 1}\nb: &b {x: 2, z: 2}\nm: {<<: [*a, *b]}")["m"], json!({"x": 1, "z": 2}));
    assert_eq!(value("m: {\"<<\": {x: 1}}")["m"], json!({"<<": {"x": 1}}));
}

#[test]
fn aliases_stand_for_the_latest_anchor_of_the_name() {
    assert_eq!(value("a: &x 1\nb: &x 2\nc: *x\n*x : d"), json!({"a": 1, "b": 2, "c": 2, "2": "d"}));
}

#[test]
fn excessive_aliasing_is_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    assert_eq!(conversion(&text), "yaml: document contains excessive aliasing");
}

#[test]
fn limits_are_told_in_plain_words() {
    let deep = "[".repeat(1001);
    assert_eq!(error(&deep).0, "the document is nested more than 1000 levels deep");
    let deep = format!("{{\"a\":{}", "[".repeat(1000));
    assert_eq!(error(&deep).0, "the document is nested more than 1000 levels deep");
    // Aliases nest, too.
    let text = "a: &a [x]\nb: &b [*a]\nc: [*b]\n";
    let limits = Limits { depth: 3, ..Limits::default() };
    let error = read_with_limits("f", text.as_bytes(), &limits).error.unwrap();
    assert_eq!(error.message, "the document is nested more than 3 levels deep");
    assert_eq!(error.location.unwrap().line, 1);
    let limits = Limits { bytes: 10, nodes: 3, documents: 1, ..Limits::default() };
    let message = |text: &str| read_with_limits("f", text.as_bytes(), &limits).error.unwrap().message;
    assert_eq!(message("01234567890"), "the file is larger than 10 bytes");
    assert_eq!(message("[a, b, c]"), "the document holds more than 3 values");
    assert_eq!(message("a\n---\nb"), "the file holds more than 1 documents");
    assert_eq!(message("{}\n[]"), "the file holds more than 1 documents");
}

#[test]
fn the_deepest_document_that_is_read_fits_the_stack() {
    let depth = Limits::default().depth;
    let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let document = read("f", text.as_bytes()).documents.remove(0);
    assert_eq!(document.locate(&"[0]".repeat(depth)).column, depth);
    let mapping = |inner: &str| format!("a: {}{inner}{}", "{a: ".repeat(depth - 1), "}".repeat(depth - 1));
    assert_eq!(values(&mapping("1")).len(), 1);
    let merging = format!("<<: {}{{}}{}", "{<<: ".repeat(depth - 2), "}".repeat(depth - 2));
    assert_eq!(values(&merging), [json!({})]);
    for odd in [mapping(".inf"), mapping("{~: 1}").replacen("{a: ", "", 1).replacen('}', "", 1)] {
        assert!(conversion(&odd).starts_with(['j', 'u']), "{}", conversion(&odd));
    }
}

#[test]
fn documents_are_cut_at_lines_of_dashes() {
    assert_eq!(values("---\na: 1\n--- # two\na: 2\n---   \n---\n\n---\n~\n---\na: 3").len(), 3);
    assert_eq!(values("a: 1\n...\ngarbage: [").len(), 1);
    assert_eq!(error("a: 1\n---\nb: 2\n--- c\nd: 3"), ("invalid Yaml document separator: c".into(), 4, 1));
    assert_eq!(error("a: |\n  x\n----\nb: 1").0, "invalid Yaml document separator: -");
    // The separator in front of the first document counts as its line 1, any other does not.
    let expected = "yaml: line 3: found character that cannot start any token";
    assert_eq!(conversion("---\na: 1\nb: @\n"), expected);
    assert_eq!(error("a: 1\n---\na: 1\nb: 2\nc: @\n"), (format!("error converting YAML to JSON: {expected}"), 5, 1));
}

#[test]
fn a_last_line_without_an_end_gets_one() {
    assert_eq!(value("a: |\n  x"), json!({"a": "x\n"}));
}

#[test]
fn documents_need_not_be_objects() {
    assert_eq!(values("a\n---\n- 1\n---\n{a: 1}\n"), [json!("a"), json!([1]), json!({"a": 1})]);
}

#[test]
fn block_scalars_fold_and_chomp() {
    assert_eq!(value("a: |-\n  x\n   y\n\n  z\n\n"), json!({"a": "x\n y\n\nz"}));
    assert_eq!(value("a: |+\n  x\n\nb: 1"), json!({"a": "x\n\n", "b": 1}));
    assert_eq!(value("a: >\n  x\n  y\n\n  z\n   w\n  v\n"), json!({"a": "x y\nz\n w\nv\n"}));
    assert_eq!(value("a: |2-\n    x\n"), json!({"a": "  x"}));
    assert_eq!(value("a: >-\n  x # y\n  é\n"), json!({"a": "x # y é"}));
}

#[test]
fn flow_scalars_fold() {
    assert_eq!(value("a: \"x\n  y\n\n  z\\\n  w \\\"\\u00e9\\x41\\n\""), json!({"a": "x y\nzw \"éA\n"}));
    assert_eq!(value("a: 'it''s\n\n  x'"), json!({"a": "it's\nx"}));
    assert_eq!(value("a: x y\n  z # c\nb: x#y:z"), json!({"a": "x y z", "b": "x#y:z"}));
    assert_eq!(
        value("a: {b, c: , 'd':1, e:f: g, http://x: 1}")["a"],
        json!({"b": null, "c": null, "d": 1, "e:f": "g", "http://x": 1})
    );
    assert_eq!(value("a: [b: c, ? d : e, f]")["a"], json!([{"b": "c"}, {"d": "e"}, "f"]));
}

#[test]
fn kyaml_is_read() {
    let text = "---\n{\n  # a comment\n  kind: \"Pod\",\n  spec: {\n    hostNetwork: false,\n    \
    containers: [{\n      \
                name: \"a\",\n    }],\n  },\n}\n";
    let document = read("f", text.as_bytes()).documents.remove(0);
    assert_eq!(document.value, json!({"kind": "Pod", "spec": {"hostNetwork": false, "containers": [{"name": "a"}]}}));
    assert_eq!(document.locate("spec.containers[0].name").line, 8);
    // Without the dashes it looks like JSON at first.
    assert_eq!(values(&text[4..]), [document.value]);
}

#[test]
fn directives_are_cut_off_from_their_document() {
    let expected = "yaml: line 2: did not find expected <document start>";
    assert_eq!(conversion("%YAML 1.1\n%TAG !k! tag:yaml.org,2002:\n---\na: !k!str 1\n"), expected);
    assert_eq!(conversion("%YAML 1.1\n%YAML 1.1\n"), "yaml: line 1: found duplicate %YAML directive");
}

#[test]
fn places_are_found_by_field_path() {
    let text = "# a Pod\napiVersion: v1\nmetadata:\n  labels:\n    app.kubernetes.io/name: web\n    \
    é: \"ü\"\nspec:\n  \
                containers:\n  - name: a\n    image: &img nginx\n  - {name: b, image: *img}\ndata:\n  logo.png: |\n    \
                x\n\n  empty:\n";
    let document = read("pod.yaml", text.as_bytes()).documents.remove(0);
    let found = |path: &str| {
        let place = document.locate(path);
        (place.line, place.column, &text[place.range])
    };
    assert_eq!(document.source().name, "pod.yaml");
    assert_eq!(document.location().line, 2);
    assert_eq!(found("spec.containers[0].image"), (10, 17, "nginx"));
    assert_eq!(found(".spec.containers[1].name"), (11, 12, "b"));
    assert_eq!(found("spec.containers[1].image"), (11, 22, "*img"));
    assert_eq!(found("spec.containers[1]"), (11, 5, "{name: b, image: *img}"));
    assert_eq!(found("metadata.labels[app.kubernetes.io/name]"), (5, 29, "web"));
    assert_eq!(found("metadata.labels.app.kubernetes.io/name"), (5, 29, "web"));
    assert_eq!(found("metadata.labels[\"é\"]"), (6, 8, "\"ü\""));
    assert_eq!(found("data[logo.png]"), (13, 13, "|\n    x"));
    assert_eq!(found("data.empty"), (16, 9, ""));
    // What is not there is looked for in what is.
    assert_eq!(found("spec.containers[0].ports[0].name"), found("spec.containers[0]"));
    assert_eq!(found("spec.containers[7]").0, 9);
    assert_eq!(found("nothing.at.all").0, 2);
    let key = |path: &str| text[document.locate_key(path).range].to_owned();
    assert_eq!(key("spec.containers[0].image"), "image");
    assert_eq!(key("data[logo.png]"), "logo.png");
    assert_eq!(key("spec.nothing"), "spec");
}

#[test]
fn places_follow_aliases_merges_and_the_last_of_equal_keys() {
    let text = "base: &base\n  image: a\n  name: x\nweb:\n  <<: *base\n  name: y\nlate:\n  \
    name: z\n  <<: [*base]\n\
                twice: 1\ntwice: 2\n";
    let document = read("f", text.as_bytes()).documents.remove(0);
    assert_eq!(document.locate("web.image").line, 2);
    assert_eq!(document.locate("web.name").line, 6);
    assert_eq!(document.locate("late.name").line, 3);
    assert_eq!(document.locate("twice").line, 11);
}

#[test]
fn items_of_a_list_know_their_places() {
    let text = "a: 1\n---\nkind: List\nitems:\n- kind: A\n- kind: List\n  items:\n  - kind: B\n    x: 1\n";
    let list = read("f", text.as_bytes()).documents.remove(1);
    assert_eq!(list.index(), 1);
    let items = list.items();
    assert_eq!(items[0].value, json!({"kind": "A"}));
    assert!(items[0].items().is_empty());
    assert_eq!(items[0].location().line, 5);
    let inner = items[1].items();
    assert_eq!((inner[0].locate("x").line, inner[0].locate_key("x").column), (9, 5));
    assert_eq!(inner[0].index(), 1);
}
