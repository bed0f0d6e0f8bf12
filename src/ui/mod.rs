//! How things look; knows nothing of what is shown.
//!
//! Everything textual is [`Clean`](crate::fleet::Clean), every style a [`Meaning`]: a panel says
//! that a value is stale, the theme says how stale looks. States differ by word or shape before colour.

pub mod cell;
pub mod dialog;
pub mod frame;
pub mod glyphs;
pub mod input_line;
pub mod meter;
pub mod pen;
pub mod table;
pub mod text;
pub mod theme;

pub use cell::{Align, Cell};
pub use glyphs::Glyphs;
pub use pen::Pen;
pub use theme::{Meaning, Theme};

use crate::fleet::Now;

/// The one context that drawing gets.
#[derive(Debug, Clone, Copy)]
pub struct ViewCx<'a> {
    pub theme: &'a Theme,
    pub glyphs: &'static Glyphs,
    pub now: Now,
}
