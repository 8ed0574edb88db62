//! Exact decimals, and the numerals people write: `12,000.50`, `３．５亿`, `十二万`, `壹佰元`.
//!
//! No binary floating point is involved: an amount keeps every digit that was sent.

/// `mantissa / 10^scale`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Decimal {
    pub(super) mantissa: i128,
    pub(super) scale: u32,
}

const MAX_SCALE: u32 = 30;

fn ten_to(power: u32) -> Option<i128> {
    10_i128.checked_pow(power)
}

impl Decimal {
    /// Digits with at most one inner point and perhaps a minus sign; nothing else.
    #[inline]
    pub(super) fn plain(bytes: &[u8]) -> Option<Self> {
        let (negative, digits) = match bytes {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, bytes),
        };
        if digits.is_empty() || digits.len() > 19 {
            return Self::plain_long(bytes);
        }
        let (mut mantissa, mut scale, mut point) = (0_u64, 0, false);
        for &byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit < 10 {
                mantissa = mantissa * 10 + u64::from(digit);
                scale += u32::from(point);
            } else if byte == b'.' && !point {
                point = true;
            } else {
                return None;
            }
        }
        if digits[0] == b'.' || digits[digits.len() - 1] == b'.' {
            return None;
        }
        let mantissa = i128::from(mantissa);
        Some(Self { mantissa: if negative { -mantissa } else { mantissa }, scale })
    }

    #[cold]
    fn plain_long(bytes: &[u8]) -> Option<Self> {
        let (negative, digits) = match bytes {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, bytes),
        };
        let (whole, part) = match memchr::memchr(b'.', digits) {
            Some(at) => (&digits[..at], &digits[at + 1..]),
            None => (digits, &b"0"[..]),
        };
        if whole.is_empty() || part.is_empty() || !whole.iter().chain(part).all(u8::is_ascii_digit) {
            return None;
        }
        // Digits beyond the 20th place say nothing about money or measures.
        let part = &part[..part.len().min(20)];
        let mut mantissa = 0_i128;
        for &digit in whole.iter().chain(part) {
            mantissa = mantissa.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
        }
        Some(Self { mantissa: if negative { -mantissa } else { mantissa }, scale: part.len() as u32 })
    }

    /// Also with an exponent, as programs write large numbers: `1.2E+05`.
    pub(super) fn scientific(text: &str) -> Option<Self> {
        let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
            return Self::plain(text.as_bytes());
        };
        let value = Self::plain(mantissa.as_bytes())?;
        let exponent: i32 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
        value.shifted(exponent)
    }

    /// Times `10^power`.
    pub(super) fn shifted(self, power: i32) -> Option<Self> {
        let scale = i64::from(self.scale) - i64::from(power);
        if scale > i64::from(MAX_SCALE) + 20 {
            return (self.mantissa == 0).then_some(self);
        }
        match u32::try_from(scale) {
            Ok(scale) => Some(Self { scale, ..self }),
            Err(_) => {
                let by = ten_to(u32::try_from(-scale).ok()?)?;
                Some(Self { mantissa: self.mantissa.checked_mul(by)?, scale: 0 })
            }
        }
    }

    fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let a = self.mantissa.checked_mul(ten_to(scale - self.scale)?)?;
        let b = other.mantissa.checked_mul(ten_to(scale - other.scale)?)?;
        Some(Self { mantissa: a.checked_add(b)?, scale })
    }

    /// The whole number of `10^-places`, rounded half away from zero.
    #[inline]
    pub(super) fn rounded(self, places: u32) -> Option<i128> {
        if self.scale <= places {
            // Nearly all: a product of two words, which cannot overflow two.
            if let (Ok(mantissa), Some(&by)) =
                (i64::try_from(self.mantissa), TENS.get((places - self.scale) as usize))
            {
                return Some(i128::from(mantissa) * i128::from(by));
            }
            return self.mantissa.checked_mul(ten_to(places - self.scale)?);
        }
        let by = ten_to(self.scale - places)?;
        let (whole, rest) = (self.mantissa / by, self.mantissa % by);
        let up = rest.unsigned_abs() >= by.unsigned_abs().div_ceil(2);
        Some(whole + if up { self.mantissa.signum() } else { 0 })
    }

    /// The whole number, if it is one.
    pub(super) fn integer(self) -> Option<i64> {
        let by = ten_to(self.scale)?;
        (self.mantissa % by == 0).then(|| i64::try_from(self.mantissa / by).ok())?
    }

    /// The nearest double.
    pub(super) fn to_f64(self) -> f64 {
        // Both exact below these bounds, so that the quotient is rounded once.
        if self.scale <= 22 && self.mantissa.unsigned_abs() < 1 << 53 {
            return self.mantissa as i64 as f64 / POWERS[self.scale as usize];
        }
        format!("{}e-{}", self.mantissa, self.scale).parse().unwrap_or(f64::NAN)
    }

    pub(super) fn negated(self) -> Self {
        Self { mantissa: -self.mantissa, ..self }
    }
}

const TENS: [i64; 6] = [1, 10, 100, 1000, 10_000, 100_000];
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// The numeral that a text begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Numeral<'a> {
    pub(super) value: Decimal,
    /// Whether 千, 万 or 亿 after digits made it larger: then an amount is in 元, whatever the header says.
    pub(super) scaled: bool,
    /// What follows.
    pub(super) rest: &'a str,
}

fn chinese_digit(c: char) -> Option<i128> {
    Some(match c {
        '零' | '〇' | '○' => 0,
        '一' | '壹' => 1,
        '二' | '贰' | '两' | '貳' => 2,
        '三' | '叁' | '參' => 3,
        '四' | '肆' => 4,
        '五' | '伍' => 5,
        '六' | '陆' | '陸' => 6,
        '七' | '柒' => 7,
        '八' | '捌' => 8,
        '九' | '玖' => 9,
        _ => return None,
    })
}

fn small_unit(c: char) -> Option<i32> {
    match c {
        '十' | '拾' => Some(1),
        '百' | '佰' => Some(2),
        '千' | '仟' => Some(3),
        _ => None,
    }
}

fn large_unit(c: char) -> Option<i32> {
    match c {
        '万' | '萬' => Some(4),
        '亿' | '億' => Some(8),
        _ => None,
    }
}

fn is_unit(c: char) -> bool {
    small_unit(c).is_some() || large_unit(c).is_some()
}

#[derive(Clone, Copy, PartialEq)]
enum Last {
    Nothing,
    Arabic,
    Chinese,
    Zero,
    Unit(i32),
}

/// Reads Arabic and Chinese numerals and their mixtures (`3亿5000万`, `1.2万`) from the start of a text that
/// is NFKC-normalised and free of blanks. `None` if it begins with none, or with one of two meanings
/// (`一万五` may be 15 000 or 10 005; `百亿` is a class, not an amount).
pub(super) fn numeral(text: &str) -> Option<Numeral<'_>> {
    let zero = Decimal::default();
    let (mut total, mut section, mut number) = (zero, zero, None::<Decimal>);
    let (mut last, mut scaled, mut in_a_row, mut rest) = (Last::Nothing, false, false, text);
    // Units go down: behind 亿 there may be 万, behind 千 百. Otherwise two numbers stand in one cell.
    let (mut large, mut small) = (i32::MAX, i32::MAX);
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if c.is_ascii_digit() {
            if number.is_some() {
                return None;
            }
            let (value, behind) = arabic(rest)?;
            (number, last, rest) = (Some(value), Last::Arabic, behind);
            continue;
        } else if let Some(digit) = chinese_digit(c) {
            let before = match (number, last) {
                (None, _) => 0,
                (Some(n), Last::Chinese | Last::Zero) => n.mantissa,
                _ => return None,
            };
            in_a_row |= last == Last::Chinese;
            number = Some(Decimal { mantissa: before.checked_mul(10)?.checked_add(digit)?, scale: 0 });
            last = if digit == 0 || last == Last::Zero { Last::Zero } else { Last::Chinese };
        } else if let Some(power) = small_unit(c) {
            let ones = match number.take() {
                Some(n) => n,
                // 十二: the leading one may be left out, of ten only.
                None if power == 1 => Decimal { mantissa: 1, scale: 0 },
                None => return None,
            };
            if power >= small {
                return None;
            }
            small = power;
            scaled |= last == Last::Arabic;
            section = section.plus(ones.shifted(power)?)?;
            last = Last::Unit(power);
        } else if let Some(power) = large_unit(c) {
            let part = section.plus(number.take().unwrap_or(zero))?;
            if part == zero && total == zero && last == Last::Nothing {
                return None;
            }
            // 万亿 alone goes up.
            let up = power == 8 && large == 4;
            if power >= large && !up {
                return None;
            }
            (large, small) = (power, i32::MAX);
            total = match power {
                8 => total.plus(part)?.shifted(8)?,
                _ => total.plus(part.shifted(power)?)?,
            };
            (section, scaled, last) = (zero, true, Last::Unit(power));
        } else if c == '点' && last == Last::Chinese {
            let (value, behind) = chinese_fraction(number?, after)?;
            (number, last, rest) = (Some(value), Last::Arabic, behind);
            continue;
        } else {
            break;
        }
        rest = after;
    }
    // 二〇二三 is a number digit by digit; 五六亿 and 五六 are five to six.
    let written = &text[..text.len() - rest.len()];
    if in_a_row && (written.chars().any(is_unit) || is_either(written)) {
        return None;
    }
    // 3万5 is 35 000 to many, 3万5元 to none.
    let open = last == Last::Chinese || (last == Last::Arabic && !rest.starts_with('元'));
    if last == Last::Nothing || (open && trails_a_unit(text, rest)) {
        return None;
    }
    let value = total.plus(section)?.plus(number.unwrap_or(zero))?;
    Some(Numeral { value, scaled, rest })
}

/// Whether two digits name one or the other: 五六, 两三.
fn is_either(written: &str) -> bool {
    let digits: Vec<i128> = written.chars().filter_map(chinese_digit).collect();
    matches!(digits[..], [one, other] if one > 0 && other == one + 1)
}

/// Whether a numeral ends in one digit right behind 百, 千, 万 or 亿.
fn trails_a_unit(text: &str, rest: &str) -> bool {
    let mut back = text[..text.len() - rest.len()].chars().rev();
    back.next();
    back.next().is_some_and(|c| large_unit(c).is_some() || small_unit(c).is_some_and(|power| power > 1))
}

fn arabic(text: &str) -> Option<(Decimal, &str)> {
    let bytes = text.as_bytes();
    let mut end = 0;
    let mut digits = Vec::with_capacity(24);
    let mut point = false;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'0'..=b'9' => digits.push(byte),
            b'.' if !point && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) => {
                point = true;
                digits.push(byte);
            }
            // A comma parts thousands, and nothing else.
            b',' if !point => {
                let group = bytes.get(end + 1..end + 4)?;
                let fits = group.iter().all(u8::is_ascii_digit)
                    && !bytes.get(end + 4).is_some_and(u8::is_ascii_digit)
                    && (1..=3).contains(&leading_group(&bytes[..end]));
                if !fits {
                    return None;
                }
            }
            _ => break,
        }
        end += 1;
    }
    Some((Decimal::plain(&digits)?, &text[end..]))
}

/// Digits behind the last comma, all in all if there is none.
fn leading_group(bytes: &[u8]) -> usize {
    bytes.iter().rev().take_while(|b| b.is_ascii_digit()).count()
}

fn chinese_fraction(whole: Decimal, text: &str) -> Option<(Decimal, &str)> {
    let (mut value, mut rest) = (whole, text);
    while let Some(digit) = rest.chars().next().and_then(chinese_digit) {
        value =
            Decimal { mantissa: value.mantissa.checked_mul(10)?.checked_add(digit)?, scale: value.scale + 1 };
        rest = &rest[rest.chars().next()?.len_utf8()..];
    }
    (value.scale > whole.scale).then_some((value, rest))
}

#[cfg(test)]
mod tests;
