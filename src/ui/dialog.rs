//! Boxes on top of a panel: where they are put, and the list to choose from that several of them show.

use ratatui::layout::Rect;

use super::cell::{Align, Cell};
use super::pen::{self, Pen};
use super::table::scrolled;
use super::theme::Meaning;
use crate::fleet::Clean;

/// A box of at most this size in the middle of an area.
pub fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

/// Clears the place, frames it and gives its inside.
pub fn open(pen: &mut Pen<'_>, area: Rect, title: &Clean, note: &Clean) -> Rect {
    pen.clear(area);
    pen.frame(area, title, note)
}

/// Draws a list with its cursor; the cursor is always on the screen.
pub fn list(pen: &mut Pen<'_>, area: Rect, entries: &[Cell], cursor: usize) {
    let first = scrolled(0, cursor, area.height.into(), entries.len());
    for (line, (at, entry)) in pen::lines(area).zip(entries.iter().enumerate().skip(first)) {
        pen.put_cell(line, entry, Align::Left);
        if at == cursor {
            pen.tone(line, Meaning::Cursor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_never_leaves_its_area() {
        let area = Rect { x: 3, y: 2, width: 10, height: 4 };
        assert_eq!(centred(area, 100, 100), area);
        let small = centred(area, 4, 2);
        assert_eq!(small, Rect { x: 6, y: 3, width: 4, height: 2 });
        assert_eq!(centred(Rect::default(), 5, 5), Rect::default());
    }
}
