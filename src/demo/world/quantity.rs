//! Quantities, and what a pod needs of a node.

use std::collections::BTreeMap;

use serde_json::Value;

use super::json;

/// Amounts by resource name, in thousandths, so that `100m` of a processor is a whole number.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Amounts(pub BTreeMap<String, i64>);

impl Amounts {
    /// From a map of quantities.
    pub fn of(map: &Value) -> Amounts {
        let entries = map.as_object().into_iter().flatten();
        Amounts(entries.map(|(name, text)| (name.clone(), parse(text.as_str().unwrap_or("0")))).collect())
    }

    /// What the containers of a pod request, and one place for the pod itself.
    pub fn requested(pod: &Value) -> Amounts {
        let mut sum = Amounts::default();
        for container in json::list(pod, "/spec/containers") {
            sum.add(&Amounts::of(&container["resources"]["requests"]), 1);
        }
        sum.0.insert("pods".to_owned(), 1_000);
        sum
    }

    pub fn add(&mut self, other: &Amounts, sign: i64) {
        for (name, amount) in &other.0 {
            *self.0.entry(name.clone()).or_default() += amount * sign;
        }
    }

    pub fn get(&self, name: &str) -> i64 {
        self.0.get(name).copied().unwrap_or_default()
    }
}

/// `250m`, `4`, `1.5`, `16Gi`, `2e3`; in thousandths; what is no quantity is nothing.
pub fn parse(text: &str) -> i64 {
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let scale = match unit {
        "m" => 1.0,
        "" => 1e3,
        "k" => 1e6,
        "M" => 1e9,
        "G" => 1e12,
        "T" => 1e15,
        "Ki" => 1024e3,
        "Mi" => 1024.0 * 1024e3,
        "Gi" => 1024.0 * 1024.0 * 1024e3,
        "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024e3,
        _ => return text.parse::<f64>().map_or(0, |value| (value * 1e3).clamp(0.0, 1e15) as i64),
    };
    number.parse::<f64>().map_or(0, |value| (value * scale).clamp(0.0, 1e15) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        assert_eq!(parse("250m"), 250);
        assert_eq!(parse("4"), 4_000);
        assert_eq!(parse("1.5"), 1_500);
        assert_eq!(parse("2e3"), 2_000_000);
        assert_eq!(parse("1Ki"), 1_024_000);
        assert_eq!(parse("1M"), 1_000_000_000);
        assert_eq!(parse("lots"), 0);
    }
}
