//! The syntax of names, labels, keys and ports (`k8s.io/apimachinery/pkg/util/validation`, `…/api/validate/content`).
//!
//! Every function returns one message per broken rule, worded as Kubernetes words it; none when the value is fine.
use crate::api::field::{ErrorList, Path, go_quote};

use super::invalid_each;

/// A rule for the names of one kind; `prefix` says that something will be appended (`generateName`).
pub type NameRule = fn(name: &str, prefix: bool) -> Vec<String>;

/// The longest DNS label.
pub const DNS1123_LABEL_MAX_LENGTH: usize = 63;
/// The longest DNS name.
pub const DNS1123_SUBDOMAIN_MAX_LENGTH: usize = 253;

const DNS1123_LABEL_FMT: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const DNS1123_SUBDOMAIN_FMT: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const DNS1123_SUBDOMAIN_UNDERSCORE_FMT: &str = r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*";
const LABEL_KEY_FMT: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_KEY_MESSAGE: &str =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const SUBDOMAIN_MESSAGE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \
    '-' or '.', and must start and end with an alphanumeric character";

/// `must be no more than N characters`.
pub fn max_len_error(length: usize) -> String {
    format!("must be no more than {length} characters")
}

/// What is wrong, examples, and the regular expression (`RegexError`).
pub fn regex_error(message: &str, regex: &str, examples: &[&str]) -> String {
    if examples.is_empty() {
        return format!("{message} (regex used for validation is '{regex}')");
    }
    let examples: Vec<String> = examples.iter().map(|e| format!("'{e}', ")).collect();
    format!("{message} (e.g. {}regex used for validation is '{regex}')", examples.join(" or "))
}

/// `must be between LOW and HIGH, inclusive`.
pub fn inclusive_range_error(low: i64, high: i64) -> String {
    format!("must be between {low} and {high}, inclusive")
}

fn is_lower_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Whether `text` is `first inner* last`, or one character that is both.
fn has_shape(text: &str, first: fn(u8) -> bool, inner: fn(u8) -> bool, last: fn(u8) -> bool) -> bool {
    match text.as_bytes() {
        [] => false,
        [only] => first(*only),
        [head, middle @ .., tail] => first(*head) && middle.iter().all(|b| inner(*b)) && last(*tail),
    }
}

fn matches_dns1123_label(text: &str) -> bool {
    has_shape(text, is_lower_alphanumeric, |b| is_lower_alphanumeric(b) || b == b'-', is_lower_alphanumeric)
}

fn matches_dns1123_subdomain(text: &str) -> bool {
    text.split('.').all(matches_dns1123_label)
}

/// A DNS label: `my-name`, `123-abc` (`IsDNS1123Label`).
pub fn is_dns1123_label(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > DNS1123_LABEL_MAX_LENGTH {
        errors.push(max_len_error(DNS1123_LABEL_MAX_LENGTH));
    }
    if matches_dns1123_label(value) {
        return errors;
    }
    if matches_dns1123_subdomain(value) {
        errors.push("must not contain dots".to_owned());
    } else {
        let message = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
            start and end with an alphanumeric character";
        errors.push(regex_error(message, DNS1123_LABEL_FMT, &["my-name", "123-abc"]));
    }
    errors
}

/// Dots between DNS labels: `example.com` (`IsDNS1123Subdomain`).
pub fn is_dns1123_subdomain(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > DNS1123_SUBDOMAIN_MAX_LENGTH {
        errors.push(max_len_error(DNS1123_SUBDOMAIN_MAX_LENGTH));
    }
    if !matches_dns1123_subdomain(value) {
        errors.push(regex_error(SUBDOMAIN_MESSAGE, DNS1123_SUBDOMAIN_FMT, &["example.com"]));
    }
    errors
}

/// A DNS name whose labels may contain underscores (`IsDNS1123SubdomainWithUnderscore`).
pub fn is_dns1123_subdomain_with_underscore(value: &str) -> Vec<String> {
    let label = |label: &str| {
        let label = label.strip_prefix('_').unwrap_or(label);
        let inner = |b: u8| is_lower_alphanumeric(b) || b == b'-' || b == b'_';
        has_shape(label, is_lower_alphanumeric, inner, is_lower_alphanumeric)
    };
    let mut errors = Vec::new();
    if value.len() > DNS1123_SUBDOMAIN_MAX_LENGTH {
        errors.push(max_len_error(DNS1123_SUBDOMAIN_MAX_LENGTH));
    }
    if !value.split('.').all(label) {
        let message = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or \
            '.', and must start and end with an alphanumeric character";
        errors.push(regex_error(message, DNS1123_SUBDOMAIN_UNDERSCORE_FMT, &["example.com"]));
    }
    errors
}

/// A DNS label that starts with a letter: `abc-123` (`IsDNS1035Label`).
pub fn is_dns1035_label(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > DNS1123_LABEL_MAX_LENGTH {
        errors.push(max_len_error(DNS1123_LABEL_MAX_LENGTH));
    }
    let letter = |b: u8| b.is_ascii_lowercase();
    if !has_shape(value, letter, |b| is_lower_alphanumeric(b) || b == b'-', is_lower_alphanumeric) {
        let message = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
            alphabetic character, and end with an alphanumeric character";
        errors.push(regex_error(message, "[a-z]([-a-z0-9]*[a-z0-9])?", &["my-name", "abc-123"]));
    }
    errors
}

/// `*.` and a DNS name (`IsWildcardDNS1123Subdomain`).
pub fn is_wildcard_dns1123_subdomain(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > DNS1123_SUBDOMAIN_MAX_LENGTH {
        errors.push(max_len_error(DNS1123_SUBDOMAIN_MAX_LENGTH));
    }
    if !value.strip_prefix("*.").is_some_and(matches_dns1123_subdomain) {
        let message = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which \
            must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
        errors.push(regex_error(message, &format!(r"\*\.{DNS1123_SUBDOMAIN_FMT}"), &["*.example.com"]));
    }
    errors
}

fn matches_label_key(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    has_shape(text, |b| b.is_ascii_alphanumeric(), inner, |b| b.is_ascii_alphanumeric())
}

/// A label key: a name with an optional DNS name and a slash in front (`IsQualifiedName`).
pub fn is_qualified_name(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let parts: Vec<&str> = value.split('/').collect();
    let examples = ["MyName", "my.name", "123-abc"];
    let name = match parts.as_slice() {
        [name] => name,
        [prefix, name] => {
            if prefix.is_empty() {
                errors.push("prefix part must be non-empty".to_owned());
            } else {
                if prefix.len() > DNS1123_SUBDOMAIN_MAX_LENGTH {
                    errors.push(format!("prefix part must be no more than {DNS1123_SUBDOMAIN_MAX_LENGTH} bytes"));
                }
                if !matches_dns1123_subdomain(prefix) {
                    let why = regex_error(SUBDOMAIN_MESSAGE, DNS1123_SUBDOMAIN_FMT, &["example.com"]);
                    errors.push(format!("prefix part {why}"));
                }
            }
            name
        }
        _ => {
            let why = regex_error(LABEL_KEY_MESSAGE, LABEL_KEY_FMT, &examples);
            let form = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return vec![format!("a valid label key {why} {form}")];
        }
    };
    if name.is_empty() {
        errors.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        errors.push("name part must be no more than 63 bytes".to_owned());
    }
    if !matches_label_key(name) {
        errors.push(format!("name part {}", regex_error(LABEL_KEY_MESSAGE, LABEL_KEY_FMT, &examples)));
    }
    errors
}

/// A label's value: empty or like the name part of a key (`IsValidLabelValue`).
pub fn is_label_value(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > 63 {
        errors.push("must be no more than 63 bytes".to_owned());
    }
    if !value.is_empty() && !matches_label_key(value) {
        let message = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', \
            and must start and end with an alphanumeric character";
        let regex = format!("({LABEL_KEY_FMT})?");
        errors.push(regex_error(message, &regex, &["MyValue", "my_value", "12345"]));
    }
    errors
}

/// An identifier of the C language (`IsCIdentifier`).
pub fn is_c_identifier(value: &str) -> Vec<String> {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if has_shape(value, |b| b.is_ascii_alphabetic() || b == b'_', word, word) {
        return Vec::new();
    }
    let message = "a valid C identifier must start with alphabetic character or '_', followed by a string of \
        alphanumeric characters or '_'";
    vec![regex_error(message, "[A-Za-z_][A-Za-z0-9_]*", &["my_name", "MY_NAME", "MyName"])]
}

/// 1 to 65535 (`IsValidPortNum`).
pub fn is_valid_port_num(port: i32) -> Vec<String> {
    is_in_range(i64::from(port), 1, 65535)
}

/// Within bounds that are allowed themselves (`IsInRange`).
pub fn is_in_range(value: i64, low: i64, high: i64) -> Vec<String> {
    if (low..=high).contains(&value) { Vec::new() } else { vec![inclusive_range_error(low, high)] }
}

/// A user or group id: 0 to 2³¹-1 (`IsValidUserID`, `IsValidGroupID`).
pub fn is_valid_user_or_group_id(id: i64) -> Vec<String> {
    is_in_range(id, 0, i64::from(i32::MAX))
}

/// A port's name: at most 15 of `a-z0-9-` with a letter among them (`IsValidPortName`).
pub fn is_valid_port_name(port: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if port.len() > 15 {
        errors.push(max_len_error(15));
    }
    if port.is_empty() || !port.bytes().all(|b| is_lower_alphanumeric(b) || b == b'-') {
        errors.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned());
    }
    if !port.bytes().any(|b| b.is_ascii_lowercase()) {
        errors.push("must contain at least one letter (a-z)".to_owned());
    }
    if port.contains("--") {
        errors.push("must not contain consecutive hyphens".to_owned());
    }
    if port.starts_with('-') || port.ends_with('-') {
        errors.push("must not begin or end with a hyphen".to_owned());
    }
    errors
}

/// Digits and `%` (`IsValidPercent`).
pub fn is_valid_percent(percent: &str) -> Vec<String> {
    let digits = percent.strip_suffix('%').unwrap_or_default();
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Vec::new();
    }
    let message = "a valid percent string must be a numeric string followed by an ending '%'";
    vec![regex_error(message, "[0-9]+%", &["1%", "93%"])]
}

/// The name of an HTTP header (`IsHTTPHeaderName`).
pub fn is_http_header_name(value: &str) -> Vec<String> {
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Vec::new();
    }
    let message = "a valid HTTP header must consist of alphanumeric characters or '-'";
    vec![regex_error(message, "[-A-Za-z0-9]+", &["X-Header-Name"])]
}

/// An environment variable's name in the relaxed form: printable ASCII except `=` (`IsRelaxedEnvVarName`).
pub fn is_relaxed_env_var_name(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.is_empty() {
        errors.push("environment variable name must be non-empty".to_owned());
    }
    if value.chars().any(|c| !(' '..='~').contains(&c) || c == '=') {
        let message =
            "a valid environment variable name must consist only of printable ASCII characters other than '='";
        errors.push(message.to_owned());
    }
    errors
}

/// An environment variable's name in the strict form (`IsEnvVarName`).
pub fn is_env_var_name(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let first = |b: u8| b.is_ascii_alphabetic() || matches!(b, b'-' | b'.' | b'_');
    let rest = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if !has_shape(value, first, rest, rest) {
        let message = "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or \
            '.', and must not start with a digit";
        let examples = ["my.env-name", "MY_ENV.NAME", "MyEnvName1"];
        errors.push(regex_error(message, "[-._a-zA-Z][-._a-zA-Z0-9]*", &examples));
    }
    errors.extend(has_chdir_prefix(value));
    errors
}

/// A key of a ConfigMap or Secret (`IsConfigMapKey`).
pub fn is_config_map_key(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > DNS1123_SUBDOMAIN_MAX_LENGTH {
        errors.push(max_len_error(DNS1123_SUBDOMAIN_MAX_LENGTH));
    }
    if value.is_empty() || !value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_')) {
        let message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
        errors.push(regex_error(message, "[-._a-zA-Z0-9]+", &["key.name", "KEY_NAME", "key-name"]));
    }
    errors.extend(has_chdir_prefix(value));
    errors
}

fn has_chdir_prefix(value: &str) -> Option<String> {
    match value {
        "." => Some("must not be '.'".to_owned()),
        ".." => Some("must not be '..'".to_owned()),
        _ if value.starts_with("..") => Some("must not start with '..'".to_owned()),
        _ => None,
    }
}

/// Fit to be part of a URL's path (`IsPathSegmentName`).
pub fn is_path_segment_name(name: &str) -> Vec<String> {
    if name == "." || name == ".." {
        return vec![format!("may not be '{name}'")];
    }
    is_path_segment_prefix(name)
}

/// Fit to begin a part of a URL's path (`IsPathSegmentPrefix`).
pub fn is_path_segment_prefix(name: &str) -> Vec<String> {
    ["/", "%"].iter().filter(|c| name.contains(**c)).map(|c| format!("may not contain '{c}'")).collect()
}

/// A name with a DNS name in front: `acme.io/foo` (`IsDomainPrefixedPath`).
pub fn validate_domain_prefixed_path(text: &str, path: &Path<'_>) -> ErrorList {
    if text.is_empty() {
        return vec![path.required("")];
    }
    let (host, rest) = text.split_once('/').unwrap_or_default();
    if host.is_empty() || rest.is_empty() {
        return vec![path.invalid(text, "must be a domain-prefixed path (such as \"acme.io/foo\")")];
    }
    let mut errors = invalid_each(path, host, is_dns1123_subdomain(host));
    if !rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&b)) {
        let message = regex_error("Invalid path", r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", &[]);
        errors.push(path.invalid(rest, message));
    }
    errors
}

/// A DNS name of at least three parts (`IsFullyQualifiedName`).
pub fn validate_fully_qualified_name(name: &str, path: &Path<'_>) -> ErrorList {
    if name.is_empty() {
        return vec![path.required("")];
    }
    let messages = is_dns1123_subdomain(name);
    if !messages.is_empty() {
        return vec![path.invalid(name, messages.join(","))];
    }
    if name.split('.').count() < 3 {
        return vec![path.invalid(name, "should be a domain with at least three segments separated by dots")];
    }
    Vec::new()
}

/// A DNS name of at least two parts, with an optional dot at its end (`IsFullyQualifiedDomainName`).
pub fn validate_fully_qualified_domain_name(name: &str, path: &Path<'_>) -> ErrorList {
    if name.is_empty() {
        return vec![path.required("")];
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let messages = is_dns1123_subdomain(name);
    if !messages.is_empty() {
        return vec![path.invalid(name, messages.join(","))];
    }
    if name.split('.').count() < 2 {
        return vec![path.invalid(name, "should be a domain with at least two segments separated by dots")];
    }
    let long = name.split('.').map(|label| (label, is_dns1123_label(label))).find(|(_, m)| !m.is_empty());
    long.map(|(label, messages)| path.invalid(label, messages.join(","))).into_iter().collect()
}

/// A certificate signer: `example.com/signer-name` (`ValidateSignerName`).
pub fn validate_signer_name(name: &str, path: &Path<'_>) -> ErrorList {
    if name.is_empty() {
        return vec![path.required("")];
    }
    let (domain, rest) = match name.split('/').collect::<Vec<_>>().as_slice() {
        [domain, rest] => (*domain, *rest),
        _ => {
            let why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
            return vec![path.invalid(name, why)];
        }
    };
    let mut errors = Vec::new();
    if domain.len() > DNS1123_SUBDOMAIN_MAX_LENGTH {
        errors.push(path.too_long(DNS1123_SUBDOMAIN_MAX_LENGTH));
    }
    let mut first_bad = |whole: &str, rule: fn(&str) -> Vec<String>| {
        if let Some((label, messages)) = whole.split('.').map(|l| (l, rule(l))).find(|(_, m)| !m.is_empty()) {
            for message in messages {
                errors.push(path.invalid(whole, format!("validating label {}: {message}", go_quote(label))));
            }
        }
        if whole == domain && domain.split('.').count() < 2 {
            errors.push(path.invalid(domain, "should be a domain with at least two segments separated by dots"));
        }
    };
    first_bad(domain, is_dns1123_label);
    first_bad(rest, is_dns1123_subdomain);
    let max_length = 2 * DNS1123_SUBDOMAIN_MAX_LENGTH + DNS1123_LABEL_MAX_LENGTH + 2;
    if name.len() > max_length {
        errors.push(path.too_long(max_length));
    }
    errors
}

/// [`NameRule`]: a DNS name, as for most kinds (`NameIsDNSSubdomain`).
pub fn name_is_dns_subdomain(name: &str, prefix: bool) -> Vec<String> {
    is_dns1123_subdomain(&mask_trailing_dash(name, prefix))
}

/// [`NameRule`]: a DNS label, as for namespaces (`NameIsDNSLabel`).
pub fn name_is_dns_label(name: &str, prefix: bool) -> Vec<String> {
    is_dns1123_label(&mask_trailing_dash(name, prefix))
}

/// [`NameRule`]: a DNS label that starts with a letter (`NameIsDNS1035Label`).
pub fn name_is_dns1035_label(name: &str, prefix: bool) -> Vec<String> {
    is_dns1035_label(&mask_trailing_dash(name, prefix))
}

/// [`NameRule`]: whatever fits into a URL's path, as for RBAC kinds (`ValidatePathSegmentName`).
pub fn name_is_path_segment(name: &str, prefix: bool) -> Vec<String> {
    if prefix { is_path_segment_prefix(name) } else { is_path_segment_name(name) }
}

/// Replaces the dash at which a prefix ends (Go's `maskTrailingDash`, which also drops the character before it).
fn mask_trailing_dash(name: &str, prefix: bool) -> String {
    let bytes = name.as_bytes();
    match bytes {
        [head @ .., _, b'-'] if prefix => format!("{}a", String::from_utf8_lossy(head)),
        _ => name.to_owned(),
    }
}

/// A DNS label at a path (`ValidateDNS1123Label`).
pub fn validate_dns1123_label(value: &str, path: &Path<'_>) -> ErrorList {
    invalid_each(path, value, is_dns1123_label(value))
}

/// A DNS name at a path (`ValidateDNS1123Subdomain`).
pub fn validate_dns1123_subdomain(value: &str, path: &Path<'_>) -> ErrorList {
    invalid_each(path, value, is_dns1123_subdomain(value))
}

/// A label key at a path (`ValidateQualifiedName`).
pub fn validate_qualified_name(value: &str, path: &Path<'_>) -> ErrorList {
    invalid_each(path, value, is_qualified_name(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_with_dots_is_told_so() {
        assert_eq!(is_dns1123_label("a.b"), ["must not contain dots"]);
        assert!(is_dns1123_label("0-a").is_empty());
        assert_eq!(is_dns1123_label("-a").len(), 1);
        assert_eq!(is_dns1123_label("").len(), 1);
    }

    #[test]
    fn a_bad_subdomain_shows_an_example_and_the_expression() {
        let expected = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
            and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
            '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
        assert_eq!(is_dns1123_subdomain("PV-Data"), [expected]);
        assert_eq!(is_dns1123_subdomain("a..b").len(), 1);
        assert_eq!(is_dns1123_subdomain(&"a".repeat(254)), ["must be no more than 253 characters"]);
    }

    #[test]
    fn a_qualified_name_has_at_most_one_slash() {
        assert!(is_qualified_name("example.com/My.name_1").is_empty());
        assert!(is_qualified_name("a/b/c")[0].starts_with("a valid label key must consist of"));
        assert_eq!(is_qualified_name("/x"), ["prefix part must be non-empty"]);
        let empty = is_qualified_name("example.com/");
        assert_eq!(empty[0], "name part must be non-empty");
        assert_eq!(empty.len(), 2);
    }

    #[test]
    fn label_values_may_be_empty_but_not_end_in_a_dash() {
        assert!(is_label_value("").is_empty() && is_label_value("a_b.c-1").is_empty());
        assert_eq!(is_label_value("a-").len(), 1);
    }

    #[test]
    fn a_port_name_can_break_several_rules_at_once() {
        let messages = is_valid_port_name("Very--Long-Port-Name-");
        assert_eq!(messages.len(), 4);
        assert_eq!(is_valid_port_name("8080"), ["must contain at least one letter (a-z)"]);
    }

    #[test]
    fn a_generated_names_prefix_may_end_in_a_dash() {
        assert!(name_is_dns_subdomain("web-", true).is_empty());
        assert_eq!(name_is_dns_subdomain("web-", false).len(), 1);
    }

    #[test]
    fn a_fully_qualified_domain_name_needs_two_parts() {
        let path = Path::root("x");
        assert!(validate_fully_qualified_domain_name("a.b.", &path).is_empty());
        assert_eq!(validate_fully_qualified_domain_name("a", &path).len(), 1);
    }
}
