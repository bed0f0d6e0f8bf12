//! What Kubernetes sends to those who ask for protobuf: objects, lists, events of a watch.
//!
//! Objects are kept as JSON; their bytes here are made of it by a table of numbers and types, which is not that of
//! the console's reader: a mistake in either shows where both meet. A value of another type than the field has is
//! written as something that no reader takes for it, as the JSON would not be taken either. Nothing is read here.

mod encode;
mod messages;

use prost::encoding::encode_varint;
use serde_json::Value;

use super::resource::Kind;
use encode::{bytes, head, message};
use messages::Message;

pub const MEDIA: &str = "application/vnd.kubernetes.protobuf";

/// First bytes of every body and object.
const MAGIC: &[u8] = b"k8s\0";

/// The name of a message, and the version that says which message of that name it is.
#[derive(Debug, Clone, Copy)]
pub struct Type<'a> {
    pub version: &'a str,
    pub name: &'a str,
}

/// Metadata alone, and lists of it.
pub const METADATA: Type<'_> = Type { version: "meta.k8s.io/v1", name: "PartialObjectMetadata" };
pub const STATUS: Type<'_> = Type { version: "v1", name: "Status" };

/// Whether objects of this kind can be sent so: custom resources are JSON everywhere.
pub fn knows(kind: Kind) -> bool {
    !kind.row().custom && Message::named(kind.row().kind).is_some()
}

/// One object in its envelope.
pub fn object(of: Type<'_>, value: &Value) -> Vec<u8> {
    envelope(of, &item(of.name, value))
}

/// One event of a watch, in its frame.
pub fn event(verb: &str, of: Type<'_>, value: &Value) -> Vec<u8> {
    let mut raw = Vec::new();
    bytes(1, &object(of, value), &mut raw);
    let mut event = Vec::new();
    bytes(1, verb.as_bytes(), &mut event);
    bytes(2, &raw, &mut event);
    let length = u32::try_from(event.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], &event].concat()
}

/// The types of the events in some frames, each with its frame.
pub fn frames(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
        let (frame, rest) = bytes.split_at_checked(4 + length)?;
        bytes = rest;
        // The type comes first, and is short.
        let verb = frame.get(6..6 + usize::from(*frame.get(5)?))?;
        Some((verb, frame))
    })
}

/// A list of objects of this type; `meta` is its ListMeta.
pub fn list<'a>(of: Type<'_>, meta: &Value, values: impl Iterator<Item = &'a Value>) -> Vec<u8> {
    let mut raw = Vec::new();
    bytes(1, &item("ListMeta", meta), &mut raw);
    for value in values {
        bytes(2, &item(of.name, value), &mut raw);
    }
    let name = format!("{}List", of.name);
    envelope(Type { name: &name, ..of }, &raw)
}

/// The head of a list that holds one object of so many bytes, and nothing else: the object is to follow.
pub fn begin_of_one_item(of: Type<'_>, length: usize) -> Vec<u8> {
    let mut item = Vec::new();
    head(2, length, &mut item);
    let mut whole = [MAGIC, &typed(of)].concat();
    head(2, item.len() + length, &mut whole);
    whole.extend(item);
    whole
}

/// Any message around which an envelope stands.
pub fn envelope(of: Type<'_>, raw: &[u8]) -> Vec<u8> {
    let mut whole = [MAGIC, &typed(of)].concat();
    bytes(2, raw, &mut whole);
    // Content type and encoding, of which there is nothing to say.
    bytes(3, b"", &mut whole);
    bytes(4, b"", &mut whole);
    whole
}

/// A field that is a number where there should be anything else.
pub fn of_another_type(tag: u32) -> Vec<u8> {
    let mut out = Vec::new();
    encode_varint(u64::from(tag << 3), &mut out);
    encode_varint(1, &mut out);
    out
}

fn typed(of: Type<'_>) -> Vec<u8> {
    let (mut kind, mut typed) = (Vec::new(), Vec::new());
    bytes(1, of.version.as_bytes(), &mut kind);
    bytes(2, of.name.as_bytes(), &mut kind);
    bytes(1, &kind, &mut typed);
    typed
}

fn item(name: &str, value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(of) = Message::named(name) {
        message(of, value, &mut out);
    }
    out
}
