//! The truth of one cluster: every object with its version, a bounded history of changes, and the rules that
//! Kubernetes keeps at its door: who sets which metadata, what a conflict is, what is deleted with what.
//!
//! Objects are kept as the bytes that go onto the wire, with a small head for selecting; ten thousand pods
//! are thirty megabytes and a list of them is a copy. It refuses to know HTTP, and to run by itself: things
//! happen when the API or the scenario calls.

mod delete;
mod fields;
mod log;
mod object;
mod recent;
mod selector;
mod write;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::Value;
use tokio::sync::watch;

use super::clock::Clock;
use super::refusal::{Outcome, Refusal};
use super::resource::{KINDS, Kind};

pub use delete::{Deletion, Policy};
pub use fields::Writer;
pub use log::{Change, Verb};
pub use object::{Key, Object};
pub use selector::{FieldSelector, LabelSelector, Query};
pub use write::{Mode, Part};

/// How many changes are remembered unless told otherwise.
const HISTORY: usize = 8_192;

pub struct Store {
    state: RwLock<State>,
    news: watch::Sender<u64>,
    clock: Arc<Clock>,
}

/// What a list saw: the objects and the version of the world they belong to.
#[derive(Debug)]
pub struct Snapshot {
    pub version: u64,
    pub objects: Vec<Arc<Object>>,
}

struct State {
    version: u64,
    shelves: Vec<BTreeMap<Key, Arc<Object>>>,
    log: log::Log,
    /// Who has an ownerReference to this uid.
    owned: HashMap<Box<str>, BTreeSet<(Kind, Key)>>,
    recent: Mutex<recent::Recent>,
    random: fastrand::Rng,
}

impl Store {
    /// An empty store; the seed decides uids and generated names.
    pub fn new(clock: Arc<Clock>, seed: u64) -> Store {
        Store::with_history(clock, seed, HISTORY)
    }

    /// An empty store that remembers so many changes.
    pub fn with_history(clock: Arc<Clock>, seed: u64, changes: usize) -> Store {
        let state = State {
            version: 1,
            shelves: vec![BTreeMap::new(); KINDS.len()],
            log: log::Log::new(changes),
            owned: HashMap::new(),
            recent: Mutex::default(),
            random: fastrand::Rng::with_seed(seed),
        };
        Store { state: RwLock::new(state), news: watch::Sender::new(1), clock }
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The version of the last change.
    pub fn version(&self) -> u64 {
        self.read().version
    }

    /// Tells the version after every change.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    pub fn get(&self, kind: Kind, key: &Key) -> Option<Arc<Object>> {
        self.read().shelves[kind as usize].get(key).cloned()
    }

    /// The object in parsed form; cheap for what was written or looked at a moment ago.
    pub fn value(&self, object: &Object) -> Arc<Value> {
        self.read().recent.lock().unwrap_or_else(PoisonError::into_inner).get(object)
    }

    pub fn count(&self, kind: Kind) -> usize {
        self.read().shelves[kind as usize].len()
    }

    /// All objects of a kind that match, in the order of their keys, as they are now.
    pub fn list(&self, kind: Kind, query: &Query) -> Snapshot {
        let state = self.read();
        let objects = state.shelf(kind, query.namespace.as_deref());
        let objects = objects.filter(|object| query.matches(object)).cloned().collect();
        Snapshot { version: state.version, objects }
    }

    /// As `list`, at an earlier version of the world, if the history still reaches back to it.
    pub fn list_at(&self, kind: Kind, query: &Query, version: u64) -> Outcome<Snapshot> {
        let state = self.read();
        if version > state.version {
            return Err(Refusal::version_too_large(version, state.version));
        }
        let mut then: BTreeMap<Key, Option<Arc<Object>>> = BTreeMap::new();
        for change in state.log.since(version)?.rev().filter(|change| change.kind == kind) {
            then.insert(change.object.key.clone(), change.before.clone());
        }
        let now = state.shelf(kind, query.namespace.as_deref());
        let mut objects: Vec<Arc<Object>> = now
            .filter(|object| !then.contains_key(&object.key))
            .chain(then.values().flatten())
            .cloned()
            .collect();
        objects.retain(|object| query.matches(object));
        objects.sort_by(|left, right| left.key.cmp(&right.key));
        Ok(Snapshot { version, objects })
    }

    /// The objects with an ownerReference to this uid, of one kind.
    pub fn owned(&self, uid: &str, kind: Kind) -> Vec<Arc<Object>> {
        let state = self.read();
        let keys = state.owned.get(uid).into_iter().flatten().filter(|(of, _)| *of == kind);
        keys.filter_map(|(_, key)| state.shelves[kind as usize].get(key)).cloned().collect()
    }

    /// The changes after a version, oldest first; refused when the history does not reach back to it.
    pub fn since(&self, version: u64) -> Outcome<Vec<Arc<Change>>> {
        Ok(self.read().log.since(version)?.cloned().collect())
    }

    /// Forgets all changes so far, as a compaction of etcd does: older versions are *too old* from now on.
    pub fn compact(&self) {
        let mut state = self.write();
        let version = state.version;
        state.log.compact(version);
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a change under the lock and tells the watchers if the version moved.
    fn change<T>(&self, edit: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.write();
        let before = state.version;
        let result = edit(&mut state);
        let after = state.version;
        drop(state);
        if after != before {
            // Two writers may come here in either order: the news only ever grows.
            self.news.send_if_modified(|news| std::mem::replace(news, after.max(*news)) < after);
        }
        result
    }
}

impl State {
    fn shelf(&self, kind: Kind, namespace: Option<&str>) -> impl Iterator<Item = &Arc<Object>> {
        let shelf = &self.shelves[kind as usize];
        let start = match namespace {
            Some(namespace) => Bound::Included(Key::new(namespace, "")),
            None => Bound::Unbounded,
        };
        let wanted = namespace.map(str::to_owned);
        shelf
            .range((start, Bound::Unbounded))
            .take_while(move |(key, _)| wanted.as_deref().is_none_or(|wanted| &*key.namespace == wanted))
            .map(|(_, object)| object)
    }

    fn value(&mut self, object: &Object) -> Arc<Value> {
        self.recent.get_mut().unwrap_or_else(PoisonError::into_inner).get(object)
    }

    fn find(&self, kind: Kind, key: &Key) -> Outcome<Arc<Object>> {
        let found = self.shelves[kind as usize].get(key).cloned();
        found.ok_or_else(|| Refusal::not_found(kind, &key.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn names(snapshot: &Snapshot) -> Vec<(String, u64)> {
        snapshot.objects.iter().map(|object| (object.key.name.to_string(), object.version)).collect()
    }

    proptest! {
        /// Whatever happens, an older list is what was there, and the changes since lead to what is there now.
        #[test]
        fn the_history_tells_the_truth(steps in prop::collection::vec((0..6_u8, any::<bool>()), 1..60)) {
            let store = Store::with_history(Arc::new(Clock::wall()), 1, 40);
            let mut seen = vec![(store.version(), Vec::new())];
            for (name, put) in steps {
                let key = Key::new("a", &format!("p{name}"));
                if put {
                    store.put(Kind::Pods, json!({"metadata": {"name": &*key.name, "namespace": "a"}}));
                } else {
                    store.remove(Kind::Pods, &key);
                }
                seen.push((store.version(), names(&store.list(Kind::Pods, &Query::all()))));
            }
            let now = seen.last().map(|(_, names)| names.clone()).unwrap_or_default();
            for (version, then) in seen {
                match store.since(version) {
                    Err(refusal) => prop_assert_eq!(refusal.code, 410),
                    Ok(changes) => {
                        let snapshot = store.list_at(Kind::Pods, &Query::all(), version);
                        prop_assert_eq!(names(&snapshot.expect("the history reaches back")), then.clone());
                        let mut replayed: BTreeMap<String, u64> = then.into_iter().collect();
                        for change in changes {
                            let name = change.object.key.name.to_string();
                            match change.verb {
                                Verb::Deleted => replayed.remove(&name),
                                Verb::Added | Verb::Modified => replayed.insert(name, change.version),
                            };
                        }
                        prop_assert_eq!(replayed.into_iter().collect::<Vec<_>>(), now.clone());
                    }
                }
            }
        }
    }
}
