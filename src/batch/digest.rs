//! Hashes of contents that are the same on every machine and in every version.
use sha2::{Digest as _, Sha256};

/// A hash.
pub(super) type Digest = [u8; 16];

/// The hash of some parts; where one ends and the next begins matters.
pub(super) fn of(parts: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().first_chunk().copied().unwrap_or_default()
}

/// A hash as hexadecimal digits.
pub(super) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
