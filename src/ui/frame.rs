//! The outer frame: header, tabs, body, notice, hints.

use ratatui::layout::Rect;

use super::pen::{self, Pen};
use super::text;
use super::theme::Meaning;
use crate::fleet::Clean;

/// Below this there is no room to say anything useful.
pub const SMALLEST: (u16, u16) = (40, 10);

/// Where the parts of the screen are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Areas {
    pub header: Rect,
    pub tabs: Rect,
    pub body: Rect,
    pub notice: Rect,
    pub hints: Rect,
}

/// `None` when the screen is too small.
///
/// ```text
///  skydeck  acme-ml   clusters 7/8 live   GPUs 412/512 …            READ-ONLY   14:02:11Z    header
///  1 Fleet  2 Clusters  4 Jobs  5 Replicas                                                   tabs
///  …                                                                                         body
///  configuration reloaded                                                                    notice
///  ↵ open   / filter   c scope   : command   ? help   q quit                                 hints
/// ```
pub fn areas(screen: Rect, has_notice: bool) -> Option<Areas> {
    if screen.width < SMALLEST.0 || screen.height < SMALLEST.1 {
        return None;
    }
    let notice_height = u16::from(has_notice);
    let last = screen.height - 1;
    Some(Areas {
        header: pen::line(screen, 0),
        tabs: pen::line(screen, 1),
        body: Rect { y: screen.y + 2, height: screen.height - 3 - notice_height, ..screen },
        notice: if has_notice { pen::line(screen, last - 1) } else { Rect::default() },
        hints: pen::line(screen, last),
    })
}

/// Words from the left with a gap between; what does not fit is left out whole, the last first.
pub fn strip(pen: &mut Pen<'_>, line: Rect, parts: &[Vec<(Clean, Meaning)>], gap: u16) -> u16 {
    let mut x = line.x + 1;
    let end = line.x + line.width;
    for part in parts {
        let wide: usize = part.iter().map(|(words, _)| text::width(words)).sum();
        if x + wide as u16 > end {
            break;
        }
        for (words, meaning) in part {
            x += pen.put(Rect { x, width: end.saturating_sub(x), ..line }, words, *meaning);
        }
        x += gap;
    }
    x.min(end)
}

/// What is said on a screen that is too small: the program goes on.
pub fn too_small(pen: &mut Pen<'_>, screen: Rect) {
    let words = format!("too small: {}x{} is needed", SMALLEST.0, SMALLEST.1);
    pen.put(pen::line(screen, 0), words, Meaning::Warning);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_cover_the_screen_and_do_not_overlap() {
        for height in SMALLEST.1..60 {
            for has_notice in [false, true] {
                let screen = Rect { x: 0, y: 0, width: 80, height };
                let areas = areas(screen, has_notice).unwrap();
                let parts = [areas.header, areas.tabs, areas.body, areas.notice, areas.hints];
                let covered: u16 = parts.iter().map(|part| part.height).sum();
                assert_eq!(covered, height);
            }
        }
        assert_eq!(areas(Rect { x: 0, y: 0, width: 39, height: 24 }, false), None);
    }
}
