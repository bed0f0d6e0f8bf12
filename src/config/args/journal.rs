//! `skydeck journal`, as data.

use clap::{Args, Subcommand, ValueEnum};

use super::{Format, JournalChange};
use crate::fleet::Age;
use crate::gate::plan;

#[derive(Debug, Clone, Args)]
pub struct Journal {
    #[command(subcommand)]
    pub verb: AnyVerb,
}

/// Those that only read the journal, and those that go through the gate again.
#[derive(Debug, Clone, Subcommand)]
pub enum AnyVerb {
    #[command(flatten)]
    Look(Verb),
    #[command(flatten)]
    Change(JournalChange),
}

#[derive(Debug, Clone, Subcommand)]
pub enum Verb {
    /// List changes, the newest first
    List(List),
    /// Show one change: its plan, what became of each step, and when
    Show(Show),
    /// Print everything that was written down, of one change or of all
    Export(Export),
}

#[derive(Debug, Clone, Args)]
pub struct List {
    /// Only changes that are not at their end
    #[arg(long)]
    pub open: bool,
    /// Only changes in this cluster (may be given more than once)
    #[arg(long = "cluster", value_name = "NAME")]
    pub clusters: Vec<String>,
    /// Only this verb (may be given more than once)
    #[arg(long = "verb", value_name = "VERB")]
    pub verbs: Vec<ChangeVerb>,
    /// Only changes that were confirmed since then, such as 2d or 12h
    #[arg(long, value_name = "DURATION", value_parser = super::age)]
    pub since: Option<Age>,
    /// How to print it
    #[arg(short, long, default_value = "table")]
    pub output: Format,
}

#[derive(Debug, Clone, Args)]
pub struct Show {
    /// The change, or the beginning of its id
    pub id: String,
    /// How to print it
    #[arg(short, long, default_value = "table")]
    pub output: Format,
}

#[derive(Debug, Clone, Args)]
pub struct Export {
    /// The change, or the beginning of its id; without it all
    pub id: Option<String>,
    /// How to print it
    #[arg(short, long, default_value = "jsonl")]
    pub output: ExportFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ChangeVerb {
    Scale,
    Restart,
    Traffic,
    Undo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// One record a line, as it stands in the journal
    Jsonl,
    /// A page for a post-mortem
    Markdown,
}

impl ChangeVerb {
    pub fn is(self, verb: plan::Verb) -> bool {
        match self {
            Self::Scale => verb == plan::Verb::Scale,
            Self::Restart => verb == plan::Verb::Restart,
            Self::Traffic => verb == plan::Verb::Traffic,
            Self::Undo => verb == plan::Verb::Undo,
        }
    }
}
