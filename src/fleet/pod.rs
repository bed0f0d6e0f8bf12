//! A pod, in the least that tells its workload's health. There may be 150,000 of them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Amounts, Clean, GpuCount, Kind, ObjectKey, Unix};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pod {
    pub key: ObjectKey,
    /// The workload or job that this pod is a replica of, above its ReplicaSet.
    pub owner: Option<Owner>,
    pub node: Option<Clean>,
    pub phase: PodPhase,
    /// `Running`, `CrashLoopBackOff`, `Init:0/1`, …: the STATUS column of `kubectl get pods`.
    pub status: Clean,
    pub ready: bool,
    pub containers_ready: u16,
    pub containers: u16,
    pub restarts: u32,
    /// What the scheduler reserves for it.
    pub gpus: GpuCount,
    /// The same of every resource; one for all pods that ask alike.
    pub requests: Arc<Amounts>,
    /// Image of the first container.
    pub image: Clean,
    pub trouble: Option<Box<Trouble>>,
    pub created: Unix,
    pub deleting: bool,
}

/// Kind and name of an owner, in the pod's namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Owner {
    pub kind: Clean,
    pub name: Clean,
}

impl Owner {
    /// As what it owns calls an object of a built-in kind.
    pub fn of(kind: Kind, name: &Clean) -> Self {
        Self { kind: kind.name().into(), name: name.clone() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PodPhase {
    Pending,
    Running,
    Succeeded,
    Failed,
    Unknown,
}

/// Why a pod is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    pub kind: TroubleKind,
    /// Empty when it concerns the whole pod.
    pub container: Clean,
    /// The reason as Kubernetes names it: `CrashLoopBackOff`, `ErrImagePull`, `Unschedulable`.
    pub reason: Clean,
    pub message: Clean,
    /// How the container ended the last time: `OOMKilled, exit 137`.
    pub last_end: Clean,
    pub since: Option<Unix>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TroubleKind {
    CrashLoop,
    ImagePull,
    /// A container cannot be made: a missing ConfigMap or Secret, a bad command.
    CannotStart,
    /// No node takes it.
    Unschedulable,
    /// Evicted, node lost, deadline exceeded, or a container that ended with an error.
    Failed,
}

impl Trouble {
    /// One sentence: `no node takes it: 0/4 nodes are available`, `trainer: OOMKilled, exit 137`.
    pub fn words(&self) -> Clean {
        let why = if self.last_end.is_empty() { &self.message } else { &self.last_end };
        let what = match (self.kind, self.container.is_empty()) {
            (TroubleKind::Unschedulable, _) => "no node takes it".to_owned(),
            (TroubleKind::Failed, false) => self.container.to_string(),
            (_, true) => self.reason.to_string(),
            (_, false) => format!("{} in {}", self.container, self.reason),
        };
        if why.is_empty() { what.into() } else { format!("{what}: {why}").into() }
    }
}

impl Pod {
    /// Held back until whoever put a gate on it takes it away; the scheduler does not look at it.
    pub fn is_gated(&self) -> bool {
        self.status == "SchedulingGated"
    }

    /// Whether it takes part in what the cluster reserves: pods that ended hold nothing.
    pub fn holds_resources(&self) -> bool {
        !matches!(self.phase, PodPhase::Succeeded | PodPhase::Failed)
    }
}
