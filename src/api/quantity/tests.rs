#![allow(clippy::unwrap_used)]

use super::*;

fn q(text: &str) -> Quantity {
    text.parse().unwrap_or_else(|error| unreachable!("{text}: {error}"))
}

#[test]
fn prints_canonically() {
    let cases = [
        ("2048Mi", "2Gi"),
        ("0.5Gi", "512Mi"),
        ("1.5Gi", "1536Mi"),
        ("1.5G", "1500M"),
        ("0.1Gi", "107374182400m"),
        ("2e9", "2e9"),
        ("2E9", "2E9"),
        ("10e2", "1e3"),
        ("1e0", "1e0"),
        ("20e0", "20e0"),
        ("1000e0", "1e3"),
        ("1000", "1k"),
        ("1500", "1500"),
        ("1000000", "1M"),
        ("1024", "1024"),
        ("1024Ki", "1Mi"),
        ("1025Ki", "1025Ki"),
        ("16Gi", "16Gi"),
        ("0", "0"),
        ("0Gi", "0"),
        ("00", "0"),
        ("-0", "0"),
        ("-5Gi", "-5Gi"),
        ("-2048Mi", "-2Gi"),
        ("0.5", "500m"),
        ("0.1", "100m"),
        (".5", "500m"),
        ("1.", "1."),
        ("1.500", "1.500"),
        ("0.500", "500m"),
        ("+5", "+5"),
        ("+5Gi", "+5Gi"),
        ("+8Gi", "8Gi"),
        ("007", "007"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("100m", "100m"),
        ("1u", "1u"),
        ("1n", "1n"),
        ("0.1n", "1n"),
        ("1.23456789012", "1234567891n"),
        ("-1.23456789012", "-1234567891n"),
        ("1T", "1T"),
        ("1Ei", "1Ei"),
        ("7Ei", "7Ei"),
        ("8Ei", "9223372036854775807"),
        ("100Ei", "9223372036854775807"),
        ("-100Ei", "-9223372036854775807"),
        ("10E", "10E"),
        // There is no suffix above E: Kubernetes prints the bare number.
        ("1000E", "1"),
        ("99999999999999999999", "99999999999999999999"),
        ("0.0001Ki", "102400u"),
        ("0.3Ki", "307200m"),
        ("1.5Ki", "1536"),
        ("0.75Ki", "768"),
        ("12345678901234Ki", "12345678901234Ki"),
        ("1e-3", "1e-3"),
        ("1e-9", "1e-9"),
        ("1e-10", "1e-9"),
        ("15e-1", "1500e-3"),
    ];
    for (given, expected) in cases {
        assert_eq!(q(given).to_string(), expected, "{given}");
    }
}

#[test]
fn a_canonical_text_reads_back_as_itself() {
    for text in ["1Gi", "1500m", "2e9", "1e3", "107374182400m", "+5", "1.500", "-2Gi", "1n"] {
        assert_eq!(q(text).to_string(), text);
        assert_eq!(q(&q(text).to_string()), q(text));
    }
}

#[test]
fn refuses_in_the_servers_words() {
    for text in ["", " 1Gi", "1Gi ", "1gi", "5GB", "5gb", "1Gb", "abc", "1.2.3", "1 Gi", "5Gi5x", "\u{ff11}", "5%"] {
        assert_eq!(text.parse::<Quantity>().unwrap_err(), QuantityError::Format, "{text}");
    }
    for text in ["5K", "5mi", "5e", "5Mim", "5mM", "1Ki5", "5ee3", "5+3", "--5", "1e99999999999999999999"] {
        assert_eq!(text.parse::<Quantity>().unwrap_err(), QuantityError::Suffix, "{text}");
    }
    assert_eq!(".e-10".parse::<Quantity>().unwrap_err(), QuantityError::Numeric);
    assert_eq!(
        QuantityError::Format.to_string(),
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    );
}

#[test]
fn accepts_what_kubernetes_scanner_lets_through_as_zero() {
    for text in ["+", "-", ".", "Gi", "m", "-Gi", "000", ".Gi"] {
        assert!(q(text).is_zero(), "{text}");
        assert_eq!(q(text).to_string(), "0", "{text}");
    }
}

#[test]
fn trims_blanks_only_where_json_shows_them_raw() {
    assert_eq!(Quantity::parse_trimmed("1Gi ").unwrap(), q("1Gi"));
    assert_eq!(Quantity::parse_trimmed("\u{3000}1Gi").unwrap(), q("1Gi"));
    assert_eq!(Quantity::parse_trimmed("1Gi\n").unwrap_err(), QuantityError::Format);
    assert_eq!(Quantity::parse_trimmed(" ").unwrap_err(), QuantityError::Format);
}

#[test]
fn compares_by_value_across_spellings() {
    assert_eq!(q("1024Mi"), q("1Gi"));
    assert_eq!(q("0.5"), q("500m"));
    assert_eq!(q("1e3"), q("1k"));
    assert_eq!(q("0.1Gi"), q("107374182400m"));
    assert_eq!(q("1000000000000000000000000n"), q("1P"));
    let ascending =
        ["-1e30", "-1Gi", "-1n", "0", "1n", "1u", "1m", "999m", "1", "1k", "1Ki", "1G", "1Gi", "7Ei", "10E", "1e30"];
    for pair in ascending.windows(2) {
        assert!(q(pair[0]) < q(pair[1]), "{pair:?}");
        assert!(q(pair[1]) > q(pair[0]), "{pair:?}");
    }
}

#[test]
fn compares_without_computing_huge_powers() {
    assert!(q("1e2147483647") > q("9e2147483646"));
    assert!(q("-1e2147483647") < q("1n"));
    assert!(q("1234567890123456789012e2147483647") > q("1e2147483647"));
    assert_eq!(q("1e-2147483648"), q("1n"));
}

#[test]
fn rounds_values_away_from_zero() {
    assert_eq!(q("1500m").value(), 2);
    assert_eq!(q("-1500m").value(), -2);
    assert_eq!(q("1.5Gi").value(), 1_610_612_736);
    assert_eq!(q("0.1Gi").value(), 107_374_183);
    assert_eq!(q("1n").value(), 1);
    assert_eq!(q("1").milli_value(), 1000);
    assert_eq!(q("100u").milli_value(), 1);
    assert_eq!(q("2500").scaled_value(3), 3);
    assert_eq!(q("1Gi").as_i64(), Some(1 << 30));
    assert_eq!(q("1k").as_i64(), Some(1000));
    assert_eq!(q("1500m").as_i64(), None);
}

#[test]
fn values_past_int64_are_those_of_go() {
    assert_eq!(q("10E").value(), 0);
    assert_eq!(q("100Ei").value(), i64::MAX);
    assert_eq!(q("18446744073709551617").value(), 1);
    // Go adds one after truncating, also below zero.
    assert_eq!(q("-1.0000000001").value(), 0);
}

#[test]
fn rounds_up_as_defaulting_does() {
    let rounded = |text: &str| {
        let mut quantity = q(text);
        let exact = quantity.round_up(scale::MILLI);
        (quantity.to_string(), exact)
    };
    assert_eq!(rounded("0.1m"), ("1m".into(), false));
    assert_eq!(rounded("1500m"), ("1500m".into(), true));
    assert_eq!(rounded("+5"), ("+5".into(), true));
    assert_eq!(rounded("1.500"), ("1.500".into(), true));
    assert_eq!(rounded("1.2345"), ("1235m".into(), false));
    assert_eq!(rounded("0.1Gi"), ("107374182400m".into(), true));
    assert_eq!(rounded("1.23456789012"), ("1235m".into(), false));
    assert_eq!(rounded("9.9999"), ("10".into(), false));
}

#[test]
fn adds_and_subtracts_keeping_the_format() {
    let add = |a: &str, b: &str| {
        let mut sum = q(a);
        sum.add(&q(b));
        sum.to_string()
    };
    let sub = |a: &str, b: &str| {
        let mut difference = q(a);
        difference.sub(&q(b));
        difference.to_string()
    };
    assert_eq!(add("1Gi", "1Gi"), "2Gi");
    assert_eq!(add("1Gi", "1G"), "2073741824");
    assert_eq!(add("0", "1Gi"), "1Gi");
    assert_eq!(add("500m", "500m"), "1");
    assert_eq!(add("1", "1n"), "1000000001n");
    assert_eq!(add("1Gi", "500m"), "1073741824500m");
    assert_eq!(add("7Ei", "7Ei"), "14Ei");
    assert_eq!(add("9E", "9E"), "18E");
    assert_eq!(add("99999999999999999999", "1"), "100E");
    assert_eq!(sub("1Gi", "1Gi"), "0");
    assert_eq!(sub("1Gi", "1536Mi"), "-512Mi");
    assert_eq!(sub("0", "1Gi"), "-1Gi");
    assert_eq!(sub("100000000000000000000", "1"), "99999999999999999999");
    assert_eq!(sub("1e2147483647", "1n"), "10e2147483646");
    let mut least = Quantity::new(i64::MIN, 0, Format::DecimalSi);
    least.neg();
    assert_eq!(least.to_string(), "9223372036854775808");
}

#[test]
fn the_default_is_what_null_decodes_to() {
    assert_eq!(Quantity::default().to_string(), "0");
    assert_eq!(Quantity::default(), q("0"));
}

#[test]
fn api_quantities_convert_both_ways() {
    let stored = ApiQuantity::from(q("2048Mi"));
    assert_eq!(stored.0, "2Gi");
    assert_eq!(Quantity::try_from(&stored).unwrap(), q("2Gi"));
    assert_eq!(Quantity::of(&ApiQuantity("nonsense".into())), Quantity::default());
}

#[test]
fn hostile_texts_neither_panic_nor_hang() {
    let digits = "9".repeat(100_000);
    for text in [format!("{digits}Ei"), format!("0.{digits}"), format!("{digits}e-2147483648"), format!("-{digits}")] {
        let quantity = q(&text);
        let _ = (quantity.to_string(), quantity.value(), quantity.milli_value(), quantity.cmp(&q("1")));
        let mut sum = quantity.clone();
        sum.add(&q("1e2147483647"));
        sum.sub(&quantity);
    }
    for a in ["1", "9", "-", "+", ".", "e", "E", "i", "K", "M", "m", "n", "\u{e9}"] {
        for b in ["", "1", "0", "-9", "+", ".", "e", "Ei", "99999999999999999999"] {
            for c in ["", "i", "m", "e5", "e-2147483649"] {
                if let Ok(quantity) = format!("{a}{b}{c}").parse::<Quantity>() {
                    let _ = (quantity.to_string(), quantity.value());
                }
            }
        }
    }
}
