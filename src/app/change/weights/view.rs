//! How the traffic editor looks.

use ratatui::layout::Rect;

use super::{ReadRule, Row, WeightsForm};
use crate::fleet::Clean;
use crate::gate::plan::traffic::ease;
use crate::ui::pen::{self, Pen};
use crate::ui::{Align, Cell, Meaning, dialog, meter};

/// Cells of the meter.
const METER: u16 = 20;

impl WeightsForm {
    /// ```text
    /// ╭ ml-platform/ml-inference-multicloud · rule 3 (default) ─────────────────────────────╮
    /// │                              now   new                          share        ready  │
    /// │›   aws  ml-inference-aws      60    50   ██████████░░░░░░░░░░   50.0%  -10.0  6/6    │
    /// │ 🔒 gcp  ml-inference-gcp      40    50   ██████████░░░░░░░░░░   50.0%  +10.0  4/4    │
    /// │ sum 100   largest move 10.0%   in one step                                          │
    /// │ owner   aws-east: unmanaged                                                          │
    /// │ writes to  aws-east, gcp-central                                                     │
    /// ```
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        let Some(read) = &self.read else { return self.view_waiting(pen, area) };
        let height = (read.rows.len() + read.words.len()) as u16 + 4 + u16::from(self.mistake.is_some());
        let place = dialog::centred(area, 104, height);
        let title = Clean::from(format!("{} · {}", self.route.key, read.label));
        let inside = dialog::open(pen, place, &title, &Clean::default());
        let mut lines = pen::lines(inside);
        let names = read.rows.iter().map(|row| crate::ui::text::width(&row.name)).max().unwrap_or(0).min(34);
        if let Some(line) = lines.next() {
            let head = format!(
                "{:<9}{:<names$}  {:>5} {:>6}   {:<20}  {:>6} {:>6}  ready",
                "", "", "now", "new", "share", "", ""
            );
            pen.put(line, head, Meaning::Faint);
        }
        let (before, after) =
            (ease::shares(&weights(read, |row| row.now)), ease::shares(&weights(read, |row| row.new)));
        for ((at, row), line) in read.rows.iter().enumerate().zip(&mut lines) {
            let mark = if at == self.cursor { pen.cx.glyphs.cursor } else { " " };
            let mut whole = Cell::new(mark, Meaning::Text);
            whole.parts.extend(cell(row, (before[at], after[at]), names, pen.cx.glyphs).parts);
            pen.put_cell(line, &whole, Align::Left);
            if at == self.cursor {
                pen.tone(line, Meaning::Cursor);
            }
        }
        let largest = before.iter().zip(&after).map(|(a, b)| (b - a).abs() * 100.0).fold(0.0, f64::max);
        let how = read.ramp.map_or_else(
            || "in one step".to_owned(),
            |ramp| format!("ramp: {}% every {}", ramp.by, ramp.every),
        );
        if let Some(line) = lines.next() {
            pen.put(line, format!("sum {}   largest move {largest:.1}%   {how}", read.sum), Meaning::Text);
        }
        for ((words, meaning), line) in read.words.iter().zip(&mut lines) {
            pen.put(line, words, *meaning);
        }
        if let (Some(words), Some(line)) = (&self.mistake, lines.next()) {
            pen.put(line, words.as_str(), Meaning::Bad);
        }
    }

    fn view_waiting(&self, pen: &mut Pen<'_>, area: Rect) {
        let place = dialog::centred(area, 72, 4);
        let inside = dialog::open(pen, place, &Clean::from(format!("{}", self.route.key)), &Clean::default());
        match &self.fault {
            Some(words) => pen.put_wrapped(inside, &words.as_str().into(), Meaning::Bad),
            None => drop(pen.put(inside, "reading what is there now", Meaning::Muted)),
        }
    }
}

fn weights(read: &ReadRule, of: fn(&Row) -> u32) -> Vec<u32> {
    read.rows.iter().map(of).collect()
}

fn cell(row: &Row, (before, after): (f64, f64), names: usize, glyphs: &crate::ui::Glyphs) -> Cell {
    let lock = if row.locked { glyphs.locked } else { " " };
    let moved = (after - before) * 100.0;
    let ready = if row.healthy { Meaning::Good } else { Meaning::Warning };
    let new = if row.now == row.new { Meaning::Muted } else { Meaning::Progress };
    let name: String = row.name.chars().take(names).collect();
    let mut cell = Cell::new(format!("{lock} "), Meaning::Warning)
        .and(format!("{:<6}", row.cloud.to_string()), Meaning::Muted)
        .and(format!("{name:<names$}  "), Meaning::Text)
        .and(format!("{:>5} ", row.now), Meaning::Muted)
        .and(format!("{:>6}   ", row.new), new);
    cell.parts.extend(meter::bar(after, METER.into(), glyphs, Meaning::Info).parts);
    cell.and(format!("  {:>5.1}%", after * 100.0), Meaning::Text)
        .and(
            if moved.abs() < 0.05 { format!("{:>7}", "") } else { format!(" {moved:>+6.1}") },
            Meaning::Progress,
        )
        .and(format!("  {}", row.ready), ready)
}
