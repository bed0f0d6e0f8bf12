//! Text from outside, made safe once, where it enters.
//!
//! Names, messages and logs are written by whoever can create an object in a cluster. A terminal obeys what
//! it is sent: control sequences clear the screen, bidirectional marks reorder it, invisible characters make
//! two names look alike. [`Clean`] is the only text that the rest of the program draws, and [`sanitize`] is
//! the only way to make one. It refuses to guess: whatever is not plainly visible is shown as an escape.

use std::borrow::{Borrow, Cow};
use std::collections::HashSet;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_width::UnicodeWidthChar;

/// The longest text kept, in characters; messages beyond it end in `…`.
pub const LONGEST_TEXT: usize = 4096;

/// Combining marks kept on one base character; more is a way to paint over neighbouring lines.
const MOST_MARKS: usize = 2;

/// Text that is safe to draw: one line, no control, bidirectional or invisible characters.
///
/// Cheap to clone; equal texts of one source share their bytes ([`Interner`]).
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Clean(Arc<str>);

impl Clean {
    pub fn new(raw: &str) -> Self {
        Self(Arc::from(&*sanitize(raw)))
    }

    /// A part of a clean text, which is clean; nothing when it does not begin and end between characters.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Self {
        Self(self.0.get(range).unwrap_or_default().into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Clean {
    fn from(raw: &str) -> Self {
        Self::new(raw)
    }
}

impl From<String> for Clean {
    fn from(raw: String) -> Self {
        Self::new(&raw)
    }
}

impl From<&Clean> for Clean {
    fn from(text: &Clean) -> Self {
        text.clone()
    }
}

impl<'a> From<&'a Clean> for Cow<'a, str> {
    fn from(text: &'a Clean) -> Self {
        Self::Borrowed(text.as_str())
    }
}

impl Deref for Clean {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Clean {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Clean {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Clean {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for Clean {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Clean {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(String::deserialize(deserializer)?))
    }
}

/// The same text with everything a terminal could obey or hide turned into visible escapes.
///
/// Line breaks and tabs become spaces (a text is one line; callers that want lines split first), `ESC`
/// becomes `\x1b`, a right-to-left override becomes `\u{202e}`. Applying it twice changes nothing more.
pub fn sanitize(raw: &str) -> Cow<'_, str> {
    if raw.len() <= LONGEST_TEXT && raw.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
        return Cow::Borrowed(raw);
    }
    let mut clean = String::with_capacity(raw.len());
    let (mut marks, mut has_base) = (0, false);
    for (count, character) in raw.chars().enumerate() {
        if count == LONGEST_TEXT {
            clean.push('…');
            break;
        }
        match class(character) {
            Class::Visible => {
                clean.push(character);
                (marks, has_base) = (0, true);
            }
            Class::Space => {
                clean.push(' ');
                (marks, has_base) = (0, true);
            }
            Class::Mark if has_base => {
                marks += 1;
                if marks <= MOST_MARKS {
                    clean.push(character);
                }
            }
            Class::Mark | Class::Hidden => {
                clean.extend(escape(character));
                (marks, has_base) = (0, true);
            }
        }
    }
    Cow::Owned(clean)
}

enum Class {
    Visible,
    Space,
    Mark,
    Hidden,
}

fn class(character: char) -> Class {
    match character {
        '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Class::Space,
        _ if character.is_control() || is_format(character) => Class::Hidden,
        _ if character != ' ' && character.is_whitespace() => Class::Space,
        _ => match character.width() {
            Some(0) => Class::Mark,
            Some(_) => Class::Visible,
            None => Class::Hidden,
        },
    }
}

/// Characters that steer the display or show nothing: Unicode's `Cf`, `Co`, `Cn` of interest and its
/// Default_Ignorable_Code_Point (Unicode 16, DerivedCoreProperties.txt).
fn is_format(character: char) -> bool {
    matches!(u32::from(character),
        0xad | 0x34f | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x890..=0x891 | 0x8e2
        | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x202a..=0x202e
        | 0x2060..=0x206f | 0x3164 | 0xe000..=0xf8ff | 0xfe00..=0xfe0f | 0xfeff | 0xffa0
        | 0xfff0..=0xfffb | 0x110bd | 0x110cd | 0x13430..=0x1343f | 0x1bca0..=0x1bca3
        | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff | 0xf0000..=0x0010_ffff)
}

fn escape(character: char) -> impl Iterator<Item = char> {
    let code = u32::from(character);
    let text = if code < 0x100 { format!("\\x{code:02x}") } else { format!("\\u{{{code:x}}}") };
    text.chars().collect::<Vec<_>>().into_iter()
}

/// The text that a JSON value is; empty when it is not one.
pub fn of_json(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or("")
}

/// Gives equal texts one allocation; each source owns one, so there is no lock.
///
/// Texts that nobody uses any more are let go when the set has doubled, so churn does not grow it.
#[derive(Default)]
pub struct Interner {
    known: HashSet<Clean>,
    prune_at: usize,
}

impl Interner {
    pub fn intern(&mut self, raw: &str) -> Clean {
        if let Some(text) = self.known.get(raw) {
            return text.clone();
        }
        let text = Clean::new(raw);
        if let Some(text) = self.known.get(&text) {
            return text.clone();
        }
        if self.known.len() >= self.prune_at {
            self.known.retain(|text| Arc::strong_count(&text.0) > 1);
            self.prune_at = (self.known.len() * 2).max(1024);
        }
        self.known.insert(text.clone());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        for (raw, shown) in [
            ("plain name-1.2", "plain name-1.2"),
            ("\x1b[2Jgone", "\\x1b[2Jgone"),
            ("title\x1b]0;x\x07", "title\\x1b]0;x\\x07"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("c1\u{9b}2J", "c1\\x9b2J"),
            ("tag\u{e0041}", "tag\\u{e0041}"),
            ("two\nlines\tand a tab", "two lines and a tab"),
            ("日本語 ümlaut", "日本語 ümlaut"),
            ("z\u{301}\u{302}\u{303}\u{304}algo", "z\u{301}\u{302}algo"),
            ("\u{301}alone", "\\u{301}alone"),
        ] {
            assert_eq!(Clean::new(raw), *shown);
        }
    }

    #[test]
    fn a_long_text_ends_in_an_ellipsis() {
        let long = Clean::new(&"x".repeat(LONGEST_TEXT * 2));
        assert_eq!(long.chars().count(), LONGEST_TEXT + 1);
        assert!(long.ends_with('…'));
        assert_eq!(Clean::new(&long), long);
    }

    #[test]
    fn equal_texts_share_their_bytes_and_unused_ones_are_let_go() {
        let mut interner = Interner::default();
        let first = interner.intern("ml-platform");
        assert!(Arc::ptr_eq(&first.0, &interner.intern("ml-platform").0));
        let hostile = interner.intern("a\x1bb");
        assert!(Arc::ptr_eq(&hostile.0, &interner.intern("a\x1bb").0));
        for number in 0..100_000 {
            interner.intern(&format!("pod-{number}"));
        }
        assert!(interner.known.len() <= 2048, "{}", interner.known.len());
        assert!(Arc::ptr_eq(&first.0, &interner.intern("ml-platform").0));
    }

    fn harmless(text: &str) -> bool {
        text.chars().all(|c| !c.is_control() && !is_format(c) && (c == ' ' || !c.is_whitespace()))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn nothing_harmful_passes_and_once_is_enough(raw in any::<String>()) {
            let once = sanitize(&raw).into_owned();
            prop_assert!(harmless(&once), "{once:?}");
            prop_assert_eq!(sanitize(&once).into_owned(), once.clone());
        }

        #[test]
        fn hostile_alphabet(raw in "[\\x00-\\x1f\\x7f-\\x9f\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}\u{300}-\u{310}a\u{e0001}\u{ad}]{0,60}") {
            let once = sanitize(&raw).into_owned();
            prop_assert!(harmless(&once), "{once:?}");
            prop_assert_eq!(sanitize(&once).into_owned(), once.clone());
        }
    }
}
