//! Names of container images (`github.com/distribution/reference`, `pkg/util/parsers` `ParseImageName`).

/// The tag of an image: `latest` if it has neither tag nor digest, empty if it has only a digest; `None` for what is no
/// image name.
pub(super) fn image_tag(image: &str) -> Option<&str> {
    let lower_hex = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if image.len() == 64 && lower_hex(image) {
        return None;
    }
    let (domain, remainder) = split_domain(image);
    let (named, digest) = match remainder.split_once('@') {
        Some((named, digest)) => (named, Some(digest)),
        None => (remainder, None),
    };
    // a colon after the last slash starts the tag
    let (path, tag) = match named.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (named, None),
    };
    let valid = is_domain(domain)
        && path.split('/').all(is_path_component)
        && domain.len() + 1 + path.len() <= 255
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest);
    valid.then_some(match (tag, digest) {
        (Some(tag), _) => tag,
        (None, Some(_)) => "",
        (None, None) => "latest",
    })
}

/// Why a text is no image name, in the words of `reference.ParseNormalizedNamed`; `None` if it is one.
pub fn image_name_error(image: &str) -> Option<String> {
    if image_tag(image).is_some() {
        return None;
    }
    if image.len() == 64 && image.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()) {
        return Some(format!("invalid repository name ({image}), cannot specify 64-byte hexadecimal strings"));
    }
    let (domain, remainder) = split_domain(image);
    let library = if domain == "docker.io" && !remainder.contains('/') { "library/" } else { "" };
    let remainder = format!("{library}{remainder}");
    let remote = remainder.split_once(':').map_or(remainder.as_str(), |(remote, _)| remote);
    if remote.chars().any(|c| c.to_lowercase().ne([c])) {
        return Some(format!("invalid reference format: repository name ({remote}) must be lowercase"));
    }
    let too_long = domain.len() + 1 + remote.len() > 255;
    Some(match too_long && remote.split('/').all(is_path_component) {
        true => "repository name must not be more than 255 characters".to_owned(),
        false => "invalid reference format".to_owned(),
    })
}

/// The registry in front, `docker.io` if the first part does not look like one.
fn split_domain(image: &str) -> (&str, &str) {
    match image.split_once('/') {
        Some((first, rest))
            if first.contains(['.', ':']) || first == "localhost" || first.chars().any(char::is_uppercase) =>
        {
            (first, rest)
        }
        _ => ("docker.io", image),
    }
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, "")) => return is_address(address),
            Some((address, port)) if is_address(address) => ("x", port.strip_prefix(':').or(Some(""))),
            _ => return false,
        },
        None => match domain.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (domain, None),
        },
    };
    let component = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
    };
    host.split('.').all(component) && port.is_none_or(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

fn is_address(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
}

/// Lower case letters and digits, joined by one dot, one or two underscores, or any number of dashes.
fn is_path_component(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !text.starts_with(word) || !text.ends_with(word) {
        return false;
    }
    let mut separators = text.split(word).filter(|s| !s.is_empty());
    separators.all(|s| matches!(s, "." | "_" | "__") || s.bytes().all(|b| b == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let rest = |b: u8| word(b) || b == b'.' || b == b'-';
    tag.len() <= 128 && tag.bytes().next().is_some_and(word) && tag.bytes().all(rest)
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    hex.len() == length && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::image_tag;

    #[test]
    fn a_registrys_port_is_no_tag() {
        assert_eq!(image_tag("registry:5000/app"), Some("latest"));
        assert_eq!(image_tag("registry:5000/app:v1"), Some("v1"));
        assert_eq!(image_tag("app:5000"), Some("5000"));
    }

    #[test]
    fn a_digest_takes_the_place_of_latest() {
        let digest = "a".repeat(64);
        assert_eq!(image_tag(&format!("nginx@sha256:{digest}")), Some(""));
        assert_eq!(image_tag(&format!("nginx:latest@sha256:{digest}")), Some("latest"));
    }

    #[test]
    fn what_is_no_image_name_has_no_tag() {
        for image in ["", "Nginx", "nginx:", " nginx", "a//b", "nginx:v 1", "docker.io/-x", "gcr.io/My/app"] {
            assert_eq!(image_tag(image), None, "{image}");
        }
    }
}
