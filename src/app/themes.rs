//! The themes to choose from, and the one that is chosen.

use std::collections::BTreeMap;

use crate::ui::Theme;
use crate::ui::theme::{BUILT_IN, Depth};

#[derive(Debug, Clone)]
pub struct Themes {
    files: BTreeMap<String, String>,
    depth: Depth,
    chosen: String,
    theme: Theme,
}

impl Themes {
    /// The wanted theme; if it cannot be used, the default and the reason.
    pub fn new(wanted: &str, files: BTreeMap<String, String>, depth: Depth) -> (Self, Option<String>) {
        let mut themes = Self { files, depth, chosen: "bare".into(), theme: Theme::bare() };
        match themes.choose(wanted) {
            Ok(()) => (themes, None),
            Err(reason) => {
                // The built-in ones are tested to load.
                let _ = themes.choose(BUILT_IN[0].0);
                (themes, Some(reason))
            }
        }
    }

    pub fn choose(&mut self, name: &str) -> Result<(), String> {
        self.theme = Theme::load(name, &self.files)?.reduced(self.depth);
        name.clone_into(&mut self.chosen);
        Ok(())
    }

    pub fn chosen(&self) -> &str {
        &self.chosen
    }

    pub fn theme(&self) -> &Theme {
        &self.theme
    }

    /// Built-in themes, then the user's.
    pub fn names(&self) -> Vec<String> {
        let own = self.files.keys().filter(|name| BUILT_IN.iter().all(|(known, _)| known != name));
        BUILT_IN.iter().map(|(name, _)| (*name).to_owned()).chain(own.cloned()).collect()
    }

    /// The user's files anew, after they changed.
    pub fn set_files(&mut self, files: BTreeMap<String, String>) {
        self.files = files;
        let chosen = self.chosen.clone();
        let _ = self.choose(&chosen);
    }
}

/// The theme to begin with: what was asked for, else what was used last, else by the terminal.
pub fn default_name(depth: Depth) -> &'static str {
    match depth {
        Depth::TrueColor | Depth::Ansi256 => "dark",
        Depth::Ansi16 | Depth::Mono => "plain",
    }
}

/// What the environment says about colours: `NO_COLOR`, `COLORTERM`, `TERM`.
pub fn depth_of(no_color: bool, colorterm: Option<&str>, term: Option<&str>) -> Depth {
    let term = term.unwrap_or("");
    if no_color {
        Depth::Mono
    } else if colorterm.is_some_and(|it| it.contains("truecolor") || it.contains("24bit"))
        || term.contains("direct")
    {
        Depth::TrueColor
    } else if term.contains("256") {
        Depth::Ansi256
    } else {
        Depth::Ansi16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terminal_says_how_many_colours_it_has() {
        assert_eq!(depth_of(true, Some("truecolor"), None), Depth::Mono);
        assert_eq!(depth_of(false, Some("truecolor"), Some("xterm")), Depth::TrueColor);
        assert_eq!(depth_of(false, None, Some("xterm-256color")), Depth::Ansi256);
        assert_eq!(depth_of(false, None, Some("linux")), Depth::Ansi16);
        assert_eq!(depth_of(false, None, None), Depth::Ansi16);
    }

    #[test]
    fn a_theme_that_cannot_be_used_is_told_and_the_default_is_used() {
        let (themes, reason) = Themes::new("nope", BTreeMap::new(), Depth::TrueColor);
        assert_eq!(themes.chosen(), "dark");
        assert!(reason.unwrap().contains("no theme `nope`"));
    }
}
