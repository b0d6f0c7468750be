//! Amounts of a resource: `1536Mi`, `250m`, `2e9`.
//!
//! A [`Quantity`] reads, rounds, adds, compares and prints as Kubernetes' own does
//! (`k8s.io/apimachinery/pkg/api/resource`), oddities included: `1.5Gi` is stored as `1536Mi`, `0.1Gi` as
//! `107374182400m`, `+5` stays `+5`. Like the original it has two forms: a 64-bit value with a power of ten, used for
//! nearly everything and fast, and an exact decimal for what does not fit.
//!
//! ```
//! use ckad_grade::api::quantity::Quantity;
//!
//! let asked: Quantity = "1.5Gi".parse()?;
//! let volume: Quantity = "2G".parse()?;
//! assert_eq!(asked.to_string(), "1536Mi");
//! assert!(asked < volume);
//! # Ok::<(), ckad_grade::api::quantity::QuantityError>(())
//! ```

mod decimal;

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;

use decimal::Decimal;

/// Powers of ten for [`Quantity::scaled_value`] and [`Quantity::round_up`].
pub mod scale {
    /// 10^-9, the finest a quantity can be.
    pub const NANO: i32 = -9;
    /// 10^-6.
    pub const MICRO: i32 = -6;
    /// 10^-3, as in `250m`.
    pub const MILLI: i32 = -3;
}

/// Why a text is not a quantity; prints in the API server's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuantityError {
    /// Not a number followed by letters that occur in suffixes.
    Format,
    /// The part before the suffix has no digits.
    Numeric,
    /// The suffix is none of the known ones: `5K`, `5mi`.
    Suffix,
}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Format => {
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            }
            Self::Numeric => "unable to parse numeric part of quantity",
            Self::Suffix => "unable to parse quantity's suffix",
        })
    }
}

impl std::error::Error for QuantityError {}

/// The family of suffixes a quantity was written with, which it keeps when printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `12e6`. Go's zero value, too: a quantity that was `null`.
    #[default]
    DecimalExponent,
    /// `12Mi`.
    BinarySi,
    /// `12M`, `12`.
    DecimalSi,
}

/// An exact amount that remembers how it was written. Equality and order are by value.
#[derive(Clone, Debug, Default)]
pub struct Quantity {
    amount: Amount,
    format: Format,
    /// The text as given, where Kubernetes keeps it though its own printing would differ (`+5`, `1.500`, `1E3`).
    text: Option<Box<str>>,
}

#[derive(Clone, Debug)]
enum Amount {
    Int { value: i64, scale: i32 },
    Dec(Decimal),
}

impl Default for Amount {
    fn default() -> Self {
        Self::Int { value: 0, scale: 0 }
    }
}

/// A quantity taken apart: `parseQuantityString` in quantity.go. Lenient: `+`, `.` and `Gi` are all zero.
struct Parts<'a> {
    positive: bool,
    value: &'a str,
    integer: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

fn split(text: &str) -> Result<Parts<'_>, QuantityError> {
    let bytes = text.as_bytes();
    let run = |from: usize, accept: fn(&u8) -> bool| {
        from + bytes.get(from..).unwrap_or_default().iter().take_while(|byte| accept(byte)).count()
    };
    let slice = |from: usize, to: usize| text.get(from..to).ok_or(QuantityError::Format);

    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let positive = bytes.first() != Some(&b'-');
    let start = run(sign, |byte| *byte == b'0');
    if start == bytes.len() {
        return Ok(Parts { positive, value: "0", integer: "0", fraction: "", suffix: "" });
    }
    let mut end = run(start, u8::is_ascii_digit);
    let integer = if end == start { "0" } else { slice(start, end)? };
    let mut fraction = "";
    if bytes.get(end) == Some(&b'.') {
        let from = end + 1;
        end = run(from, u8::is_ascii_digit);
        fraction = slice(from, end)?;
    }
    let letters = run(end, |byte| b"eEinumkKMGTP".contains(byte));
    let digits = letters + usize::from(matches!(bytes.get(letters), Some(b'+' | b'-')));
    if run(digits, u8::is_ascii_digit) != bytes.len() {
        return Err(QuantityError::Format);
    }
    Ok(Parts { positive, value: slice(0, end)?, integer, fraction, suffix: slice(end, bytes.len())? })
}

/// The power (of ten, or of two for [`Format::BinarySi`]) and the format a suffix stands for.
fn interpret(suffix: &str) -> Option<(i32, Format)> {
    use Format::{BinarySi, DecimalExponent, DecimalSi};
    Some(match suffix {
        "" => (0, DecimalSi),
        "n" => (-9, DecimalSi),
        "u" => (-6, DecimalSi),
        "m" => (-3, DecimalSi),
        "k" => (3, DecimalSi),
        "M" => (6, DecimalSi),
        "G" => (9, DecimalSi),
        "T" => (12, DecimalSi),
        "P" => (15, DecimalSi),
        "E" => (18, DecimalSi),
        "Ki" => (10, BinarySi),
        "Mi" => (20, BinarySi),
        "Gi" => (30, BinarySi),
        "Ti" => (40, BinarySi),
        "Pi" => (50, BinarySi),
        "Ei" => (60, BinarySi),
        _ => {
            let power = suffix.strip_prefix(['e', 'E'])?;
            // Go cuts the exponent to 32 bits.
            (power.parse::<i64>().ok()? as i32, DecimalExponent)
        }
    })
}

/// The suffix for a power; none (not an error) where Kubernetes has no letter for it, which loses the power as there.
fn suffix_for(power: i64, format: Format) -> &'static str {
    match (format, power) {
        (Format::DecimalSi, -9) => "n",
        (Format::DecimalSi, -6) => "u",
        (Format::DecimalSi, -3) => "m",
        (Format::DecimalSi, 3) => "k",
        (Format::DecimalSi, 6) => "M",
        (Format::DecimalSi, 9) => "G",
        (Format::DecimalSi, 12) => "T",
        (Format::DecimalSi, 15) => "P",
        (Format::DecimalSi, 18) => "E",
        (Format::BinarySi, 10) => "Ki",
        (Format::BinarySi, 20) => "Mi",
        (Format::BinarySi, 30) => "Gi",
        (Format::BinarySi, 40) => "Ti",
        (Format::BinarySi, 50) => "Pi",
        (Format::BinarySi, 60) => "Ei",
        _ => "",
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    /// `resource.ParseQuantity`. Blanks are not trimmed here; the API server's decoder does that
    /// ([`Quantity::parse_trimmed`]).
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::Format);
        }
        let parts = split(text)?;
        let (power, format) = interpret(parts.suffix).ok_or(QuantityError::Suffix)?;
        let (digits, decimals) = (parts.integer.len(), parts.fraction.len());

        // The fast form holds at most 18 digits; binary multiples use up about three of them for each 1024.
        let (mut scale, factor, fits) = match format {
            Format::BinarySi => (0, 1i64 << power, decimals == 0 && digits as i64 <= 14 - i64::from(power) * 3 / 10),
            _ => (power, 1, digits + decimals <= 18),
        };
        if fits {
            scale = scale.wrapping_sub(decimals as i32);
            if scale >= scale::NANO {
                let unsigned = parts.integer.bytes().chain(parts.fraction.bytes());
                let number = unsigned.fold(0i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
                if let Some(value) = number.checked_mul(factor) {
                    let value = if parts.positive { value } else { -value };
                    let kept = match format {
                        Format::BinarySi => number & 7 != 0,
                        _ => scale % 3 == 0 && keeps_digits(&parts),
                    };
                    let text = (kept && prints_otherwise(text, &parts, format)).then(|| text.into());
                    return Ok(Self { amount: Amount::Int { value, scale }, format, text });
                }
            }
        }
        parse_slow(&parts, power, format)
    }
}

/// No zeros in front and fewer than three behind: with a scale that has a suffix, such digits are canonical.
fn keeps_digits(parts: &Parts<'_>) -> bool {
    if parts.fraction.is_empty() {
        return !parts.integer.ends_with("000") && !parts.integer.starts_with('0');
    }
    let zeros = |text: &str| text.bytes().rev().take_while(|byte| *byte == b'0').count();
    let mut trailing = zeros(parts.fraction);
    if trailing == parts.fraction.len() {
        trailing += zeros(parts.integer);
    }
    trailing < 3 && !parts.integer.starts_with('0')
}

/// Whether a kept text differs from what [`Quantity`]'s `Display` would make of it: only then it is worth storing.
fn prints_otherwise(text: &str, parts: &Parts<'_>, format: Format) -> bool {
    format == Format::DecimalExponent
        || parts.value.len() != parts.integer.len() + usize::from(!parts.positive)
        || text.starts_with('+')
}

/// The exact form: rounded up to nano, binary ones capped at the largest int64.
fn parse_slow(parts: &Parts<'_>, power: i32, mut format: Format) -> Result<Quantity, QuantityError> {
    let number = Decimal::parse(parts.value).ok_or(QuantityError::Numeric)?;
    let negative = number.signum() < 0;
    let mut number = if negative { number.neg() } else { number };
    number = match format {
        Format::BinarySi => number.mul(1 << power),
        _ => number.shift(i64::from(power)),
    };
    number = number.round(i64::from(scale::NANO), true).0;
    if format == Format::BinarySi {
        number = number.min(Decimal::new(i64::MAX, 0));
        if number.signum() > 0 && number < Decimal::new(1, 0) {
            format = Format::DecimalSi;
        }
    }
    let number = if negative { number.neg() } else { number };
    Ok(Quantity { amount: Amount::Dec(number), format, text: None })
}

/// `value` × 10^`power`, if it fits.
fn scale_i64(value: i64, power: i64) -> Option<i64> {
    if value == 0 {
        return Some(0);
    }
    10i64.checked_pow(u32::try_from(power).ok()?)?.checked_mul(value)
}

/// `value` / 10^`power`, away from zero; and whether nothing was lost.
fn unscale_i64(value: i64, power: i64) -> (i64, bool) {
    let divisor = u32::try_from(power).ok().and_then(|power| 10i64.checked_pow(power));
    match divisor {
        Some(divisor) if value % divisor == 0 => (value / divisor, true),
        Some(divisor) => (value / divisor + value.signum(), false),
        None => (value.signum(), value == 0),
    }
}

impl Quantity {
    /// `value` × 10^`scale`.
    pub const fn new(value: i64, scale: i32, format: Format) -> Self {
        Self { amount: Amount::Int { value, scale }, format, text: None }
    }

    /// A whole number of units, such as pods or bytes, printed with decimal suffixes.
    pub const fn from_units(value: i64) -> Self {
        Self::new(value, 0, Format::DecimalSi)
    }

    /// As the API server reads a JSON string: blanks around it do not count.
    pub fn parse_trimmed(text: &str) -> Result<Self, QuantityError> {
        // Inside JSON these are written with a backslash, and Kubernetes looks at the raw bytes.
        if text.contains(|c: char| c < ' ' || matches!(c, '\u{2028}' | '\u{2029}')) {
            return Err(QuantityError::Format);
        }
        text.trim().parse()
    }

    /// The quantity in an API object. Stored objects hold only valid ones; anything else counts as zero.
    pub fn of(quantity: &ApiQuantity) -> Self {
        Self::parse_trimmed(&quantity.0).unwrap_or_default()
    }

    /// The suffix family it prints with.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether the amount is zero.
    pub fn is_zero(&self) -> bool {
        self.signum() == 0
    }

    /// -1, 0 or 1.
    pub fn signum(&self) -> i32 {
        match &self.amount {
            Amount::Int { value, .. } => value.signum() as i32,
            Amount::Dec(number) => number.signum(),
        }
    }

    /// Whole units, rounded away from zero. Amounts past int64 give what Go gives: 0, or the low 64 bits.
    pub fn value(&self) -> i64 {
        self.scaled_value(0)
    }

    /// Thousandths, rounded away from zero.
    pub fn milli_value(&self) -> i64 {
        self.scaled_value(scale::MILLI)
    }

    /// The amount in units of 10^`scale`, rounded away from zero (`Quantity.ScaledValue`).
    pub fn scaled_value(&self, scale: i32) -> i64 {
        match &self.amount {
            Amount::Int { value, scale: own } => {
                let shift = i64::from(*own) - i64::from(scale);
                if shift < 0 { unscale_i64(*value, -shift).0 } else { scale_i64(*value, shift).unwrap_or(0) }
            }
            Amount::Dec(number) => {
                let (whole, exact) = number.clone().shift(-i64::from(scale)).round(0, false);
                // Go adds one to the truncated quotient whatever the sign.
                whole.wrapping_i64().wrapping_add(i64::from(!exact))
            }
        }
    }

    /// The amount as an int64 if it was written as whole units that fit (`Quantity.AsInt64`).
    pub fn as_i64(&self) -> Option<i64> {
        match &self.amount {
            Amount::Int { value, scale: 0 } => Some(*value),
            Amount::Int { value, scale } => scale_i64(*value, i64::from(*scale)),
            Amount::Dec(_) => None,
        }
    }

    /// Rounds away from zero to a multiple of 10^`scale`; `false` if that changed the amount. Defaulting does this to
    /// resource lists with milli.
    pub fn round_up(&mut self, scale: i32) -> bool {
        match &mut self.amount {
            Amount::Int { scale: own, .. } if *own >= scale => true,
            Amount::Int { value, scale: own } => {
                let (rounded, exact) = unscale_i64(*value, i64::from(scale) - i64::from(*own));
                (*value, *own) = (rounded, scale);
                self.text = None;
                exact
            }
            Amount::Dec(number) => {
                let (rounded, exact) = std::mem::take(number).round(i64::from(scale), true);
                *number = rounded;
                self.text = None;
                exact
            }
        }
    }

    /// Adds `other`; zero takes over the other's format.
    pub fn add(&mut self, other: &Self) {
        self.text = None;
        if self.is_zero() {
            self.format = other.format;
        }
        self.amount = match (&self.amount, &other.amount) {
            (Amount::Int { value: a, scale: s }, Amount::Int { value: b, scale: t }) => add_int((*a, *s), (*b, *t))
                .unwrap_or_else(|| Amount::Dec(self.amount.decimal().add(&other.amount.decimal()))),
            (mine, theirs) => Amount::Dec(mine.decimal().add(&theirs.decimal())),
        };
    }

    /// Subtracts `other`; zero takes over the other's format.
    pub fn sub(&mut self, other: &Self) {
        let mut negated = other.clone();
        negated.neg();
        self.add(&negated);
    }

    /// Turns the amount into its negative.
    pub fn neg(&mut self) {
        self.text = None;
        match &mut self.amount {
            Amount::Int { value, .. } if *value != i64::MIN => *value = -*value,
            amount => *amount = Amount::Dec(amount.decimal().neg()),
        }
    }
}

fn add_int((a, s): (i64, i32), (b, t): (i64, i32)) -> Option<Amount> {
    if b == 0 {
        return Some(Amount::Int { value: a, scale: s });
    }
    if a == 0 {
        return Some(Amount::Int { value: b, scale: t });
    }
    let scale = s.min(t);
    let a = scale_i64(a, i64::from(s) - i64::from(scale))?;
    let b = scale_i64(b, i64::from(t) - i64::from(scale))?;
    Some(Amount::Int { value: a.checked_add(b)?, scale })
}

impl Amount {
    fn decimal(&self) -> Decimal {
        match self {
            Self::Int { value, scale } => Decimal::new(*value, i64::from(*scale)),
            Self::Dec(number) => number.clone(),
        }
    }

    /// Number and power of ten, a multiple of three.
    fn canonical(&self) -> (String, i64) {
        if let Self::Int { value, scale } = self {
            let (mut value, mut scale) = (*value, i64::from(*scale));
            while value != 0 && value % 10 == 0 {
                value /= 10;
                scale += 1;
            }
            let spare = scale.rem_euclid(3);
            if let Some(value) = scale_i64(value, spare) {
                return (value.to_string(), scale - spare);
            }
        }
        self.decimal().canonical()
    }
}

impl fmt::Display for Quantity {
    /// The canonical text (`CanonicalizeBytes` in quantity.go).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.text {
            return f.write_str(text);
        }
        if self.is_zero() {
            return f.write_str("0");
        }
        if self.format == Format::BinarySi {
            if let Amount::Int { value, scale: 0 } = self.amount {
                if value.unsigned_abs() >= 1024 {
                    let power = i64::from(value.trailing_zeros() / 10);
                    return write!(f, "{}{}", value >> (power * 10), suffix_for(power * 10, Format::BinarySi));
                }
            } else {
                let number = self.amount.decimal();
                let kibi = Decimal::new(1024, 0);
                let (whole, exact) = number.clone().round(0, true);
                if exact && !(number < kibi && number > kibi.neg()) {
                    let (text, power) = whole.canonical_1024();
                    return write!(f, "{text}{}", suffix_for(power * 10, Format::BinarySi));
                }
            }
        }
        let (number, power) = self.amount.canonical();
        match self.format {
            Format::DecimalExponent if power == 0 => f.write_str(&number),
            Format::DecimalExponent => write!(f, "{number}e{power}"),
            _ => write!(f, "{number}{}", suffix_for(power, Format::DecimalSi)),
        }
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Amount::Int { value: a, scale: s }, Amount::Int { value: b, scale: t }) = (&self.amount, &other.amount)
        {
            if s == t {
                return a.cmp(b);
            }
            let low = (*s).min(*t);
            let widen = |value: i64, scale: i32| {
                // 19 more digits on top of an int64 fit 128 bits.
                let power = u32::try_from(i64::from(scale) - i64::from(low)).ok().filter(|power| *power <= 19)?;
                Some(i128::from(value) * 10i128.pow(power))
            };
            if let (Some(a), Some(b)) = (widen(*a, *s), widen(*b, *t)) {
                return a.cmp(&b);
            }
        }
        self.amount.decimal().cmp(&other.amount.decimal())
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Quantity {}

impl TryFrom<&ApiQuantity> for Quantity {
    type Error = QuantityError;

    fn try_from(quantity: &ApiQuantity) -> Result<Self, QuantityError> {
        Self::parse_trimmed(&quantity.0)
    }
}

impl From<&Quantity> for ApiQuantity {
    fn from(quantity: &Quantity) -> Self {
        Self(quantity.to_string())
    }
}

impl From<Quantity> for ApiQuantity {
    fn from(quantity: Quantity) -> Self {
        Self(quantity.to_string())
    }
}

#[cfg(test)]
mod tests;
