//! Watch bodies: a sequence of events, each given out when it is whole.

use bytes::{Buf, Bytes, BytesMut};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::messages::meta::{ObjectMeta, Status};
use super::{Encoding, Field, Framing, LARGEST_OBJECT, LARGEST_PASSED, field, unwrap_envelope};

/// What a watch tells.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// Added or modified; the object in the encoding of the body.
    Applied(Bytes),
    Deleted(Bytes),
    /// Everything up to this version has been told.
    Bookmark(String),
    Error(Status),
    /// News of an object that is larger than any can be; what it said was passed over.
    TooLarge,
}

/// Takes the bytes of a watch body in any pieces.
#[derive(Debug)]
pub struct WatchDecoder {
    encoding: Encoding,
    buffer: BytesMut,
    /// Where the search for the end of a JSON line goes on.
    searched: usize,
    /// So many bytes of an event that is not kept are to come; of a line it is not known how many.
    passing: Option<Passing>,
}

#[derive(Debug, Clone, Copy)]
enum Passing {
    ToCome(usize),
    Passed(usize),
}

enum Frame {
    Whole(Bytes),
    TooLarge,
}

impl WatchDecoder {
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, buffer: BytesMut::new(), searched: 0, passing: None }
    }

    /// Adds bytes and gives out the events that are whole.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Event>) -> Result<(), Framing> {
        self.buffer.extend_from_slice(bytes);
        while let Some(frame) = self.frame()? {
            out.push(match (frame, self.encoding) {
                (Frame::TooLarge, _) => Event::TooLarge,
                (Frame::Whole(frame), _) if frame.is_empty() => continue,
                (Frame::Whole(frame), Encoding::Protobuf) => protobuf_event(frame)?,
                (Frame::Whole(frame), Encoding::Json) => json_event(&frame)?,
            });
        }
        Ok(())
    }

    /// Whether every event so far is whole.
    pub fn is_between_events(&self) -> bool {
        self.passing.is_none() && self.buffer.iter().all(u8::is_ascii_whitespace)
    }

    /// Protobuf: four bytes of length, big-endian, and so many bytes. JSON: a line.
    fn frame(&mut self) -> Result<Option<Frame>, Framing> {
        match self.encoding {
            Encoding::Protobuf => self.message(),
            Encoding::Json => self.line(),
        }
    }

    fn message(&mut self) -> Result<Option<Frame>, Framing> {
        if let Some(Passing::ToCome(left)) = self.passing {
            let here = left.min(self.buffer.len());
            self.buffer.advance(here);
            self.passing = (here < left).then_some(Passing::ToCome(left - here));
            return Ok(self.passing.is_none().then_some(Frame::TooLarge));
        }
        let Some(length) = self.buffer.first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        if length > LARGEST_PASSED {
            return Err(too_large());
        }
        if length > LARGEST_OBJECT {
            self.passing = Some(Passing::ToCome(4 + length));
            return self.message();
        }
        if self.buffer.len() < 4 + length {
            return Ok(None);
        }
        self.buffer.advance(4);
        Ok(Some(Frame::Whole(self.buffer.split_to(length).freeze())))
    }

    fn line(&mut self) -> Result<Option<Frame>, Framing> {
        let end = memchr::memchr(b'\n', &self.buffer[self.searched..]);
        if let Some(end) = end {
            let line = self.buffer.split_to(self.searched + end).freeze();
            self.buffer.advance(1);
            self.searched = 0;
            let is_too_large = self.passing.take().is_some() || line.len() > LARGEST_OBJECT;
            return Ok(Some(if is_too_large { Frame::TooLarge } else { Frame::Whole(line) }));
        }
        self.searched = self.buffer.len();
        let before = if let Some(Passing::Passed(before)) = self.passing { before } else { 0 };
        if before > 0 || self.searched > LARGEST_OBJECT {
            let passed = before + self.searched;
            self.buffer.clear();
            (self.searched, self.passing) = (0, Some(Passing::Passed(passed)));
            if passed > LARGEST_PASSED {
                return Err(too_large());
            }
        }
        Ok(None)
    }
}

fn too_large() -> Framing {
    Framing::new("an event is larger than all objects together")
}

fn protobuf_event(mut event: Bytes) -> Result<Event, Framing> {
    let (mut kind, mut object) = (Bytes::new(), Bytes::new());
    while event.has_remaining() {
        match field(&mut event)? {
            (1, Field::Bytes(bytes)) => kind = bytes,
            (2, Field::Bytes(bytes)) => object = bytes,
            _ => {}
        }
    }
    // RawExtension: field 1 is the object in its own envelope.
    let mut raw = Bytes::new();
    while object.has_remaining() {
        if let (1, Field::Bytes(bytes)) = field(&mut object)? {
            raw = bytes;
        }
    }
    let object = unwrap_envelope(raw)?;
    match &kind[..] {
        b"ADDED" | b"MODIFIED" => Ok(Event::Applied(object)),
        b"DELETED" => Ok(Event::Deleted(object)),
        b"BOOKMARK" => protobuf_version(object).map(Event::Bookmark),
        b"ERROR" => {
            let status = prost::Message::decode(object);
            status.map(Event::Error).map_err(|_| Framing::new("an error event is broken"))
        }
        other => Err(unknown_kind(other)),
    }
}

/// The resourceVersion of any object: its field 1 is its metadata.
fn protobuf_version(mut object: Bytes) -> Result<String, Framing> {
    while object.has_remaining() {
        if let (1, Field::Bytes(meta)) = field(&mut object)? {
            let meta: ObjectMeta = prost::Message::decode(meta)
                .map_err(|_| Framing::new("the metadata of a bookmark is broken"))?;
            return Ok(meta.resource_version);
        }
    }
    Err(Framing::new("a bookmark without a version"))
}

#[derive(Deserialize)]
struct JsonEvent<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
struct JsonVersion {
    metadata: ObjectMeta,
}

fn json_event(line: &Bytes) -> Result<Event, Framing> {
    let broken = |_| Framing::new("an event is not JSON as expected");
    let event: JsonEvent<'_> = serde_json::from_slice(line).map_err(broken)?;
    let object = || line.slice_ref(event.object.get().as_bytes());
    match event.kind.as_bytes() {
        b"ADDED" | b"MODIFIED" => Ok(Event::Applied(object())),
        b"DELETED" => Ok(Event::Deleted(object())),
        b"BOOKMARK" => {
            let told: JsonVersion = serde_json::from_str(event.object.get()).map_err(broken)?;
            Ok(Event::Bookmark(told.metadata.resource_version))
        }
        b"ERROR" => serde_json::from_str(event.object.get()).map(Event::Error).map_err(broken),
        other => Err(unknown_kind(other)),
    }
}

fn unknown_kind(kind: &[u8]) -> Framing {
    Framing::new(format!("an event of unknown type {:?}", String::from_utf8_lossy(kind)))
}

#[cfg(test)]
mod tests {
    use super::super::build;
    use super::super::messages::core::Pod;
    use super::*;
    use proptest::prelude::*;
    use prost::Message;

    fn decode(encoding: Encoding, body: &[u8], piece: usize) -> Result<Vec<Event>, Framing> {
        let mut decoder = WatchDecoder::new(encoding);
        let mut events = Vec::new();
        for bytes in body.chunks(piece.max(1)) {
            decoder.feed(bytes, &mut events)?;
        }
        Ok(events)
    }

    fn pod(version: &str) -> Pod {
        let metadata = ObjectMeta { resource_version: version.into(), ..ObjectMeta::default() };
        Pod { metadata: Some(metadata), ..Pod::default() }
    }

    #[test]
    fn protobuf_events_however_the_bytes_come_in() {
        let body = [
            build::watch_event("ADDED", &pod("1")),
            build::watch_event("DELETED", &pod("2")),
            build::watch_event("BOOKMARK", &pod("9")),
            build::watch_event("ERROR", &Status { code: 410, reason: "Expired".into(), ..Status::default() }),
        ]
        .concat();
        for piece in 1..=body.len() {
            let events = decode(Encoding::Protobuf, &body, piece).unwrap();
            assert_eq!(events.len(), 4);
            assert_eq!(events[0], Event::Applied(pod("1").encode_to_vec().into()));
            assert_eq!(events[2], Event::Bookmark("9".into()));
            assert!(matches!(&events[3], Event::Error(status) if status.code == 410));
        }
    }

    #[test]
    fn json_events_however_the_bytes_come_in() {
        let body = concat!(
            r#"{"type":"MODIFIED","object":{"metadata":{"name":"a"}}}"#,
            "\n",
            r#"{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"12"}}}"#,
            "\n",
            r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}"#,
            "\n",
        );
        for piece in 1..=body.len() {
            let events = decode(Encoding::Json, body.as_bytes(), piece).unwrap();
            assert_eq!(events[0], Event::Applied(Bytes::from_static(br#"{"metadata":{"name":"a"}}"#)));
            assert_eq!(events[1], Event::Bookmark("12".into()));
            assert!(matches!(&events[2], Event::Error(status) if status.message == "too old"));
        }
    }

    #[test]
    fn broken_frames_are_refused() {
        assert!(decode(Encoding::Protobuf, &[0xff, 0, 0, 0, 1], 1).is_err());
        assert!(decode(Encoding::Json, b"nonsense\n", 3).is_err());
        assert!(decode(Encoding::Json, b"{\"type\":\"NEWS\",\"object\":{}}\n", 3).is_err());
    }

    #[test]
    fn news_of_an_object_that_is_too_large_are_passed_over_and_cost_no_memory() {
        let large = "x".repeat(LARGEST_OBJECT + 1);
        let metadata =
            ObjectMeta { resource_version: "2".into(), name: large.clone(), ..ObjectMeta::default() };
        let large_pod = Pod { metadata: Some(metadata), ..Pod::default() };
        let protobuf = [
            build::watch_event("ADDED", &pod("1")),
            build::watch_event("MODIFIED", &large_pod),
            build::watch_event("BOOKMARK", &pod("9")),
        ];
        let json = [
            r#"{"type":"ADDED","object":{"metadata":{"name":"a"}}}"#.to_owned(),
            format!(r#"{{"type":"MODIFIED","object":{{"metadata":{{"name":"{large}"}}}}}}"#),
            r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}"#.to_owned(),
        ];
        let json = json.join("\n") + "\n";
        for (encoding, body) in [(Encoding::Protobuf, protobuf.concat()), (Encoding::Json, json.into_bytes())]
        {
            let (mut decoder, mut events) = (WatchDecoder::new(encoding), Vec::new());
            for piece in body.chunks(16 << 10) {
                decoder.feed(piece, &mut events).unwrap();
                assert!(decoder.buffer.len() <= LARGEST_OBJECT, "{} bytes are kept", decoder.buffer.len());
            }
            assert!(decoder.is_between_events());
            assert_eq!(events.len(), 3, "{encoding:?}");
            assert!(matches!(events[1], Event::TooLarge), "{encoding:?}");
            assert_eq!(events[2], Event::Bookmark("9".into()));
            let half = WatchDecoder::new(encoding);
            let (mut decoder, mut events) = (half, Vec::new());
            decoder.feed(&body[..body.len() / 2], &mut events).unwrap();
            assert!(!decoder.is_between_events(), "{encoding:?}: in the middle of what is passed over");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), piece in 1usize..20) {
            let _ = decode(Encoding::Protobuf, &bytes, piece);
            let _ = decode(Encoding::Json, &bytes, piece);
            let framed = [(bytes.len() as u32).to_be_bytes().to_vec(), bytes].concat();
            let _ = decode(Encoding::Protobuf, &framed, piece);
        }
    }
}
