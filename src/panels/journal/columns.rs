//! The columns of the Journal panel, and how urgent an operation is.

use super::OperationRow;
use crate::gate::operation::{Operation, Outcome, Phase, Why};
use crate::panels::{Column, Value};
use crate::ui::{Cell, Glyphs, Meaning};

type C = Column<OperationRow>;

/// How an operation stands, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody knows what it did.
    Unknown,
    /// A step was refused or drifted.
    Failed,
    /// It waits for somebody to say how it goes on.
    Paused,
    /// It goes on, here or in another process.
    Moving,
    Ended(Outcome),
}

impl Standing {
    pub fn of(operation: &Operation) -> Self {
        match &operation.phase {
            Phase::Ended(outcome) => Self::Ended(*outcome),
            _ if operation.is_elsewhere => Self::Moving,
            _ if !operation.unknown().is_empty() => Self::Unknown,
            Phase::Paused(Why::StepFailed(_)) => Self::Failed,
            Phase::Paused(_) => Self::Paused,
            Phase::Running | Phase::Stopping | Phase::Checking | Phase::Confirming => Self::Moving,
        }
    }

    /// Those at their end stand below, whatever they came to.
    pub const fn rank(self) -> u32 {
        match self {
            Self::Unknown => 0,
            Self::Failed => 1,
            Self::Paused => 2,
            Self::Moving => 3,
            Self::Ended(_) => 4,
        }
    }

    /// Nothing happens until somebody says what.
    pub const fn needs_somebody(self) -> bool {
        matches!(self, Self::Unknown | Self::Failed | Self::Paused)
    }

    /// Shape and meaning.
    pub const fn look(self, glyphs: &Glyphs) -> (&'static str, Meaning) {
        match self {
            Self::Unknown => (glyphs.unknown, Meaning::BadBadge),
            Self::Failed => (glyphs.bad, Meaning::Bad),
            Self::Paused => (glyphs.paused, Meaning::Warning),
            Self::Moving => (glyphs.progress, Meaning::Progress),
            Self::Ended(Outcome::Done) => (glyphs.good, Meaning::Good),
            Self::Ended(Outcome::Unknown) => (glyphs.unknown, Meaning::Bad),
            Self::Ended(Outcome::Cancelled | Outcome::Returned) => (glyphs.info, Meaning::Muted),
            Self::Ended(Outcome::Partial | Outcome::Drifted) => (glyphs.warning, Meaning::Warning),
            Self::Ended(Outcome::Failed | Outcome::Conflict) => (glyphs.bad, Meaning::Warning),
        }
    }
}

/// More seconds than any clock shows.
const BEYOND_TIME: f64 = 1e12;

pub fn columns() -> Vec<C> {
    vec![
        C::hidden("order", "What needs somebody first, then the newest", |row, _| {
            Value::Number(f64::from(row.standing.rank()) * BEYOND_TIME - row.opened.0 as f64)
        }),
        C::new("state", "STATE", "How it stands", |row, _| {
            Value::Ranked(row.standing.rank(), (&row.state).into())
        })
        .cell(|row, _, cx| {
            let (glyph, meaning) = row.standing.look(cx.glyphs);
            Cell::new(format!("{glyph} {}", row.state), meaning)
        }),
        C::new("age", "WHEN", "Time since it was confirmed", |row, _| Value::Age(row.age)).muted().right(),
        C::new("what", "WHAT", "What was wanted", |row, _| Value::text(&row.title)).flexible(28, 60),
        C::new("cluster", "CLUSTERS", "Clusters it touches", |row, _| Value::Texts(&row.clusters))
            .flexible(12, 40)
            .drop(3),
        C::new("actor", "WHO", "Who confirmed it, and where", |row, _| Value::text(&row.actor))
            .muted()
            .drop(2),
        C::new("reason", "REASON", "Why, in the operator's words", |row, _| Value::text(&row.reason))
            .flexible(10, 60)
            .drop(1),
        C::hidden("verb", "scale, restart, traffic, undo", |row, _| Value::text(&row.verb)),
    ]
}
