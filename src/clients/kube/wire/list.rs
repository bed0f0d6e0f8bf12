//! List bodies: the version and the items, given out one by one as the bytes arrive.

use bytes::{Buf, Bytes, BytesMut};

use super::json::JsonList;
use super::messages::meta::ListMeta;
use super::{Encoding, Framing, LARGEST_OBJECT, LARGEST_PASSED, MAGIC};

/// Part of a list.
#[derive(Debug, PartialEq)]
pub enum Part {
    Meta(ListMeta),
    /// One object in the encoding of the body.
    Item(Bytes),
    /// One object that is larger than any can be; it was passed over.
    TooLarge,
}

/// Takes the bytes of a list body in any pieces.
#[derive(Debug)]
pub struct ListDecoder {
    encoding: Encoding,
    buffer: BytesMut,
    place: Place,
    json: JsonList,
}

/// Where in a protobuf body the decoder is.
#[derive(Debug, PartialEq)]
enum Place {
    Magic,
    Envelope,
    /// Inside of `raw`, so many bytes of it to come.
    List(usize),
    /// Inside of an item that is not kept: so many bytes of it to come, and of `raw` behind it.
    Passing(usize, usize),
    /// Behind `raw`: content type and encoding, of no interest.
    Tail,
}

/// What one step came to.
enum Step {
    NeedsBytes,
    Went,
    Gave(Part),
}

impl ListDecoder {
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, buffer: BytesMut::new(), place: Place::Magic, json: JsonList::default() }
    }

    /// Adds bytes and gives out what is whole.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Part>) -> Result<(), Framing> {
        if self.encoding == Encoding::Json {
            return self.json.feed(bytes, out);
        }
        if self.place == Place::Tail {
            return Ok(());
        }
        self.buffer.extend_from_slice(bytes);
        loop {
            match self.next()? {
                Step::NeedsBytes => return Ok(()),
                Step::Went => {}
                Step::Gave(part) => out.push(part),
            }
        }
    }

    /// The body has ended: everything must have been there.
    pub fn finish(self) -> Result<(), Framing> {
        match self.encoding {
            Encoding::Protobuf if self.place == Place::Tail => Ok(()),
            Encoding::Protobuf => Err(Framing::new("the list ended early")),
            Encoding::Json => self.json.finish(),
        }
    }

    /// One step through the body.
    fn next(&mut self) -> Result<Step, Framing> {
        match self.place {
            Place::Tail => Ok(Step::NeedsBytes),
            Place::Magic => {
                if self.buffer.len() < MAGIC.len() {
                    return Ok(Step::NeedsBytes);
                }
                if !self.buffer.starts_with(MAGIC) {
                    return Err(Framing::new("the protobuf envelope is missing"));
                }
                self.buffer.advance(MAGIC.len());
                self.place = Place::Envelope;
                Ok(Step::Went)
            }
            Place::Envelope => self.envelope_field(),
            Place::List(0) => {
                self.place = Place::Tail;
                Ok(Step::Went)
            }
            Place::List(left) => self.list_field(left),
            Place::Passing(of_item, left) => Ok(self.pass(of_item, left)),
        }
    }

    fn envelope_field(&mut self) -> Result<Step, Framing> {
        let Some(header) = header(&self.buffer)? else { return Ok(Step::NeedsBytes) };
        // Field 2 is the list; it is not waited for. What stands before it is small.
        if header.tag == 2 {
            self.buffer.advance(header.size);
            self.place = Place::List(header.length);
            return Ok(Step::Went);
        }
        if header.length > LARGEST_OBJECT {
            return Err(Framing::new("the envelope is too large"));
        }
        if self.buffer.len() < header.size + header.length {
            return Ok(Step::NeedsBytes);
        }
        self.buffer.advance(header.size + header.length);
        Ok(Step::Went)
    }

    fn list_field(&mut self, left: usize) -> Result<Step, Framing> {
        let Some(header) = header(&self.buffer)? else { return Ok(Step::NeedsBytes) };
        let whole = header.size + header.length;
        if whole > left {
            return Err(Framing::new("an item is longer than its list"));
        }
        if header.length > LARGEST_PASSED {
            return Err(Framing::new("an item is larger than all objects together"));
        }
        if header.length > LARGEST_OBJECT {
            self.place = Place::Passing(whole, left - whole);
            return Ok(Step::Went);
        }
        if self.buffer.len() < whole {
            self.buffer.reserve(whole - self.buffer.len());
            return Ok(Step::NeedsBytes);
        }
        self.buffer.advance(header.size);
        let value = self.buffer.split_to(header.length).freeze();
        self.place = Place::List(left - whole);
        match header.tag {
            1 => {
                let meta = prost::Message::decode(value);
                Ok(Step::Gave(Part::Meta(meta.map_err(|_| Framing::new("the list's version is broken"))?)))
            }
            2 => Ok(Step::Gave(Part::Item(value))),
            _ => Ok(Step::Went),
        }
    }

    fn pass(&mut self, of_item: usize, left: usize) -> Step {
        let here = of_item.min(self.buffer.len());
        self.buffer.advance(here);
        if here < of_item {
            self.place = Place::Passing(of_item - here, left);
            return Step::NeedsBytes;
        }
        self.place = Place::List(left);
        Step::Gave(Part::TooLarge)
    }
}

/// Tag and length of a length-delimited field, and how many bytes told them.
struct Header {
    tag: u32,
    length: usize,
    size: usize,
}

/// `None` when the bytes do not reach that far yet.
fn header(buffer: &[u8]) -> Result<Option<Header>, Framing> {
    let Some((key, key_size)) = varint(buffer)? else { return Ok(None) };
    if key & 7 != 2 {
        return Err(Framing::new("a list holds only messages"));
    }
    let Some((length, length_size)) = varint(&buffer[key_size..])? else { return Ok(None) };
    let length = usize::try_from(length).map_err(|_| Framing::new("a length is too large"))?;
    Ok(Some(Header { tag: (key >> 3) as u32, length, size: key_size + length_size }))
}

fn varint(buffer: &[u8]) -> Result<Option<(u64, usize)>, Framing> {
    let mut value = 0u64;
    for (at, byte) in buffer.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at).min(63);
        if byte & 0x80 == 0 {
            return Ok(Some((value, at + 1)));
        }
    }
    if buffer.len() >= 10 { Err(Framing::new("a number is too long")) } else { Ok(None) }
}

/// Where a JSON error is, without the text around it, which may be anything.
pub fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::super::build;
    use super::*;
    use proptest::prelude::*;

    fn decode(body: &[u8], piece: usize) -> Result<Vec<Part>, Framing> {
        let mut decoder = ListDecoder::new(Encoding::Protobuf);
        let mut parts = Vec::new();
        for bytes in body.chunks(piece.max(1)) {
            decoder.feed(bytes, &mut parts)?;
        }
        decoder.finish()?;
        Ok(parts)
    }

    #[test]
    fn items_come_out_whole_however_the_bytes_come_in() {
        let items = [b"one".to_vec(), vec![b'x'; 300], Vec::new()];
        let body = build::list("42", &items);
        for piece in 1..=body.len() {
            let parts = decode(&body, piece).unwrap();
            let Part::Meta(meta) = &parts[0] else { panic!("the version comes first") };
            assert_eq!(meta.resource_version, "42");
            let got: Vec<_> = parts[1..]
                .iter()
                .map(|part| match part {
                    Part::Item(bytes) => bytes.to_vec(),
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(got, items);
        }
    }

    #[test]
    fn an_item_is_given_out_before_the_list_has_ended() {
        let body = build::list("1", &[b"first".to_vec(), b"second".to_vec()]);
        let mut decoder = ListDecoder::new(Encoding::Protobuf);
        let mut parts = Vec::new();
        decoder.feed(&body[..body.len() - 12], &mut parts).unwrap();
        assert!(parts.contains(&Part::Item(Bytes::from_static(b"first"))));
        assert!(decoder.finish().is_err(), "the list ended early");
    }

    #[test]
    fn broken_frames_are_refused_before_anything_is_kept() {
        let mut too_long = build::list("1", &[b"item".to_vec()]);
        let at = too_long.windows(4).position(|bytes| bytes == b"item").unwrap();
        too_long[at - 1] = 0x7f;
        assert!(decode(&too_long, 7).is_err());
        let huge =
            [MAGIC.to_vec(), vec![0x12, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x12, 0xff, 0xff, 0xff, 0xff, 0x0f]]
                .concat();
        assert!(decode(&huge, 5).unwrap_err().0.contains("larger than all objects"));
        assert!(decode(b"{\"kind\":", 3).is_err());
        assert!(decode(b"", 1).is_err());
    }

    #[test]
    fn an_object_that_is_too_large_is_passed_over_and_costs_no_memory() {
        let large = build::list("7", &[b"one".to_vec(), vec![b'x'; LARGEST_OBJECT + 1], b"three".to_vec()]);
        let mut decoder = ListDecoder::new(Encoding::Protobuf);
        let mut parts = Vec::new();
        for piece in large.chunks(16 << 10) {
            decoder.feed(piece, &mut parts).unwrap();
            assert!(decoder.buffer.len() <= 16 << 10, "{} bytes are kept", decoder.buffer.len());
        }
        decoder.finish().unwrap();
        let item = |text: &'static str| Part::Item(Bytes::from_static(text.as_bytes()));
        assert_eq!(parts[1..], [item("one"), Part::TooLarge, item("three")]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), piece in 1usize..20) {
            let _ = decode(&bytes, piece);
            let with_magic = [MAGIC.to_vec(), bytes].concat();
            let _ = decode(&with_magic, piece);
        }

        #[test]
        fn a_damaged_list_never_panics(at in 0usize..120, byte in any::<u8>(), piece in 1usize..20) {
            let mut body = build::list("42", &[b"one".to_vec(), vec![b'x'; 80], b"three".to_vec()]);
            let at = at % body.len();
            body[at] = byte;
            let _ = decode(&body, piece);
        }
    }
}
