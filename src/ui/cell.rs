//! What stands in one place of a table: words with their meanings.

use super::theme::Meaning;
use super::{Glyphs, text};
use crate::fleet::Clean;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    pub parts: Vec<(Clean, Meaning)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

impl Cell {
    pub fn new(text: impl Into<Clean>, meaning: Meaning) -> Self {
        Self { parts: vec![(text.into(), meaning)] }
    }

    pub fn text(text: impl Into<Clean>) -> Self {
        Self::new(text, Meaning::Text)
    }

    pub fn muted(text: impl Into<Clean>) -> Self {
        Self::new(text, Meaning::Muted)
    }

    /// Nobody knows: never an empty cell, never a zero.
    pub fn unknown(glyphs: &Glyphs) -> Self {
        Self::new(glyphs.unknown, Meaning::Unknown)
    }

    /// The same with another part behind it.
    #[must_use]
    pub fn and(mut self, text: impl Into<Clean>, meaning: Meaning) -> Self {
        self.parts.push((text.into(), meaning));
        self
    }

    /// The same said of something that is not as of now.
    #[must_use]
    pub fn stale(mut self) -> Self {
        for (_, meaning) in &mut self.parts {
            *meaning = Meaning::Stale;
        }
        self
    }

    pub fn width(&self) -> usize {
        self.parts.iter().map(|(part, _)| text::width(part)).sum()
    }

    /// The words without their meanings.
    pub fn plain(&self) -> String {
        self.parts.iter().map(|(part, _)| part.as_str()).collect()
    }
}
