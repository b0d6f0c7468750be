//! IP addresses and address ranges (`k8s.io/apimachinery/pkg/util/validation/ip.go`).
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::api::field::{ErrorList, Path, go_quote};

/// An IP address as older Go versions read it: leading zeros are ignored (`netutils.ParseIPSloppy`). IPv4 addresses in
/// IPv6 form count as IPv4.
pub fn parse_ip_sloppy(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        return text.parse::<Ipv6Addr>().ok().map(|ip| IpAddr::V6(ip).to_canonical());
    }
    let mut octets = [0; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *octet = part
            .trim_start_matches('0')
            .parse::<u8>()
            .or_else(|e| if part.bytes().all(|b| b == b'0') { Ok(0) } else { Err(e) })
            .ok()?;
    }
    parts.next().is_none().then(|| IpAddr::V4(Ipv4Addr::from(octets)))
}

/// An address range and the address that was given for it.
fn parse_cidr_sloppy(text: &str) -> Option<(IpAddr, u8)> {
    let (ip, length) = text.split_once('/')?;
    if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let length: u32 = length.parse().ok()?;
    let ip = if ip.contains(':') { IpAddr::V6(ip.parse().ok()?) } else { parse_ip_sloppy(ip)? };
    let bits = if ip.is_ipv4() { 32 } else { 128 };
    (length <= bits).then_some((ip, u8::try_from(length).ok()?))
}

/// An address with the bits beyond the prefix cleared.
fn masked(ip: IpAddr, length: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(ip) & mask))
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(ip) & mask))
        }
    }
}

fn is_4_in_6(ip: &IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some())
}

fn parse_ip(value: &str, path: &Path<'_>) -> Result<IpAddr, ErrorList> {
    let Some(ip) = parse_ip_sloppy(value) else {
        return Err(vec![path.invalid(value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]);
    };
    match value.parse::<IpAddr>() {
        Err(_) => Err(vec![path.invalid(value, "must not have leading 0s")]),
        Ok(strict) if is_4_in_6(&strict) => Err(vec![path.invalid(value, "must not be an IPv4-mapped IPv6 address")]),
        Ok(_) => Ok(ip),
    }
}

/// An address in any form that is not ambiguous (`IsValidIPForLegacyField`, strict as 1.36 is by default); addresses the
/// old object had are fine.
pub fn validate_ip_for_legacy_field(value: &str, old: &[String], path: &Path<'_>) -> ErrorList {
    if old.iter().any(|o| o == value) { Vec::new() } else { parse_ip(value, path).err().unwrap_or_default() }
}

/// An address in canonical form (`IsValidIP`).
pub fn validate_ip(value: &str, path: &Path<'_>) -> ErrorList {
    match parse_ip(value, path) {
        Err(errors) => errors,
        Ok(ip) if ip.to_string() != value => {
            vec![path.invalid(value, format!("must be in canonical form ({})", go_quote(&ip.to_string())))]
        }
        Ok(_) => Vec::new(),
    }
}

/// An address that traffic can be sent to (`ValidateEndpointIP`).
pub fn validate_endpoint_ip(ip: &str, path: &Path<'_>) -> ErrorList {
    let Some(address) = parse_ip_sloppy(ip) else { return vec![path.invalid(ip, "must be a valid IP address")] };
    let (link_local, link_local_multicast) = match address {
        IpAddr::V4(v4) => (v4.is_link_local(), v4.octets().starts_with(&[224, 0, 0])),
        IpAddr::V6(v6) => (v6.segments()[0] & 0xffc0 == 0xfe80, v6.segments()[0] & 0xff0f == 0xff02),
    };
    let mut errors = ErrorList::new();
    if address.is_unspecified() {
        errors.push(path.invalid(ip, format!("may not be unspecified ({ip})")));
    }
    if address.is_loopback() {
        errors.push(path.invalid(ip, "may not be in the loopback range (127.0.0.0/8, ::1/128)"));
    }
    if link_local {
        errors.push(path.invalid(ip, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"));
    }
    if link_local_multicast {
        errors.push(path.invalid(ip, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"));
    }
    errors
}

/// An address range (`IsValidCIDRForLegacyField`, strict as 1.36 is by default); ranges the old object had are fine.
pub fn validate_cidr_for_legacy_field(value: &str, old: &[String], path: &Path<'_>) -> ErrorList {
    if old.iter().any(|o| o == value) {
        return Vec::new();
    }
    let Some((ip, length)) = parse_cidr_sloppy(value) else {
        return vec![path.invalid(value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")];
    };
    let (ip_text, length_text) = value.split_once('/').unwrap_or_default();
    let leading_zeros = ip_text.parse::<IpAddr>().is_err() || (length_text.len() > 1 && length_text.starts_with('0'));
    let why = if leading_zeros {
        "must not have leading 0s in IP or prefix length"
    } else if is_4_in_6(&ip) {
        "must not have an IPv4-mapped IPv6 address"
    } else if masked(ip, length) != ip {
        "must not have bits set beyond the prefix length"
    } else {
        return Vec::new();
    };
    vec![path.invalid(value, why)]
}

/// Whether an address range is a true part of another; `None` when one of them is none.
pub fn is_strict_subset_of_cidr(inner: &str, outer: &str) -> Option<bool> {
    let ((ip, length), (outer_ip, outer_length)) = (parse_cidr_sloppy(inner)?, parse_cidr_sloppy(outer)?);
    let contained = ip.is_ipv4() == outer_ip.is_ipv4()
        && masked(masked(ip, length), outer_length) == masked(outer_ip, outer_length);
    Some(contained && outer_length < length)
}

/// Warnings about an address in an unusual form (`GetWarningsForIP`).
pub fn warnings_for_ip(value: &str, path: &Path<'_>) -> Vec<String> {
    let Some(ip) = parse_ip_sloppy(value) else { return Vec::new() };
    match value.parse::<IpAddr>() {
        Ok(strict) if !is_4_in_6(&strict) => {
            if strict.is_ipv6() && strict.to_string() != value {
                let (quoted, canonical) = (go_quote(value), go_quote(&strict.to_string()));
                return vec![format!(
                    "{path}: IPv6 address {quoted} should be in RFC 5952 canonical format ({canonical})"
                )];
            }
            Vec::new()
        }
        _ => {
            let (quoted, canonical) = (go_quote(value), go_quote(&ip.to_string()));
            vec![format!("{path}: non-standard IP address {quoted} is invalid: use {canonical}")]
        }
    }
}

/// Warnings about an address range in an unusual form (`GetWarningsForCIDR`).
pub fn warnings_for_cidr(value: &str, path: &Path<'_>) -> Vec<String> {
    let Some((ip, length)) = parse_cidr_sloppy(value) else { return Vec::new() };
    let quoted = go_quote(value);
    let net = format!("{}/{length}", masked(ip, length));
    let mut warnings = Vec::new();
    if masked(ip, length) != ip {
        let single = format!("{ip}/{}", if ip.is_ipv4() { 32 } else { 128 });
        let (net, single) = (go_quote(&net), go_quote(&single));
        warnings
            .push(format!("{path}: CIDR value {quoted} is ambiguous in this context (should be {net} or {single}?)"));
    }
    let (ip_text, length_text) = value.split_once('/').unwrap_or_default();
    let leading_zeros = ip_text.parse::<IpAddr>().is_err() || (length_text.len() > 1 && length_text.starts_with('0'));
    if leading_zeros || is_4_in_6(&ip) {
        warnings.push(format!("{path}: non-standard CIDR value {quoted} is invalid: use {}", go_quote(&net)));
    }
    let canonical = format!("{ip}/{length}");
    if warnings.is_empty() && ip.is_ipv6() && canonical != value {
        let canonical = go_quote(&canonical);
        warnings.push(format!("{path}: IPv6 CIDR value {quoted} should be in RFC 5952 canonical format ({canonical})"));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_are_refused_in_new_objects_only() {
        let path = Path::root("ip");
        assert_eq!(validate_ip_for_legacy_field("010.0.0.1", &[], &path)[0].detail, "must not have leading 0s");
        assert!(validate_ip_for_legacy_field("010.0.0.1", &["010.0.0.1".to_owned()], &path).is_empty());
        assert!(validate_ip_for_legacy_field("10.0.0.256", &[], &path)[0].detail.starts_with("must be a valid IP"));
    }

    #[test]
    fn a_range_has_no_bits_beyond_its_prefix() {
        let path = Path::root("cidr");
        assert!(validate_cidr_for_legacy_field("10.0.0.0/8", &[], &path).is_empty());
        assert!(validate_cidr_for_legacy_field("0.0.0.0/0", &[], &path).is_empty());
        assert!(validate_cidr_for_legacy_field("::/0", &[], &path).is_empty());
        let errors = validate_cidr_for_legacy_field("10.0.0.1/8", &[], &path);
        assert_eq!(errors[0].detail, "must not have bits set beyond the prefix length");
        assert_eq!(validate_cidr_for_legacy_field("10.0.0.0/33", &[], &path).len(), 1);
    }

    #[test]
    fn a_range_is_no_strict_subset_of_itself() {
        assert_eq!(is_strict_subset_of_cidr("10.1.0.0/16", "10.0.0.0/8"), Some(true));
        assert_eq!(is_strict_subset_of_cidr("10.0.0.0/8", "10.0.0.0/8"), Some(false));
        assert_eq!(is_strict_subset_of_cidr("11.0.0.0/16", "10.0.0.0/8"), Some(false));
        assert_eq!(is_strict_subset_of_cidr("x", "10.0.0.0/8"), None);
    }
}
