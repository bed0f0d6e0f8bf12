//! What dialogs that ask have in common: they are deaf for a moment, so that keys meant for what was there before do
//! not decide anything.

use crate::fleet::Mono;
use crate::input::{Code, Key};

/// Keys that arrive sooner were typed ahead.
const DEAF_MS: u64 = 300;
/// Keys that follow a paste belong to it.
const AFTER_PASTE_MS: u64 = 200;

#[derive(Debug, Clone, Copy)]
pub struct Ear {
    hears_from: Mono,
}

impl Ear {
    /// A dialog, or something new in it to decide on, appears.
    pub fn opened(now: Mono) -> Self {
        Self { hears_from: Mono(now.0 + DEAF_MS) }
    }

    pub fn pasted(&mut self, now: Mono) {
        self.hears_from = self.hears_from.max(Mono(now.0 + AFTER_PASTE_MS));
    }

    pub fn is_deaf(self, now: Mono) -> bool {
        now < self.hears_from
    }

    /// Whether a key is not heard. `Esc` always is: to go away decides nothing.
    pub fn ignores(self, key: Key, now: Mono) -> bool {
        self.is_deaf(now) && key.code != Code::Esc
    }
}
