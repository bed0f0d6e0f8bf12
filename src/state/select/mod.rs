//! Questions that panels and the command line ask; so that neither holds a join.
//!
//! Every answer says what it is worth: a number of a cluster that is not live is never added up silently.

pub mod by_cluster;
pub mod clusters;
pub mod headroom;
pub mod job_index;
pub mod jobs;
pub mod owner;
pub mod pods;
pub mod replicas;
pub mod routes;
pub mod settled;
pub mod totals;

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::kept::{Kept, KeptOfEach};
use crate::fleet::{ClusterId, ObjectKey};

/// Answers that are kept, each with the place where it is asked for.
#[derive(Debug, Default)]
pub struct Answers {
    /// [`replicas::groups`]
    workloads: Kept<[Arc<replicas::Group>]>,
    /// [`replicas::drifting`]
    drifting: Kept<[Arc<replicas::Group>]>,
    /// What each cluster has of the first.
    workloads_of: KeptOfEach<[replicas::Here]>,
    /// [`routes::groups`]
    routes: Kept<[routes::Group]>,
    /// [`routes::rows::rows`]
    route_rows: Kept<[Arc<routes::rows::RouteRow>]>,
    /// [`jobs::rows`]
    jobs: Kept<[Arc<jobs::JobRow>]>,
    /// What each cluster has of them.
    jobs_of: KeptOfEach<jobs::Here>,
    /// [`pods::of`]
    pods: Kept<[ObjectKey], pods::Asked>,
}

impl Answers {
    /// There is no such cluster any more.
    pub(super) fn forget(&self, cluster: ClusterId) {
        self.jobs_of.forget(cluster);
        self.workloads_of.forget(cluster);
    }
}

/// A sum over clusters that knows what it does not know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// The sum over the clusters that are live.
    pub known: u64,
    /// Clusters whose part is not known, or only from a while ago.
    pub unknown_clusters: u16,
    pub clusters: u16,
}

impl Tally {
    /// Adds the part of one cluster; `None` when it is not known now.
    pub fn add(&mut self, part: Option<u64>) {
        self.clusters += 1;
        match part {
            Some(part) => self.known += part,
            None => self.unknown_clusters += 1,
        }
    }

    pub fn is_whole(self) -> bool {
        self.unknown_clusters == 0
    }
}

/// `812`, `812+?`, `?`: a partial sum never looks like a total, nothing known never like zero.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.clusters == 0 || self.unknown_clusters == self.clusters {
            f.pad("?")
        } else if self.is_whole() {
            f.pad(&self.known.to_string())
        } else {
            f.pad(&format!("{}+?", self.known))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_sum_never_looks_like_a_total() {
        let mut tally = Tally::default();
        assert_eq!(tally.to_string(), "?");
        tally.add(None);
        assert_eq!(tally.to_string(), "?");
        tally.add(Some(812));
        assert_eq!(tally.to_string(), "812+?");
        let mut whole = Tally::default();
        whole.add(Some(0));
        assert_eq!(whole.to_string(), "0");
    }
}
