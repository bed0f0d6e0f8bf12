//! The bytes that Kubernetes sends: protobuf or JSON, decoded object by object while they arrive.
//!
//! Source: Kubernetes "API concepts" (protobuf encoding, watch framing) and the `generated.proto` of each API
//! group. A body is hostile until decoded: every length is held against a ceiling before anything is kept.
//! One bad object is counted and skipped, and so is one that is too large; only broken framing ends a
//! stream.

mod json;
pub mod list;
pub mod messages;
pub mod stream;

use bytes::{Buf, Bytes};
use prost::encoding::{WireType, decode_key, decode_varint};

/// What a body is written in; the answer's content type decides, whatever was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Protobuf,
    Json,
}

/// The largest object that is taken. etcd refuses more than 1.5 MiB, so this is generous.
pub const LARGEST_OBJECT: usize = 8 << 20;

/// What is larger is passed over, up to so much; whoever says that more is to come sends no objects.
pub const LARGEST_PASSED: usize = 256 << 20;

/// First bytes of every protobuf body and object.
pub const MAGIC: &[u8; 4] = b"k8s\0";

/// A body that is not what it should be: the stream cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framing(pub String);

impl Framing {
    fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

impl Encoding {
    /// From a content type: `application/vnd.kubernetes.protobuf;stream=watch`.
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        let media = content_type.split(';').next().unwrap_or("").trim();
        match media {
            "application/vnd.kubernetes.protobuf" => Some(Self::Protobuf),
            "application/json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// The message in a protobuf envelope: `k8s\0`, then an `Unknown` whose field 2 it is.
pub fn unwrap_envelope(mut body: Bytes) -> Result<Bytes, Framing> {
    if !body.starts_with(MAGIC) {
        return Err(Framing::new("the protobuf envelope is missing"));
    }
    body.advance(MAGIC.len());
    while body.has_remaining() {
        let (tag, value) = field(&mut body)?;
        if tag == 2
            && let Field::Bytes(raw) = value
        {
            return Ok(raw);
        }
    }
    // An empty object has no bytes at all.
    Ok(Bytes::new())
}

/// One field of a message.
pub enum Field {
    Bytes(Bytes),
    /// A number; which one does not matter to whoever walks over a message.
    Other,
}

/// Takes one field off the front of a whole message.
pub fn field(message: &mut Bytes) -> Result<(u32, Field), Framing> {
    let broken = |_| Framing::new("a field is broken");
    let (tag, wire) = decode_key(message).map_err(broken)?;
    match wire {
        WireType::LengthDelimited => {
            let length = decode_varint(message).map_err(broken)?;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if length > message.remaining() {
                return Err(Framing::new("a field is longer than its message"));
            }
            Ok((tag, Field::Bytes(message.split_to(length))))
        }
        WireType::Varint => decode_varint(message).map(|_| (tag, Field::Other)).map_err(broken),
        WireType::SixtyFourBit => skip(message, 8).map(|()| (tag, Field::Other)),
        WireType::ThirtyTwoBit => skip(message, 4).map(|()| (tag, Field::Other)),
        WireType::StartGroup | WireType::EndGroup => {
            Err(Framing::new("a group, which Kubernetes does not use"))
        }
    }
}

fn skip(message: &mut Bytes, length: usize) -> Result<(), Framing> {
    if message.remaining() < length {
        return Err(Framing::new("a field is longer than its message"));
    }
    message.advance(length);
    Ok(())
}

#[cfg(test)]
pub(crate) mod build {
    //! Bodies as a server would send them, for tests.

    use prost::Message;
    use prost::encoding::encode_varint;

    /// A length-delimited field.
    pub(crate) fn field(tag: u32, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        encode_varint(u64::from(tag << 3 | 2), &mut out);
        encode_varint(bytes.len() as u64, &mut out);
        out.extend(bytes);
        out
    }

    pub(crate) fn envelope(raw: &[u8]) -> Vec<u8> {
        let type_meta = [field(1, b"v1"), field(2, b"Pod")].concat();
        [super::MAGIC.to_vec(), field(1, &type_meta), field(2, raw), field(3, b""), field(4, b"")].concat()
    }

    pub(crate) fn list(resource_version: &str, items: &[Vec<u8>]) -> Vec<u8> {
        let meta = field(1, &field(2, resource_version.as_bytes()));
        let items: Vec<u8> = items.iter().flat_map(|item| field(2, item)).collect();
        envelope(&[meta, items].concat())
    }

    pub(crate) fn watch_event(kind: &str, object: &impl Message) -> Vec<u8> {
        let raw = field(1, &envelope(&object.encode_to_vec()));
        let event = [field(1, kind.as_bytes()), field(2, &raw)].concat();
        [(event.len() as u32).to_be_bytes().to_vec(), event].concat()
    }
}
