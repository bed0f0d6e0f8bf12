//! Shapes for states and frames, with their twins for terminals that only know ASCII.

use ratatui::symbols::border;

use crate::fleet::Clean;

/// One set of shapes. Every state has a shape of its own, so that colour is never needed to tell them apart.
#[derive(Debug)]
pub struct Glyphs {
    pub good: &'static str,
    pub progress: &'static str,
    pub paused: &'static str,
    pub warning: &'static str,
    pub bad: &'static str,
    pub info: &'static str,
    pub differs: &'static str,
    /// Nobody knows.
    pub unknown: &'static str,
    /// Known not to be there.
    pub absent: &'static str,
    pub ellipsis: &'static str,
    pub dash: &'static str,
    pub times: &'static str,
    /// From a value to another.
    pub arrow: &'static str,
    pub sort_up: &'static str,
    pub sort_down: &'static str,
    pub tint: &'static str,
    pub cursor: &'static str,
    pub full: &'static str,
    pub empty: &'static str,
    /// Eighths of a full cell, without none and all.
    pub partial: &'static [&'static str],
    pub checked: &'static str,
    pub unchecked: &'static str,
    /// Held while others move.
    pub locked: &'static str,
    /// Chosen for an action.
    pub marked: &'static str,
    pub enter: &'static str,
    pub border: border::Set<'static>,
}

pub static UNICODE: Glyphs = Glyphs {
    good: "●",
    progress: "↻",
    paused: "‖",
    warning: "▲",
    bad: "✖",
    info: "·",
    differs: "≠",
    unknown: "?",
    absent: "–",
    ellipsis: "…",
    dash: "–",
    times: "×",
    arrow: "→",
    sort_up: "↑",
    sort_down: "↓",
    tint: "▌",
    cursor: "›",
    full: "█",
    empty: "░",
    partial: &["▏", "▎", "▍", "▌", "▋", "▊", "▉"],
    checked: "[✓]",
    unchecked: "[ ]",
    locked: "■",
    marked: "◆",
    enter: "↵",
    border: border::ROUNDED,
};

pub static ASCII: Glyphs = Glyphs {
    good: "*",
    progress: "~",
    paused: "=",
    warning: "!",
    bad: "x",
    info: ".",
    differs: "#",
    unknown: "?",
    absent: "-",
    ellipsis: "~",
    dash: "-",
    times: "x",
    arrow: ">",
    sort_up: "^",
    sort_down: "v",
    tint: "|",
    cursor: ">",
    full: "#",
    empty: ".",
    partial: &[],
    checked: "[x]",
    unchecked: "[ ]",
    locked: "L",
    marked: "+",
    enter: "enter",
    border: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
};

impl Glyphs {
    /// This program's own signs in a text, as this terminal can draw them. All are one cell wide.
    pub fn spell(&self, words: Clean) -> Clean {
        if self.arrow == UNICODE.arrow || words.is_ascii() {
            return words;
        }
        let signs = [
            (UNICODE.arrow, self.arrow),
            (UNICODE.info, self.info),
            (UNICODE.ellipsis, self.ellipsis),
            (UNICODE.dash, self.dash),
            (UNICODE.times, self.times),
        ];
        signs.into_iter().fold(words.to_string(), |text, (sign, twin)| text.replace(sign, twin)).into()
    }

    /// Unicode unless the locale says otherwise, by the order in which the C library looks:
    /// `LC_ALL`, `LC_CTYPE`, `LANG`. An unset locale is taken for a modern terminal's.
    pub fn of_locale(locale: Option<&str>) -> &'static Self {
        let Some(locale) = locale.filter(|name| !name.is_empty()) else { return &UNICODE };
        let name = locale.to_ascii_lowercase().replace('-', "");
        if name.contains("utf8") { &UNICODE } else { &ASCII }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    fn states(set: &Glyphs) -> [&'static str; 9] {
        [
            set.good,
            set.progress,
            set.paused,
            set.warning,
            set.bad,
            set.info,
            set.differs,
            set.unknown,
            set.absent,
        ]
    }

    #[test]
    fn states_have_shapes_of_their_own_of_one_cell() {
        for set in [&UNICODE, &ASCII] {
            let mut shapes = states(set).to_vec();
            assert!(shapes.iter().all(|shape| shape.width() == 1), "{shapes:?}");
            shapes.sort_unstable();
            shapes.dedup();
            assert_eq!(shapes.len(), 9);
        }
        assert!(states(&ASCII).iter().all(|shape| shape.is_ascii()));
    }

    #[test]
    fn the_locale_decides() {
        for (locale, unicode) in [
            (None, true),
            (Some("en_US.UTF-8"), true),
            (Some("de_DE.utf8"), true),
            (Some("C"), false),
            (Some("POSIX"), false),
            (Some("en_US.ISO-8859-1"), false),
            (Some(""), true),
        ] {
            let glyphs = Glyphs::of_locale(locale);
            assert_eq!(std::ptr::eq(glyphs, &raw const UNICODE), unicode, "{locale:?}");
        }
    }
}
