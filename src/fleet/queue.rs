//! Kueue's queues: how much of each resource a team may have, and how much of it is taken.

use serde::{Deserialize, Serialize};

use super::{Clean, ObjectKey};

/// Where quota is: cluster-wide, shared with the others of its cohort.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterQueue {
    pub name: Clean,
    pub cohort: Option<Clean>,
    /// Each resource is in one group at most.
    pub groups: Box<[ResourceGroup]>,
    /// `None` when the controller has not told.
    pub pending: Option<u32>,
    /// Why it takes nothing now: stopped by its spec, or not active.
    pub closed: Option<Clean>,
}

/// Resources that are given together, by one of the flavors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceGroup {
    pub flavors: Box<[Flavor]>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flavor {
    pub name: Clean,
    pub shares: Box<[Share]>,
}

/// Quota of one resource in one flavor. Units are those of `Amounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    pub resource: Clean,
    pub nominal: u64,
    /// The most that may be borrowed from the cohort; `None`: whatever is unused there.
    pub borrowing: Option<u64>,
    /// The most that others may borrow of it; `None`: all.
    pub lending: Option<u64>,
    /// What admitted workloads have reserved; `None` when the controller has not told.
    pub reserved: Option<u64>,
}

/// The door to a ClusterQueue in one namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalQueue {
    pub key: ObjectKey,
    pub cluster_queue: Clean,
    pub closed: Option<Clean>,
}

impl Share {
    /// What others can never take of it.
    pub fn guaranteed(&self) -> u64 {
        self.lending.map_or(0, |lending| self.nominal.saturating_sub(lending))
    }
}
