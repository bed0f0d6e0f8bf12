//! What the journal remembers, and how operations come back from it.
//!
//! A record is written before what it tells of happens (`Opened`, `Sending`) or after it is known (the rest). Reading
//! them back never yields a state that is better than what was known: a step that was going out is *unknown*.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::operation::{Actor, Operation, Outcome, Phase, StepState, Version, Why};
use super::plan::Plan;
use crate::fleet::{ChangeId, Clean, Unix};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub at: Unix,
    pub change: ChangeId,
    pub entry: Entry,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Entry {
    /// Confirmed by the operator; nothing is sent yet.
    Opened {
        plan: Arc<Plan>,
        actor: Actor,
    },
    /// The step goes out next.
    Sending {
        step: usize,
        attempt: u32,
    },
    Confirmed {
        step: usize,
        version: Version,
    },
    Refused {
        step: usize,
        words: Clean,
        conflict: bool,
        /// The same could be taken later.
        #[serde(default)]
        may_pass: bool,
    },
    /// The answer was lost.
    Lost {
        step: usize,
        words: Clean,
    },
    Verified {
        step: usize,
    },
    Drifted {
        step: usize,
        words: Clean,
    },
    Skipped {
        step: usize,
    },
    /// The operator sends a refused step again.
    Again {
        step: usize,
    },
    Paused {
        why: Why,
    },
    Resumed {
        actor: Actor,
    },
    Ended {
        outcome: Outcome,
    },
}

/// The operations that records tell of, the oldest first. Those that are open are paused: nothing goes on by itself.
pub fn replay<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<Operation> {
    let mut replay = Replay::default();
    for record in records {
        replay.take(record);
    }
    replay.operations.into_values().collect()
}

/// The same, record by record.
#[derive(Debug, Default)]
pub struct Replay {
    operations: BTreeMap<ChangeId, Operation>,
}

impl Replay {
    pub fn take(&mut self, record: &Record) {
        if let Entry::Opened { plan, actor } = &record.entry {
            let mut operation = Operation::new((**plan).clone(), actor.clone());
            operation.opened = Some(record.at);
            operation.is_ours = false;
            operation.phase = Phase::Paused(Why::Restarted);
            self.operations.insert(record.change.clone(), operation);
        } else if let Some(operation) = self.operations.get_mut(&record.change) {
            operation.remember(record);
        }
    }

    /// The oldest first.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.values()
    }

    pub fn get_mut(&mut self, id: &ChangeId) -> Option<&mut Operation> {
        self.operations.get_mut(id)
    }

    /// Forgets the oldest that are at their end, beyond so many.
    pub fn keep(&mut self, most: usize) {
        let ended: Vec<ChangeId> =
            self.operations.values().filter(|it| !it.is_open()).map(|it| it.id().clone()).collect();
        for id in ended.iter().take(ended.len().saturating_sub(most)) {
            self.operations.remove(id);
        }
    }
}

impl Operation {
    fn remember(&mut self, record: &Record) {
        match &record.entry {
            Entry::Opened { .. } => {}
            // What it stood still for before is over.
            Entry::Resumed { .. } => self.phase = Phase::Paused(Why::Restarted),
            Entry::Sending { step, attempt } => {
                self.put((*step, record.at), StepState::Logged, "");
                self.logged_at = Some(record.at);
                if let Some(progress) = self.steps.get_mut(*step) {
                    progress.attempts = *attempt;
                }
            }
            Entry::Confirmed { step, version } => {
                self.put((*step, record.at), StepState::Confirmed, "");
                if let Some(progress) = self.steps.get_mut(*step) {
                    progress.version = Some(version.clone());
                }
            }
            Entry::Refused { step, words, may_pass, conflict } => {
                self.put((*step, record.at), StepState::Refused, words);
                if let Some(progress) = self.steps.get_mut(*step) {
                    progress.may_pass = *may_pass;
                    progress.is_conflict = *conflict;
                }
            }
            Entry::Lost { step, words } => self.put((*step, record.at), StepState::Unknown, words),
            Entry::Verified { step } => self.put((*step, record.at), StepState::Verified, ""),
            Entry::Drifted { step, words } => self.put((*step, record.at), StepState::Drifted, words),
            Entry::Skipped { step } => self.put((*step, record.at), StepState::Skipped, ""),
            Entry::Again { step } => self.put((*step, record.at), StepState::Pending, ""),
            // Whatever it waited for, the console is another one now.
            Entry::Paused { why } => {
                let failed = matches!(why, Why::StepFailed(_));
                self.phase = Phase::Paused(if failed { why.clone() } else { Why::Restarted });
            }
            Entry::Ended { outcome } => {
                self.phase = Phase::Ended(*outcome);
                self.ended = Some(record.at);
            }
        }
    }

    fn put(&mut self, (step, at): (usize, Unix), state: StepState, words: &str) {
        if let Some(progress) = self.steps.get_mut(step) {
            progress.at = Some(at);
            progress.state = state;
            progress.words = words.into();
        }
    }
}
