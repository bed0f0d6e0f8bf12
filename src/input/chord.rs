//! Keys and chords, as text and back: `ctrl-r`, `g g`, `shift-tab`, `space`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A key with its modifiers. Shift is part of the character for printable keys: `G`, not `shift-g`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    pub code: Code,
    pub ctrl: bool,
    pub alt: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Code {
    Char(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Insert,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    F(u8),
}

/// Keys pressed one after the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chord(pub Vec<Key>);

/// The names of keys that are not their own character.
const NAMES: [(&str, Code); 18] = [
    ("enter", Code::Enter),
    ("esc", Code::Esc),
    ("tab", Code::Tab),
    ("shift-tab", Code::BackTab),
    ("backspace", Code::Backspace),
    ("delete", Code::Delete),
    ("insert", Code::Insert),
    ("up", Code::Up),
    ("down", Code::Down),
    ("left", Code::Left),
    ("right", Code::Right),
    ("home", Code::Home),
    ("end", Code::End),
    ("pageup", Code::PageUp),
    ("pagedown", Code::PageDown),
    ("space", Code::Char(' ')),
    ("minus", Code::Char('-')),
    ("plus", Code::Char('+')),
];

impl Key {
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false, alt: false }
    }

    pub const fn char(character: char) -> Self {
        Self::plain(Code::Char(character))
    }

    pub const fn ctrl(character: char) -> Self {
        Self { code: Code::Char(character), ctrl: true, alt: false }
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut rest, mut key) = (text, Self::plain(Code::Esc));
        loop {
            if let Some(after) = rest.strip_prefix("ctrl-") {
                (rest, key.ctrl) = (after, true);
            } else if let Some(after) = rest.strip_prefix("alt-") {
                (rest, key.alt) = (after, true);
            } else {
                break;
            }
        }
        let mut characters = rest.chars();
        key.code = match (characters.next(), characters.next()) {
            (Some(only), None) if !only.is_whitespace() && !only.is_control() => Code::Char(only),
            _ => named(rest).ok_or_else(|| {
                format!(
                    "`{text}` is not a key: write it as `a`, `G`, `ctrl-r`, `alt-x`, `enter`, `space` or `f5`"
                )
            })?,
        };
        // Terminals send control characters without their case.
        if let (Code::Char(character), true) = (key.code, key.ctrl) {
            key.code = Code::Char(character.to_ascii_lowercase());
        }
        Ok(key)
    }
}

fn named(name: &str) -> Option<Code> {
    let number = name.strip_prefix('f').and_then(|number| number.parse::<u8>().ok());
    match number {
        Some(number) if (1..=12).contains(&number) => Some(Code::F(number)),
        _ => NAMES.iter().find(|(known, _)| *known == name).map(|(_, code)| *code),
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl-")?;
        }
        if self.alt {
            f.write_str("alt-")?;
        }
        if let Some((name, _)) = NAMES.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            Code::Char(character) => write!(f, "{character}"),
            Code::F(number) => write!(f, "f{number}"),
            _ => Ok(()),
        }
    }
}

impl FromStr for Chord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let keys = text.split_whitespace().map(str::parse).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err("a key is needed".into()) } else { Ok(Self(keys)) }
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, key) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{key}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_read_as_people_write_them() {
        for (text, key) in [
            ("a", Key::char('a')),
            ("G", Key::char('G')),
            ("ctrl-r", Key::ctrl('r')),
            ("ctrl-R", Key::ctrl('r')),
            ("alt-ctrl-x", Key { code: Code::Char('x'), ctrl: true, alt: true }),
            ("shift-tab", Key::plain(Code::BackTab)),
            ("space", Key::char(' ')),
            ("f12", Key::plain(Code::F(12))),
            ("?", Key::char('?')),
            ("-", Key::char('-')),
        ] {
            assert_eq!(text.parse(), Ok(key), "{text}");
        }
        for wrong in ["", "f13", "f0", "hyper-x", "ctrl-", "ab"] {
            assert!(wrong.parse::<Key>().is_err(), "{wrong}");
        }
        assert!(" ".parse::<Chord>().is_err());
    }

    fn any_key() -> impl Strategy<Value = Key> {
        let code = prop_oneof![
            any::<char>()
                .prop_filter("printable", |c| !c.is_control() && (*c == ' ' || !c.is_whitespace()))
                .prop_map(Code::Char),
            proptest::sample::select(NAMES.map(|(_, code)| code).to_vec()),
            (1u8..=12).prop_map(Code::F),
        ];
        (code, any::<bool>(), any::<bool>()).prop_map(|(code, ctrl, alt)| {
            let code = match code {
                Code::Char(c) if ctrl => Code::Char(c.to_ascii_lowercase()),
                code => code,
            };
            Key { code, ctrl, alt }
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(keys in proptest::collection::vec(any_key(), 1..4)) {
            let chord = Chord(keys);
            prop_assert_eq!(chord.to_string().parse(), Ok(chord));
        }
    }
}
