//! What we know: a fold over facts.
//!
//! [`State::apply`] is the only way in, [`select`] and [`findings`] the ways out. Nothing here reads a clock,
//! asks a server or knows what a screen is. What was last heard stays until something newer is; how old it
//! is belongs to the answer of every selector.

pub mod backing;
pub mod census;
pub mod cluster;
pub mod findings;
pub mod freshness;
pub mod jobs;
pub mod kept;
pub mod objects;
pub mod scope;
pub mod select;
pub mod table;
pub mod usage;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use cluster::{Cluster, ClusterSpec, Identity, Load};
pub use freshness::{Freshness, Source};
pub use scope::Scope;

use crate::fleet::{Age, Clean, ClusterFact, ClusterId, Fact, Now, Rule, SourceId, SourceState};
use findings::Findings;

#[derive(Debug, Default)]
pub struct State {
    pub settings: Settings,
    pub scope: Scope,
    pub now: Now,
    clusters: BTreeMap<ClusterId, Cluster>,
    findings: Findings,
    /// Answers that several places ask for.
    kept: select::Answers,
    /// Counts what was applied.
    revision: u64,
}

/// What the configuration says about judging; the thresholds of findings and the join of workloads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub grouping: Grouping,
    /// A source that was not heard for so long is stale.
    pub stale_after: Age,
    /// Replicas may be missing for so long before it is a finding.
    pub replicas_short_after: Age,
    pub pending_after: Age,
    pub no_progress_after: Age,
    pub certificate_warning: Age,
    /// Ended jobs are findings for so long.
    pub failed_job_for: Age,
}

/// Which workloads of different clusters are one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grouping {
    pub by: GroupBy,
    /// Endings such as `-aws` that name the cluster, not the workload.
    pub strip: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupBy {
    NamespaceAndName,
    Name,
    /// The value of this label, where a workload has it; else namespace and name.
    Label(String),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            grouping: Grouping { by: GroupBy::NamespaceAndName, strip: Vec::new() },
            stale_after: Age(45),
            replicas_short_after: Age::MINUTE,
            pending_after: Age::MINUTE,
            no_progress_after: Age(30 * 60),
            certificate_warning: Age(14 * Age::DAY.0),
            failed_job_for: Age::DAY,
        }
    }
}

impl State {
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Makes a cluster known before anything is heard of it, so that it is a row from the first frame.
    pub fn add_cluster(&mut self, id: ClusterId, spec: ClusterSpec) {
        self.clusters.insert(id, Cluster::new(id, spec));
        self.revision += 1;
    }

    /// What the configuration says about a cluster now.
    pub fn respecify(&mut self, id: ClusterId, spec: ClusterSpec) {
        if let Some(cluster) = self.clusters.get_mut(&id) {
            cluster.spec = spec;
            self.revision += 1;
        }
    }

    /// Takes a cluster away with all that is known of it.
    pub fn remove_cluster(&mut self, id: ClusterId) {
        self.clusters.remove(&id);
        self.kept.forget(id);
        self.mark_same_clusters();
        self.revision += 1;
    }

    /// Folds one fact. Facts of clusters that are not there any more are dropped.
    pub fn apply(&mut self, fact: Fact) {
        match fact {
            Fact::Source(source, at, fact) => {
                let unix = self.now.unix_of(at);
                if let Some(cluster) = self.clusters.get_mut(&source.cluster) {
                    let is_news = cluster.apply_source(source, at, unix, fact);
                    self.revision += u64::from(is_news);
                }
            }
            Fact::Cluster(id, at, fact) => {
                self.revision += 1;
                let unix = self.now.unix_of(at);
                let identity = matches!(fact, ClusterFact::Identity(_));
                if let Some(cluster) = self.clusters.get_mut(&id) {
                    cluster.apply(at, unix, fact);
                }
                if identity {
                    self.mark_same_clusters();
                }
            }
        }
    }

    /// Moves the clock on. Findings are computed anew when something changed or a second has passed.
    pub fn tick(&mut self, now: Now) {
        let second_passed = now.unix != self.now.unix;
        self.now = now;
        if second_passed || self.findings.revision() != self.revision {
            let mut findings = std::mem::take(&mut self.findings);
            findings.update(self);
            self.findings = findings;
        }
    }

    /// Sets the clock without judging anything anew, for facts that are folded between two ticks.
    pub fn at(&mut self, now: Now) {
        self.now = now;
    }

    /// Findings that the operator does not want to be told.
    pub fn silence(&mut self, rules: &[Rule]) {
        self.findings.silence(rules);
        self.revision += 1;
    }

    /// The wall clock jumped while the console's own stood still: the machine slept. Nothing that was heard
    /// before counts as live until it is heard again.
    pub fn slept(&mut self) {
        self.revision += 1;
        for cluster in self.clusters.values_mut() {
            cluster.forget_hearing();
        }
    }

    pub fn revision(&self) -> u64 {
        self.revision
    }

    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Every configured cluster, also those out of scope, in the order of the configuration.
    pub fn clusters(&self) -> impl Iterator<Item = &Cluster> {
        self.clusters.values()
    }

    pub fn cluster(&self, id: ClusterId) -> Option<&Cluster> {
        self.clusters.get(&id)
    }

    pub fn cluster_named(&self, name: &str) -> Option<&Cluster> {
        self.clusters.values().find(|cluster| cluster.spec.name.as_str() == name)
    }

    /// The clusters whose contents count: in scope, and not a second way to one that is counted already.
    pub fn counted_clusters(&self) -> impl Iterator<Item = &Cluster> {
        self.clusters.values().filter(|cluster| cluster.same_as.is_none() && self.scope.has_cluster(cluster))
    }

    /// Marks a source as ended by a bug in its task.
    pub fn source_failed(&mut self, source: SourceId, fault: crate::fleet::Fault) {
        let state = crate::fleet::SourceFact::State(SourceState::Failed(fault));
        self.apply(Fact::Source(source, self.now.mono, state));
    }

    /// Two entries of the configuration that lead to one cluster must not count it twice: the first counts.
    fn mark_same_clusters(&mut self) {
        let mut first: BTreeMap<Clean, ClusterId> = BTreeMap::new();
        for cluster in self.clusters.values_mut() {
            cluster.same_as = None;
            if let Identity::Uid(uid) = &cluster.identity {
                match first.get(uid) {
                    Some(other) => cluster.same_as = Some(*other),
                    None => drop(first.insert(uid.clone(), cluster.id)),
                }
            }
        }
    }
}
