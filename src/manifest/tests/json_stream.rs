//! Files that begin with a brace.
use super::{error, json, read, value, values};

#[test]
fn values_stand_one_after_another() {
    assert_eq!(
        values("{\"a\":1}{\"a\":2}\n\n [3] null \"x\" 5 "),
        [json!({"a": 1}), json!({"a": 2}), json!([3]), json!("x"), json!(5)]
    );
}

#[test]
fn yaml_may_follow_one_value_but_not_two() {
    assert_eq!(values("{\"a\":1}\n---\nb: 2\n").len(), 2);
    assert_eq!(error("{\"a\":1}\n{\"a\":2}\n---\nb: 2\n"), ("invalid character '-' in numeric literal".into(), 3, 2));
    assert_eq!(
        error("{\"a\":1}\n---\nb: [\n"),
        ("json: offset 10: invalid character '-' in numeric literal".into(), 2, 1)
    );
    assert_eq!(error("{\"a\":1}\n}").0, "json: offset 9: invalid character '}' looking for beginning of value");
}

#[test]
fn errors_are_those_of_go_when_it_is_no_yaml_either() {
    for (text, expected) in [
        ("{\"a\" 1, [}", "json: offset 6: invalid character '1' after object key"),
        ("{\"a\":\"1\" \"b\":2}", "json: offset 10: invalid character '\"' after object key:value pair"),
        ("{\"a\":[1 2}]", "json: offset 9: invalid character '2' after array element"),
        ("{\"a\":01]", "json: offset 7: invalid character '1' after object key:value pair"),
        ("{\"a\":1.]", "json: offset 8: invalid character ']' after decimal point in numeric literal"),
        ("{\"a\":1e]", "json: offset 8: invalid character ']' in exponent of numeric literal"),
        ("{\"a\":tru]", "json: offset 9: invalid character ']' in literal true (expecting 'e')"),
        ("{\"a\":\"\\q\"]", "json: offset 8: invalid character 'q' in string escape code"),
        ("{\"a\":\"\\u12g\"]", "json: offset 11: invalid character 'g' in \\u hexadecimal character escape"),
        ("{\"a\":\"\n\"]", "json: offset 7: invalid character '\\n' in string literal"),
        ("{'a':1]", "json: offset 2: invalid character '\\'' looking for beginning of object key string"),
        ("{\"a\":", "unexpected EOF"),
        ("{{", "json: offset 2: invalid character '{' looking for beginning of object key string"),
    ] {
        assert_eq!(error(text).0, expected, "{text}");
    }
}

#[test]
fn what_is_no_json_but_yaml_is_yaml() {
    assert_eq!(value("{a: 1, # c\n b: yes}"), json!({"a": 1, "b": true}));
    assert_eq!(value("{\"a\": 1,}"), json!({"a": 1}));
    assert_eq!(value("{\"a\": 1} # c\n"), json!({"a": 1}));
    // Fewer than four bytes are not looked at as YAML.
    let expected = "json: offset 10: invalid character '#' looking for beginning of value";
    assert_eq!(error("{\"a\": 1} # c").0, expected);
}

#[test]
fn json_keeps_its_types() {
    let text = r#"{"a":1.0,"b":1e3,"c":"yes","d":9223372036854775808,"e":-0.0,"f":"\ud83d\ude00\ud800x\u0000","<<":1}"#;
    let expected = json!({
        "a": 1, "b": 1000, "c": "yes", "d": 9223372036854775808f64, "e": 0, "f": "😀\u{FFFD}x\0", "<<": 1
    });
    assert_eq!(value(text), expected);
}

#[test]
fn a_number_beyond_floats_is_told_later() {
    let document = read("f", br#"{"a": 1e400}"#).documents.remove(0);
    let expected = "json: cannot unmarshal number 1e400 into Go value of type float64";
    assert_eq!(document.undecodable(), Some(expected));
}

#[test]
fn places_are_known() {
    let document = read("f", b"{}\n{\"a\": {\"b\": [1, \"\\u0041\"]}}").documents.remove(1);
    assert_eq!((document.location().line, document.location().column), (2, 1));
    assert_eq!(document.locate("a.b[1]").range, 19..27);
    assert_eq!(document.locate_key("a.b").column, 8);
}
