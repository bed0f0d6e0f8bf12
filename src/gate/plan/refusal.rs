//! Why something is not planned, in words, and what to do instead.

use crate::fleet::Clean;
use crate::gate::Override;

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub words: Clean,
    /// What to do instead.
    pub hint: Clean,
    /// The rule that can be set aside in words, if it can.
    pub rule: Option<Override>,
    /// The world is not as it was shown.
    pub is_conflict: bool,
    /// There is nothing to change: the world is as it is wanted.
    pub is_already: bool,
}

impl Refusal {
    pub fn new(words: impl Into<Clean>, hint: impl Into<Clean>) -> Self {
        Self { words: words.into(), hint: hint.into(), rule: None, is_conflict: false, is_already: false }
    }

    #[must_use]
    pub fn unless(self, rule: Override) -> Self {
        Self { rule: Some(rule), ..self }
    }

    /// Who wants what is so already is not refused anything.
    pub fn already(words: impl Into<Clean>) -> Self {
        Self { is_already: true, ..Self::new(words, "") }
    }

    #[must_use]
    pub fn conflict(self) -> Self {
        Self { is_conflict: true, ..self }
    }
}

/// `words: hint`.
impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words)?;
        if !self.hint.is_empty() {
            write!(f, ": {}", self.hint)?;
        }
        if let Some(rule) = self.rule {
            write!(f, " (or set the rule `{}` aside)", rule.name())?;
        }
        Ok(())
    }
}
