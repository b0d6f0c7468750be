//! Cron schedules as `github.com/robfig/cron/v3` reads them (`parser.go`, `spec.go`, `constantdelay.go`), through
//! `ParseCronScheduleWithPanicRecovery` of `pkg/util/parsers`.
use k8s_openapi::jiff::civil::{Date, DateTime};
use k8s_openapi::jiff::tz::{Offset, TimeZone};
use k8s_openapi::jiff::{SignedDuration, Span, Timestamp};

use super::duration::parse_duration;
use super::time_zone::load_location;
use crate::api::field::go_quote;

/// Set in a field's bits when a star was in it.
const STAR: u64 = 1 << 63;

/// The times at which something is due.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// The five fields of a crontab line as sets of bits.
    #[allow(missing_docs)]
    Spec { minute: u64, hour: u64, day_of_month: u64, month: u64, day_of_week: u64, zone: TimeZone },
    /// `@every`.
    Every(SignedDuration),
}

/// What a field may hold.
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
    names: &["", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const DAYS_OF_WEEK: Bounds = Bounds { min: 0, max: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

impl Bounds {
    fn all(&self) -> u64 {
        bits(self.min, self.max, 1) | STAR
    }

    /// One comma-separated field.
    fn parse_field(&self, field: &str) -> Result<u64, String> {
        let ranges = field.split(',').filter(|range| !range.is_empty());
        ranges.map(|range| self.parse_range(range)).try_fold(0, |all, one| one.map(|bits| all | bits))
    }

    /// `number | number "-" number [ "/" number ]`.
    fn parse_range(&self, expression: &str) -> Result<u64, String> {
        let range_and_step: Vec<&str> = expression.split('/').collect();
        let low_and_high: Vec<&str> = range_and_step.first().copied().unwrap_or_default().split('-').collect();
        let (start, mut end, mut star) = match low_and_high.as_slice() {
            ["*" | "?", ..] => (self.min, self.max, STAR),
            [only] => {
                let start = self.parse_int_or_name(only)?;
                (start, start, 0)
            }
            [low, high] => (self.parse_int_or_name(low)?, self.parse_int_or_name(high)?, 0),
            // the first number is read before the hyphens are counted
            [low, ..] => {
                self.parse_int_or_name(low)?;
                return Err(format!("too many hyphens: {expression}"));
            }
            [] => return Err(parse_int("").err().unwrap_or_default()),
        };
        let step = match range_and_step.as_slice() {
            [_] => 1,
            [_, step] => {
                let step = parse_int(step)?;
                if low_and_high.len() == 1 {
                    end = self.max;
                }
                if step > 1 {
                    star = 0;
                }
                step
            }
            _ => return Err(format!("too many slashes: {expression}")),
        };
        let (min, max) = (self.min, self.max);
        if start < min {
            return Err(format!("beginning of range ({start}) below minimum ({min}): {expression}"));
        }
        if end > max {
            return Err(format!("end of range ({end}) above maximum ({max}): {expression}"));
        }
        if start > end {
            return Err(format!("beginning of range ({start}) beyond end of range ({end}): {expression}"));
        }
        if step == 0 {
            return Err(format!("step of range should be a positive number: {expression}"));
        }
        Ok(bits(start, end, step) | star)
    }

    fn parse_int_or_name(&self, text: &str) -> Result<u64, String> {
        let lower = text.to_lowercase();
        match (0..).zip(self.names).find(|(_, name)| !name.is_empty() && **name == lower) {
            Some((number, _)) => Ok(number),
            None => parse_int(text),
        }
    }
}

/// The bits from `min` to `max` in steps.
fn bits(min: u64, max: u64, step: u64) -> u64 {
    let mut set = 0;
    let mut bit = min;
    while bit <= max {
        set |= 1 << bit;
        bit = bit.saturating_add(step);
    }
    set
}

/// `mustParseInt`, in the words of `strconv.Atoi`.
fn parse_int(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let failed =
        |why: &str| format!("failed to parse int from {text}: strconv.Atoi: parsing {}: {why}", go_quote(text));
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(failed("invalid syntax"));
    }
    let number: i64 = text.parse().map_err(|_| failed("value out of range"))?;
    u64::try_from(number).map_err(|_| format!("negative number ({number}) not allowed: {text}"))
}

impl Schedule {
    /// Reads a schedule of five fields, or a descriptor like `@daily` or `@every 1h`.
    ///
    /// # Errors
    /// What the API server says about the schedule.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let mut zone = TimeZone::UTC;
        if rest.is_empty() {
            return Err("empty spec string".to_owned());
        }
        if let Some(after) = rest.strip_prefix("TZ=").or_else(|| rest.strip_prefix("CRON_TZ=")) {
            let Some((name, fields)) = after.split_once(' ') else {
                return Err("invalid schedule format: runtime error: slice bounds out of range [:-1]".to_owned());
            };
            zone = load_location(name).map_err(|error| format!("provided bad location {name}: {error}"))?;
            rest = fields.trim();
        }
        if rest.starts_with('@') {
            return parse_descriptor(rest, zone);
        }
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let [minute, hour, day_of_month, month, day_of_week] = fields.as_slice() else {
            return Err(format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" ")));
        };
        Ok(Schedule::Spec {
            minute: MINUTES.parse_field(minute)?,
            hour: HOURS.parse_field(hour)?,
            day_of_month: DAYS_OF_MONTH.parse_field(day_of_month)?,
            month: MONTHS.parse_field(month)?,
            day_of_week: DAYS_OF_WEEK.parse_field(day_of_week)?,
            zone,
        })
    }

    /// The first time after another one at which the schedule is due; `None` if there is none within five years
    /// (`SpecSchedule.Next`).
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let second = after.as_second();
        match self {
            Schedule::Every(delay) => Timestamp::from_second(second.checked_add(delay.as_secs())?).ok(),
            Schedule::Spec { minute, hour, day_of_month, month, day_of_week, zone } => {
                if [minute, hour, day_of_month, month, day_of_week].iter().any(|bits| **bits & !STAR == 0) {
                    return None;
                }
                let star = (day_of_month | day_of_week) & STAR != 0;
                let day_matches = |day: Date| {
                    let of_month = has(*day_of_month, day.day());
                    let of_week = has(*day_of_week, day.weekday().to_sunday_zero_offset());
                    if star { of_month && of_week } else { of_month || of_week }
                };
                Walk { month: *month, hour: *hour, minute: *minute, zone }.next(second.checked_add(1)?, day_matches)
            }
        }
    }
}

fn has(bits: u64, bit: i8) -> bool {
    u32::try_from(bit).ok().and_then(|bit| bits.checked_shr(bit)).is_some_and(|bits| bits & 1 == 1)
}

/// The search for the next time, field by field. Times are seconds since 1970.
struct Walk<'a> {
    month: u64,
    hour: u64,
    minute: u64,
    zone: &'a TimeZone,
}

impl Walk<'_> {
    /// Go steps through the seconds of the first minute too; the only second that matches is 0.
    fn next(&self, start: i64, day_matches: impl Fn(Date) -> bool) -> Option<Timestamp> {
        let mut time = start;
        let mut added = false;
        let last_year = self.local(time)?.year().checked_add(5)?;
        'wrap: loop {
            let mut local = self.local(time)?;
            if local.year() > last_year {
                return None;
            }
            while !has(self.month, local.month()) {
                let first = Date::new(local.year(), local.month(), 1).ok()?;
                added = true;
                time = self.instant(first.checked_add(Span::new().months(1)).ok()?.at(0, 0, 0, 0))?;
                local = self.local(time)?;
                if local.month() == 1 {
                    continue 'wrap;
                }
            }
            while !day_matches(local.date()) {
                if !added {
                    added = true;
                    time = self.instant(local.date().at(0, 0, 0, 0))?;
                    local = self.local(time)?;
                }
                time = self.instant(local.checked_add(Span::new().days(1)).ok()?)?;
                local = self.local(time)?;
                // midnight may not exist where summer time begins
                let hour = i64::from(local.hour());
                if hour != 0 {
                    time += if hour > 12 { 24 - hour } else { -hour } * 3600;
                    local = self.local(time)?;
                }
                if local.day() == 1 {
                    continue 'wrap;
                }
            }
            while !has(self.hour, local.hour()) {
                if !added {
                    added = true;
                    time = self.instant(local.date().at(local.hour(), 0, 0, 0))?;
                }
                time += 3600;
                local = self.local(time)?;
                if local.hour() == 0 {
                    continue 'wrap;
                }
            }
            while !has(self.minute, local.minute()) {
                if !added {
                    added = true;
                    time = time.div_euclid(60) * 60;
                }
                time += 60;
                local = self.local(time)?;
                if local.minute() == 0 {
                    continue 'wrap;
                }
            }
            if local.second() != 0 {
                added = true;
                time += 60 - i64::from(local.second());
                if self.local(time)?.second() == 0 {
                    continue 'wrap;
                }
                return None;
            }
            return Timestamp::from_second(time).ok();
        }
    }

    fn local(&self, second: i64) -> Option<DateTime> {
        Some(self.zone.to_datetime(Timestamp::from_second(second).ok()?))
    }

    /// The instant of a local time; where summer time begins or ends, the one that Go's `time.Date` chooses.
    fn instant(&self, local: DateTime) -> Option<i64> {
        let as_utc = Offset::UTC.to_timestamp(local).ok()?.as_second();
        let offset = |second: i64| Some(i64::from(self.zone.to_offset(Timestamp::from_second(second).ok()?).seconds()));
        let guess = as_utc - offset(as_utc)?;
        Some(as_utc - offset(guess)?)
    }
}

/// `@daily` and the like.
fn parse_descriptor(descriptor: &str, zone: TimeZone) -> Result<Schedule, String> {
    let first = |bounds: &Bounds| 1 << bounds.min;
    let daily = Schedule::Spec {
        minute: first(&MINUTES),
        hour: first(&HOURS),
        day_of_month: DAYS_OF_MONTH.all(),
        month: MONTHS.all(),
        day_of_week: DAYS_OF_WEEK.all(),
        zone,
    };
    let Schedule::Spec { minute, hour, day_of_month, month, day_of_week, zone } = daily.clone() else {
        return Ok(daily);
    };
    let first_day = first(&DAYS_OF_MONTH);
    Ok(match descriptor {
        "@yearly" | "@annually" => {
            let month = first(&MONTHS);
            Schedule::Spec { minute, hour, day_of_month: first_day, month, day_of_week, zone }
        }
        "@monthly" => Schedule::Spec { minute, hour, day_of_month: first_day, month, day_of_week, zone },
        "@weekly" => Schedule::Spec { minute, hour, day_of_month, month, day_of_week: first(&DAYS_OF_WEEK), zone },
        "@daily" | "@midnight" => daily,
        "@hourly" => Schedule::Spec { minute, hour: HOURS.all(), day_of_month, month, day_of_week, zone },
        _ => {
            let Some(duration) = descriptor.strip_prefix("@every ") else {
                return Err(format!("unrecognized descriptor: {descriptor}"));
            };
            let delay =
                parse_duration(duration).map_err(|error| format!("failed to parse duration {descriptor}: {error}"))?;
            // less than a second counts as one, fractions are cut
            Schedule::Every(SignedDuration::from_secs(delay.as_secs().max(1)))
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn next(schedule: &str, after: &str) -> String {
        let next = Schedule::parse(schedule).unwrap().next(after.parse().unwrap());
        next.map(|t| t.to_string()).unwrap_or_default()
    }

    fn error(schedule: &str) -> String {
        Schedule::parse(schedule).unwrap_err()
    }

    #[test]
    fn errors_are_in_the_words_of_robfig_cron() {
        assert_eq!(error("* * * *"), "expected exactly 5 fields, found 4: [* * * *]");
        assert_eq!(error("0 0 0 * * *"), "expected exactly 5 fields, found 6: [0 0 0 * * *]");
        assert_eq!(error("60 * * * *"), "end of range (60) above maximum (59): 60");
        assert_eq!(error("* * 0 * *"), "beginning of range (0) below minimum (1): 0");
        assert_eq!(error("5-2 * * * *"), "beginning of range (5) beyond end of range (2): 5-2");
        assert_eq!(error("*/0 * * * *"), "step of range should be a positive number: */0");
        assert_eq!(error("1-2-3 * * * *"), "too many hyphens: 1-2-3");
        assert_eq!(error("1/2/3 * * * *"), "too many slashes: 1/2/3");
        assert_eq!(error("* * * * 7"), "end of range (7) above maximum (6): 7");
        assert_eq!(error("a * * * *"), "failed to parse int from a: strconv.Atoi: parsing \"a\": invalid syntax");
        assert_eq!(error("*/-5 * * * *"), "negative number (-5) not allowed: -5");
        assert_eq!(error("@nightly"), "unrecognized descriptor: @nightly");
        assert_eq!(error("@every 5"), "failed to parse duration @every 5: time: missing unit in duration \"5\"");
        assert_eq!(error("TZ=UTC"), "invalid schedule format: runtime error: slice bounds out of range [:-1]");
        assert_eq!(error("TZ=X 0 0 * * *"), "provided bad location X: unknown time zone X");
    }

    #[test]
    fn the_next_time_is_after_the_given_one() {
        assert_eq!(next("* * * * *", "2026-01-01T00:00:00Z"), "2026-01-01T00:01:00Z");
        assert_eq!(next("*/15 * * * *", "2026-01-01T00:07:30Z"), "2026-01-01T00:15:00Z");
        assert_eq!(next("30 2 1 * *", "2026-01-31T03:00:00Z"), "2026-02-01T02:30:00Z");
        assert_eq!(next("0 0 29 feb *", "2026-01-01T00:00:00Z"), "2028-02-29T00:00:00Z");
        assert_eq!(next("0 9 * * mon-fri", "2026-01-02T10:00:00Z"), "2026-01-05T09:00:00Z");
        assert_eq!(next("@hourly", "2026-12-31T23:30:00Z"), "2027-01-01T00:00:00Z");
        assert_eq!(next("@every 90s", "2026-01-01T00:00:10Z"), "2026-01-01T00:01:40Z");
    }

    #[test]
    fn day_of_month_and_day_of_week_are_alternatives_unless_one_is_a_star() {
        assert_eq!(next("0 0 13 * fri", "2026-01-03T00:00:00Z"), "2026-01-09T00:00:00Z");
        assert_eq!(next("0 0 13 * *", "2026-01-03T00:00:00Z"), "2026-01-13T00:00:00Z");
    }

    #[test]
    fn a_schedule_that_never_matches_has_no_next_time() {
        assert_eq!(next("0 0 31 2 *", "2026-01-01T00:00:00Z"), "");
        assert_eq!(next(", * * * *", "2026-01-01T00:00:00Z"), "");
    }

    #[test]
    fn a_zone_moves_with_its_summer_time() {
        assert_eq!(next("TZ=Europe/Berlin 0 2 * * *", "2026-01-01T12:00:00Z"), "2026-01-02T01:00:00Z");
        assert_eq!(next("TZ=Europe/Berlin 0 12 * * *", "2026-07-01T12:00:00Z"), "2026-07-02T10:00:00Z");
        // 02:30 does not exist on this day
        assert_eq!(next("TZ=Europe/Berlin 30 2 * * *", "2026-03-28T12:00:00Z"), "2026-03-30T00:30:00Z");
    }
}
