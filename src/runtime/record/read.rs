//! A recording read again. It is looked at as a whole before anything of it is shown: what is wrong with it is said with
//! its line, and nothing is guessed.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::line::{Entry, Header, Line, VERSION};
use crate::fleet::{Age, Clean};

/// No message is longer; a file that is something else must not fill the memory.
const LONGEST_LINE: u64 = 256 << 20;

/// A recording that can be shown.
#[derive(Debug)]
pub struct Recording {
    path: PathBuf,
    pub header: Header,
    /// Milliseconds from its beginning to its last line.
    pub end: u64,
    /// Its last line was cut off, and is left out.
    pub is_torn: bool,
    /// Where the picture was brought up to date: the number of the line, and when.
    frames: Vec<(usize, u64)>,
}

/// Why it cannot be shown.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken {
    path: PathBuf,
    line: Option<usize>,
    what: Clean,
    hint: Clean,
}

/// What every version has in its first line.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marked {
    skydeck_recording: u32,
    #[serde(default)]
    program: Clean,
}

impl Recording {
    pub fn open(path: &Path) -> Result<Self, Broken> {
        let mut lines = Lines::open(path)?;
        let header = lines.header()?;
        let mut recording =
            Self { path: path.to_owned(), header, end: 0, is_torn: false, frames: Vec::new() };
        while let Some(line) = lines.next() {
            let line = line?;
            recording.end = recording.end.max(line.at);
            if matches!(line.is, Entry::Frame) {
                recording.frames.push((lines.number, line.at));
            }
        }
        recording.is_torn = lines.is_torn;
        Ok(recording)
    }

    /// Everything behind the header, from the beginning.
    pub fn lines(&self) -> Result<Lines, Broken> {
        let mut lines = Lines::open(&self.path)?;
        lines.header = Some(self.header.program.clone().into());
        lines.raw()?;
        Ok(lines)
    }

    /// The line of the picture that was on the screen at a moment; `None` before the first.
    pub fn frame_at(&self, at: u64) -> Option<usize> {
        self.frames.iter().rev().find(|(_, frame)| *frame <= at).map(|(line, _)| *line)
    }

    /// The moments at which the picture changed.
    pub fn frames(&self) -> impl Iterator<Item = (usize, u64)> {
        self.frames.iter().copied()
    }

    pub fn length(&self) -> Age {
        Age(self.end / 1000)
    }

    /// Its last moment.
    pub fn end(&self) -> Duration {
        Duration::from_millis(self.end)
    }
}

/// The lines of a file, one after the other.
#[derive(Debug)]
pub struct Lines {
    path: PathBuf,
    file: BufReader<File>,
    /// Of the last line that was given.
    pub number: usize,
    is_torn: bool,
    /// The program that wrote it, once that is known.
    header: Option<Clean>,
}

impl Lines {
    fn open(path: &Path) -> Result<Self, Broken> {
        let wrong = |error: io::Error| Broken::file(path, &format!("cannot be read: {error}"), "");
        let file = File::open(path).map_err(wrong)?;
        if file.metadata().map_err(wrong)?.is_dir() {
            return Err(Broken::file(path, "is a folder", "name the file of the recording"));
        }
        let file = BufReader::with_capacity(1 << 16, file);
        Ok(Self { path: path.to_owned(), file, number: 0, is_torn: false, header: None })
    }

    fn header(&mut self) -> Result<Header, Broken> {
        let not_ours =
            |it: &Self| it.broken("it is no recording of skydeck", "`skydeck --record FILE` makes one");
        let Some(text) = self.raw()? else {
            self.number = 1;
            return Err(self.broken("it is empty, or cut off in its first line", "there is nothing to show"));
        };
        let marked: Marked = serde_json::from_slice(&text).map_err(|_| not_ours(self))?;
        if marked.skydeck_recording != VERSION {
            let what = format!(
                "it is of form {}, written by skydeck {}; this program, {}, reads form {VERSION}",
                marked.skydeck_recording,
                marked.program,
                env!("CARGO_PKG_VERSION")
            );
            return Err(self.broken(&what, "show it with the program that wrote it"));
        }
        self.header = Some(marked.program);
        serde_json::from_slice(&text).map_err(|error| self.not_understood(&error))
    }

    /// The next line as it stands; `None` at the end, also when the last line was cut off.
    fn raw(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        let mut line = Vec::new();
        let read = (&mut self.file).take(LONGEST_LINE).read_until(b'\n', &mut line);
        let length = read.map_err(|error| self.broken(&format!("cannot be read: {error}"), ""))?;
        if length == 0 {
            return Ok(None);
        }
        self.number += 1;
        if line.last() != Some(&b'\n') {
            if length as u64 == LONGEST_LINE {
                return Err(self.broken("it is longer than any message", "it is no recording, or damaged"));
            }
            self.is_torn = true;
            return Ok(None);
        }
        line.pop();
        Ok(Some(line))
    }

    fn not_understood(&self, error: &serde_json::Error) -> Broken {
        let own = env!("CARGO_PKG_VERSION");
        let by = match &self.header {
            Some(other) if !other.is_empty() && other.as_str() != own => {
                format!(" (written by skydeck {other}, this is {own})")
            }
            _ => String::new(),
        };
        let text = error.to_string();
        let words = text.split(" at line ").next().unwrap_or_default();
        let what = format!("is not understood{by}: {words} (column {})", error.column());
        let before = self.number - 1;
        let hint = match before {
            0 => "it is damaged: there is nothing to show".to_owned(),
            _ => format!(
                "what is before it can be shown: `head -n {before} FILE > BEFORE`, then `--replay BEFORE`"
            ),
        };
        self.broken(&what, &hint)
    }

    fn broken(&self, what: &str, hint: &str) -> Broken {
        let line = (self.number > 0).then_some(self.number);
        Broken { path: self.path.clone(), line, what: what.into(), hint: hint.into() }
    }
}

impl Iterator for Lines {
    type Item = Result<Line, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = match self.raw() {
            Ok(Some(line)) => line,
            Ok(None) => return None,
            Err(broken) => return Some(Err(broken)),
        };
        Some(serde_json::from_slice(&line).map_err(|error| self.not_understood(&error)))
    }
}

impl Broken {
    fn file(path: &Path, what: &str, hint: &str) -> Self {
        Self { path: path.to_owned(), line: None, what: what.into(), hint: hint.into() }
    }
}

/// `crash.jsonl, line 17: is not understood: …` and what to do.
impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = Clean::from(self.path.display().to_string());
        match self.line {
            Some(line) => write!(f, "{path}, line {line}: {}", self.what)?,
            None => write!(f, "{path} {}", self.what)?,
        }
        if self.hint.is_empty() { Ok(()) } else { write!(f, "\n  {}", self.hint) }
    }
}

impl std::error::Error for Broken {}
