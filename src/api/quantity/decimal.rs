//! Exact decimal numbers of any length: what a quantity becomes when 64 bits are too few.
//!
//! The counterpart of `gopkg.in/inf.v0`. Rarely needed, so it favours being short and unable to overflow over speed.

use std::cmp::Ordering;

/// Sums whose digits lie further apart than this keep only the larger operand, so that `1e2000000000 + 1n` stays cheap.
const MAX_SPAN: i64 = 4096;

/// `±0.d₀d₁…` scaled: the digits (most significant first, no zeros at either end) times 10^`exponent`.
#[derive(Clone, Debug, Default)]
pub(super) struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// `value` × 10^`exponent`.
    pub(super) fn new(value: i64, exponent: i64) -> Self {
        let digits = value.unsigned_abs().to_string().into_bytes().into_iter().map(|b| b - b'0').collect();
        Self { negative: value < 0, digits, exponent }.normalised()
    }

    /// Reads `[+-]digits[.digits]`; `None` if there is no digit or anything else in it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, number) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            all => (false, all),
        };
        let mut digits = Vec::with_capacity(number.len());
        let mut point = None;
        for &byte in number {
            match byte {
                b'0'..=b'9' => digits.push(byte - b'0'),
                b'.' if point.is_none() => point = Some(digits.len()),
                _ => return None,
            }
        }
        if digits.is_empty() {
            return None;
        }
        let exponent = point.map_or(0, |at| at as i64 - digits.len() as i64);
        Some(Self { negative, digits, exponent }.normalised())
    }

    fn normalised(mut self) -> Self {
        let leading = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..leading);
        while self.digits.last() == Some(&0) {
            self.digits.pop();
            self.exponent += 1;
        }
        if self.digits.is_empty() {
            return Self::default();
        }
        self
    }

    /// -1, 0 or 1.
    pub(super) fn signum(&self) -> i32 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    /// The same number with the opposite sign.
    pub(super) fn neg(mut self) -> Self {
        self.negative = !self.negative && !self.digits.is_empty();
        self
    }

    /// This number times 10^`power`.
    pub(super) fn shift(mut self, power: i64) -> Self {
        if !self.digits.is_empty() {
            self.exponent = self.exponent.saturating_add(power);
        }
        self
    }

    /// This number times `factor`.
    pub(super) fn mul(mut self, factor: u64) -> Self {
        let mut carry = 0u128;
        for digit in self.digits.iter_mut().rev() {
            carry += u128::from(*digit) * u128::from(factor);
            *digit = (carry % 10) as u8;
            carry /= 10;
        }
        let mut head = Vec::new();
        while carry > 0 {
            head.push((carry % 10) as u8);
            carry /= 10;
        }
        head.reverse();
        head.append(&mut self.digits);
        self.digits = head;
        self.normalised()
    }

    /// Drops everything below 10^`exponent`, away from zero if `away`; says whether nothing was lost.
    pub(super) fn round(mut self, exponent: i64, away: bool) -> (Self, bool) {
        if self.digits.is_empty() || self.exponent >= exponent {
            return (self, true);
        }
        let drop = exponent.saturating_sub(self.exponent);
        let keep = (self.digits.len() as i64).saturating_sub(drop).max(0);
        self.digits.truncate(keep as usize);
        self.exponent = exponent;
        if away {
            let mut carry = true;
            for digit in self.digits.iter_mut().rev() {
                if *digit < 9 {
                    *digit += 1;
                    carry = false;
                    break;
                }
                *digit = 0;
            }
            if carry {
                self.digits.insert(0, 1);
            }
        }
        (self.normalised(), false)
    }

    /// The low 64 bits of the integer part, as Go's `big.Int.Int64` returns them.
    pub(super) fn wrapping_i64(&self) -> i64 {
        let mut value = 0i64;
        for digit in &self.digits {
            value = value.wrapping_mul(10).wrapping_add(i64::from(*digit));
        }
        // 10^64 is a multiple of 2^64.
        for _ in 0..self.exponent.clamp(0, 64) {
            value = value.wrapping_mul(10);
        }
        if self.negative { value.wrapping_neg() } else { value }
    }

    /// The digits and the power of ten that is to follow them, the latter a multiple of three.
    pub(super) fn canonical(&self) -> (String, i64) {
        let exponent = self.exponent - self.exponent.rem_euclid(3);
        (self.text((self.exponent - exponent) as usize), exponent)
    }

    /// The number over the largest power of 1024 that divides it, and that power. Needs an integer.
    pub(super) fn canonical_1024(&self) -> (String, i64) {
        let mut number = self.clone();
        number.digits.resize(number.digits.len() + number.exponent.clamp(0, MAX_SPAN) as usize, 0);
        number.exponent = 0;
        let mut power = 0;
        while !number.digits.is_empty() {
            let mut quotient = Vec::with_capacity(number.digits.len());
            let mut rest = 0u32;
            for digit in &number.digits {
                rest = rest * 10 + u32::from(*digit);
                quotient.push((rest / 1024) as u8);
                rest %= 1024;
            }
            if rest != 0 {
                break;
            }
            let zeros = quotient.iter().take_while(|digit| **digit == 0).count();
            quotient.drain(..zeros);
            number.digits = quotient;
            power += 1;
        }
        (number.text(0), power)
    }

    fn text(&self, zeros: usize) -> String {
        let mut text = String::with_capacity(self.digits.len() + zeros + 1);
        if self.negative {
            text.push('-');
        }
        text.extend(self.digits.iter().map(|digit| char::from(b'0' + digit)));
        text.extend(std::iter::repeat_n('0', zeros));
        if self.digits.is_empty() {
            text.push('0');
        }
        text
    }

    /// Compares sizes, leaving signs aside.
    fn cmp_abs(&self, other: &Self) -> Ordering {
        let top = |number: &Self| number.exponent + number.digits.len() as i64;
        if self.digits.is_empty() || other.digits.is_empty() {
            return self.digits.len().cmp(&other.digits.len());
        }
        // No zeros at the ends: a longer number that starts with the shorter one is larger.
        top(self).cmp(&top(other)).then_with(|| self.digits.cmp(&other.digits))
    }

    /// Exact sum.
    pub(super) fn add(&self, other: &Self) -> Self {
        let (large, small) = if self.cmp_abs(other).is_ge() { (self, other) } else { (other, self) };
        let exponent = large.exponent.min(small.exponent);
        if small.digits.is_empty() || large.exponent + large.digits.len() as i64 - exponent > MAX_SPAN {
            return large.clone();
        }
        let stretched = |number: &Self| {
            let mut digits = number.digits.clone();
            digits.resize(digits.len() + (number.exponent - exponent) as usize, 0);
            digits
        };
        let (mut sum, addend) = (stretched(large), stretched(small));
        let subtract = large.negative != small.negative;
        let mut carry = 0i8;
        for (at, digit) in sum.iter_mut().rev().enumerate() {
            let more = addend.len().checked_sub(at + 1).and_then(|index| addend.get(index)).map_or(0, |d| *d as i8);
            let value = *digit as i8 + carry + if subtract { -more } else { more };
            *digit = value.rem_euclid(10) as u8;
            carry = value.div_euclid(10);
        }
        if carry > 0 {
            sum.insert(0, 1);
        }
        Self { negative: large.negative, digits: sum, exponent }.normalised()
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.signum()
            .cmp(&other.signum())
            .then_with(|| if self.negative { other.cmp_abs(self) } else { self.cmp_abs(other) })
    }
}
