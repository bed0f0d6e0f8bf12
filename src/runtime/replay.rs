//! A recording folded again: the same messages into the same app, without clusters, clocks or files of this machine.

use super::record::line::{Entry, Line};
use super::record::read::{Broken, Lines, Recording};
use crate::app::{App, Themes, update};
use crate::ui::Glyphs;

/// An app that a recording is folded into.
pub struct Replay {
    pub app: App,
    lines: Lines,
    next: Option<Line>,
    /// Milliseconds since the recording began, of the last line that was folded.
    pub position: u64,
    /// What the terminal measured then.
    pub size: (u16, u16),
    /// Whether the size of then is that of the app.
    follows_size: bool,
    /// What was pressed then is left out from now on: somebody else looks around.
    pub is_taken_over: bool,
}

/// A line that was folded.
#[derive(Debug)]
pub struct Step {
    pub words: String,
    /// Nothing happened but that time passed, or that the picture was drawn.
    pub is_aside: bool,
    /// The picture is another one.
    pub is_new: bool,
}

impl Replay {
    pub fn start(recording: &Recording, themes: Themes, glyphs: &'static Glyphs) -> Result<Self, Broken> {
        let header = &recording.header;
        let mut app = App::begun(header.beginning.clone(), themes, glyphs);
        app.set_screen(header.size.0, header.size.1);
        let mut lines = recording.lines()?;
        let next = lines.next().transpose()?;
        Ok(Self {
            app,
            lines,
            next,
            position: 0,
            size: header.size,
            follows_size: true,
            is_taken_over: false,
        })
    }

    /// Shows it on a screen of another size.
    pub fn shown_on(&mut self, width: u16, height: u16) {
        self.follows_size = (width, height) == self.size;
        self.app.set_screen(width, height);
    }

    /// When the next line is due; `None` at the end.
    pub fn next_at(&self) -> Option<u64> {
        self.next.as_ref().map(|line| line.at)
    }

    /// Folds the next line; `None` when there is none.
    pub fn step(&mut self) -> Result<Option<Step>, Broken> {
        let Some(line) = self.next.take() else { return Ok(None) };
        self.next = self.lines.next().transpose()?;
        self.position = self.position.max(line.at);
        let (words, is_aside) = (line.is.words(), matches!(line.is, Entry::Moment(_) | Entry::Frame));
        let is_new = self.fold(line.is);
        Ok(Some(Step { words, is_aside, is_new }))
    }

    /// Folds everything up to a line of the file.
    pub fn up_to_line(&mut self, number: usize) -> Result<(), Broken> {
        // The line that comes next was read already.
        while self.next.is_some() && self.lines.number <= number {
            self.step()?;
        }
        Ok(())
    }

    /// Folds everything up to a moment.
    pub fn up_to(&mut self, at: u64) -> Result<(), Broken> {
        while self.next_at().is_some_and(|next| next <= at) {
            self.step()?;
        }
        Ok(())
    }

    fn fold(&mut self, entry: Entry) -> bool {
        if self.is_taken_over && entry.is_by_hand() {
            return false;
        }
        match entry {
            Entry::Resize(width, height) => {
                self.size = (width, height);
                if self.follows_size {
                    self.app.set_screen(width, height);
                }
                return false;
            }
            // On another screen it hit something else.
            Entry::Mouse(_) if !self.follows_size => return false,
            _ => {}
        }
        match entry.into_message() {
            // What was asked for then was answered then.
            Ok(message) => drop(update(&mut self.app, message)),
            Err(Entry::Clusters(clusters)) => self.app.watch(clusters),
            Err(_) => return self.app.needs_frame(),
        }
        false
    }
}
