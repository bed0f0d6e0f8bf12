//! What stands in a column: what can be found in it, and the order of rows by it.
//!
//! It is borrowed from the row, since every key may ask it of fifty thousand of them. What is drawn is the column's
//! business, what is typed the filter's.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::fleet::{Age, Clean};

/// What stands in a column, for sorting and filtering: borrowed from the row, since every key may ask it of all.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Not known, or not there.
    None,
    Text(Cow<'a, str>),
    /// Several words, each of which can be looked for.
    Texts(&'a [Clean]),
    /// The same, where a row does not have them in a list.
    Several(Vec<Cow<'a, str>>),
    Number(f64),
    /// Seconds.
    Age(Age),
    /// Words with an order that is not that of the alphabet.
    Ranked(u32, Cow<'a, str>),
}

impl<'a> Value<'a> {
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// Words of which there is mostly one.
    pub fn each<T: Into<Cow<'a, str>>>(texts: impl ExactSizeIterator<Item = T>) -> Self {
        let is_one = texts.len() == 1;
        let mut texts = texts.map(Into::into);
        match (is_one, texts.next()) {
            (_, None) => Self::Texts(&[]),
            (true, Some(only)) => Self::Text(only),
            (false, Some(first)) => Self::Several(std::iter::once(first).chain(texts).collect()),
        }
    }

    pub fn maybe<T>(value: Option<T>, of: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::None, of)
    }

    /// As it is shown where nothing better is known; empty for what is not known.
    pub fn words(&self) -> Clean {
        match self {
            Self::None => Clean::default(),
            Self::Text(text) | Self::Ranked(_, text) => Clean::new(text),
            Self::Texts(texts) => texts.iter().map(Clean::as_str).collect::<Vec<_>>().join(" ").into(),
            Self::Several(texts) => texts.join(" ").into(),
            Self::Number(number) => number.to_string().into(),
            Self::Age(age) => age.to_string().into(),
        }
    }

    /// Ascending: numbers, what is ranked, words. What is not known stands at the end in both directions, which callers
    /// see to.
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Ranked(a, x), Self::Ranked(b, y)) => a.cmp(b).then_with(|| natural(x, y)),
            (Self::Text(a), Self::Text(b)) => natural(a, b),
            (Self::Number(_) | Self::Age(_), Self::Number(_) | Self::Age(_)) => {
                self.number().unwrap_or(0.0).total_cmp(&other.number().unwrap_or(0.0))
            }
            _ => self.class().cmp(&other.class()).then_with(|| self.compare_words(other)),
        }
    }

    /// A number in the same order, as far as it holds the value; of words, those behind `skip` bytes that all begin with.
    pub fn beginning(&self, skip: usize) -> Beginning {
        let mut bytes = Bytes { key: [0; 32], used: 0, is_whole: true };
        bytes.push(self.class());
        match self {
            Self::None => {}
            Self::Number(_) | Self::Age(_) => bytes.number(self.number().unwrap_or(0.0)),
            Self::Ranked(rank, text) => {
                rank.to_be_bytes().into_iter().for_each(|byte| bytes.push(byte));
                bytes.word(text.as_bytes());
            }
            Self::Text(_) | Self::Texts(_) | Self::Several(_) => {
                for (at, word) in (0..).map_while(|at| Some((at, self.word(at)?))) {
                    bytes.word(&word.as_bytes()[if at == 0 { skip.min(word.len()) } else { 0 }..]);
                }
            }
        }
        bytes.beginning()
    }

    fn class(&self) -> u8 {
        match self {
            Self::Number(_) | Self::Age(_) => 1,
            Self::Ranked(..) => 2,
            Self::Text(_) | Self::Texts(_) | Self::Several(_) => 3,
            Self::None => UNKNOWN,
        }
    }

    /// Word by word.
    fn compare_words(&self, other: &Self) -> Ordering {
        for at in 0.. {
            let order = match (self.word(at), other.word(at)) {
                (None, None) => return Ordering::Equal,
                (None, Some(_)) => Ordering::Less,
                (Some(_), None) => Ordering::Greater,
                (Some(a), Some(b)) => natural(a, b),
            };
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }

    /// Whether there is something else than a number in it.
    pub fn has_words(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Texts(_) | Self::Several(_) | Self::Ranked(..))
    }

    /// Its words one after the other; a number has none.
    pub fn word(&self, at: usize) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Ranked(_, text) => (at == 0).then_some(text),
            Self::Texts(texts) => texts.get(at).map(Clean::as_str),
            Self::Several(texts) => texts.get(at).map(|text| &**text),
            Self::None | Self::Number(_) | Self::Age(_) => None,
        }
    }

    /// As a number, where it is one or has a rank.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Age(age) => Some(age.0 as f64),
            Self::Ranked(rank, _) => Some(f64::from(*rank)),
            Self::None | Self::Text(_) | Self::Texts(_) | Self::Several(_) => None,
        }
    }

    /// Whether a word in small letters can be found in it.
    pub fn contains(&self, wanted: &str) -> bool {
        match self {
            Self::None => false,
            Self::Text(text) | Self::Ranked(_, text) => holds(text, wanted),
            Self::Texts(texts) => texts.iter().any(|text| holds(text, wanted)),
            Self::Several(texts) => texts.iter().any(|text| holds(text, wanted)),
            Self::Number(number) => is_number(wanted) && number.to_string() == wanted,
            Self::Age(age) => is_number(wanted) && age.to_string() == wanted,
        }
    }
}

/// What is written with digits is not made into words for every letter that somebody types.
pub fn is_number(wanted: &str) -> bool {
    wanted.starts_with(|first: char| first.is_ascii_digit() || first == '-')
}

/// Whether a text holds a word in small letters, whatever letters the text is written in.
fn holds(text: &str, wanted: &str) -> bool {
    if !text.is_ascii() {
        return text.to_lowercase().contains(wanted);
    }
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    let (Some(first), Some(last)) = (wanted.first(), text.len().checked_sub(wanted.len())) else {
        return wanted.is_empty();
    };
    memchr::memchr2_iter(*first, first.to_ascii_uppercase(), &text[..=last])
        .any(|at| text[at..at + wanted.len()].eq_ignore_ascii_case(wanted))
}

/// Digits by their value: `node-9` stands before `node-10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        match (a.first(), b.first()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (x, y) = (digits(&mut a), digits(&mut b));
                match x.len().cmp(&y.len()).then_with(|| x.cmp(y)) {
                    Ordering::Equal => {}
                    unequal => return unequal,
                }
            }
            (Some(x), Some(y)) if x == y => (a, b) = (&a[1..], &b[1..]),
            // In UTF-8 the order of bytes is that of characters.
            (Some(x), Some(y)) => return x.cmp(y),
        }
    }
}

/// Takes digits off the front; gives them without leading zeros.
fn digits<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(length);
    *text = rest;
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    &digits[zeros..]
}

/// How a value begins: bytes whose order is that of the values, as far as they differ in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Beginning(u64, u64, u64, u64);

impl Beginning {
    /// Whether another value that begins so is equal.
    #[inline]
    pub fn is_whole(self) -> bool {
        self.3.to_be_bytes()[7] == 0
    }

    /// Whether it is a value at all.
    #[inline]
    pub fn is_known(self) -> bool {
        self.0.to_be_bytes()[0] != UNKNOWN
    }
}

/// The class of what is not known: the last, as it is wherever rows are sorted.
const UNKNOWN: u8 = u8::MAX;

/// How many bytes all these texts begin with; a number is not cut in two.
pub fn alike(values: &[Value<'_>]) -> usize {
    let Some(Value::Text(first)) = values.first() else { return 0 };
    let mut alike = first.as_bytes();
    for value in values {
        let Value::Text(text) = value else { return 0 };
        if !text.as_bytes().starts_with(alike) {
            let same = alike.iter().zip(text.as_bytes()).take_while(|(a, b)| a == b).count();
            alike = &alike[..same];
        }
    }
    alike.len() - alike.iter().rev().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Bytes of a beginning, the first in front.
struct Bytes {
    key: [u8; 32],
    used: usize,
    is_whole: bool,
}

impl Bytes {
    /// The last byte says whether that was all.
    const ROOM: usize = 31;
    /// Longer numbers in words than this end the key.
    const MOST_DIGITS: usize = 8;
    /// Behind a word: less than any character, so that the shorter one of two stands first.
    const END: u8 = 1;

    fn push(&mut self, byte: u8) {
        if self.used == Self::ROOM {
            self.is_whole = false;
            return;
        }
        self.key[self.used] = byte;
        self.used += 1;
    }

    fn beginning(mut self) -> Beginning {
        self.key[Self::ROOM] = u8::from(!self.is_whole);
        let (parts, _) = self.key.as_chunks::<8>();
        let part = |at: usize| u64::from_be_bytes(parts[at]);
        Beginning(part(0), part(1), part(2), part(3))
    }

    fn number(&mut self, number: f64) {
        // The order of `total_cmp`.
        let bits = number.to_bits();
        let ordered = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
        ordered.to_be_bytes().into_iter().for_each(|byte| self.push(byte));
    }

    /// Numbers in it by how long they are, and then by their digits.
    fn word(&mut self, mut text: &[u8]) {
        while self.used < Self::ROOM && !text.is_empty() {
            let letters = text.iter().take_while(|byte| !byte.is_ascii_digit()).count();
            text = &text[self.extend(&text[..letters])..];
            if letters > 0 {
                continue;
            }
            let number = digits(&mut text);
            if number.len() > Self::MOST_DIGITS {
                self.push(b'9');
                (self.used, self.is_whole) = (Self::ROOM, false);
                return;
            }
            self.push(b'0' + number.len() as u8);
            self.is_whole &= self.extend(number) == number.len();
        }
        self.is_whole &= text.is_empty();
        self.push(Self::END);
    }

    /// As much as there is room for; gives how much that was.
    fn extend(&mut self, bytes: &[u8]) -> usize {
        let fits = bytes.len().min(Self::ROOM - self.used);
        self.key[self.used..self.used + fits].copy_from_slice(&bytes[..fits]);
        self.used += fits;
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_in_names_count_by_their_value() {
        assert_eq!(natural("node-9", "node-10"), Ordering::Less);
        assert_eq!(natural("node-010", "node-10"), Ordering::Equal);
        assert_eq!(natural("a", "ab"), Ordering::Less);
        assert_eq!(natural("node-19", "node-100"), Ordering::Less);
        assert_eq!(natural("node-1", "node-10"), Ordering::Less);
        assert_eq!(natural("node-1x", "node-10"), Ordering::Less);
    }

    proptest! {
        #[test]
        fn the_order_of_names_is_that_of_their_parts(a in "[a-b0-2]{0,6}", b in "[a-b0-2]{0,6}") {
            let parts = |text: &str| {
                let mut parts: Vec<(bool, u64, String)> = Vec::new();
                for letter in text.chars() {
                    match (letter.to_digit(10), parts.last_mut()) {
                        (Some(digit), Some((false, number, _))) => *number = *number * 10 + u64::from(digit),
                        (Some(digit), _) => parts.push((false, digit.into(), String::new())),
                        (None, _) => parts.push((true, 0, letter.into())),
                    }
                }
                parts
            };
            prop_assert_eq!(natural(&a, &b), parts(&a).cmp(&parts(&b)));
        }

        #[test]
        fn values_have_one_order_whatever_they_are_made_of(
            words in proptest::collection::vec(proptest::collection::vec("[ab1-2]{0,2}", 0..3), 3),
            numbers in proptest::collection::vec(0u8..3, 2),
        ) {
            let lists: Vec<Vec<Clean>> = words.iter().map(|it| it.iter().map(|word| Clean::new(word)).collect()).collect();
            let mut values: Vec<Value<'_>> = lists.iter().map(|it| Value::Texts(it)).collect();
            values.extend(lists.iter().map(|it| Value::each(it.iter())));
            values.extend([Value::Number(numbers[0].into()), Value::Age(Age(numbers[1].into())), Value::Ranked(1, "a".into())]);
            let skip = alike(&values);
            for (a, b) in values.iter().flat_map(|a| values.iter().map(move |b| (a, b))) {
                let (x, y) = (a.beginning(skip), b.beginning(skip));
                prop_assert!(x == y || x.cmp(&y) == a.compare(b), "{:?} {:?}", a, b);
                prop_assert!(x != y || !x.is_whole() || a.compare(b).is_eq(), "{:?} {:?}", a, b);
            }
            for (a, b, c) in values.iter().flat_map(|a| values.iter().map(move |b| (a, b))).flat_map(|(a, b)| values.iter().map(move |c| (a, b, c))) {
                prop_assert_eq!(a.compare(b), b.compare(a).reverse());
                prop_assert!(a.compare(b).is_gt() || b.compare(c).is_gt() || a.compare(c).is_le(), "{:?} {:?} {:?}", a, b, c);
            }
        }

        #[test]
        fn letters_of_either_size_are_found(text in "[a-cA-Cäß ]{0,8}", wanted in "[a-cäß]{0,3}") {
            prop_assert_eq!(holds(&text, &wanted), text.to_lowercase().contains(&wanted));
        }

        #[test]
        fn names_are_in_the_order_of_their_beginnings(
            begin in "[a-b0-1é/]{0,3}",
            ends in proptest::collection::vec("[a0-1/é]{0,40}|[a-]{24,29}[0-9]{0,12}x?", 2..5),
        ) {
            let names: Vec<String> = ends.iter().map(|end| format!("{begin}{end}")).collect();
            let values: Vec<Value<'_>> = names.iter().map(Value::text).collect();
            let skip = alike(&values);
            for (a, b) in values.iter().flat_map(|a| values.iter().map(move |b| (a, b))) {
                let (x, y) = (a.beginning(skip), b.beginning(skip));
                prop_assert!(x == y || x.cmp(&y) == a.compare(b), "{:?} {:?}", a, b);
                prop_assert!(x != y || !x.is_whole() || a.compare(b).is_eq(), "{:?} {:?}", a, b);
            }
        }
    }
}
