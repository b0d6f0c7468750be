//! Cron schedules as `github.com/robfig/cron/v3` reads them.
use k8s_openapi::jiff::civil::DateTime;
use k8s_openapi::jiff::{SignedDuration, Timestamp, ToSpan};

use jiff::tz::TimeZone;

/// When something happens again and again.
///
/// ```
/// use ckad_grade::api::kinds::cron_job::schedule::Schedule;
/// assert!(Schedule::parse("*/5 8-17 * * mon-fri").is_ok());
/// assert_eq!(Schedule::parse("@nightly").unwrap_err(), "unrecognized descriptor: @nightly");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// At certain minutes, hours, days of the month, months and days of the week.
    Calendar(Calendar),
    /// Every so often.
    Every(SignedDuration),
}

/// Sets of numbers as bits; the topmost bit says that a set was written as a star.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calendar {
    minute: u64,
    hour: u64,
    day_of_month: u64,
    month: u64,
    day_of_week: u64,
}

const STAR: u64 = 1 << 63;

struct Bounds {
    min: u64,
    max: u64,
    names: &'static [&'static str],
}

const MINUTES: Bounds = Bounds { min: 0, max: 59, names: &[] };
const HOURS: Bounds = Bounds { min: 0, max: 23, names: &[] };
const DAYS_OF_MONTH: Bounds = Bounds { min: 1, max: 31, names: &[] };
const MONTHS: Bounds = Bounds {
    min: 1,
    max: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const DAYS_OF_WEEK: Bounds = Bounds { min: 0, max: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

impl Schedule {
    /// Reads a schedule (`ParseStandard`); the error is in the library's words.
    pub fn parse(text: &str) -> Result<Schedule, String> {
        if text.is_empty() {
            return Err("empty spec string".to_owned());
        }
        let mut text = text;
        if let Some(rest) = text.strip_prefix("TZ=").or_else(|| text.strip_prefix("CRON_TZ=")) {
            let Some((zone, rest)) = rest.split_once(' ') else {
                return Err("invalid schedule format: runtime error: slice bounds out of range [:-1]".to_owned());
            };
            load_location(zone).map_err(|why| format!("provided bad location {zone}: {why}"))?;
            text = rest.trim();
        }
        if text.starts_with('@') {
            return parse_descriptor(text);
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day_of_month, month, day_of_week] = fields.as_slice() else {
            return Err(format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" ")));
        };
        Ok(Schedule::Calendar(Calendar {
            minute: field(minute, &MINUTES)?,
            hour: field(hour, &HOURS)?,
            day_of_month: field(day_of_month, &DAYS_OF_MONTH)?,
            month: field(month, &MONTHS)?,
            day_of_week: field(day_of_week, &DAYS_OF_WEEK)?,
        }))
    }

    /// The first time after a given one, in a time zone; `None` if there is none within five years.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Schedule::Every(interval) => {
                let whole = Timestamp::from_second(after.as_second()).ok()?;
                Some(whole + *interval)
            }
            Schedule::Calendar(calendar) => calendar.next(after, zone),
        }
    }
}

impl Calendar {
    fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        // the next full minute
        let mut t = Timestamp::from_second((after.as_second().div_euclid(60) + 1) * 60).ok()?;
        let last_year = zone.to_datetime(t).year() + 5;
        let start_of = |day: DateTime| zone.to_ambiguous_zoned(day).compatible().ok().map(|z| z.timestamp());
        loop {
            let local = zone.to_datetime(t);
            if local.year() > last_year {
                return None;
            }
            let has = |set: u64, number: i8| set & (1 << u64::from(number.unsigned_abs())) != 0;
            if !has(self.month, local.month()) {
                let first = local.date().first_of_month().checked_add(1.month()).ok()?;
                t = start_of(first.at(0, 0, 0, 0))?;
            } else if !self.matches_day(local) {
                t = start_of(local.date().tomorrow().ok()?.at(0, 0, 0, 0))?;
            } else if !has(self.hour, local.hour()) {
                t += SignedDuration::from_mins(60 - i64::from(local.minute()));
            } else if !has(self.minute, local.minute()) {
                t += SignedDuration::from_mins(1);
            } else {
                return Some(t);
            }
        }
    }

    /// Both days must match if one of them is a star, otherwise either.
    fn matches_day(&self, local: DateTime) -> bool {
        let of_month = self.day_of_month & (1 << local.day().unsigned_abs()) != 0;
        let weekday = local.weekday().to_sunday_zero_offset().unsigned_abs();
        let of_week = self.day_of_week & (1 << weekday) != 0;
        if (self.day_of_month | self.day_of_week) & STAR != 0 { of_month && of_week } else { of_month || of_week }
    }
}

/// A time zone by its name in the IANA database (`time.LoadLocation`); the error is in Go's words.
pub fn load_location(name: &str) -> Result<TimeZone, String> {
    if matches!(name, "" | "UTC") {
        return Ok(TimeZone::UTC);
    }
    if name == "Local" {
        return Ok(TimeZone::UTC);
    }
    // names are looked up without regard to case here, but not in Go
    let known = jiff::tz::db().available().any(|known| known.as_str() == name);
    let zone = if known { TimeZone::get(name).ok() } else { None };
    zone.ok_or_else(|| format!("unknown time zone {name}"))
}

/// A list of ranges (`getField`).
fn field(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let ranges = text.split(',').filter(|r| !r.is_empty());
    ranges.map(|r| range(r, bounds)).try_fold(0, |bits, range| Ok(bits | range?))
}

/// `number | number "-" number [ "/" number ]` or a star (`getRange`).
fn range(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let range_and_step: Vec<&str> = text.split('/').collect();
    let low_and_high: Vec<&str> = range_and_step.first().map(|r| r.split('-').collect()).unwrap_or_default();
    let low = low_and_high.first().copied().unwrap_or_default();
    let mut star = 0;
    let (start, mut end) = if matches!(low, "*" | "?") {
        star = STAR;
        (bounds.min, bounds.max)
    } else {
        let start = number_or_name(low, bounds)?;
        match low_and_high.as_slice() {
            [_] => (start, start),
            [_, high] => (start, number_or_name(high, bounds)?),
            _ => return Err(format!("too many hyphens: {text}")),
        }
    };
    let step = match range_and_step.as_slice() {
        [_] => 1,
        [_, step] => {
            let step = number(step)?;
            if low_and_high.len() == 1 {
                end = bounds.max;
            }
            if step > 1 {
                star = 0;
            }
            step
        }
        _ => return Err(format!("too many slashes: {text}")),
    };
    if start < bounds.min {
        return Err(format!("beginning of range ({start}) below minimum ({}): {text}", bounds.min));
    }
    if end > bounds.max {
        return Err(format!("end of range ({end}) above maximum ({}): {text}", bounds.max));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    Ok((start..=end).step_by(step).fold(star, |bits, bit| bits | 1 << bit))
}

fn number_or_name(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let lower = text.to_lowercase();
    match (bounds.min..).zip(bounds.names).find(|(_, name)| **name == lower) {
        Some((number, _)) => Ok(number),
        None => number(text),
    }
}

/// `mustParseInt`.
fn number(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let why = if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        "invalid syntax"
    } else {
        match text.parse::<i64>() {
            Ok(number) => {
                let negative = |_| format!("negative number ({number}) not allowed: {text}");
                return u64::try_from(number).map_err(negative);
            }
            Err(_) => "value out of range",
        }
    };
    let quoted = crate::api::field::go_quote(text);
    Err(format!("failed to parse int from {text}: strconv.Atoi: parsing {quoted}: {why}"))
}

fn parse_descriptor(text: &str) -> Result<Schedule, String> {
    let calendar = match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        _ => {
            let Some(every) = text.strip_prefix("@every ") else {
                return Err(format!("unrecognized descriptor: {text}"));
            };
            let interval = parse_duration(every).map_err(|why| format!("failed to parse duration {every}: {why}"))?;
            let seconds = interval.as_secs().max(1);
            return Ok(Schedule::Every(SignedDuration::from_secs(seconds)));
        }
    };
    Schedule::parse(calendar)
}

/// A duration such as `1h30m` (`time.ParseDuration`).
fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    let quoted = crate::api::field::go_quote(text);
    let invalid = || format!("time: invalid duration {quoted}");
    let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Ok(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0_f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let number: f64 = number.parse().map_err(|_| invalid())?;
        let letters = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let seconds = match unit {
            "" => return Err(format!("time: missing unit in duration {quoted}")),
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => {
                let unit = crate::api::field::go_quote(unit);
                return Err(format!("time: unknown unit {unit} in duration {quoted}"));
            }
        };
        total += number * seconds;
        rest = after;
    }
    let total = if negative { -total } else { total };
    SignedDuration::try_from_secs_f64(total).map_err(|_| invalid())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn next(schedule: &str, zone: &str, after: &str) -> String {
        let zone = load_location(zone).unwrap();
        Schedule::parse(schedule).unwrap().next(after.parse().unwrap(), &zone).unwrap().to_string()
    }

    #[test]
    fn either_day_matches_unless_one_is_a_star() {
        // 2026-01-13 is a Tuesday
        assert_eq!(next("0 0 13 * fri", "UTC", "2026-01-01T00:00:00Z"), "2026-01-02T00:00:00Z");
        assert_eq!(next("0 0 13 * *", "UTC", "2026-01-01T00:00:00Z"), "2026-01-13T00:00:00Z");
        assert_eq!(next("*/15 * * * *", "UTC", "2026-01-01T00:00:00Z"), "2026-01-01T00:15:00Z");
    }

    #[test]
    fn time_zones_shift_the_schedule() {
        assert_eq!(next("0 2 * * *", "Asia/Taipei", "2026-01-01T00:00:00Z"), "2026-01-01T18:00:00Z");
        assert!(load_location("Europe/Bonn").is_err() && load_location("asia/taipei").is_err());
    }

    #[test]
    fn errors_are_in_the_words_of_the_library() {
        let error = |text: &str| Schedule::parse(text).unwrap_err();
        assert_eq!(error("0 2 * *"), "expected exactly 5 fields, found 4: [0 2 * *]");
        assert_eq!(error("61 * * * *"), "end of range (61) above maximum (59): 61");
        assert_eq!(error("a * * * *"), "failed to parse int from a: strconv.Atoi: parsing \"a\": invalid syntax");
        assert_eq!(error("*/0 * * * *"), "step of range should be a positive number: */0");
        assert_eq!(error("@every 5"), "failed to parse duration 5: time: missing unit in duration \"5\"");
        assert_eq!(error("0 0 0 * *"), "beginning of range (0) below minimum (1): 0");
    }

    #[test]
    fn a_schedule_that_never_comes_has_no_next_time() {
        let never = Schedule::parse("0 0 30 2 *").unwrap();
        assert_eq!(never.next("2026-01-01T00:00:00Z".parse().unwrap(), &TimeZone::UTC), None);
    }
}
