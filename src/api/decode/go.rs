//! How Go writes and reads small things: numbers, quoted text, base64.

use serde_json::{Number, Value};

/// What Go calls a JSON value of the wrong type.
pub(in crate::api) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A number as kubectl sends it: integers in full, what exceeds int64 or has a fraction as Go writes a float64.
pub(super) fn number(number: &Number) -> String {
    if let Some(integer) = number.as_i64() {
        return integer.to_string();
    }
    let float = number.as_f64().unwrap_or_default();
    let size = float.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{float:e}");
        return match text.split_once('e') {
            Some((mantissa, power)) if !power.starts_with('-') => format!("{mantissa}e+{power}"),
            _ => text,
        };
    }
    float.to_string()
}

/// The value Go's `ParseInt` gets from [`number`].
pub(super) fn integer(value: &Number) -> Option<i64> {
    value.as_i64().or_else(|| number(value).parse().ok())
}

/// `base64.StdEncoding.Decode`, line breaks skipped; the error is the byte Go complains about.
pub(super) fn base64_decode(text: &[u8]) -> Result<Vec<u8>, usize> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut at = 0;
    let newline = |at: usize| matches!(text.get(at), Some(b'\n' | b'\r'));
    loop {
        let mut bits = 0u32;
        let mut filled = 0;
        while filled < 4 {
            let Some(&byte) = text.get(at) else {
                // In the middle of a group of four: Go points to where the group began.
                return if filled == 0 { Ok(out) } else { Err(at - filled) };
            };
            at += 1;
            if let Some(sextet) = sextet(byte) {
                bits = bits << 6 | u32::from(sextet);
                filled += 1;
                continue;
            }
            if byte == b'\n' || byte == b'\r' {
                continue;
            }
            if byte != b'=' || filled < 2 {
                return Err(at - 1);
            }
            if filled == 2 {
                while newline(at) {
                    at += 1;
                }
                match text.get(at) {
                    None => return Err(text.len()),
                    Some(b'=') => at += 1,
                    Some(_) => return Err(at - 1),
                }
            }
            while newline(at) {
                at += 1;
            }
            if at < text.len() {
                return Err(at);
            }
            let [_, first, second, _] = (bits << (6 * (4 - filled))).to_be_bytes();
            out.push(first);
            if filled == 3 {
                out.push(second);
            }
            return Ok(out);
        }
        let [_, bytes @ ..] = bits.to_be_bytes();
        out.extend(bytes);
    }
}

fn sextet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// `base64.StdEncoding.EncodeToString`.
pub(super) fn base64_encode(bytes: &[u8]) -> String {
    let letter = |sextet: u32| {
        char::from(match (sextet & 63) as u8 {
            value @ 0..=25 => b'A' + value,
            value @ 26..=51 => b'a' + value - 26,
            value @ 52..=61 => b'0' + value - 52,
            62 => b'+',
            _ => b'/',
        })
    };
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            out.push(if place <= chunk.len() { letter(bits >> (18 - 6 * place)) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn parse(text: &str) -> Number {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        let cases = [
            ("2.0", "2"),
            ("1.5", "1.5"),
            ("1e3", "1000"),
            ("-0.0", "-0"),
            ("3000000000", "3000000000"),
            ("18446744073709551615", "18446744073709552000"),
            ("1e21", "1e+21"),
            ("1.5e-7", "1.5e-7"),
            ("0.000001", "0.000001"),
            ("100000000000000000000", "100000000000000000000"),
        ];
        for (given, expected) in cases {
            assert_eq!(number(&parse(given)), expected, "{given}");
        }
        assert_eq!(integer(&parse("2.0")), Some(2));
        assert_eq!(integer(&parse("2.5")), None);
        assert_eq!(integer(&parse("9223372036854775808")), None);
    }

    #[test]
    fn base64_reads_what_go_reads() {
        assert_eq!(base64_decode(b"aGVsbG8=").unwrap(), b"hello");
        assert_eq!(base64_decode(b"aGVs\nbG8=\n").unwrap(), b"hello");
        assert_eq!(base64_decode(b"").unwrap(), b"");
        assert_eq!(base64_decode(b"aGk=").unwrap(), b"hi");
        assert_eq!(base64_decode(b"aA==").unwrap(), b"h");
        assert_eq!(base64_decode(b"aGVs").unwrap(), b"hel");
        for (text, at) in [
            ("hello", 4),
            ("hello world", 5),
            ("p@ssword", 1),
            ("aGk", 0),
            ("aGVsbA", 4),
            ("aA=", 3),
            ("a===", 1),
            ("aGk=aGk=", 4),
            ("aA=x", 2),
        ] {
            assert_eq!(base64_decode(text.as_bytes()), Err(at), "{text}");
        }
    }

    #[test]
    fn base64_writes_what_it_reads() {
        for text in ["", "h", "hi", "hel", "hell", "hello\0\u{ff}"] {
            assert_eq!(base64_decode(base64_encode(text.as_bytes()).as_bytes()).unwrap(), text.as_bytes());
        }
        assert_eq!(base64_encode(b"hello"), "aGVsbG8=");
    }
}
