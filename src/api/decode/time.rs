//! Times as Go's `time.Parse` reads them with the layouts of `metav1.Time` and `metav1.MicroTime`.

/// `time.RFC3339`.
const RFC3339: &str = "2006-01-02T15:04:05Z07:00";
/// `metav1.RFC3339Micro`.
const RFC3339_MICRO: &str = "2006-01-02T15:04:05.000000Z07:00";

/// A moment: seconds since 1970 and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    seconds: i64,
    nanos: u32,
}

/// What is left to read, and how to complain about it.
struct Reader<'a> {
    value: &'a str,
    rest: &'a str,
    layout: &'static str,
}

impl<'a> Reader<'a> {
    fn cannot(&self, rest: &str, element: &str) -> String {
        let [value, layout, rest, element] = [self.value, self.layout, rest, element].map(quote);
        format!("parsing time {value} as {layout}: cannot parse {rest} as {element}")
    }

    fn wrong(&self, message: &str) -> String {
        format!("parsing time {}: {message}", quote(self.value))
    }

    fn digits(&self) -> usize {
        self.rest.bytes().take_while(u8::is_ascii_digit).count()
    }

    /// Takes `count` bytes, known to be ASCII.
    fn take(&mut self, count: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(count).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn separator(&mut self, separator: &str) -> Result<(), String> {
        let rest = self.rest.strip_prefix(separator).ok_or_else(|| self.cannot(self.rest, separator))?;
        self.rest = rest;
        Ok(())
    }

    /// Two digits, or one where the layout allows it.
    fn number(
        &mut self,
        element: &str,
        one_digit: bool,
        name: &str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Result<i64, String> {
        let count = match self.digits() {
            0 => return Err(self.cannot(self.rest, element)),
            1 if one_digit => 1,
            1 => return Err(self.cannot(self.rest, element)),
            _ => 2,
        };
        let number = self.take(count).parse().unwrap_or(-1);
        if range.contains(&number) { Ok(number) } else { Err(self.wrong(&format!("{name} out of range"))) }
    }

    /// The offset from UTC in seconds.
    fn zone(&mut self) -> Result<i64, String> {
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Ok(0);
        }
        let bad = || self.cannot(self.rest, "Z07:00");
        let &[sign, h1, h2, b':', m1, m2, ..] = self.rest.as_bytes() else {
            return Err(bad());
        };
        let pair = |tens: u8, ones: u8| {
            let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
            digits.then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
        };
        let hours = pair(h1, h2).ok_or_else(bad)?;
        let minutes = pair(m1, m2);
        // Go looks at the ranges first. They are wider than a clock's: some people do write offsets of 24 hours.
        let after = self.rest.get(6..).unwrap_or_default();
        let wrong = |message: &str| Err(self.wrong(&format!("{message} out of range")));
        if minutes.is_some_and(|minutes| minutes > 60) {
            return wrong("time zone offset minute");
        }
        if hours > 24 {
            return wrong("time zone offset hour");
        }
        let offset = (hours * 60 + minutes.ok_or_else(bad)?) * 60;
        let offset = match sign {
            b'+' => offset,
            b'-' => -offset,
            _ => return Err(bad()),
        };
        self.rest = after;
        Ok(offset)
    }
}

/// Reads an RFC 3339 time; with `micro` exactly six decimals are required. The error is Go's text.
pub(super) fn parse(value: &str, micro: bool) -> Result<Moment, String> {
    let mut reader = Reader { value, rest: value, layout: if micro { RFC3339_MICRO } else { RFC3339 } };
    let bytes = value.as_bytes();
    if bytes.len() < 4 || !bytes.iter().take(4).all(u8::is_ascii_digit) {
        return Err(reader.cannot(value, "2006"));
    }
    let year: i64 = reader.take(4).parse().unwrap_or(0);
    reader.separator("-")?;
    let month = reader.number("01", false, "month", 1..=12)?;
    reader.separator("-")?;
    // Whether the month has such a day is looked at in the end.
    let day = reader.number("02", false, "day", i64::MIN..=i64::MAX)?;
    reader.separator("T")?;
    let hour = reader.number("15", true, "hour", 0..=23)?;
    reader.separator(":")?;
    let minute = reader.number("04", false, "minute", 0..=59)?;
    reader.separator(":")?;
    let second = reader.number("05", false, "second", 0..=59)?;
    let nanos = fraction(&mut reader, micro)?;
    let offset = reader.zone()?;
    if !reader.rest.is_empty() {
        return Err(reader.wrong(&format!("extra text: {}", quote(reader.rest))));
    }
    if day < 1 || day > days_in(year, month) {
        return Err(reader.wrong("day out of range"));
    }
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    Ok(Moment { seconds, nanos })
}

/// Nanoseconds. A decimal comma will do; without `micro` there may be any number of digits, none included.
fn fraction(reader: &mut Reader<'_>, micro: bool) -> Result<u32, String> {
    let bytes = reader.rest.as_bytes();
    let point = matches!(bytes.first(), Some(b'.' | b','));
    let digits = bytes.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
    let count = match (micro, point) {
        (true, true) if digits >= 6 => 6,
        (true, _) => return Err(reader.cannot(reader.rest, ".000000")),
        (false, true) if digits > 0 => digits,
        (false, _) => return Ok(0),
    };
    let text = reader.take(count + 1);
    let nanos: String = text.chars().skip(1).chain(std::iter::repeat('0')).take(9).collect();
    Ok(nanos.parse().unwrap_or(0))
}

impl Moment {
    /// Go's zero time, which JSON shows as null.
    pub(super) fn is_zero(self) -> bool {
        self.nanos == 0 && self.seconds == days_since_1970(1, 1, 1) * 86_400
    }

    /// In UTC: whole seconds, or with `micro` six decimals.
    pub(super) fn to_utc(self, micro: bool) -> String {
        let (year, month, day) = date(self.seconds.div_euclid(86_400));
        let second = self.seconds.rem_euclid(86_400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let fraction = if micro { format!(".{:06}", self.nanos / 1000) } else { String::new() };
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the proleptic Gregorian calendar, in years that begin in March so that the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 153 + 2) / 5 + day
        - 719_469
}

fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (year * 365 + year / 4 - year / 100);
    let month = (day * 5 + 2) / 153;
    let day = day - (month * 153 + 2) / 5 + 1;
    let (carry, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
    (era * 400 + year + carry, month, day)
}

/// `quote` of Go's package time: plain ASCII stays, all else is escaped byte by byte.
fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'\x7f' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn reads_what_go_reads() {
        for (given, expected) in [
            ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z"),
            ("2024-01-01T00:30:00+01:00", "2023-12-31T23:30:00Z"),
            ("2024-01-01T00:00:00.999Z", "2024-01-01T00:00:00Z"),
            ("2024-01-01T7:00:00Z", "2024-01-01T07:00:00Z"),
            ("1969-12-31T23:59:59-00:00", "1969-12-31T23:59:59Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
            ("2000-03-01T00:00:00-24:00", "2000-03-02T00:00:00Z"),
        ] {
            assert_eq!(parse(given, false).unwrap().to_utc(false), expected, "{given}");
        }
        assert_eq!(parse("2024-01-01T00:00:00.123456Z", true).unwrap().to_utc(true), "2024-01-01T00:00:00.123456Z");
        assert!(parse("0001-01-01T00:00:00Z", false).unwrap().is_zero());
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        let (mut year, mut month, mut day) = (1800, 1, 1);
        let first = days_since_1970(year, month, day);
        for days in first..first + 146_097 {
            assert_eq!(date(days), (year, month, day));
            assert_eq!(days_since_1970(year, month, day), days);
            day += 1;
            if day > days_in(year, month) {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!(days_since_1970(1970, 1, 1), 0);
    }

    #[test]
    fn complains_as_go_does() {
        const AS: &str = r#"as "2006-01-02T15:04:05Z07:00": cannot parse"#;
        for (given, expected) in [
            ("yesterday", format!(r#"parsing time "yesterday" {AS} "yesterday" as "2006""#)),
            ("", format!(r#"parsing time "" {AS} "" as "2006""#)),
            ("2024-01-01", format!(r#"parsing time "2024-01-01" {AS} "" as "T""#)),
            ("2024-1-01T00:00:00Z", format!(r#"parsing time "2024-1-01T00:00:00Z" {AS} "1-01T00:00:00Z" as "01""#)),
            ("2024-01-01 00:00:00Z", format!(r#"parsing time "2024-01-01 00:00:00Z" {AS} " 00:00:00Z" as "T""#)),
            ("2024-01-01T00:00:00", format!(r#"parsing time "2024-01-01T00:00:00" {AS} "" as "Z07:00""#)),
            ("2024-13-01T00:00:00Z", r#"parsing time "2024-13-01T00:00:00Z": month out of range"#.to_owned()),
            ("2023-02-29T00:00:00Z", r#"parsing time "2023-02-29T00:00:00Z": day out of range"#.to_owned()),
            ("2024-01-01T24:00:00Z", r#"parsing time "2024-01-01T24:00:00Z": hour out of range"#.to_owned()),
            ("2024-01-01T00:00:00Zx", r#"parsing time "2024-01-01T00:00:00Zx": extra text: "x""#.to_owned()),
            (
                "2024-01-01T00:00:00+25:00",
                r#"parsing time "2024-01-01T00:00:00+25:00": time zone offset hour out of range"#.to_owned(),
            ),
            ("昨日", format!(r#"parsing time "\xe6\x98\xa8\xe6\x97\xa5" {AS} "\xe6\x98\xa8\xe6\x97\xa5" as "2006""#)),
        ] {
            assert_eq!(parse(given, false).unwrap_err(), expected);
        }
        assert_eq!(
            parse("2024-01-01T00:00:00Z", true).unwrap_err(),
            "parsing time \"2024-01-01T00:00:00Z\" as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse \
             \"Z\" as \".000000\""
        );
    }
}
