//! Reading TOML so that every mistake is found, not only the first.
//!
//! A [`Section`] is a table with its path. Asking it for a key records a mistake when the value is of the
//! wrong kind and goes on; what nobody asked for in the end is an unknown key.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::fleet::Age;

/// One mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// From 1; 0 when it concerns the whole file.
    pub line: usize,
    /// `cluster[2].cloud`; empty when it is the syntax.
    pub key: String,
    pub what: String,
    pub hint: String,
}

/// The mistakes of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub file: PathBuf,
    pub mistakes: Vec<Mistake>,
    /// Where each line begins, to tell lines from offsets.
    lines: Vec<usize>,
}

impl Report {
    pub fn new(file: &Path, text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { file: file.to_owned(), mistakes: Vec::new(), lines: [0].into_iter().chain(breaks).collect() }
    }

    pub fn unreadable(file: &Path, error: &std::io::Error) -> Self {
        let mut report = Self::new(file, "");
        let hint = "check the path given by --config or SKYDECK_CONFIG".to_owned();
        report.mistakes.push(Mistake { line: 0, key: String::new(), what: error.to_string(), hint });
        report
    }

    /// Parses the text and lets a function read it; syntax errors and its mistakes are both kept.
    pub fn read(&mut self, text: &str, with: impl FnOnce(&mut Section<'_>)) {
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let at = error.span().unwrap_or_default();
            self.add(at, "", error.message(), "");
        }
        if self.mistakes.is_empty() {
            let root = root.into_inner();
            let mut section =
                Section { path: String::new(), table: &root, at: 0..0, asked: Vec::new(), report: self };
            with(&mut section);
            section.finish();
        }
        self.mistakes.sort_by(|a, b| (a.line, &a.key).cmp(&(b.line, &b.key)));
    }

    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.mistakes.is_empty() { Ok(value) } else { Err(self) }
    }

    fn add(&mut self, at: Range<usize>, key: &str, what: impl Into<String>, hint: impl Into<String>) {
        let line = self.lines.partition_point(|begin| *begin <= at.start);
        self.mistakes.push(Mistake { line, key: key.to_owned(), what: what.into(), hint: hint.into() });
    }
}

/// A report as it is printed: one line a mistake, `file:line: key: what (hint)`.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        for (at, mistake) in self.mistakes.iter().enumerate() {
            let separator = if at > 0 { "\n" } else { "" };
            write!(f, "{separator}{file}")?;
            if mistake.line > 0 {
                write!(f, ":{}", mistake.line)?;
            }
            if !mistake.key.is_empty() {
                write!(f, ": {}", mistake.key)?;
            }
            write!(f, ": {}", mistake.what.trim().replace('\n', " "))?;
            if !mistake.hint.is_empty() {
                write!(f, " ({})", mistake.hint)?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Report {}

/// A table of the file.
pub struct Section<'a> {
    path: String,
    table: &'a DeTable<'a>,
    at: Range<usize>,
    asked: Vec<&'static str>,
    report: &'a mut Report,
}

/// A value with its place, for checks that come after reading it.
pub struct At<T> {
    pub value: T,
    pub at: Range<usize>,
}

impl<'a> Section<'a> {
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        self.text_at(key).map(|text| text.value)
    }

    pub fn text_at(&mut self, key: &'static str) -> Option<At<String>> {
        self.get(key, "a text", |value| value.as_str().map(str::to_owned))
    }

    pub fn boolean(&mut self, key: &'static str) -> Option<bool> {
        self.get(key, "true or false", as_bool).map(|it| it.value)
    }

    pub fn number(&mut self, key: &'static str) -> Option<f64> {
        let number = |value: &DeValue<'_>| match value {
            DeValue::Integer(it) => it.as_str().parse().ok(),
            DeValue::Float(it) => it.as_str().parse().ok(),
            _ => None,
        };
        self.get(key, "a number", number).map(|it| it.value)
    }

    /// A length of time: `90s`, `10m`, `2d`.
    pub fn age(&mut self, key: &'static str) -> Option<Age> {
        self.get(key, "a length of time such as \"90s\", \"10m\" or \"2d\"", |value| {
            Age::parse(value.as_str()?)
        })
        .map(|it| it.value)
    }

    /// A list of texts; one text alone is a list of one.
    pub fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.texts_at(key).map(|it| it.value)
    }

    pub fn texts_at(&mut self, key: &'static str) -> Option<At<Vec<String>>> {
        self.get(key, "a list of texts", texts)
    }

    /// A text that must be parsed; what is wrong with it is told.
    pub fn parsed<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text_at(key)?;
        match parse(&text.value) {
            Ok(value) => Some(value),
            Err(what) => {
                self.mistake(text.at, key, what, "");
                None
            }
        }
    }

    /// One of a list of names.
    pub fn one_of<T: Copy>(&mut self, key: &'static str, names: &[(&str, T)]) -> Option<T> {
        let text = self.text_at(key)?;
        let found = names.iter().find(|(name, _)| *name == text.value).map(|(_, value)| *value);
        if found.is_none() {
            let known: Vec<_> = names.iter().map(|(name, _)| *name).collect();
            let what = format!("`{}` is none of {}", text.value, known.join(", "));
            self.mistake(text.at, key, what, did_you_mean(&text.value, &known));
        }
        found
    }

    /// A table; nothing happens when it is not there.
    pub fn section(&mut self, key: &'static str, read: impl FnOnce(&mut Section<'_>)) {
        let Some(value) = self.peek(key) else { return };
        match value.get_ref() {
            DeValue::Table(table) => self.enter(key, table, value.span(), read),
            other => self.wrong_kind(key, value.span(), "a table", other),
        }
    }

    /// An array of tables.
    pub fn sections(&mut self, key: &'static str, mut read: impl FnMut(&mut Section<'_>)) {
        let Some(value) = self.peek(key) else { return };
        let Some(list) = value.get_ref().as_array() else {
            return self.wrong_kind(key, value.span(), "an array of tables", value.get_ref());
        };
        for (number, entry) in list.iter().enumerate() {
            let name = format!("{key}[{}]", number + 1);
            match entry.get_ref() {
                DeValue::Table(table) => self.enter(&name, table, entry.span(), &mut read),
                other => self.wrong_kind(key, entry.span(), "a table", other),
            }
        }
    }

    /// Every key of this table with its texts; for tables whose keys are free.
    pub fn entries(&mut self) -> Vec<(At<String>, At<Vec<String>>)> {
        let table = self.table;
        let mut entries = Vec::new();
        for (name, value) in table {
            let key = At { value: name.get_ref().to_string(), at: name.span() };
            match texts(value.get_ref()) {
                Some(list) => entries.push((key, At { value: list, at: value.span() })),
                None => self.wrong_kind(
                    name.get_ref(),
                    value.span(),
                    "a text or a list of texts",
                    value.get_ref(),
                ),
            }
        }
        self.asked.clear();
        self.asked.push("*");
        entries
    }

    /// Whether a key is there at all.
    pub fn has(&mut self, key: &'static str) -> bool {
        self.peek(key).is_some()
    }

    pub fn mistake(&mut self, at: Range<usize>, key: &str, what: impl Into<String>, hint: impl Into<String>) {
        let key = join(&self.path, key);
        self.report.add(at, &key, what, hint);
    }

    /// A mistake of the table as a whole.
    pub fn mistake_here(&mut self, what: impl Into<String>, hint: impl Into<String>) {
        let path = self.path.clone();
        self.report.add(self.at.clone(), &path, what, hint);
    }

    fn get<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(&DeValue<'_>) -> Option<T>,
    ) -> Option<At<T>> {
        let value = self.peek(key)?;
        let read = read(value.get_ref());
        if read.is_none() {
            self.wrong_kind(key, value.span(), wanted, value.get_ref());
        }
        read.map(|read| At { value: read, at: value.span() })
    }

    /// The value of a key, which is known from now on.
    fn peek(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.push(key);
        self.table.get(key)
    }

    fn enter(
        &mut self,
        name: &str,
        table: &DeTable<'_>,
        at: Range<usize>,
        read: impl FnOnce(&mut Section<'_>),
    ) {
        let path = join(&self.path, name);
        let mut section = Section { path, table, at, asked: Vec::new(), report: self.report };
        read(&mut section);
        section.finish();
    }

    fn wrong_kind(&mut self, key: &str, at: Range<usize>, wanted: &str, got: &DeValue<'_>) {
        let told = match got.as_str() {
            Some(text) => format!("\"{text}\""),
            None => format!("this {}", got.type_str()),
        };
        self.mistake(at, key, format!("{told} is not {wanted}"), "");
    }

    fn finish(self) {
        if self.asked == ["*"] {
            return;
        }
        for (name, _) in self.table {
            let key = name.get_ref().as_ref();
            if !self.asked.contains(&key) {
                let path = join(&self.path, key);
                let hint = did_you_mean(key, &self.asked);
                self.report.add(name.span(), &path, "unknown key", hint);
            }
        }
    }
}

/// A function of its own, since the method ties the lifetimes together.
fn as_bool(value: &DeValue<'_>) -> Option<bool> {
    value.as_bool()
}

fn texts(value: &DeValue<'_>) -> Option<Vec<String>> {
    if let Some(text) = value.as_str() {
        return Some(vec![text.to_owned()]);
    }
    let list = value.as_array()?.iter();
    list.map(|entry: &Spanned<DeValue<'_>>| entry.get_ref().as_str().map(str::to_owned)).collect()
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The nearest of the known names, if one is near; else all of them when they are few.
pub fn did_you_mean(name: &str, known: &[&str]) -> String {
    let near = known.iter().map(|known| (strsim::damerau_levenshtein(name, known), known)).min();
    match near {
        Some((distance, known)) if distance <= 2.max(name.len() / 3) => format!("did you mean `{known}`?"),
        _ if (1..=12).contains(&known.len()) => format!("known here: {}", known.join(", ")),
        _ => String::new(),
    }
}
