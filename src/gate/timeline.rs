//! What happened to an operation, moment by moment, in words. The same on the screen and in a report.

use super::diff::{Line, Tone};
use super::operation::Outcome;
use super::plan::Plan;
use super::record::{Entry, Record};
use crate::fleet::Unix;

/// One record in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    pub at: Unix,
    pub line: Line,
}

/// The moments of the operation that this plan is of, as they were written down.
pub fn moments<'a>(plan: &Plan, records: impl IntoIterator<Item = &'a Record>) -> Vec<Moment> {
    let own = records.into_iter().filter(|record| record.change == plan.id);
    own.map(|record| Moment { at: record.at, line: line(&record.entry, plan) }).collect()
}

fn line(entry: &Entry, plan: &Plan) -> Line {
    let of = |step: &usize| match plan.steps.get(*step) {
        Some(planned) => format!("step {}, {}", step + 1, planned.cluster.name),
        None => format!("step {}", step + 1),
    };
    match entry {
        Entry::Opened { actor, .. } => Line::new(Tone::Note, format!("confirmed by {actor}")),
        Entry::Sending { step, attempt: 0 | 1 } => Line::new(Tone::Busy, format!("{}: goes out", of(step))),
        Entry::Sending { step, attempt } => {
            Line::new(Tone::Busy, format!("{}: goes out again, for the {attempt}. time", of(step)))
        }
        Entry::Confirmed { step, version } => {
            let version = version.generation.map_or_else(
                || format!("version {}", version.resource),
                |generation| format!("generation {generation}"),
            );
            Line::new(Tone::Busy, format!("{}: taken by the server, now {version}", of(step)))
        }
        Entry::Refused { step, words, .. } => {
            Line::new(Tone::Bad, format!("{}: refused, nothing changed: {words}", of(step)))
        }
        Entry::Lost { step, words } => {
            Line::new(Tone::Warning, format!("{}: the answer was lost: {words}", of(step)))
        }
        Entry::Verified { step } => Line::new(Tone::Good, format!("{}: verified", of(step))),
        Entry::Drifted { step, words } => Line::new(Tone::Bad, format!("{}: drifted: {words}", of(step))),
        Entry::Skipped { step } => Line::new(Tone::Note, format!("{}: left out", of(step))),
        Entry::Again { step } => Line::new(Tone::Note, format!("{}: is to be sent again", of(step))),
        Entry::Paused { why } => Line::new(Tone::Warning, format!("stands still: {}", why.words(plan))),
        Entry::Resumed { actor } => Line::new(Tone::Note, format!("goes on, by {actor}")),
        Entry::Ended { outcome } => Line::new(tone(*outcome), format!("ended: {}", outcome.name())),
    }
}

const fn tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Done => Tone::Good,
        Outcome::Cancelled | Outcome::Returned => Tone::Note,
        Outcome::Partial | Outcome::Unknown => Tone::Warning,
        Outcome::Failed | Outcome::Conflict | Outcome::Drifted => Tone::Bad,
    }
}
