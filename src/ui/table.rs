//! The one table: columns that give way to each other, a cursor, a sort mark.

use ratatui::layout::Rect;

use super::cell::{Align, Cell};
use super::pen::{self, Pen};
use super::text;
use super::theme::Meaning;
use crate::fleet::Clean;

/// A column as it is drawn.
#[derive(Debug, Clone)]
pub struct Head {
    pub title: Clean,
    pub align: Align,
    /// Cells it may grow to; what is longer is cut.
    pub widest: u16,
    /// Cells that it needs to be of use; it is cut down to them before whole columns are dropped.
    pub least: u16,
    /// What is dropped first when there is no room: the smaller. 0 is never dropped.
    pub drop: u8,
    pub sorted: Option<Order>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Ascending,
    Descending,
}

impl Order {
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// A row as it is drawn.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub cells: Vec<Cell>,
    /// Tint of the cluster it belongs to.
    pub tint: Option<u8>,
}

/// Where the cursor is: a row of those given, and a column for tables that have cell cursors.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cursor {
    pub row: Option<usize>,
    pub column: Option<usize>,
}

/// Cells before the first column: the cursor's mark and the tint.
const MARGIN: u16 = 2;
const GAP: u16 = 2;

/// Draws a header line and as many rows as fit:
///
/// ```text
///   CLUSTER      STATE      NODES   GPUS ↓
/// ›▌aws-east     ● live     24/24    160/192
///  ▌gcp-central  ● live     16/16     64/128
/// ```
pub fn draw(pen: &mut Pen<'_>, area: Rect, heads: &[Head], rows: &[Row], cursor: Cursor) {
    if area.is_empty() {
        return;
    }
    let visible = rows.get(..rows.len().min(area.height.saturating_sub(1).into())).unwrap_or(rows);
    let places = places(area, heads, visible);
    let mut header = pen::lines(area);
    if let Some(line) = header.next() {
        for (head, place) in heads.iter().zip(&places) {
            draw_head(pen, line, head, *place);
        }
    }
    for (at, (row, line)) in visible.iter().zip(header).enumerate() {
        draw_row(pen, line, (heads, row), &places);
        if cursor.row == Some(at) {
            pen.put(Rect { width: 1, ..line }, pen.cx.glyphs.cursor, Meaning::Key);
            let column = cursor.column.and_then(|column| places.get(column)).copied().flatten();
            match column {
                Some((x, width)) => pen.tone(Rect { x, width, ..line }, Meaning::Cursor),
                None => pen.tone(line, Meaning::Cursor),
            }
        }
    }
}

/// Start and width of a column; `None` when it had to be dropped.
type Place = Option<(u16, u16)>;

fn draw_head(pen: &mut Pen<'_>, line: Rect, head: &Head, place: Place) {
    let Some((x, width)) = place else { return };
    let mark = match head.sorted {
        None => "",
        Some(Order::Ascending) => pen.cx.glyphs.sort_up,
        Some(Order::Descending) => pen.cx.glyphs.sort_down,
    };
    let meaning = if mark.is_empty() { Meaning::Header } else { Meaning::Title };
    let title = Cell::new(Clean::from(format!("{}{mark}", head.title)), meaning);
    pen.put_cell(Rect { x, width, ..line }, &title, head.align);
}

fn draw_row(pen: &mut Pen<'_>, line: Rect, (heads, row): (&[Head], &Row), places: &[Place]) {
    if let Some(tint) = row.tint
        && line.width > 1
    {
        let place = Rect { x: line.x + 1, width: 1, ..line };
        pen.put(place, pen.cx.glyphs.tint, Meaning::Tint(tint));
    }
    for ((head, cell), place) in heads.iter().zip(&row.cells).zip(places) {
        if let Some((x, width)) = *place {
            pen.put_cell(Rect { x, width, ..line }, cell, head.align);
        }
    }
}

/// Divides the width: natural widths where there is room; else columns are cut down to what they need, and
/// then dropped.
fn places(area: Rect, heads: &[Head], rows: &[Row]) -> Vec<Place> {
    let mark = |head: &Head| usize::from(head.sorted.is_some());
    let natural: Vec<u16> = heads
        .iter()
        .enumerate()
        .map(|(at, head)| {
            let title = text::width(&head.title) + mark(head);
            let cells = rows.iter().filter_map(|row| row.cells.get(at)).map(Cell::width);
            let widest = cells.max().unwrap_or(0).min(head.widest.into());
            title.max(widest) as u16
        })
        .collect();
    let room = area.width.saturating_sub(MARGIN);
    let least = |at: usize| natural[at].min(heads[at].least);
    let mut kept: Vec<usize> = (0..heads.len()).collect();
    let needed = |kept: &[usize]| {
        kept.iter().map(|at| least(*at)).sum::<u16>() + GAP * (kept.len() as u16).saturating_sub(1)
    };
    while needed(&kept) > room {
        let droppable = kept.iter().filter(|at| heads[**at].drop > 0);
        let Some(first) = droppable.min_by_key(|at| heads[**at].drop).copied() else { break };
        kept.retain(|at| *at != first);
    }
    let mut spare = room.saturating_sub(needed(&kept));
    let mut x = area.x + MARGIN.min(area.width);
    let end = area.x + area.width;
    let mut places = vec![None; heads.len()];
    for at in kept {
        let mut width = least(at);
        let more = (natural[at] - width).min(spare);
        (width, spare) = (width + more, spare - more);
        let width = width.min(end.saturating_sub(x));
        if width > 0 {
            places[at] = Some((x, width));
        }
        x = (x + width + GAP).min(end);
    }
    places
}

/// Keeps the cursor on the screen: the first row to show.
pub fn scrolled(first: usize, cursor: usize, height: usize, total: usize) -> usize {
    let height = height.max(1);
    let first = first.min(total.saturating_sub(height));
    if cursor < first {
        cursor
    } else if cursor >= first + height {
        cursor + 1 - height
    } else {
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_on_the_screen() {
        assert_eq!(scrolled(0, 5, 10, 100), 0);
        assert_eq!(scrolled(0, 10, 10, 100), 1);
        assert_eq!(scrolled(50, 20, 10, 100), 20);
        assert_eq!(scrolled(95, 99, 10, 100), 90);
        assert_eq!(scrolled(5, 0, 0, 0), 0);
    }
}
