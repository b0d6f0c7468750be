//! What stands before the characters.
use super::{error, json, read, value, values};

#[test]
fn byte_order_marks_choose_the_encoding() {
    let utf16: Vec<u16> = "\u{FEFF}a: é😀\n".encode_utf16().collect();
    let little: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for bytes in [little, big, "\u{FEFF}a: é😀\n".into()] {
        let manifest = read("f", &bytes);
        assert_eq!(manifest.documents[0].value, json!({"a": "é😀"}));
        assert_eq!(manifest.documents[0].locate("a").column, 4);
    }
    assert_eq!(values("a: 1\n---\n\u{FEFF}b: 1"), [json!({"a": 1}), json!({"b": 1})]);
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    assert_eq!(read("f", b"a: x\xFFy\xE2\x82z").documents[0].value, json!({"a": "x\u{FFFD}y\u{FFFD}z"}));
}

#[test]
fn carriage_returns_before_line_feeds_do_not_count() {
    let text = "# é\r\na: |\r\n  x\r\n  y\r\nb: \"z\r\n  w\"\r\n---\r\nc: 1\r\n";
    assert_eq!(values(text), [json!({"a": "x\ny\n", "b": "z w"}), json!({"c": 1})]);
    let document = read("f", text.as_bytes()).documents.remove(0);
    let place = document.locate("b");
    assert_eq!((place.line, place.column, &text[place.range]), (5, 4, "\"z\r\n  w\""));
    assert_eq!(error("a: 1\r\nb: @\r\n").1, 2);
}

#[test]
fn other_line_breaks_count_for_yaml_alone() {
    assert_eq!(value("a: 1\u{85}b: 2\u{2028}c: 3\rd: 4"), json!({"a": 1, "b": 2, "c": 3, "d": 4}));
    let (message, line, _) = error("a: 1\rb: @");
    assert_eq!(message, "error converting YAML to JSON: yaml: line 2: found character that cannot start any token");
    assert_eq!(line, 1);
}
