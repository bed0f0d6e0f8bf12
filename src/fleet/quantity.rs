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
}
