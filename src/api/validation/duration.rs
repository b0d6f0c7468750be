//! Durations as Go's `time.ParseDuration` reads them.
use k8s_openapi::jiff::SignedDuration;

use crate::api::field::go_quote;

/// Reads `1h30m`, `1.5s`, `-2ms`, `0`.
///
/// # Errors
/// Go's words.
pub fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    let quoted = go_quote(text);
    let invalid = || format!("time: invalid duration {quoted}");
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (whole, after) = rest.split_at(digits_end);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => after.split_at(after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len())),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let unit_end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {quoted}"));
        }
        let nanos: u64 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return Err(format!("time: unknown unit {} in duration {quoted}", go_quote(unit))),
        };
        let number: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
        let mut value = number.checked_mul(nanos).ok_or_else(invalid)?;
        let mut scale = nanos;
        let mut part = 0_u64;
        for digit in fraction.bytes() {
            // digits beyond a nanosecond are dropped
            part = part.saturating_add(u64::from(digit - b'0') * (scale / 10));
            scale /= 10;
        }
        value = value.checked_add(part).ok_or_else(invalid)?;
        total = total.checked_add(value).filter(|t| *t <= 1 << 63).ok_or_else(invalid)?;
        rest = after;
    }
    let total = i128::from(total) * if negative { -1 } else { 1 };
    i64::try_from(total).map(SignedDuration::from_nanos).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up() {
        assert_eq!(parse_duration("1h30m"), Ok(SignedDuration::from_secs(5400)));
        assert_eq!(parse_duration("-1.5s"), Ok(SignedDuration::from_millis(-1500)));
        assert_eq!(parse_duration(".5m"), Ok(SignedDuration::from_secs(30)));
        assert_eq!(parse_duration("0"), Ok(SignedDuration::ZERO));
    }

    #[test]
    fn errors_are_in_go_s_words() {
        let error = |text: &str| parse_duration(text).err().unwrap_or_default();
        assert_eq!(error(""), "time: invalid duration \"\"");
        assert_eq!(error("1d"), "time: unknown unit \"d\" in duration \"1d\"");
        assert_eq!(error("90"), "time: missing unit in duration \"90\"");
        assert_eq!(error("h"), "time: invalid duration \"h\"");
        assert_eq!(error("9999999999h"), "time: invalid duration \"9999999999h\"");
    }
}
