//! Colours by meaning. A theme is a file: a palette, and what each meaning looks like.
//!
//! The list of meanings is closed. A theme names those it cares about and inherits the rest; a test walks
//! the list over every theme that is shipped.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

/// What a piece of text is about; how that looks is the theme's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meaning {
    Text,
    Muted,
    Faint,
    Title,
    Border,
    Header,
    Brand,
    Tab,
    TabActive,
    Key,
    Hint,
    Cursor,
    Marked,
    Match,
    Good,
    Progress,
    Warning,
    Bad,
    Unknown,
    /// A value that is not as of now.
    Stale,
    Info,
    /// The write mode and other badges that must be seen.
    Badge,
    BadBadge,
    Notice,
    /// The identity of a cluster, by number.
    Tint(u8),
}

/// How many tints a theme has; clusters beyond begin anew.
pub const TINTS: u8 = 8;

/// The meanings with the names that theme files use.
const NAMES: [(&str, Meaning); 24] = [
    ("text", Meaning::Text),
    ("muted", Meaning::Muted),
    ("faint", Meaning::Faint),
    ("title", Meaning::Title),
    ("border", Meaning::Border),
    ("header", Meaning::Header),
    ("brand", Meaning::Brand),
    ("tab", Meaning::Tab),
    ("tab-active", Meaning::TabActive),
    ("key", Meaning::Key),
    ("hint", Meaning::Hint),
    ("cursor", Meaning::Cursor),
    ("marked", Meaning::Marked),
    ("match", Meaning::Match),
    ("good", Meaning::Good),
    ("progress", Meaning::Progress),
    ("warning", Meaning::Warning),
    ("bad", Meaning::Bad),
    ("unknown", Meaning::Unknown),
    ("stale", Meaning::Stale),
    ("info", Meaning::Info),
    ("badge", Meaning::Badge),
    ("bad-badge", Meaning::BadBadge),
    ("notice", Meaning::Notice),
];

#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    pub name: String,
    styles: BTreeMap<Meaning, Style>,
}

/// How many colours the terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    TrueColor,
    Ansi256,
    Ansi16,
    /// `NO_COLOR`: bold, reverse and underline remain.
    Mono,
}

/// The themes that come with the program.
pub const BUILT_IN: [(&str, &str); 4] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("contrast", include_str!("../../themes/contrast.toml")),
    ("plain", include_str!("../../themes/plain.toml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    inherits: Option<String>,
    #[serde(default)]
    palette: BTreeMap<String, String>,
    #[serde(default)]
    meanings: BTreeMap<String, Look>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Look {
    Colour(String),
    Full(FullLook),
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct FullLook {
    fg: Option<String>,
    bg: Option<String>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    reverse: bool,
}

/// Inheriting may go so deep; a circle goes deeper.
const DEEPEST: usize = 8;

impl Theme {
    /// The built-in theme of that name, or one of the user's files, which may inherit from either.
    pub fn load(name: &str, files: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut theme = Self { name: name.to_owned(), styles: BTreeMap::new() };
        let mut chain: Vec<(String, File)> = Vec::new();
        let mut name = name.to_owned();
        loop {
            if chain.len() == DEEPEST {
                return Err(format!("theme `{}` inherits in a circle", theme.name));
            }
            let text = source(&name, files).ok_or_else(|| {
                format!("there is no theme `{name}`: use {} or a file themes/{name}.toml", built_in_names())
            })?;
            let file: File =
                toml::from_str(text).map_err(|error| format!("theme `{name}`: {}", error.message()))?;
            let parent = file.inherits.clone();
            chain.push((name, file));
            match parent {
                Some(parent) => name = parent,
                None => break,
            }
        }
        // The nearest palette counts, also for the meanings that are inherited: a light theme is a palette.
        let palettes = chain.iter().rev().flat_map(|(_, file)| file.palette.clone());
        let palette: BTreeMap<String, String> = palettes.collect();
        for (name, file) in chain.iter().rev() {
            for (meaning, look) in &file.meanings {
                let meaning = named(meaning)
                    .ok_or_else(|| format!("theme `{name}`: there is no meaning `{meaning}`"))?;
                let style = style(look, &palette).map_err(|why| format!("theme `{name}`: {why}"))?;
                theme.styles.insert(meaning, style);
            }
        }
        Ok(theme)
    }

    /// The theme of last resort, when even the built-in files cannot be read: the terminal's own colours.
    pub fn bare() -> Self {
        Self { name: "bare".into(), styles: BTreeMap::new() }
    }

    pub fn style(&self, meaning: Meaning) -> Style {
        let meaning = match meaning {
            Meaning::Tint(number) => Meaning::Tint(number % TINTS),
            meaning => meaning,
        };
        self.styles.get(&meaning).copied().unwrap_or_default()
    }

    /// The same theme for a terminal with fewer colours.
    #[must_use]
    pub fn reduced(mut self, depth: Depth) -> Self {
        for style in self.styles.values_mut() {
            style.fg = style.fg.and_then(|colour| reduce(colour, depth));
            style.bg = style.bg.and_then(|colour| reduce(colour, depth));
        }
        if depth == Depth::Mono {
            let reverse = Style::new().add_modifier(Modifier::REVERSED);
            for meaning in [Meaning::Cursor, Meaning::Badge, Meaning::BadBadge, Meaning::TabActive] {
                self.styles.insert(meaning, reverse);
            }
        }
        self
    }
}

fn source<'a>(name: &str, files: &'a BTreeMap<String, String>) -> Option<&'a str> {
    let own = files.get(name).map(String::as_str);
    own.or_else(|| BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text))
}

fn built_in_names() -> String {
    BUILT_IN.map(|(name, _)| name).join(", ")
}

fn named(name: &str) -> Option<Meaning> {
    if let Some(number) = name.strip_prefix("tint-") {
        return number.parse().ok().filter(|number| *number < TINTS).map(Meaning::Tint);
    }
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, meaning)| *meaning)
}

fn style(look: &Look, palette: &BTreeMap<String, String>) -> Result<Style, String> {
    let full = match look {
        Look::Colour(colour) => return Ok(Style::new().fg(colour_of(colour, palette)?)),
        Look::Full(full) => full,
    };
    let mut style = Style::new();
    if let Some(colour) = &full.fg {
        style = style.fg(colour_of(colour, palette)?);
    }
    if let Some(colour) = &full.bg {
        style = style.bg(colour_of(colour, palette)?);
    }
    for (wanted, modifier) in [
        (full.bold, Modifier::BOLD),
        (full.dim, Modifier::DIM),
        (full.italic, Modifier::ITALIC),
        (full.underline, Modifier::UNDERLINED),
        (full.reverse, Modifier::REVERSED),
    ] {
        if wanted {
            style = style.add_modifier(modifier);
        }
    }
    Ok(style)
}

/// A name of the palette, `#rrggbb`, or a colour of the terminal: `red`, `bright-red`, `default`.
fn colour_of(name: &str, palette: &BTreeMap<String, String>) -> Result<Color, String> {
    let name = palette.get(name).map_or(name, String::as_str);
    if name == "default" {
        return Ok(Color::Reset);
    }
    let plain = name.strip_prefix("bright-").map_or_else(|| name.to_owned(), |n| format!("light{n}"));
    plain.parse().map_err(|_| {
        format!("`{name}` is not a colour: use #rrggbb, a name of [palette], or red, bright-red, default")
    })
}

fn reduce(colour: Color, depth: Depth) -> Option<Color> {
    match (colour, depth) {
        (_, Depth::Mono) => None,
        (Color::Rgb(r, g, b), Depth::Ansi256) => Some(Color::Indexed(cube(r, g, b))),
        (Color::Rgb(r, g, b), Depth::Ansi16) => Some(nearest_named(r, g, b)),
        (colour, _) => Some(colour),
    }
}

/// The nearest of the 6×6×6 cube and the grey ramp of 256-colour terminals.
fn cube(r: u8, g: u8, b: u8) -> u8 {
    let level = |value: u8| if value < 48 { 0 } else { (u16::from(value).saturating_sub(35) / 40) as u8 };
    if r.abs_diff(g) < 8 && g.abs_diff(b) < 8 && (8..=238).contains(&r) {
        return 232 + (u16::from(r).saturating_sub(8) / 10).min(23) as u8;
    }
    16 + 36 * level(r) + 6 * level(g) + level(b)
}

fn nearest_named(r: u8, g: u8, b: u8) -> Color {
    const NAMED: [(Color, [u8; 3]); 16] = [
        (Color::Black, [0, 0, 0]),
        (Color::Red, [170, 0, 0]),
        (Color::Green, [0, 170, 0]),
        (Color::Yellow, [170, 170, 0]),
        (Color::Blue, [0, 0, 170]),
        (Color::Magenta, [170, 0, 170]),
        (Color::Cyan, [0, 170, 170]),
        (Color::Gray, [170, 170, 170]),
        (Color::DarkGray, [85, 85, 85]),
        (Color::LightRed, [255, 85, 85]),
        (Color::LightGreen, [85, 255, 85]),
        (Color::LightYellow, [255, 255, 85]),
        (Color::LightBlue, [85, 85, 255]),
        (Color::LightMagenta, [255, 85, 255]),
        (Color::LightCyan, [85, 255, 255]),
        (Color::White, [255, 255, 255]),
    ];
    let distance = |[x, y, z]: [u8; 3]| {
        let part = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
        part(r, x) + part(g, y) + part(b, z)
    };
    NAMED.iter().min_by_key(|(_, rgb)| distance(*rgb)).map_or(Color::Reset, |(colour, _)| *colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_theme_names_every_meaning_or_inherits_it() {
        let none = BTreeMap::new();
        for (name, text) in BUILT_IN {
            assert!(text.starts_with("# "), "{name} says who it is for");
            let theme = Theme::load(name, &none).unwrap();
            for (word, meaning) in NAMES {
                assert!(theme.styles.contains_key(&meaning), "{name}: {word}");
            }
            for tint in 0..TINTS {
                assert!(theme.styles.contains_key(&Meaning::Tint(tint)), "{name}: tint-{tint}");
            }
        }
    }

    #[test]
    fn a_user_theme_inherits_and_its_palette_counts_for_what_it_inherits() {
        let mine = "inherits = \"dark\"\n[palette]\nred = \"#010203\"\n[meanings]\ntext = { fg = \"red\", bold = true }";
        let files = BTreeMap::from([("mine".to_owned(), mine.to_owned())]);
        let theme = Theme::load("mine", &files).unwrap();
        let dark = Theme::load("dark", &files).unwrap();
        assert_eq!(theme.style(Meaning::Text).fg, Some(Color::Rgb(1, 2, 3)));
        assert_eq!(theme.style(Meaning::Bad).fg, Some(Color::Rgb(1, 2, 3)));
        assert_eq!(theme.style(Meaning::Good), dark.style(Meaning::Good));
        assert_eq!(theme.style(Meaning::Tint(TINTS)), theme.style(Meaning::Tint(0)));
    }

    #[test]
    fn mistakes_in_a_theme_are_named() {
        for (text, told) in [
            ("inherits = \"nobody\"", "there is no theme `nobody`"),
            ("inherits = \"bad\"", "inherits in a circle"),
            ("[meanings]\nblinking = \"red\"", "no meaning `blinking`"),
            ("[meanings]\ntext = \"reddish\"", "`reddish` is not a colour"),
            ("colours = 1", "unknown field `colours`"),
        ] {
            let files = BTreeMap::from([("bad".to_owned(), text.to_owned())]);
            let error = Theme::load("bad", &files).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
        assert!(Theme::load("nope", &BTreeMap::new()).unwrap_err().contains("dark, light, contrast, plain"));
    }

    #[test]
    fn fewer_colours_keep_the_states_apart() {
        let none = BTreeMap::new();
        let mono = Theme::load("dark", &none).unwrap().reduced(Depth::Mono);
        assert!(mono.styles.values().all(|style| style.fg.is_none() && style.bg.is_none()));
        assert!(mono.style(Meaning::Cursor).add_modifier.contains(Modifier::REVERSED));
        let few = Theme::load("dark", &none).unwrap().reduced(Depth::Ansi16);
        assert!(few.styles.values().all(|style| !matches!(style.fg, Some(Color::Rgb(..)))));
        assert_ne!(few.style(Meaning::Good).fg, few.style(Meaning::Bad).fg);
        assert_eq!(cube(255, 0, 0), 196);
        assert_eq!(cube(128, 128, 128), 244);
    }
}
