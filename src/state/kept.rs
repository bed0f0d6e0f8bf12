//! Answers that are kept while what they were made of stays the same.
//!
//! Several places ask the same question with every frame, and most frames come of something else: an annotation,
//! a heartbeat, another kind. A [`Print`] says in a few numbers a cluster what an answer was made of; as long as it
//! is equal, the answer is given again, at a cost that does not grow with the fleet. Nothing here changes what an
//! answer is: a test holds the kept ones against fresh ones.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::{Cluster, ClusterSpec, Freshness, Grouping, Identity, Scope, State};
use crate::fleet::{Cloud, ClusterId, Kind};

/// The last answer to a question, and what it was made of.
#[derive(Debug)]
pub struct Kept<T: ?Sized, P = Print> {
    last: RefCell<Option<Box<Last<T, P>>>>,
}

#[derive(Debug)]
struct Last<T: ?Sized, P> {
    print: P,
    answer: Arc<T>,
}

impl<T: ?Sized, P> Default for Kept<T, P> {
    fn default() -> Self {
        Self { last: RefCell::new(None) }
    }
}

impl<T: ?Sized, P: PartialEq> Kept<T, P> {
    /// The same answer again, or a new one when what it is made of has changed.
    pub fn answer(&self, print: P, make: impl FnOnce() -> Arc<T>) -> Arc<T> {
        self.answer_from(print, |_| make())
    }

    /// The same, for an answer of which parts of the one before may be taken again.
    pub fn answer_from(&self, print: P, make: impl FnOnce(Option<&T>) -> Arc<T>) -> Arc<T> {
        let before = match &*self.last.borrow() {
            Some(last) if last.print == print => return Arc::clone(&last.answer),
            last => last.as_ref().map(|last| Arc::clone(&last.answer)),
        };
        let answer = make(before.as_deref());
        *self.last.borrow_mut() = Some(Box::new(Last { print, answer: Arc::clone(&answer) }));
        answer
    }
}

/// The last answer about each cluster.
#[derive(Debug)]
pub struct KeptOfEach<T: ?Sized> {
    each: RefCell<BTreeMap<ClusterId, Rc<Kept<T>>>>,
}

impl<T: ?Sized> Default for KeptOfEach<T> {
    fn default() -> Self {
        Self { each: RefCell::default() }
    }
}

impl<T: ?Sized> KeptOfEach<T> {
    pub fn of(&self, cluster: ClusterId) -> Rc<Kept<T>> {
        Rc::clone(self.each.borrow_mut().entry(cluster).or_default())
    }

    pub fn forget(&self, cluster: ClusterId) {
        self.each.borrow_mut().remove(&cluster);
    }
}

/// What an answer about some kinds is made of: never of the time, so it tells since when and not how long.
#[derive(Debug, PartialEq, Eq)]
pub struct Print {
    grouping: Grouping,
    scope: Scope,
    clusters: Vec<OfCluster>,
}

#[derive(Debug, PartialEq, Eq)]
struct OfCluster {
    id: ClusterId,
    spec: ClusterSpec,
    same_as: Option<ClusterId>,
    /// Another cluster at the same address counts its changes from the beginning; and one that comes back does so too.
    identity: (Identity, u32),
    cloud: Option<Cloud>,
    /// Whether it is known which kinds it serves.
    discovered: bool,
    /// Then a kind that was not served may be by now.
    silent: bool,
    kinds: Vec<(Freshness, u64)>,
}

impl Print {
    /// Of these kinds in one cluster.
    pub fn of_one(state: &State, cluster: &Cluster, kinds: &[Kind]) -> Self {
        Self::over(state, std::iter::once(cluster), kinds)
    }

    /// Of these kinds in all clusters.
    pub fn of(state: &State, kinds: &[Kind]) -> Self {
        Self::over(state, state.clusters(), kinds)
    }

    fn over<'a>(state: &State, clusters: impl Iterator<Item = &'a Cluster>, kinds: &[Kind]) -> Self {
        Self {
            grouping: state.settings.grouping.clone(),
            scope: state.scope.clone(),
            clusters: clusters.map(|cluster| of_cluster(state, cluster, kinds)).collect(),
        }
    }
}

fn of_cluster(state: &State, cluster: &Cluster, kinds: &[Kind]) -> OfCluster {
    // Job kinds by configuration are in no list: a cluster has those that it told of.
    let told = cluster.sources.keys().map(|(kind, _)| *kind);
    let jobs = told.filter(|kind| matches!(kind, Kind::CustomJob(_)) && kinds.contains(&Kind::Job));
    let worth = |kind: Kind| cluster.freshness(kind, state.now, state.settings.stale_after);
    OfCluster {
        id: cluster.id,
        spec: cluster.spec.clone(),
        same_as: cluster.same_as,
        identity: (cluster.identity.clone(), cluster.lives),
        cloud: cluster.cloud(),
        discovered: cluster.served.is_some(),
        silent: cluster.is_silent(state.now, state.settings.stale_after),
        kinds: kinds
            .iter()
            .copied()
            .chain(jobs)
            .map(|kind| (worth(kind), cluster.objects.changes(kind)))
            .collect(),
    }
}
