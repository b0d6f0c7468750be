//! Whatever the bytes are, they are read or refused.
use super::super::{Document, Limits, go_value, nodes, read};

/// Real-looking and tricky manifests.
const SEEDS: [&str; 5] = [
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {app: web, \"x/y\": 'z'}\n\
    spec:\n  containers:\n  - name: a\n    \
     image: nginx:1.27 # c\n    args: [\"-c\", 'it''s', !t x]\n    command:\n    - sh\n    \
     - |-\n      echo \"é\"\n\n      \
     exit 0\n---\n# c\n",
    "a: &a {x: 1, y: [1.5, .inf, 0x1F, ~]}\nb: &b\n  <<: *a\n  ? z\n  : >+\n    f\n     g\n\n\
    c: [*a, *b, {<<: [*a, *b]}]\n\
     \"k\\u0041\": \"a\\\n  b \\x41\"\n18446744073709551615: n\n",
    "{\"kind\": \"List\", \"items\": [{\"a\": -1.5e3, \"b\": \"\\ud83d\\ude00\\n\
    \"}, [], {}, true, null]}\n{\"x\": 0}\n---\nk: v\n",
    "%YAML 1.1\n%TAG !k! tag:yaml.org,2002:\n--- # c\n{a: !k!int \"1\", b: !<x> y, [c]: d,}\n...\n",
    "\u{FEFF}a: 1\r\nb:\r\n- - x\r\n  -\ty\r\n- ? q\r\n\
    \u{2028}c: 2001-01-01\u{85}d: !!binary aGk=\r\n---\r\n--- \r\ne: f\r\n",
];

#[test]
fn no_bytes_make_it_panic() {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let pieces: Vec<&[u8]> = [
        "\"", "'", "\\", "\n", "\r\n", "---", "...", ": ", "- ", "? ", "{", "}", "[", "]", ",", "&a ", "*a", "<<: ",
        "!!", "!<", "%", "|", ">", "#", "\t", "  ", "\0", "\u{FEFF}", "\u{2028}", "é", "1e999", "~", ".inf", "0x",
        "\\u", "@",
    ]
    .iter()
    .map(|piece| piece.as_bytes())
    .collect();
    let (mut read_well, mut refused) = (0, 0);
    for round in 0..6000 {
        let mut bytes = SEEDS[round % SEEDS.len()].as_bytes().to_vec();
        for _ in 0..=random(6) {
            let at = random(bytes.len());
            match random(5) {
                0 => bytes.truncate(at),
                1 => drop(bytes.splice(at..at, pieces[random(pieces.len())].iter().copied())),
                2 => drop(bytes.drain(at..(at + random(9)).min(bytes.len()))),
                3 => bytes[at..].iter_mut().take(1).for_each(|byte| *byte = random(256) as u8),
                _ => {
                    let other = SEEDS[random(SEEDS.len())].as_bytes();
                    let from = random(other.len());
                    bytes.extend_from_slice(&other[from..(from + random(60)).min(other.len())]);
                }
            }
        }
        let manifest = read("f", &bytes);
        for document in &manifest.documents {
            for path in ["items[1].a", "spec.containers[0].args[2]", "c[2].y[0]", "b.z", "e"] {
                let place = document.locate(path);
                let key = document.locate_key(path);
                assert!(document.source().text.get(place.range).is_some() && key.line > 0 && place.column > 0);
            }
            document.items().iter().for_each(|item| assert!(item.location().line > 0));
            same_on_the_slow_way(document);
        }
        read_well += manifest.documents.len();
        refused += usize::from(manifest.error.is_some());
    }
    assert!(read_well > 1000 && refused > 1000, "{read_well} {refused}");
}

/// `go_value` exists for its errors; its values must be those of `decode`.
fn same_on_the_slow_way(document: &Document) {
    let nodes = &document.inner.layout().nodes;
    if nodes.iter().all(|node| node.shape != nodes::Shape::Literal) {
        let slow = go_value::decode(nodes, &Limits::default()).unwrap();
        assert_eq!(slow, document.value);
    }
}
