//! What Go's `tls.X509KeyPair` says about a certificate and its key, as far as their form goes.

/// A PEM block: its type and its bytes.
struct Block {
    kind: String,
    bytes: Vec<u8>,
}

/// Why two texts are no certificate and private key. Whether the key belongs to the certificate is not looked at.
pub(super) fn key_pair_problem(certificate: &[u8], key: &[u8]) -> Option<String> {
    let blocks = decode(certificate);
    let Some(leaf) = blocks.iter().find(|block| block.kind == "CERTIFICATE") else {
        return Some(match blocks.as_slice() {
            [] => "tls: failed to find any PEM data in certificate input".to_owned(),
            [one] if one.kind.ends_with("PRIVATE KEY") => {
                "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs \
                 may have been switched"
                    .to_owned()
            }
            more => format!(
                "tls: failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of the \
                 following types: {}",
                kinds(more)
            ),
        });
    };
    let blocks = decode(key);
    if !blocks.iter().any(|b| b.kind == "PRIVATE KEY" || b.kind.ends_with(" PRIVATE KEY")) {
        return Some(match blocks.as_slice() {
            [] => "tls: failed to find any PEM data in key input".to_owned(),
            [one] if one.kind == "CERTIFICATE" => {
                "tls: found a certificate rather than a key in the PEM for the private key".to_owned()
            }
            more => format!(
                "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after skipping PEM \
                 blocks of the following types: {}",
                kinds(more)
            ),
        });
    }
    (!is_sequence(&leaf.bytes)).then(|| "x509: malformed certificate".to_owned())
}

fn kinds(blocks: &[Block]) -> String {
    format!("[{}]", blocks.iter().map(|b| b.kind.as_str()).collect::<Vec<_>>().join(" "))
}

/// Whether bytes are one DER sequence and nothing more.
fn is_sequence(bytes: &[u8]) -> bool {
    let (length, rest) = match bytes {
        [0x30, length @ 0..=0x7f, rest @ ..] => (usize::from(*length), rest),
        [0x30, 0x81, length, rest @ ..] => (usize::from(*length), rest),
        [0x30, 0x82, high, low, rest @ ..] => (usize::from(*high) << 8 | usize::from(*low), rest),
        _ => return false,
    };
    rest.len() == length
}

/// All PEM blocks of a text; broken ones are skipped.
fn decode(text: &[u8]) -> Vec<Block> {
    let text = String::from_utf8_lossy(text);
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let kind = line.trim_end().strip_prefix("-----BEGIN ").and_then(|l| l.strip_suffix("-----"));
        let Some(kind) = kind else { continue };
        let end = format!("-----END {kind}-----");
        let mut ahead = lines.clone();
        let mut body = String::new();
        let closed = loop {
            match ahead.next() {
                None => break false,
                Some(line) if line.trim_end() == end => break true,
                Some(line) if line.contains(": ") => {}
                Some(line) => body.push_str(line.trim()),
            }
        };
        if let Some(bytes) = closed.then(|| base64(&body)).flatten() {
            blocks.push(Block { kind: kind.to_owned(), bytes });
            lines = ahead;
        }
    }
    blocks
}

fn base64(text: &str) -> Option<Vec<u8>> {
    // as the API decodes bytes
    serde_json::from_value::<k8s_openapi::ByteString>(serde_json::Value::from(text)).ok().map(|bytes| bytes.0)
}

#[cfg(test)]
mod tests {
    use super::key_pair_problem;

    #[test]
    fn texts_without_pem_are_told_apart() {
        let problem = |a: &str, b: &str| key_pair_problem(a.as_bytes(), b.as_bytes()).unwrap_or_default();
        assert_eq!(problem("x", "y"), "tls: failed to find any PEM data in certificate input");
        let key = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
        let certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        assert!(problem(key, certificate).contains("may have been switched"));
        assert_eq!(problem(certificate, "y"), "tls: failed to find any PEM data in key input");
        assert_eq!(problem(certificate, key), "");
    }
}
