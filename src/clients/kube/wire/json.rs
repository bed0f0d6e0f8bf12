//! JSON lists, taken apart while they arrive: where each item begins and ends, and nothing of what it says.
//!
//! So no list is too large, whoever ignores the wish for pages; only one item is held at a time, and one that is
//! larger than any object can be is passed over. Whether an item is sound JSON is for whoever reads it to say.

use bytes::{Buf, BytesMut};

use super::list::{Part, place};
use super::messages::meta::ListMeta;
use super::{Framing, LARGEST_OBJECT};

/// Takes the bytes of a JSON list in any pieces.
#[derive(Debug, Default)]
pub struct JsonList {
    buffer: BytesMut,
    at: At,
    /// The value that is being looked for the end of, and how much of it was looked at.
    scan: Scan,
    /// The rest of this value is too much to be kept.
    skips: bool,
    name: String,
    /// White space since the last that was none.
    blank: usize,
    told_meta: bool,
    told_items: bool,
}

/// What is to come next.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum At {
    #[default]
    Begin,
    FirstName,
    Name,
    Colon,
    Value,
    Comma,
    FirstItem,
    Item,
    ItemComma,
    End,
}

/// The search for the end of one value.
#[derive(Debug, Default)]
struct Scan {
    done: usize,
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Scan {
    /// Goes on; where the value ends, if it does.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some(&byte) = bytes.get(self.done) {
            if self.in_text {
                self.text(&bytes[self.done..]);
                if !self.in_text && self.depth == 0 {
                    return Some(self.done);
                }
                continue;
            }
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' => self.depth += 1,
                // Of a number or a word only what follows tells its end.
                b',' | b'}' | b']' if self.depth == 0 => return Some(self.done),
                _ if self.depth == 0 && byte.is_ascii_whitespace() => return Some(self.done),
                b'}' | b']' => self.depth -= 1,
                _ => {}
            }
            self.done += 1;
            if self.depth == 0 && matches!(byte, b'}' | b']') {
                return Some(self.done);
            }
        }
        None
    }

    /// To the end of the text, or as far as there is any.
    fn text(&mut self, bytes: &[u8]) {
        if std::mem::take(&mut self.escaped) {
            self.done += 1;
            return;
        }
        match memchr::memchr2(b'"', b'\\', bytes) {
            None => self.done += bytes.len(),
            Some(at) => {
                self.done += at + 1;
                self.escaped = bytes[at] == b'\\';
                self.in_text = self.escaped;
            }
        }
    }
}

/// What became of the value in front.
enum Taken {
    Not,
    Whole(bytes::Bytes),
    /// It was larger than any object can be.
    TooLarge,
}

impl JsonList {
    /// Adds bytes and gives out what is whole.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Part>) -> Result<(), Framing> {
        self.buffer.extend_from_slice(bytes);
        while self.step(out)? {}
        Ok(())
    }

    /// The body has ended: everything must have been there.
    pub fn finish(&self) -> Result<(), Framing> {
        match (self.at, self.told_meta && self.told_items) {
            (At::End, true) => Ok(()),
            (At::End, false) => Err(Framing::new("it is no list: version or items are missing")),
            _ => Err(Framing::new("the list ended early")),
        }
    }

    /// One step; `false` when bytes are missing.
    fn step(&mut self, out: &mut Vec<Part>) -> Result<bool, Framing> {
        let is_in_value = self.scan.done > 0 || self.skips;
        let Some(byte) = (if is_in_value { self.buffer.first().copied() } else { self.next()? }) else {
            return Ok(false);
        };
        let (at, is_mark) = match (self.at, byte) {
            (At::Begin, b'{') => (At::FirstName, true),
            (At::FirstName | At::Comma, b'}') => (At::End, true),
            (At::Comma, b',') => (At::Name, true),
            (At::Colon, b':') => (At::Value, true),
            (At::Value, b'[') if self.name == "items" && !is_in_value => (At::FirstItem, true),
            (At::FirstItem | At::ItemComma, b']') => (At::Comma, true),
            (At::ItemComma, b',') => (At::Item, true),
            (At::FirstName | At::Name, b'"') => (At::Name, false),
            (At::FirstItem, _) => (At::Item, false),
            (At::Value | At::Item, _) => (self.at, false),
            (At::Name, _) if is_in_value => (At::Name, false),
            _ => return Err(Framing::new("the list is not JSON as expected")),
        };
        self.at = at;
        if is_mark {
            self.told_items |= at == At::FirstItem;
            self.buffer.advance(1);
            return Ok(true);
        }
        match self.value()? {
            Taken::Not => Ok(false),
            taken => self.take(taken, out).map(|()| true),
        }
    }

    /// The next byte that is no white space.
    fn next(&mut self) -> Result<Option<u8>, Framing> {
        let blank = self.buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.buffer.advance(blank);
        self.blank = if self.buffer.is_empty() { self.blank + blank } else { 0 };
        if self.blank > LARGEST_OBJECT {
            return Err(Framing::new("there is nothing in it but space"));
        }
        Ok(self.buffer.first().copied())
    }

    fn value(&mut self) -> Result<Taken, Framing> {
        let end = self.scan.end(&self.buffer);
        let seen = end.unwrap_or(self.scan.done);
        if self.skips || seen > LARGEST_OBJECT {
            if self.at != At::Item {
                return Err(Framing::new("the head of the list is too large"));
            }
            self.skips = true;
            self.buffer.advance(seen);
            self.scan.done = 0;
        }
        if end.is_none() {
            return Ok(Taken::Not);
        }
        self.scan = Scan::default();
        if std::mem::take(&mut self.skips) {
            return Ok(Taken::TooLarge);
        }
        if seen == 0 {
            return Err(Framing::new("a value is missing in the list"));
        }
        Ok(Taken::Whole(self.buffer.split_to(seen).freeze()))
    }

    fn take(&mut self, taken: Taken, out: &mut Vec<Part>) -> Result<(), Framing> {
        let Taken::Whole(bytes) = taken else {
            self.at = At::ItemComma;
            out.push(Part::TooLarge);
            return Ok(());
        };
        let broken = |error| Framing::new(format!("the list is not JSON as expected: {}", place(&error)));
        match self.at {
            At::Name => {
                self.name = serde_json::from_slice(&bytes).map_err(broken)?;
                self.at = At::Colon;
            }
            At::Item => {
                out.push(Part::Item(bytes));
                self.at = At::ItemComma;
            }
            _ => {
                match &*self.name {
                    "metadata" => {
                        let meta: ListMeta = serde_json::from_slice(&bytes).map_err(broken)?;
                        self.told_meta = true;
                        out.push(Part::Meta(meta));
                    }
                    // Go writes it for a list without items.
                    "items" if bytes[..] == *b"null" => self.told_items = true,
                    "items" => return Err(Framing::new("the items of the list are none")),
                    _ => {}
                }
                self.at = At::Comma;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn read(text: &[u8], piece: usize) -> Result<Vec<Part>, Framing> {
        let (mut list, mut parts) = (JsonList::default(), Vec::new());
        for bytes in text.chunks(piece.max(1)) {
            list.feed(bytes, &mut parts)?;
        }
        list.finish().map(|()| parts)
    }

    fn meta(version: &str, next_page: &str) -> Part {
        let (resource_version, next_page) = (version.to_owned(), next_page.to_owned());
        Part::Meta(ListMeta { resource_version, next_page, ..ListMeta::default() })
    }

    fn item(text: &str) -> Part {
        Part::Item(Bytes::from(text.to_owned()))
    }

    #[test]
    fn items_come_out_whole_however_the_bytes_come_in() {
        let text = concat!(
            r#" {"kind":"PodList", "apiVersion" : "v1","metadata":{"resourceVersion":"7","continue":"next"},"#,
            "\n",
            r#" "items": [{"a":"}],\\"}, 17 ,{"b\"]":[[{}],"\u0022"]},"x",null,-1.5e3,[ ]] , "more":[1,{"items":2}]} "#,
        );
        let items =
            [r#"{"a":"}],\\"}"#, "17", r#"{"b\"]":[[{}],"\u0022"]}"#, r#""x""#, "null", "-1.5e3", "[ ]"];
        for piece in 1..=text.len() {
            let parts = read(text.as_bytes(), piece).unwrap();
            assert_eq!(parts[0], meta("7", "next"), "in pieces of {piece}");
            assert_eq!(parts[1..], items.map(item), "in pieces of {piece}");
        }
    }

    #[test]
    fn what_is_no_list_is_not_an_empty_one() {
        let count = |text: &str| read(text.as_bytes(), 3).map(|parts| parts.len());
        assert_eq!(count(r#"{"metadata":{"resourceVersion":"7"},"items":null}"#), Ok(1));
        assert_eq!(count(r#"{"items":[],"metadata":{"resourceVersion":"7"}}"#), Ok(1));
        assert_eq!(count(r#"{"metadata":{"resourceVersion":"7"},"items":[{}]}"#), Ok(2));
        let whole = r#"{"metadata":{"resourceVersion":"7"},"items":[{"a":[1]},"x"]}"#;
        for end in 0..whole.len() {
            assert!(count(&whole[..end]).is_err(), "{}", &whole[..end]);
        }
        for text in [
            "{}",
            r#"{"metadata":{"resourceVersion":"7"}}"#,
            r#"{"items":[]}"#,
            r#"{"metadata":{"resourceVersion":"7"},"items":"none"}"#,
            r#"{"metadata":{"resourceVersion":"7"},"items":[]}}"#,
            r#"{"metadata":{"resourceVersion":"7"},"items":[1,]}"#,
            r#"{"metadata":{"resourceVersion":7},"items":[]}"#,
            r#"{"metadata":{},"items":[1}"#,
            "[]",
            "null",
            "<html>a proxy's page</html>",
        ] {
            assert!(count(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_too_large_is_passed_over_and_costs_no_memory() {
        let large = format!(r#"{{"a":"{}"}}"#, r#"\"}"#.repeat(LARGEST_OBJECT / 2));
        let text = format!(r#"{{"metadata":{{}},"items":[{{"a":1}},{large},{{"b":2}}]}}"#);
        let (mut list, mut parts) = (JsonList::default(), Vec::new());
        for piece in text.as_bytes().chunks(16 << 10) {
            list.feed(piece, &mut parts).unwrap();
            assert!(list.buffer.len() <= LARGEST_OBJECT + (16 << 10), "{} bytes are kept", list.buffer.len());
        }
        list.finish().unwrap();
        assert_eq!(parts[1..], [item(r#"{"a":1}"#), Part::TooLarge, item(r#"{"b":2}"#)]);
        let endless = [b"{".to_vec(), vec![b' '; LARGEST_OBJECT + 2]].concat();
        assert!(read(&endless, 16 << 10).unwrap_err().0.contains("space"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in "[\\[\\]{}\",:\\\\ a1]{0,60}", piece in 1usize..9) {
            let _ = read(text.as_bytes(), piece);
            let _ = read(format!(r#"{{"metadata":{{}},"items":[{text}"#).as_bytes(), piece);
        }

        /// Where an item ends is what serde says.
        #[test]
        fn whatever_stands_in_items_comes_out(values in proptest::collection::vec(any_value(), 0..6), piece in 1usize..30) {
            let text = serde_json::json!({"metadata": {"resourceVersion": "7"}, "items": values});
            let pretty = serde_json::to_string_pretty(&text).unwrap();
            for text in [text.to_string(), pretty] {
                let parts = read(text.as_bytes(), piece).unwrap();
                let read = parts[1..].iter().map(|part| match part {
                    Part::Item(bytes) => serde_json::from_slice(bytes).unwrap(),
                    other => panic!("{other:?}"),
                });
                prop_assert_eq!(&read.collect::<Vec<serde_json::Value>>(), &values);
            }
        }
    }

    fn any_value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                proptest::collection::vec((any::<String>(), inner), 0..4)
                    .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
            ]
        })
    }
}
