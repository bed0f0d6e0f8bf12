//! Kubernetes quantities: `500m`, `8`, `40Gi`, `1e3`.
//!
//! Source: the Kubernetes API conventions, "Quantity" (apimachinery `pkg/api/resource`).

/// The value in base units (cores, bytes, pieces); `None` when it is not a quantity.
pub fn parse(text: &str) -> Option<f64> {
    let digits =
        text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))).unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    // An exponent belongs to the number: `1e3` and `1E3`, but `E` alone is exa.
    if let Some(exponent) = suffix.strip_prefix(['e', 'E'])
        && !exponent.is_empty()
    {
        return format!("{number}e{}", exponent.parse::<i32>().ok()?).parse().ok();
    }
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024f64.powi(2),
        "Gi" => 1024f64.powi(3),
        "Ti" => 1024f64.powi(4),
        "Pi" => 1024f64.powi(5),
        "Ei" => 1024f64.powi(6),
        _ => return None,
    };
    number.parse::<f64>().ok().map(|value| value * factor)
}

/// The value in so many parts of a unit (cores in 1,000 parts, bytes in 1), exactly, and rounded up as Kubernetes
/// rounds what is asked for; `None` when it is not a quantity, is negative or has more digits than any real one.
pub fn in_parts(text: &str, parts: u32) -> Option<u64> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(at);
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let part = part.trim_end_matches('0');
    let digits: u128 = format!("{whole}{part}").parse().ok()?;
    let (factor, ten) = scale(suffix)?;
    let ten = ten.checked_sub(i32::try_from(part.len()).ok()?)?;
    let value = digits.checked_mul(factor)?.checked_mul(u128::from(parts))?;
    let power = 10u128.checked_pow(ten.unsigned_abs())?;
    let value = if ten < 0 { value.div_ceil(power) } else { value.checked_mul(power)? };
    u64::try_from(value).ok()
}

/// Factor and power of ten of a suffix or exponent.
fn scale(suffix: &str) -> Option<(u128, i32)> {
    if let Some(exponent) = suffix.strip_prefix(['e', 'E'])
        && !exponent.is_empty()
    {
        return Some((1, exponent.parse::<i32>().ok()?));
    }
    let binary = |power: u32| (1 << (10 * power), 0);
    Some(match suffix {
        "" => (1, 0),
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        _ => return None,
    })
}

/// Whole pieces, as extended resources such as GPUs are counted; fractions and negatives are not pieces.
pub fn pieces(text: &str) -> Option<u32> {
    let value = parse(text)?;
    (value >= 0.0 && value.fract() == 0.0 && value <= f64::from(u32::MAX)).then_some(value as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_those_of_kubernetes() {
        for (text, value) in [
            ("8", 8.0),
            ("500m", 0.5),
            ("40Gi", 42_949_672_960.0),
            ("1e3", 1000.0),
            ("1E3", 1000.0),
            ("2E", 2e18),
            ("-1.5k", -1500.0),
        ] {
            assert_eq!(parse(text), Some(value), "{text}");
        }
        for wrong in ["", "Gi", "8 Gi", "abc", "1ee3", "0x10", "1e"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn gpus_come_in_pieces() {
        assert_eq!(pieces("8"), Some(8));
        assert_eq!(pieces("8000m"), Some(8));
        assert_eq!(pieces("500m"), None);
        assert_eq!(pieces("-1"), None);
        assert_eq!(pieces("1Ei"), None);
    }

    #[test]
    fn parts_are_exact_and_rounded_up() {
        for (text, parts, value) in [
            ("1100m", 1000, Some(1100)),
            ("0.1", 1000, Some(100)),
            ("1.0005", 1000, Some(1001)),
            ("1n", 1000, Some(1)),
            ("96", 1000, Some(96_000)),
            ("40Gi", 1, Some(42_949_672_960)),
            ("1.5Ki", 1, Some(1536)),
            ("8e3", 1, Some(8000)),
            ("128974848000m", 1, Some(128_974_848)),
            ("8", 1, Some(8)),
            ("0", 1, Some(0)),
            ("-1", 1, None),
            ("", 1, None),
            (".", 1, None),
            ("1.2.3", 1, None),
            ("++1", 1, None),
            ("1e2147483647", 1, None),
            ("1e-2147483648", 1, None),
            ("99999999999999999999999999999999999999999", 1, None),
            ("20Ei", 1, None),
        ] {
            assert_eq!(in_parts(text, parts), value, "{text}");
        }
    }
}
