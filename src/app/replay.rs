//! A recording is shown instead of the world: what the keys of whoever looks may do then, and how the header says so.
//!
//! Keys that were recorded do what they did. Those of the one who looks move about and change nothing: there is nobody
//! to send a change to, and what is shown is over.

use super::{App, Layer};
use crate::fleet::Clean;
use crate::input::{Action, Context, Key, Resolved};
use crate::ui::Meaning;

/// Why nothing is sent.
pub const CHANGES_NOTHING: &str = "a replay changes nothing";

pub(super) struct Shown {
    /// `REPLAY 1m12s of 2m x4`.
    pub(super) badge: Clean,
    /// The key that is taken now is that of the one who looks.
    pub(super) is_own: bool,
}

impl App {
    /// Says in the header that this is a recording, and where it stands.
    pub fn shows_recording(&mut self, badge: impl Into<Clean>) {
        let is_own = self.replay.as_ref().is_some_and(|shown| shown.is_own);
        self.replay = Some(Shown { badge: badge.into(), is_own });
    }

    /// Whose keys come next: those of the one who looks at the recording, or recorded ones.
    pub fn own_keys(&mut self, is_own: bool) {
        if let Some(shown) = &mut self.replay {
            shown.is_own = is_own;
        }
    }

    /// What a key means for the recording itself.
    pub fn replay_action(&self, key: Key) -> Option<Action> {
        let top = self.layers.last();
        if self.replay.is_none()
            || !self.pressed.is_empty()
            || top.is_some_and(|it| it.takes_text(&self.desk))
        {
            return None;
        }
        // A list to choose from keeps its keys.
        let contexts = top.map_or(&[][..], Layer::contexts);
        let contexts: Vec<Context> = contexts.iter().copied().chain([Context::Replay]).collect();
        match self.keymap.resolve(&contexts, &[key]) {
            Resolved::Action(action) if action.row().context == Context::Replay => Some(action),
            _ => None,
        }
    }

    /// Whether this would change something in a recording; then it is said that it does not.
    pub(super) fn is_only_shown(&mut self) -> bool {
        let refused = self.replay.as_ref().is_some_and(|shown| shown.is_own);
        if refused {
            self.notify(CHANGES_NOTHING, Meaning::Warning);
        }
        refused
    }

    /// The contexts whose keys are offered here.
    pub(super) fn offered_contexts(&self) -> Vec<Context> {
        let replay = self.replay.iter().map(|_| Context::Replay);
        replay.chain(self.contexts().iter().copied()).collect()
    }
}
