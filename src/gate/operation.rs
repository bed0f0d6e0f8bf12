//! An operation: a plan on its way through the world, and what is known of each of its steps.
//!
//! Every state is something that happened or is not known; none is hoped for.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use crate::fleet::{ChangeId, Clean, Mono, Unix};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    pub plan: Arc<Plan>,
    pub actor: Actor,
    pub phase: Phase,
    pub steps: Vec<Progress>,
    /// One for each step; only targets (first steps) are checked.
    pub checks: Vec<Checked>,
    /// When it was confirmed.
    pub opened: Option<Unix>,
    pub ended: Option<Unix>,
    /// Driven by this process; what another console left or drives is only shown.
    pub is_ours: bool,
    /// Another process on this machine drives it now.
    pub is_elsewhere: bool,
    /// When the last step was written down to go out; of an operation of another process only the journal knows.
    pub logged_at: Option<Unix>,
    /// What the machine waits for.
    pub(super) awaits: Awaits,
    /// Why it stops when the step on the wire is answered.
    pub(super) stops: Option<Why>,
    /// The way back that was confirmed together with a ramp: nobody is asked again.
    pub is_preapproved: bool,
    /// Not before this moment: time between steps, and between two looks.
    pub(super) not_before: Mono,
}

/// Who did it, and where: for colleagues, not as evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub user: Clean,
    pub host: Clean,
    pub process: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Permissions, dry run and other consoles are asked about.
    Checking,
    /// All targets would take it; the operator decides.
    Confirming,
    Running,
    /// It stops when the step on the wire is answered.
    Stopping,
    /// It goes on only when somebody says so.
    Paused(Why),
    Ended(Outcome),
}

/// Why an operation stands still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Why {
    Asked,
    /// The console that drove it ended; every step was read again since or will be.
    Restarted,
    /// A step was refused or did not arrive.
    StepFailed(usize),
    /// The stop condition of a ramp holds.
    Stopped(Clean),
    /// The journal cannot be written, so nothing is sent.
    Journal(Clean),
    /// Another console drives this target.
    Held(Clean),
    /// A destination lost its readiness, or a cluster went away, before the next step.
    NotReady(Clean),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Every step is verified.
    Done,
    /// Some steps are applied and some are not.
    Partial,
    /// Nothing was applied.
    Failed,
    /// The world was not as it was shown; nothing was applied.
    Conflict,
    /// Of at least one step nobody knows.
    Unknown,
    /// Applied, and then something else changed it or it did not become ready.
    Drifted,
    /// Never confirmed.
    Cancelled,
    /// Stopped on its way, and taken back.
    Returned,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub state: StepState,
    /// When it came into this state.
    pub since: Mono,
    /// The same by the journal, for what another process wrote there.
    pub at: Option<Unix>,
    /// The object after our write.
    pub version: Option<Version>,
    /// What the server or the verification said.
    pub words: Clean,
    /// Times it was sent; every time after the first was asked for by the operator.
    pub attempts: u32,
    /// Refused, and the same could be taken later.
    pub may_pass: bool,
    /// Refused, since the world was not as it was shown.
    pub is_conflict: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    Pending,
    /// Written down and synced; the next thing is the wire.
    Logged,
    Sent,
    /// Sent, and the answer was lost.
    Unknown,
    /// The server took it.
    Confirmed,
    /// Read again, and as wanted.
    Verified,
    /// The server did not take it; nothing changed.
    Refused,
    /// It was taken and is not so any more, or did not become ready.
    Drifted,
    /// Left out when the operation went on without it.
    Skipped,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub resource: Clean,
    pub generation: Option<i64>,
}

/// What asking the server about a target brought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Checked {
    #[default]
    Asked,
    Accepted(super::machine::Report),
    Rejected(super::machine::Rejection),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Awaits {
    #[default]
    Nothing,
    /// The record that it begins.
    Opening,
    /// The record that it goes on.
    Resuming,
    /// The announcement in the clusters.
    Announcement,
    /// The record that this step goes out.
    Intent(usize),
    Answer(usize),
    Reading(usize),
}

impl Operation {
    pub fn new(plan: Plan, actor: Actor) -> Self {
        let fresh = Progress {
            state: StepState::Pending,
            since: Mono::default(),
            at: None,
            version: None,
            words: Clean::default(),
            attempts: 0,
            may_pass: false,
            is_conflict: false,
        };
        Self {
            steps: vec![fresh; plan.steps.len()],
            checks: vec![Checked::Asked; plan.steps.len()],
            plan: Arc::new(plan),
            actor,
            phase: Phase::Checking,
            opened: None,
            ended: None,
            is_ours: true,
            is_elsewhere: false,
            logged_at: None,
            awaits: Awaits::Nothing,
            stops: None,
            is_preapproved: false,
            not_before: Mono::default(),
        }
    }

    pub fn id(&self) -> &ChangeId {
        &self.plan.id
    }

    /// Confirmed, and not at its end.
    pub fn is_open(&self) -> bool {
        self.opened.is_some() && !matches!(self.phase, Phase::Ended(_))
    }

    /// It goes on by itself, or waits for a server.
    pub fn is_moving(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Stopping)
    }

    /// It stood still here, and the journal tells that another process went on with it or ended it.
    pub fn was_taken_over(&self, told: &Self) -> bool {
        matches!(self.phase, Phase::Paused(_)) && (told.is_elsewhere || matches!(told.phase, Phase::Ended(_)))
    }

    /// Every target has been asked and has answered.
    pub fn is_answered(&self) -> bool {
        self.plan.targets().into_iter().all(|step| self.checks[step] != Checked::Asked)
    }

    pub fn count(&self, is: impl Fn(StepState) -> bool) -> usize {
        self.steps.iter().filter(|step| is(step.state)).count()
    }

    /// Steps that changed something, as far as is known.
    pub fn applied(&self) -> usize {
        self.count(StepState::is_applied)
    }

    /// Steps of which nobody knows whether they changed anything.
    pub fn unknown(&self) -> Vec<usize> {
        let unknown = |at: &usize| self.steps[*at].state.is_unknown();
        (0..self.steps.len()).filter(unknown).collect()
    }

    /// The next step that has not been sent.
    pub fn next(&self) -> Option<usize> {
        self.steps.iter().position(|step| step.state == StepState::Pending)
    }

    /// How it stands, in one word or two: `done`, `partial 2/3`, `unknown`, `running 1/3`.
    pub fn words(&self) -> String {
        let (applied, all) = (self.count(|it| it == StepState::Verified), self.steps.len());
        let unknown = !self.unknown().is_empty();
        match &self.phase {
            Phase::Checking => "checking".into(),
            Phase::Confirming => "waits for you".into(),
            // Of what another process is at now, only what it has written down is known.
            _ if self.is_elsewhere && self.is_open() => format!("elsewhere {applied}/{all}"),
            Phase::Running if unknown => "UNKNOWN, reading back".into(),
            Phase::Running => format!("running {applied}/{all}"),
            Phase::Stopping => format!("stopping {applied}/{all}"),
            Phase::Paused(_) if unknown => "UNKNOWN".into(),
            Phase::Paused(Why::StepFailed(_)) if self.applied() == 0 => format!("FAILED 0/{all}"),
            Phase::Paused(Why::StepFailed(_)) => format!("PARTIAL {}/{all}", self.applied()),
            Phase::Paused(_) => format!("paused {applied}/{all}"),
            Phase::Ended(Outcome::Partial) => format!("partial {}/{all}", self.applied()),
            Phase::Ended(outcome) => outcome.name().into(),
        }
    }
}

/// `ada at ops-1 (process 4711)`.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} (process {})", self.user, self.host, self.process)
    }
}

impl StepState {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Logged => "logged",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Confirmed => "confirmed",
            Self::Verified => "verified",
            Self::Refused => "refused",
            Self::Drifted => "drifted",
            Self::Skipped => "skipped",
        }
    }

    /// The server took it, whatever came after.
    pub const fn is_applied(self) -> bool {
        matches!(self, Self::Confirmed | Self::Verified | Self::Drifted)
    }

    /// It may be applied or not.
    pub const fn is_unknown(self) -> bool {
        matches!(self, Self::Logged | Self::Sent | Self::Unknown)
    }
}

impl Outcome {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Conflict => "conflict",
            Self::Unknown => "unknown",
            Self::Drifted => "drifted",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
        }
    }

    /// The exit code of a command that ended so.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed | Self::Cancelled | Self::Drifted => 1,
            Self::Conflict => 3,
            Self::Unknown => 4,
            Self::Partial | Self::Returned => 5,
        }
    }
}

impl Why {
    /// The reason in words, for the line under the title.
    pub fn words(&self, plan: &Plan) -> Clean {
        match self {
            Self::Asked => "stopped by you".into(),
            Self::Restarted => "the console that drove it ended; nothing goes on by itself".into(),
            Self::StepFailed(step) => match plan.steps.get(*step) {
                Some(step) => Clean::from(format!("{} did not take it", step.cluster.name)),
                None => "a step failed".into(),
            },
            Self::Stopped(words) => Clean::from(format!("stop condition: {words}")),
            Self::Journal(words) => {
                Clean::from(format!("the journal cannot be written, nothing is sent: {words}"))
            }
            Self::Held(words) | Self::NotReady(words) => words.clone(),
        }
    }
}
