//! The scenario: a small, honest Kubernetes that lives on top of one store.
//!
//! Each controller is a file with a `reconcile`: look at one object, write what follows from it. Nobody calls
//! anybody: a write makes a change, the change makes its object and its owner *due*, and the next look at
//! what is due does the rest. What takes time sets a timer. So a tick costs what changes in it, and a user's
//! patch is met by the same code as the scenario's own.
//!
//! It refuses to write past the store's rules, to know HTTP, and to ask the time: it is told the tick.

mod autoscaler;
mod budget;
mod conditions;
mod containers;
mod cronjob;
mod daemonset;
mod deployment;
mod endpoints;
mod events;
mod facts;
mod job;
mod jobset;
mod keda;
mod kubelet;
mod kueue;
mod leaderworker;
mod life;
mod load;
mod nodes;
mod quantity;
mod replicaset;
mod rolling;
mod rollout;
mod schedule;
mod scheduler;
mod serving;
mod statefulset;
mod template;
pub mod traffic;
mod training;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::clock::{self, seconds};
use super::refusal::Outcome;
use super::resource::Kind;
use super::store::{
    Change, Deletion, Key, LabelSelector, Mode, Object, Part, Policy, Query, Store, Verb, Writer,
};
use super::{admit, json};

pub use events::Involved;
pub use life::{Run, training_job};
pub use template::hash as template_hash;

/// Events older than this are not kept, nor recorded while the past is played.
const EVENT_TICKS: i64 = seconds(3_600);
/// How much of the past is played with everything that has a rhythm (autoscalers, reports of progress).
const RECENT: i64 = seconds(150);
/// A controller inside the cluster writes spec and status at once.
const WHOLE: Mode = Mode { part: Part::Whole, dry_run: false };
/// So much is looked at in one tick; what is still due then waits for the next.
const MOST: usize = 200_000;

pub struct World {
    store: Arc<Store>,
    tick: i64,
    /// All changes up to this version have been looked at.
    seen: u64,
    due: BTreeSet<Task>,
    timers: BTreeMap<i64, BTreeSet<Task>>,
    random: fastrand::Rng,
    kubelet: kubelet::Kubelet,
    facts: facts::Facts,
    budgets: BTreeMap<Key, LabelSelector>,
    services: BTreeMap<Key, LabelSelector>,
    scheduler: scheduler::Scheduler,
    /// Nodes whose kubelet is silent, and since which tick.
    lost_nodes: BTreeMap<String, i64>,
    /// Failures of jobs, and until when their next pod waits.
    failures: BTreeMap<Key, (i64, i64)>,
    /// When each node's heart beats next.
    beats: BTreeMap<Key, i64>,
    /// When each autoscaler looked last.
    synced: BTreeMap<Key, i64>,
    load: load::Load,
    traffic: traffic::Traffic,
    life: life::Life,
}

/// An object to look at, by a controller that is found by its kind.
type Task = (Kind, Key);

impl World {
    /// A world over a store, at a tick that may lie in the past.
    pub fn new(store: Arc<Store>, seed: u64, tick: i64) -> World {
        store.clock().set(tick);
        let seen = store.version();
        let mut random = fastrand::Rng::with_seed(seed);
        let load = load::Load::new(&mut random);
        let life = life::Life::new(&mut random);
        World {
            store,
            tick,
            seen,
            due: BTreeSet::new(),
            timers: BTreeMap::new(),
            random,
            kubelet: kubelet::Kubelet::default(),
            facts: facts::Facts::default(),
            budgets: BTreeMap::new(),
            services: BTreeMap::new(),
            scheduler: scheduler::Scheduler::default(),
            lost_nodes: BTreeMap::new(),
            failures: BTreeMap::new(),
            beats: BTreeMap::new(),
            synced: BTreeMap::new(),
            load,
            traffic: traffic::Traffic::default(),
            life,
        }
    }

    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    pub fn tick(&self) -> i64 {
        self.tick
    }

    /// One tick of the present: what is due, and a little life.
    pub fn step(&mut self) {
        self.advance(self.tick + 1);
        life::live(self);
    }

    /// Plays the time up to a tick, stopping only where something is due.
    pub fn advance(&mut self, until: i64) {
        self.work();
        while let Some((&next, _)) = self.timers.first_key_value()
            && next <= until
        {
            self.set_tick(next.max(self.tick));
            self.wake();
            self.work();
        }
        self.set_tick(until);
    }

    fn set_tick(&mut self, tick: i64) {
        self.tick = tick;
        self.store.clock().set(tick);
    }

    fn wake(&mut self) {
        let later = self.timers.split_off(&(self.tick + 1));
        for tasks in std::mem::replace(&mut self.timers, later).into_values() {
            self.due.extend(tasks);
        }
    }

    /// What is due, one after the other in the order of the table, and at once what that makes due: pods
    /// before ReplicaSets before Deployments, so that an owner is looked at when what it owns is done.
    fn work(&mut self) {
        self.look();
        for _ in 0..MOST {
            let Some((kind, key)) = self.due.pop_first() else { return };
            self.reconcile(kind, &key);
            self.look();
        }
    }

    fn reconcile(&mut self, kind: Kind, key: &Key) {
        match kind {
            Kind::Pods => kubelet::reconcile(self, key),
            Kind::ReplicaSets => replicaset::reconcile(self, key),
            Kind::Deployments => deployment::reconcile(self, key),
            Kind::StatefulSets => statefulset::reconcile(self, key),
            Kind::DaemonSets => daemonset::reconcile(self, key),
            Kind::Jobs => job::reconcile(self, key),
            Kind::CronJobs => cronjob::reconcile(self, key),
            Kind::JobSets => jobset::reconcile(self, key),
            Kind::TrainingJobs => training::reconcile(self, key),
            Kind::Workloads => kueue::reconcile(self, key),
            Kind::HorizontalPodAutoscalers => autoscaler::reconcile(self, key),
            Kind::ScaledObjects => keda::reconcile(self, key),
            Kind::InferenceServices => serving::reconcile(self, key),
            Kind::PodDisruptionBudgets => budget::reconcile(self, key),
            Kind::Services => endpoints::reconcile(self, key),
            Kind::VirtualServices => traffic::reconcile(self, key),
            Kind::HttpRoutes => traffic::reconcile_gateway(self, key),
            Kind::Rollouts => rollout::reconcile(self, key),
            Kind::LeaderWorkerSets => leaderworker::reconcile(self, key),
            Kind::Nodes => nodes::reconcile(self, key),
            Kind::Events => events::expire(self, key),
            _ => {}
        }
    }

    /// What changed since the last look becomes due, and whom it concerns.
    fn look(&mut self) {
        let Ok(changes) = self.store.since(self.seen) else { return self.relist() };
        for change in changes {
            self.seen = change.version;
            self.concerns(&change);
        }
    }

    /// The history was cut behind our back, as a test may do: everything is looked at anew.
    fn relist(&mut self) {
        self.seen = self.store.version();
        self.scheduler = scheduler::Scheduler::default();
        for node in self.store.list(Kind::Nodes, &Query::all()).objects {
            self.scheduler.observe_node(&node, false);
        }
        for pod in self.store.list(Kind::Pods, &Query::all()).objects {
            self.scheduler.observe_pod(&pod, false);
        }
        for kind in super::resource::KINDS.iter().copied().filter(|kind| *kind != Kind::Events) {
            self.due_all(kind);
        }
    }

    fn concerns(&mut self, change: &Change) {
        let object = &change.object;
        let quiet =
            [Kind::Events, Kind::Leases].contains(&change.kind) || self.kubelet.wrote == change.version;
        if !quiet {
            self.due.insert((change.kind, object.key.clone()));
        }
        if let Some(owner) = object.controller()
            && let Some(kind) = owner.kind
        {
            let namespace = if kind.row().namespaced { &*object.key.namespace } else { "" };
            self.due.insert((kind, Key::new(namespace, &owner.name)));
        }
        if let Some(name) = object.label(leaderworker::NAME) {
            self.due.insert((Kind::LeaderWorkerSets, Key::new(&object.key.namespace, name)));
        }
        match change.kind {
            Kind::Pods => {
                let freed = self.scheduler.observe_pod(object, change.verb == Verb::Deleted);
                if freed {
                    self.due.extend(self.scheduler.waiting());
                }
                let concerned = self.budgets.iter().filter(|(key, selector)| {
                    key.namespace == object.key.namespace && selector.matches(|label| object.label(label))
                });
                self.due.extend(concerned.map(|(key, _)| (Kind::PodDisruptionBudgets, key.clone())));
                let chosen = self.services.iter().filter(|(key, selector)| {
                    key.namespace == object.key.namespace && selector.matches(|label| object.label(label))
                });
                self.due.extend(chosen.map(|(key, _)| (Kind::Services, key.clone())));
                if change.verb == Verb::Deleted {
                    self.facts.forget(&object.key);
                }
            }
            Kind::Nodes => {
                self.scheduler.observe_node(object, change.verb == Verb::Deleted);
                if change.verb != Verb::Modified || nodes::matters(change) {
                    self.due_all(Kind::DaemonSets);
                    self.due.extend(self.scheduler.waiting());
                }
            }
            Kind::PodDisruptionBudgets if change.verb == Verb::Deleted => {
                self.budgets.remove(&object.key);
            }
            Kind::PodDisruptionBudgets => {
                let selector = LabelSelector::of(&self.store.value(object)["spec"]["selector"]);
                self.budgets.insert(object.key.clone(), selector);
            }
            Kind::Services => {
                let selector = endpoints::selector(&self.store.value(object));
                match selector.filter(|_| change.verb != Verb::Deleted) {
                    Some(selector) => drop(self.services.insert(object.key.clone(), selector)),
                    None => drop(self.services.remove(&object.key)),
                }
            }
            Kind::Workloads if change.verb != Verb::Added => self.due_all(Kind::Workloads),
            _ => {}
        }
    }

    fn due_all(&mut self, kind: Kind) {
        let all = self.store.list(kind, &Query::all()).objects;
        self.due.extend(all.iter().map(|object| (kind, object.key.clone())));
    }

    // What controllers need.

    fn now(&self) -> DateTime<Utc> {
        self.store.clock().at(self.tick)
    }

    /// The present as a `metav1.Time`.
    fn stamp(&self) -> String {
        clock::stamp(self.now())
    }

    /// The tick of a timestamp.
    fn tick_of(&self, stamp: &str) -> Option<i64> {
        let then = clock::parse(stamp)?;
        Some(self.tick - (self.now() - then).num_milliseconds() / clock::TICK_MS)
    }

    fn get(&self, kind: Kind, key: &Key) -> Option<Arc<Value>> {
        self.store.get(kind, key).map(|object| self.store.value(&object))
    }

    /// Looks at an object again after some ticks.
    fn wake_after(&mut self, ticks: i64, kind: Kind, key: &Key) {
        self.wake_at(self.tick + ticks.max(1), kind, key);
    }

    fn wake_at(&mut self, tick: i64, kind: Kind, key: &Key) {
        self.timers.entry(tick.max(self.tick + 1)).or_default().insert((kind, key.clone()));
    }

    /// Adds an object with its defaults filled in.
    pub fn create(&mut self, kind: Kind, mut object: Value) -> Outcome<Arc<Object>> {
        admit::apply_defaults(kind, &mut object);
        if kind.row().status && object.get("status").is_none() {
            let status = admit::initial_status(kind, &object);
            json::put(&mut object, "/status", status);
        }
        self.store.create(kind, object, false)
    }

    /// Changes an object; that it went away meanwhile is no error, the next look will see it.
    pub fn edit(&mut self, kind: Kind, key: &Key, edit: impl FnOnce(&mut Value)) -> Option<Arc<Object>> {
        let edited = self.store.update(kind, key, WHOLE, |object| {
            edit(object);
            Ok(())
        });
        edited.ok()
    }

    /// Sets the replicas as a controller that is named does, through `/scale` or without.
    fn scale(&mut self, (kind, key): (Kind, &Key), replicas: i64, manager: &str, subresource: &'static str) {
        let writer = Writer { manager, subresource };
        // That it went away meanwhile is no error, the next look will see it.
        let _ = self.store.update_by(kind, key, (WHOLE, Some(writer)), |object| {
            json::put(object, "/spec/replicas", replicas.into());
            Ok(())
        });
    }

    /// As `wake_after`, for what goes on for ever: it is not played for all of the past.
    fn rhythm(&mut self, ticks: i64, kind: Kind, key: &Key) {
        self.wake_at((self.tick + ticks).max(-RECENT), kind, key);
    }

    /// Writes a status, if it is another one than before; gives what was written.
    fn set_status(&mut self, kind: Kind, key: &Key, status: Value) -> Option<Arc<Object>> {
        if self.get(kind, key)?.get("status") == Some(&status) {
            return None;
        }
        self.edit(kind, key, |object| json::put(object, "/status", status))
    }

    /// Puts an object there that is at rest: it is booked, and nobody needs to look at it.
    pub fn settle(&mut self, kind: Kind, value: &mut Value) -> Arc<Object> {
        self.look();
        let object = self.store.stamp(kind, value);
        self.seen = object.version;
        if kind == Kind::Pods {
            self.scheduler.book(&object.key, value);
        }
        object
    }

    /// Deletes with what depends on it; that it is gone already is no error.
    pub fn delete(&mut self, kind: Kind, key: &Key) {
        let wish = Deletion { policy: Some(Policy::Background), ..Deletion::default() };
        let _ = self.store.delete(kind, key, &wish);
    }
}

/// An ownerReference of the controlling kind.
fn owned_by(kind: Kind, owner: &Value) -> Value {
    let row = kind.row();
    serde_json::json!([{
        "apiVersion": row.api_version(), "kind": row.kind, "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    }])
}

fn is_terminating(object: &Value) -> bool {
    object["metadata"].get("deletionTimestamp").is_some()
}

fn uid(object: &Value) -> &str {
    json::text(object, "/metadata/uid")
}
