//! Time zones by their IANA names, as Go's `time.LoadLocation` finds them.
//!
//! `time_zone/zones.txt` was made from the IANA database (2025b): each line is the rule a zone follows from now on, as a
//! POSIX `TZ` string, and the names that follow it. Virtual time starts in 2026, so past rules are not needed; what is
//! lost are Morocco's exceptions for Ramadan.
use k8s_openapi::jiff::tz::TimeZone;

use super::invalid_printed;
use crate::api::field::{ErrorList, Path};
use crate::api::internal;

const ZONES: &str = include_str!("time_zone/zones.txt");

/// The zone of a name, which is told apart by case (`time.LoadLocation`).
///
/// # Errors
/// Go's words for a name that is none.
pub fn load_location(name: &str) -> Result<TimeZone, String> {
    // the machines' own zone is UTC
    if matches!(name, "" | "UTC" | "Local") {
        return Ok(TimeZone::UTC);
    }
    if name.starts_with(['/', '\\']) || name.split(['/', '\\']).any(|part| part == "..") {
        return Err("time: invalid location name".to_owned());
    }
    let lines = ZONES.lines().filter_map(|line| line.split_once(' '));
    let mut directory = false;
    for (rule, names) in lines {
        for known in names.split(' ') {
            if known == name {
                return TimeZone::posix(rule).map_err(|error| error.to_string());
            }
            let rest = known.strip_prefix(name.trim_end_matches('/'));
            directory |= rest.is_some_and(|rest| rest.starts_with('/'));
        }
    }
    // Go reads the file of that name in /usr/share/zoneinfo
    Err(if directory { "is a directory".to_owned() } else { format!("unknown time zone {name}") })
}

/// A CronJob's time zone (`validateTimeZone` of `pkg/apis/batch/validation`).
pub fn validate_time_zone(name: &str, path: &Path<'_>) -> ErrorList {
    // a pointer to a text is printed as JSON
    let invalid = |why: &str| invalid_printed(path, &internal::to_json("s", &name), why);
    if name.is_empty() {
        return vec![invalid("timeZone must be nil or non-empty string")];
    }
    let wrong = |part: &str| part == "." || part == ".." || part.starts_with('-') || !is_component(part);
    if name.split('/').any(wrong) {
        return vec![invalid(&format!("unknown time zone {name}"))];
    }
    let mut errors = Vec::new();
    if name.eq_ignore_ascii_case("Local") {
        errors.push(invalid("timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"));
    }
    if let Err(error) = load_location(name) {
        errors.push(invalid(&error));
    }
    errors
}

/// `^[A-Za-z\.\-_0-9+]{1,14}$`.
fn is_component(part: &str) -> bool {
    (1..=14).contains(&part.len())
        && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    #[test]
    fn every_zone_of_the_list_can_be_loaded() {
        for line in ZONES.lines() {
            for name in line.split(' ').skip(1) {
                assert!(load_location(name).is_ok(), "{name}");
            }
        }
    }

    #[test]
    fn a_zone_has_its_summer_time() {
        let berlin = load_location("Europe/Berlin").unwrap();
        let offset = |text: &str| berlin.to_offset(text.parse::<Timestamp>().unwrap()).seconds();
        assert_eq!((offset("2026-03-29T00:59:59Z"), offset("2026-03-29T01:00:00Z")), (3600, 7200));
    }

    #[test]
    fn names_that_are_no_zone_are_refused_in_go_s_words() {
        let path = Path::root("spec");
        let path = path.child("timeZone");
        let error = |name: &str| {
            let errors: Vec<String> = validate_time_zone(name, &path).iter().map(ToString::to_string).collect();
            errors.join("; ")
        };
        assert_eq!(error("Europe/Berlin"), "");
        let unknown = "spec.timeZone: Invalid value: \"europe/berlin\": unknown time zone europe/berlin";
        assert_eq!(error("europe/berlin"), unknown);
        assert_eq!(
            error("Europe/Berlin "),
            "spec.timeZone: Invalid value: \"Europe/Berlin \": unknown time zone Europe/Berlin "
        );
        assert!(error("").contains("timeZone must be nil or non-empty string"));
        assert!(error("Local").ends_with("https://www.iana.org/time-zones"));
        assert!(error("local").ends_with("; spec.timeZone: Invalid value: \"local\": unknown time zone local"));
        assert!(error("Europe").ends_with("is a directory"));
    }
}
