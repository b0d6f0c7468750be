//! The same values written otherwise.
use serde_json::{Map, Value, json};

use super::site::{self, Edit};
use super::{How, Key, Mutant, Stance};
use crate::api::schema::Shape;

pub(super) fn mutants(key: &Key<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for site in &key.sites {
        let is_quantity = site.ty.is_some_and(|ty| matches!(ty.shape, Shape::Quantity));
        let is_directory = site.key() == Some("mountPath") || site.ends(&["hostPath", "path"]);
        let new = match site.value {
            Value::String(text) if is_quantity => quantity(text),
            Value::String(text) if is_directory && text.len() > 1 && !text.ends_with('/') => {
                Some(json!(format!("{text}/")))
            }
            _ => None,
        };
        mutants.extend(new.and_then(|new| key.edited(site, How::Spelling, &Edit::Set(new), Stance::Unsaid)));
    }
    mutants.extend((0..key.documents.len()).filter_map(|number| encoded(key, number)));
    mutants
}

/// An amount in the next smaller unit.
fn quantity(text: &str) -> Option<Value> {
    const SMALLER: &[(&str, i64, &str)] = &[
        ("Ti", 1024, "Gi"),
        ("Gi", 1024, "Mi"),
        ("Mi", 1024, "Ki"),
        ("G", 1000, "M"),
        ("M", 1000, "k"),
        ("", 1000, "m"),
    ];
    let (suffix, factor, smaller) = SMALLER.iter().find(|(suffix, ..)| text.ends_with(suffix))?;
    let number: i64 = text.strip_suffix(suffix)?.parse().ok()?;
    Some(json!(format!("{}{smaller}", number.checked_mul(*factor)?)))
}

/// A Secret's `stringData` as `data`.
fn encoded(key: &Key<'_>, number: usize) -> Option<Mutant> {
    let text = key.documents.get(number)?.get("stringData")?.as_object()?;
    if key.documents.get(number)?.get("data").is_some() {
        return None;
    }
    let entries: Option<Map<String, Value>> = text
        .iter()
        .map(|(name, value)| Some((name.clone(), Value::String(base64(value.as_str()?.as_bytes())))))
        .collect();
    let mut documents = key.documents.to_vec();
    let document = documents.get_mut(number)?;
    site::apply(document, &["stringData".into()], &Edit::Remove)?;
    site::apply(document, &["data".into()], &Edit::Set(Value::Object(entries?)))?;
    let new = Some(json!("data"));
    let change = key.change(number, How::Spelling, "stringData".to_owned(), None, new);
    Some(Mutant { documents, change, stance: Stance::Unsaid })
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4usize {
            let digit = (bits >> (18 - 6 * place)) & 63;
            let known = place <= chunk.len();
            out.push(if known { DIGITS.get(digit as usize).map_or('=', |d| char::from(*d)) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{base64, quantity};

    #[test]
    fn the_same_amount_in_a_smaller_unit() {
        assert_eq!(quantity("2Gi"), Some("2048Mi".into()));
        assert_eq!(quantity("2"), Some("2000m".into()));
        assert_eq!(quantity("500m"), None);
    }

    #[test]
    fn base64_is_filled_up() {
        assert_eq!([base64(b"a"), base64(b"ab"), base64(b"abc")], ["YQ==", "YWI=", "YWJj"]);
    }
}
