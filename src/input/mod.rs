//! What a key means: keys become actions here and nowhere else.
//!
//! [`ACTIONS`] is the one table. Help, hint line, palette, the README's table of keys and the check of the
//! configuration walk it, so none of them can say something that is not so.

pub mod action;
pub mod chord;
pub mod keymap;

pub use action::{ACTIONS, Action, Context, Row};
pub use chord::{Chord, Code, Key};
pub use keymap::{Keymap, Resolved};
