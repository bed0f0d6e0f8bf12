//! The columns of the Journal panel, and how urgent an operation is.

use super::OperationRow;
use crate::gate::operation::{Operation, Outcome, Phase};
use crate::panels::{Column, Value};
use crate::ui::{Cell, Meaning};

type C = Column<OperationRow>;

/// What needs somebody stands first: unknown, then what stands still, then what runs, then what has ended.
pub fn urgency(operation: &Operation) -> (u32, Meaning) {
    let is_open = operation.is_open();
    match &operation.phase {
        _ if is_open && !operation.unknown().is_empty() => (0, Meaning::BadBadge),
        Phase::Paused(_) => (1, Meaning::Bad),
        Phase::Running | Phase::Stopping | Phase::Checking | Phase::Confirming => (2, Meaning::Progress),
        Phase::Ended(Outcome::Unknown) => (3, Meaning::Bad),
        Phase::Ended(Outcome::Done) => (3, Meaning::Good),
        Phase::Ended(Outcome::Cancelled | Outcome::Returned) => (3, Meaning::Muted),
        Phase::Ended(Outcome::Partial | Outcome::Failed | Outcome::Conflict | Outcome::Drifted) => {
            (3, Meaning::Warning)
        }
    }
}

pub fn columns() -> Vec<C> {
    vec![
        C::new("state", "STATE", "How it stands; what needs somebody first", |row, _| {
            Value::Ranked(row.rank, row.state.clone())
        })
        .cell(|row, _, _| Cell::new(&row.state, row.meaning)),
        C::new("age", "WHEN", "Time since it was confirmed", |row, _| Value::Age(row.age)).muted().right(),
        C::new("what", "WHAT", "What was wanted", |row, _| Value::text(&row.title)).flexible(28, 60),
        C::new("cluster", "CLUSTERS", "Clusters it touches", |row, _| Value::Texts(row.clusters.clone()))
            .widest(40)
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
