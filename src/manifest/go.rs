//! Numbers and quoted text as Go's standard library reads and writes them.
use std::fmt::Write;

/// `strconv.ParseInt(text, base, 64)` for base 0 (by prefix) or 2.
pub(super) fn parse_int(text: &str, base: u32) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let value = parse_uint(digits, base)?;
    if negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

/// `strconv.ParseUint(text, base, 64)` for base 0 (by prefix) or 2.
pub(super) fn parse_uint(text: &str, base: u32) -> Option<u64> {
    let (base, digits) = match (base, text.as_bytes()) {
        (0, [b'0', b'x' | b'X', _, ..]) => (16, text.get(2..)?),
        (0, [b'0', b'o' | b'O', _, ..]) => (8, text.get(2..)?),
        (0, [b'0', b'b' | b'B', _, ..]) => (2, text.get(2..)?),
        (0, [b'0', _, ..]) => (8, text.get(1..)?),
        (0, _) => (10, text),
        _ => (base, text),
    };
    // Rust would allow a sign here.
    if !digits.bytes().all(|digit| digit.is_ascii_alphanumeric()) {
        return None;
    }
    u64::from_str_radix(digits, base).ok()
}

/// `strconv.ParseFloat(text, 64)` of a decimal number; none when it is out of range.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-' | b'_')) {
        return None;
    }
    if !text.contains('_') {
        return text.parse().ok().filter(|value: &f64| value.is_finite());
    }
    // An underscore stands between two digits.
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let separates = |at: usize| digit(at.checked_sub(1)) && digit(at.checked_add(1));
    if !text.match_indices('_').all(|(at, _)| separates(at)) {
        return None;
    }
    parse_float(&text.replace('_', ""))
}

/// A float as `encoding/json` writes it.
pub(super) fn json_float_text(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                format!("{digits}e+{exponent}")
            }
            _ => text,
        };
    }
    value.to_string()
}

/// `strconv.FormatFloat(value, 'g', -1, 64)`.
pub(super) fn float_text(value: f64) -> String {
    general(value.is_nan(), value.is_infinite(), value < 0.0, &format!("{value:e}"), &value.to_string())
}

/// `strconv.FormatFloat(value, 'g', -1, 32)`.
pub(super) fn float32_text(value: f64) -> String {
    let value = value as f32;
    general(value.is_nan(), value.is_infinite(), value < 0.0, &format!("{value:e}"), &value.to_string())
}

fn general(nan: bool, infinite: bool, negative: bool, scientific: &str, decimal: &str) -> String {
    if nan {
        return "NaN".to_owned();
    }
    if infinite {
        return if negative { "-Inf" } else { "+Inf" }.to_owned();
    }
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return decimal.to_owned();
    };
    match exponent.parse::<i32>() {
        // The shortest form switches at 10^6 and below 10^-4.
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => decimal.to_owned(),
    }
}

/// `strconv.Quote`.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        quote_into(&mut out, character);
    }
    out.push('"');
    out
}

fn quote_into(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\x07' => out.push_str("\\a"),
        '\x08' => out.push_str("\\b"),
        '\x0C' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\x0B' => out.push_str("\\v"),
        _ if printable(character) => out.push(character),
        _ => {
            let code = u32::from(character);
            // Writing to a string cannot fail.
            let _ = match code {
                0..=0x7F => write!(out, "\\x{code:02x}"),
                0x80..=0xFFFF => write!(out, "\\u{code:04x}"),
                _ => write!(out, "\\U{code:08x}"),
            };
        }
    }
}

/// `strconv.IsPrint`, as near as Rust's own table of printable characters comes.
fn printable(character: char) -> bool {
    matches!(character, ' '..='~')
        || character.is_alphanumeric()
        || !character.escape_debug().eq(character.escape_unicode())
}

/// A byte as `encoding/json` names it in an error.
pub(super) fn quote_byte(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => r#"'"'"#.to_owned(),
        _ => {
            let mut out = String::from("'");
            quote_into(&mut out, char::from(byte));
            out.push('\'');
            out
        }
    }
}

/// `base64.StdEncoding.DecodeString`: line breaks do not count, padding does.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bits = 0u32;
    let mut count = 0usize;
    let mut padding = 0usize;
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    for byte in text.bytes() {
        let value = match byte {
            b'\n' | b'\r' => continue,
            b'=' => {
                padding += 1;
                continue;
            }
            _ if padding > 0 => return None,
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count.is_multiple_of(4) {
            out.extend_from_slice(&bits.to_be_bytes()[1..]);
            bits = 0;
        }
    }
    match (count % 4, padding) {
        (0, 0) => {}
        (2, 2) => out.push((bits >> 4) as u8),
        (3, 1) => out.extend([(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => return None,
    }
    Some(out)
}

/// Whether go-yaml's `parseTimestamp` accepts the text: `2006-1-2`, alone or with a time behind `T`, `t` or a blank.
pub(super) fn is_timestamp(text: &str) -> bool {
    fn number(text: &mut &str, digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
        let count = text.bytes().take(*digits.end()).take_while(u8::is_ascii_digit).count();
        let value = text.get(..count).filter(|_| digits.contains(&count))?.parse().ok()?;
        *text = text.get(count..)?;
        Some(value)
    }
    fn literal(text: &mut &str, expected: char) -> Option<()> {
        *text = text.strip_prefix(expected)?;
        Some(())
    }
    fn check(mut text: &str) -> Option<()> {
        let text = &mut text;
        let year = number(text, 4..=4)?;
        literal(text, '-')?;
        let month = number(text, 1..=2)?;
        literal(text, '-')?;
        let day = number(text, 1..=2)?;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u32::from(leap),
            _ => return None,
        };
        if !(1..=days).contains(&day) {
            return None;
        }
        let separator = text.chars().next();
        let Some(separator) = separator else {
            return Some(());
        };
        matches!(separator, 'T' | 't' | ' ').then(|| literal(text, separator))??;
        let hour = number(text, 1..=2)?;
        literal(text, ':')?;
        let minute = number(text, 1..=2)?;
        literal(text, ':')?;
        let second = number(text, 1..=2)?;
        if text.starts_with(['.', ',']) {
            let digits = text.get(1..)?.trim_start_matches(|digit: char| digit.is_ascii_digit());
            if digits.len() + 1 == text.len() {
                return None;
            }
            *text = digits;
        }
        if separator != ' ' && literal(text, 'Z').is_none() {
            *text = text.strip_prefix(['+', '-'])?;
            number(text, 2..=2).filter(|&hours| hours <= 24)?;
            literal(text, ':')?;
            number(text, 2..=2).filter(|&minutes| minutes < 60)?;
        }
        (text.is_empty() && hour < 24 && minute < 60 && second < 60).then_some(())
    }
    check(text).is_some()
}
