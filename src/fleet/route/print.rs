//! Prints of JSON, to tell whether two clusters hold the same without keeping either.
//!
//! A print does not depend on the order of keys. It is for comparing what is shown, not for security: whoever
//! changes something compares the values themselves.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Print(u64);

impl Print {
    pub fn of(value: &Value) -> Self {
        let mut print = Self(OFFSET);
        print.add(value);
        print
    }

    /// Of an object without some of its keys.
    pub fn without(value: &Value, keys: &[&str]) -> Self {
        let Some(object) = value.as_object() else { return Self::of(value) };
        let rest = object.iter().filter(|(key, _)| !keys.contains(&key.as_str()));
        Self::of(&Value::Object(rest.map(|(key, value)| (key.clone(), value.clone())).collect()))
    }

    fn add(&mut self, value: &Value) {
        match value {
            Value::Array(entries) => {
                self.bytes(b"[");
                for entry in entries {
                    self.add(entry);
                }
                self.bytes(b"]");
            }
            Value::Object(object) => {
                let mut keys: Vec<_> = object.iter().collect();
                keys.sort_by_key(|(key, _)| *key);
                self.bytes(b"{");
                for (key, value) in keys {
                    self.bytes(key.as_bytes());
                    self.bytes(b"\0");
                    self.add(value);
                }
                self.bytes(b"}");
            }
            plain => {
                self.bytes(plain.to_string().as_bytes());
                self.bytes(b"\0");
            }
        }
    }

    /// FNV-1a.
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    }
}

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn equal_content_has_equal_prints() {
        let a = json!({"host": "x", "port": {"number": 80}, "list": [1, 2]});
        let b = json!({"list": [1, 2], "port": {"number": 80}, "host": "x"});
        assert_eq!(Print::of(&a), Print::of(&b));
        for other in [
            json!({"host": "x", "port": {"number": 80}, "list": [2, 1]}),
            json!({"host": "x", "port": {"number": "80"}, "list": [1, 2]}),
            json!({"host": "x", "list": [1, 2]}),
        ] {
            assert_ne!(Print::of(&a), Print::of(&other), "{other}");
        }
        assert_eq!(Print::without(&a, &["list"]), Print::of(&json!({"host": "x", "port": {"number": 80}})));
        assert_ne!(Print::of(&json!(["ab"])), Print::of(&json!(["a", "b"])));
    }
}
