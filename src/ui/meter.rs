//! A bar for a share of a whole.

use super::theme::Meaning;
use super::{Cell, Glyphs};

/// A bar of so many cells, filled to a share between 0 and 1, in eighths of a cell where the glyphs can.
pub fn bar(share: f64, cells: usize, glyphs: &Glyphs, meaning: Meaning) -> Cell {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let steps = glyphs.partial.len() + 1;
    let filled = (share * (cells * steps) as f64).round() as usize;
    let (full, rest) = (filled / steps, filled % steps);
    let mut front = glyphs.full.repeat(full);
    if rest > 0 {
        front.push_str(glyphs.partial[rest - 1]);
    }
    let empty = cells - full - usize::from(rest > 0);
    Cell::new(front, meaning).and(glyphs.empty.repeat(empty), Meaning::Faint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::glyphs::{ASCII, UNICODE};

    #[test]
    fn a_bar_has_always_its_width() {
        for glyphs in [&UNICODE, &ASCII] {
            for share in [0.0, 0.01, 0.5, 0.78, 0.999, 1.0, 7.0, -1.0, f64::NAN] {
                assert_eq!(bar(share, 10, glyphs, Meaning::Text).width(), 10, "{share}");
            }
        }
        assert_eq!(bar(0.75, 8, &ASCII, Meaning::Text).plain(), "######..");
        assert_eq!(bar(0.78, 10, &UNICODE, Meaning::Text).plain(), "███████▊░░");
    }
}
