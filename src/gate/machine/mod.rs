//! The machine: an operation and an event in, commands out. The same for screen and command line.
//!
//! ```text
//! Checking ─► Confirming ─► Running ─► Ended(done)
//!     │            │         │  ▲ │
//!     ▼            ▼         ▼  │ ▼
//!  rejected     cancelled   Paused ─► Ended(partial, unknown, drifted)
//!
//! a step: pending ─journal─► logged ─wire─► sent ─► confirmed ─read again─► verified
//!                                              ├──► refused (nothing changed)
//!                                              └──► unknown ─read back─► confirmed | refused
//! ```
//!
//! It never sends what is not written down, never sends twice without being told to, and never calls *done* what it
//! has not read again.

mod checking;
mod resuming;
mod running;
mod telling;
mod verify;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::operation::{Actor, Awaits, Operation, Outcome, Progress, StepState, Version, Why};
use super::plan::Plan;
use super::record::{Entry, Record};
use super::{Approved, Policy, Unlocks};
use crate::fleet::{Age, ChangeId, Clean, ClusterId, Fault, Now, Unix};
use crate::state::State;

/// What can happen to an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    Checked {
        step: usize,
        answer: Result<Report, Rejection>,
    },
    /// The operator said yes, with these words.
    Confirm {
        words: Clean,
    },
    Cancel,
    /// A record is on the disk, synced, or could not be.
    Journaled {
        of: Written,
        outcome: Result<(), Clean>,
    },
    /// Leases are held in every target cluster, or somebody else holds one.
    Announced(Result<(), Clean>),
    Answered {
        step: usize,
        answer: Answered,
    },
    /// The object as it is now; `None` when it is gone.
    Read {
        step: usize,
        object: Result<Option<Arc<Value>>, Fault>,
    },
    /// Stop after the step on the wire.
    Stop,
    /// Stop, and give this as the reason.
    Pause(Why),
    /// Go on; a step that was refused is tried again if it can be, else left out.
    Continue {
        actor: Actor,
    },
    /// End it as it is.
    Leave,
    /// It was stopped and taken back by another operation.
    Returned,
    Tick,
}

/// Which record was written. Only the first three are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Written {
    Opening,
    Resuming,
    Sending(usize),
    Afterwards,
}

/// What asking about a target brought, when the server would take it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// It may not hold a lease there, so another console does not see this one, and why.
    pub unannounced: Option<Clean>,
    /// It may not leave an event for colleagues, and why.
    pub untold: Option<Clean>,
    /// The server's own warnings.
    pub warnings: Vec<Clean>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    pub words: Clean,
    /// The object as it is now, when it is not as it was shown.
    pub differs: Vec<Difference>,
    pub is_conflict: bool,
}

/// One value as it was shown and as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub label: Clean,
    pub shown: Clean,
    pub now: Clean,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Answered {
    Confirmed {
        version: Version,
    },
    /// The server did not take it. `may_pass`: the same could be taken later.
    Refused {
        words: Clean,
        conflict: bool,
        may_pass: bool,
    },
    /// Nobody knows.
    Unknown {
        words: Clean,
    },
}

/// What the shell must do for an operation; each is answered by an [`Event`].
#[derive(Debug, PartialEq)]
pub enum Command {
    /// May the account do this, would the server take it, does another console hold it?
    Check {
        plan: Arc<Plan>,
        step: usize,
        cluster: ClusterId,
    },
    Journal(Record),
    /// Hold a lease for each target while the operation runs.
    Announce {
        plan: Arc<Plan>,
        targets: Vec<(usize, ClusterId)>,
    },
    Send(Approved),
    Read {
        plan: Arc<Plan>,
        step: usize,
        cluster: ClusterId,
    },
    /// Give the leases back, and tell colleagues if the operation ended.
    Withdraw {
        plan: Arc<Plan>,
        targets: Vec<(usize, ClusterId)>,
        ended: Option<Ended>,
    },
}

/// What colleagues are told who look at the objects later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub outcome: Outcome,
    pub at: Unix,
    /// Targets that were changed, or may have been, and what became of them in words.
    pub changed: Vec<(usize, Clean)>,
}

/// What the machine looks at besides its operation.
#[derive(Clone, Copy)]
pub struct World<'a> {
    pub state: &'a State,
    pub policy: &'a Policy,
    pub unlocks: &'a Unlocks,
    pub now: Now,
}

impl Written {
    pub fn of(record: &Record) -> Self {
        match record.entry {
            Entry::Opened { .. } => Self::Opening,
            Entry::Resumed { .. } => Self::Resuming,
            Entry::Sending { step, .. } => Self::Sending(step),
            _ => Self::Afterwards,
        }
    }
}

impl Command {
    pub fn change(&self) -> &ChangeId {
        match self {
            Self::Check { plan, .. }
            | Self::Announce { plan, .. }
            | Self::Read { plan, .. }
            | Self::Withdraw { plan, .. } => &plan.id,
            Self::Journal(record) => &record.change,
            Self::Send(approved) => &approved.plan().id,
        }
    }
}

impl Operation {
    /// Begins with asking about every target.
    pub fn begin(&mut self, world: World<'_>) -> Vec<Command> {
        self.check_targets(world)
    }

    pub fn on(&mut self, event: Event, world: World<'_>) -> Vec<Command> {
        match event {
            Event::Checked { step, answer } => self.checked(step, answer, world),
            Event::Confirm { words } => self.confirm(&words, world),
            Event::Cancel => self.cancel(),
            Event::Journaled { of, outcome } => self.journaled(of, outcome, world),
            Event::Announced(outcome) => self.announced(outcome, world),
            Event::Answered { step, answer } => self.answered(step, answer, world),
            Event::Read { step, object } => self.was_read(step, object, world),
            Event::Stop => self.stop(Why::Asked, world),
            Event::Pause(why) => self.stop(why, world),
            Event::Continue { actor } => self.resume(actor, world),
            Event::Leave => self.leave(world),
            Event::Returned => self.end(Outcome::Returned, world),
            Event::Tick => self.tick(world),
        }
    }

    fn record(&self, entry: Entry, world: World<'_>) -> Command {
        Command::Journal(Record { at: world.now.unix, change: self.id().clone(), entry })
    }

    fn set(&mut self, step: usize, state: StepState, words: impl Into<Clean>, world: World<'_>) {
        if let Some(progress) = self.steps.get_mut(step) {
            progress.state = state;
            progress.words = words.into();
            progress.since = world.now.mono;
            progress.at = None;
        }
    }

    /// The session's cluster of a step, if it is there and the same.
    fn cluster_of(&self, step: usize, world: World<'_>) -> Option<ClusterId> {
        Some(self.plan.steps.get(step)?.cluster.find(world.state)?.id)
    }

    fn targets(&self, world: World<'_>) -> Vec<(usize, ClusterId)> {
        let targets = self.plan.targets();
        targets.into_iter().filter_map(|step| Some((step, self.cluster_of(step, world)?))).collect()
    }

    fn read(&mut self, step: usize, world: World<'_>) -> Vec<Command> {
        let Some(cluster) = self.cluster_of(step, world) else { return Vec::new() };
        self.awaits = Awaits::Reading(step);
        vec![Command::Read { plan: Arc::clone(&self.plan), step, cluster }]
    }

    fn wait(&mut self, age: Age, world: World<'_>) {
        self.not_before = world.now.mono.plus_secs(age.0);
    }
}

impl Progress {
    /// How long it has been in its state; of what another process did only the journal knows.
    fn waited(&self, now: Now) -> Age {
        self.at.map_or_else(|| now.since(self.since), |at| now.age_of(at))
    }
}

impl Rejection {
    pub fn new(words: impl Into<Clean>) -> Self {
        Self { words: words.into(), differs: Vec::new(), is_conflict: false }
    }
}
