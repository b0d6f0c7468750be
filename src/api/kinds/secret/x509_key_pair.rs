//! Go's `tls.X509KeyPair`, as far as it can fail on what is no certificate or key at all. What has the outer form of
//! one passes: signatures are not looked at, nor whether the key is the certificate's.
use k8s_openapi::ByteString;

/// Looks at a certificate and a key in PEM.
pub(super) fn check(certificate: &[u8], key: &[u8]) -> Result<(), String> {
    let blocks = pem_blocks(certificate);
    let Some(certificate) = blocks.iter().find(|b| b.kind == "CERTIFICATE") else {
        return Err(match blocks.as_slice() {
            [] => "tls: failed to find any PEM data in certificate input".to_owned(),
            [one] if one.kind.ends_with("PRIVATE KEY") => "tls: failed to find certificate PEM data in certificate \
                input, but did find a private key; PEM inputs may have been switched"
                .to_owned(),
            more => format!(
                "tls: failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of the \
                 following types: [{}]",
                kinds(more)
            ),
        });
    };
    let blocks = pem_blocks(key);
    let is_key = |block: &&Block| block.kind == "PRIVATE KEY" || block.kind.ends_with(" PRIVATE KEY");
    let Some(key) = blocks.iter().find(is_key) else {
        return Err(match blocks.as_slice() {
            [] => "tls: failed to find any PEM data in key input".to_owned(),
            [one] if one.kind == "CERTIFICATE" => {
                "tls: found a certificate rather than a key in the PEM for the private key".to_owned()
            }
            more => format!(
                "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after skipping PEM \
                 blocks of the following types: [{}]",
                kinds(more)
            ),
        });
    };
    let Some((content, rest)) = der_sequence(&certificate.bytes) else {
        return Err("x509: malformed certificate".to_owned());
    };
    if der_sequence(content).is_none() {
        return Err("x509: malformed tbs certificate".to_owned());
    }
    if !rest.is_empty() {
        return Err("x509: trailing data".to_owned());
    }
    if der_sequence(&key.bytes).is_none() {
        return Err("tls: failed to parse private key".to_owned());
    }
    Ok(())
}

struct Block {
    kind: String,
    bytes: Vec<u8>,
}

fn kinds(blocks: &[Block]) -> String {
    blocks.iter().map(|b| b.kind.as_str()).collect::<Vec<_>>().join(" ")
}

/// Every well-formed block (`pem.Decode` until there is none).
fn pem_blocks(bytes: &[u8]) -> Vec<Block> {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.split('\n').map(str::trim_end).collect();
    let mut blocks = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let Some(kind) = line.strip_prefix("-----BEGIN ").and_then(|l| l.strip_suffix("-----")) else { continue };
        let Some(length) = lines.get(at..).and_then(|rest| rest.iter().position(|l| l.starts_with("-----END "))) else {
            continue;
        };
        let body = lines.get(at..at + length).unwrap_or_default();
        if lines.get(at + length).is_none_or(|end| *end != format!("-----END {kind}-----")) {
            continue;
        }
        let body: String = body
            .iter()
            .skip_while(|l| l.contains(':'))
            .flat_map(|l| l.chars())
            .filter(|c| !matches!(c, ' ' | '\t' | '\r'))
            .collect();
        if let Ok(ByteString(bytes)) = serde_json::from_value(body.into()) {
            blocks.push(Block { kind: kind.to_owned(), bytes });
            at += length + 1;
        }
    }
    blocks
}

/// The content of a DER sequence, and what stands behind it.
fn der_sequence(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[tag, first], mut rest) = bytes.split_first_chunk::<2>()?;
    if tag != 0x30 {
        return None;
    }
    let mut length = usize::from(first);
    if first >= 0x80 {
        let count = usize::from(first & 0x7f);
        if !(1..=4).contains(&count) {
            return None;
        }
        let (digits, behind) = rest.split_at_checked(count)?;
        length = digits.iter().fold(0, |sum, digit| (sum << 8) | usize::from(*digit));
        if length < 0x80 || digits.first() == Some(&0) {
            return None;
        }
        rest = behind;
    }
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(kind: &str, base64: &str) -> Vec<u8> {
        format!("-----BEGIN {kind}-----\n{base64}\n-----END {kind}-----\n").into_bytes()
    }

    fn error(certificate: &[u8], key: &[u8]) -> String {
        check(certificate, key).err().unwrap_or_default()
    }

    #[test]
    fn text_that_is_no_pem_is_no_certificate() {
        assert_eq!(error(b"hello", b""), "tls: failed to find any PEM data in certificate input");
        let cut_off = pem("CERTIFICATE", "MIIBszCCAVmgAwIBAgIUQ");
        assert_eq!(error(&cut_off, b""), "tls: failed to find any PEM data in certificate input");
    }

    #[test]
    fn certificate_and_key_in_each_others_place_are_noticed() {
        let (certificate, key) = (pem("CERTIFICATE", "MAIwAA=="), pem("RSA PRIVATE KEY", "MAA="));
        assert_eq!(error(&certificate, &key), "");
        assert!(error(&key, &certificate).ends_with("but did find a private key; PEM inputs may have been switched"));
        let expected = "tls: found a certificate rather than a key in the PEM for the private key";
        assert_eq!(error(&certificate, &certificate), expected);
    }

    #[test]
    fn pem_of_something_else_is_malformed() {
        assert_eq!(error(&pem("CERTIFICATE", "aGVsbG8="), &pem("PRIVATE KEY", "MAA=")), "x509: malformed certificate");
    }
}
