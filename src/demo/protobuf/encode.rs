//! From JSON to the bytes of a message, field by field in the order of their numbers, as Kubernetes writes them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost::encoding::encode_varint;
use serde_json::Value;

use super::messages::{Field, How, Message, Of};
use super::of_another_type;
use crate::demo::clock;

/// Ends of a key: a number follows, or a length and so many bytes.
const NUMBER: u32 = 0;
const BYTES: u32 = 2;

/// Writes all fields that the value has, and those that are always written.
pub fn message(of: &Message, value: &Value, out: &mut Vec<u8>) {
    for field in &of.0 {
        match field.how {
            How::Inline => one(field, Some(value), out),
            How::Always => one(field, present(value, field.name), out),
            How::Maybe => {
                if let Some(value) = present(value, field.name) {
                    one(field, Some(value), out);
                }
            }
            How::List => match present(value, field.name) {
                None => {}
                Some(Value::Array(items)) => items.iter().for_each(|item| one(field, Some(item), out)),
                Some(_) => out.extend(of_another_type(field.tag)),
            },
            How::Map => match present(value, field.name) {
                None => {}
                Some(Value::Object(entries)) => map(field, entries, out),
                Some(_) => out.extend(of_another_type(field.tag)),
            },
        }
    }
}

/// A length-delimited field.
pub fn bytes(tag: u32, bytes: &[u8], out: &mut Vec<u8>) {
    head(tag, bytes.len(), out);
    out.extend_from_slice(bytes);
}

/// How a length-delimited field begins.
pub fn head(tag: u32, length: usize, out: &mut Vec<u8>) {
    encode_varint(u64::from(tag << 3 | BYTES), out);
    encode_varint(length as u64, out);
}

fn number(tag: u32, number: i64, out: &mut Vec<u8>) {
    encode_varint(u64::from(tag << 3 | NUMBER), out);
    encode_varint(number.cast_unsigned(), out);
}

/// A field with what is written between.
fn around(tag: u32, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let mut inner = Vec::new();
    write(&mut inner);
    bytes(tag, &inner, out);
}

fn present<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).filter(|value| !value.is_null())
}

/// In the order of the keys, whatever order they stand in.
fn map(field: &Field, entries: &serde_json::Map<String, Value>, out: &mut Vec<u8>) {
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    for (key, value) in entries {
        around(field.tag, out, |entry| {
            bytes(1, key.as_bytes(), entry);
            one(&Field { tag: 2, name: field.name, of: field.of, how: How::Always }, Some(value), entry);
        });
    }
}

/// One value; `None` is what the type has for nothing.
fn one(field: &Field, value: Option<&Value>, out: &mut Vec<u8>) {
    let tag = field.tag;
    let written = match (field.of, value) {
        (Of::Message(name), value) => match (Message::named(name), value) {
            (Some(of), None | Some(Value::Object(_))) => {
                around(tag, out, |out| message(of, value.unwrap_or(&Value::Null), out));
                Some(())
            }
            _ => None,
        },
        (Of::Text | Of::Bytes | Of::Time | Of::MicroTime, None) => {
            bytes(tag, b"", out);
            Some(())
        }
        (Of::Number | Of::Flag, None) => {
            number(tag, 0, out);
            Some(())
        }
        (of, value) => scalar((tag, of), value.unwrap_or(&Value::Null), out),
    };
    if written.is_none() {
        unlike(field, out);
    }
}

/// `None`: nothing was written, for it is of another type.
fn scalar((tag, of): (u32, Of), value: &Value, out: &mut Vec<u8>) -> Option<()> {
    match of {
        Of::Text => bytes(tag, value.as_str()?.as_bytes(), out),
        Of::Number => number(tag, value.as_i64()?, out),
        Of::Flag => number(tag, i64::from(value.as_bool()?), out),
        Of::Bytes => bytes(tag, &STANDARD.decode(value.as_str()?).ok()?, out),
        Of::Time | Of::MicroTime => {
            let time = clock::parse(value.as_str()?)?;
            let micros = if of == Of::MicroTime { time.timestamp_subsec_micros() } else { 0 };
            around(tag, out, |out| {
                number(1, time.timestamp(), out);
                number(2, i64::from(micros) * 1_000, out);
            });
        }
        Of::Quantity => {
            let text = match value {
                Value::Null => "0".to_owned(),
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return None,
            };
            around(tag, out, |out| bytes(1, text.as_bytes(), out));
        }
        Of::IntOrString => {
            let (is_text, int, text) = match value {
                Value::String(text) => (1, 0, text.as_str()),
                Value::Null => (0, 0, ""),
                other => (0, other.as_i64()?, ""),
            };
            around(tag, out, |out| {
                number(1, is_text, out);
                number(2, int, out);
                bytes(3, text.as_bytes(), out);
            });
        }
        Of::Fields => around(tag, out, |out| bytes(1, value.to_string().as_bytes(), out)),
        Of::Message(_) => return None,
    }
    Some(())
}

/// Something that no reader takes for this field.
fn unlike(field: &Field, out: &mut Vec<u8>) {
    match field.of {
        Of::Number | Of::Flag => bytes(field.tag, b"", out),
        _ => out.extend(of_another_type(field.tag)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(name: &str, value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        message(Message::named(name).unwrap(), value, &mut out);
        out
    }

    #[test]
    fn what_is_no_pointer_is_always_written_and_what_is_one_when_it_is_there() {
        assert_eq!(
            written("OwnerReference", &json!({"kind": "Job"})),
            b"\x0a\x03Job\x1a\x00\x22\x00\x2a\x00"
        );
        let controls = json!({"kind": "Job", "controller": false});
        assert_eq!(written("OwnerReference", &controls), b"\x0a\x03Job\x1a\x00\x22\x00\x2a\x00\x30\x00");
        assert_eq!(written("Capabilities", &json!({})), b"");
    }

    #[test]
    fn what_is_of_another_type_is_taken_by_no_reader() {
        for (value, bytes) in [
            (json!({"matchLabels": "none"}), &b"\x08\x01"[..]),
            (json!({"matchExpressions": [7]}), b"\x10\x01"),
            (
                json!({"matchLabels": {"b": "2", "a": "1"}}),
                b"\x0a\x06\x0a\x01a\x12\x011\x0a\x06\x0a\x01b\x12\x012",
            ),
            (json!({"matchLabels": null}), b""),
        ] {
            assert_eq!(written("LabelSelector", &value), bytes, "{value}");
        }
        assert_eq!(written("RollingUpdateStatefulSetStrategy", &json!({"partition": "one"})), b"\x0a\x00");
    }

    #[test]
    fn moments_quantities_and_what_may_be_either() {
        let time = json!({"time": "1970-01-01T00:00:05Z"});
        let entry = written("ManagedFieldsEntry", &time);
        assert!(entry.windows(6).any(|it| it == b"\x22\x04\x08\x05\x10\x00"), "{entry:?}");
        let lease = written("LeaseSpec", &json!({"renewTime": "1970-01-01T00:00:01.000002Z"}));
        assert_eq!(lease, b"\x22\x05\x08\x01\x10\xd0\x0f");
        let budget = written("PodDisruptionBudgetSpec", &json!({"minAvailable": "5%"}));
        assert_eq!(budget, b"\x0a\x08\x08\x01\x10\x00\x1a\x025%");
        let claims = written("ResourceRequirements", &json!({"limits": {"cpu": 2}}));
        assert_eq!(claims, b"\x0a\x0a\x0a\x03cpu\x12\x03\x0a\x012");
    }
}
