//! Work that ends: a batch Job, or a training job of any kind, with one normalised phase.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Clean, GpuCount, Kind, ObjectId, ObjectKey, Owner, Unix};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub kind: Kind,
    pub key: ObjectKey,
    /// `Job`, `TrainingJob`, `RayJob`, …: the name of the kind, also of a configured one.
    pub kind_name: Clean,
    pub uid: Clean,
    pub phase: JobPhase,
    /// The rule that decided the phase, in words of the object: `condition Failed is True`.
    pub rule: Clean,
    /// `BackoffLimitExceeded`, `AppFailed`, …; empty when there is none.
    pub reason: Clean,
    pub message: Clean,
    pub created: Unix,
    pub started: Option<Unix>,
    /// A failed job has no completionTime: its end is when it was found to have failed.
    pub ended: Option<Unix>,
    pub pods: JobPods,
    /// 0 to 1; `None` when the kind does not tell.
    pub progress: Option<f64>,
    /// All GPUs of all its pods; `None` when the spec does not tell.
    pub gpus: Option<GpuCount>,
    /// The Kueue or Volcano queue it stands in.
    pub queue: Option<Clean>,
    pub restarts: Option<u32>,
    pub owner: Option<Owner>,
    /// Training metrics that the object reports: `loss`, `accuracy`.
    pub metrics: Vec<(Clean, f64)>,
    /// Further columns by configuration: `Framework`, `Strategy`.
    pub columns: Vec<(Clean, Clean)>,
}

impl Job {
    pub fn id(&self) -> ObjectId {
        ObjectId { kind: self.kind, key: self.key.clone() }
    }
}

/// Pods of a job; `None` where the kind does not count them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobPods {
    pub wanted: Option<u32>,
    pub active: Option<u32>,
    pub ready: Option<u32>,
    pub succeeded: Option<u32>,
    pub failed: Option<u32>,
}

/// One set of phases for all kinds. The order is that of the panel: what needs a person comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum JobPhase {
    Failed,
    Restarting,
    /// Made, but its pods do not run yet.
    Pending,
    Running,
    /// Waiting for quota.
    Queued,
    Suspended,
    /// The object says something that no rule knows; the raw value is the reason.
    Unknown,
    Cancelled,
    Succeeded,
}

impl JobPhase {
    pub const ALL: [Self; 9] = [
        Self::Failed,
        Self::Restarting,
        Self::Pending,
        Self::Running,
        Self::Queued,
        Self::Suspended,
        Self::Unknown,
        Self::Cancelled,
        Self::Succeeded,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "Failed",
            Self::Restarting => "Restarting",
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Queued => "Queued",
            Self::Suspended => "Suspended",
            Self::Unknown => "Unknown",
            Self::Cancelled => "Cancelled",
            Self::Succeeded => "Succeeded",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name().eq_ignore_ascii_case(name))
    }

    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled | Self::Succeeded)
    }
}

impl fmt::Display for JobPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What starts jobs by the clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CronJob {
    pub key: ObjectKey,
    pub schedule: Clean,
    pub suspended: bool,
    pub active: u32,
    pub last_scheduled: Option<Unix>,
    pub last_succeeded: Option<Unix>,
    pub created: Unix,
}

/// A Kueue Workload: why a suspended job is not running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admission {
    pub key: ObjectKey,
    /// The job it stands for.
    pub job: Owner,
    pub queue: Clean,
    pub admitted: bool,
    /// Why it waits, as Kueue says it.
    pub message: Clean,
    pub created: Unix,
}
