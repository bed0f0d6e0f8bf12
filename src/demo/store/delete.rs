//! Deleting: preconditions, grace, finalizers, and what goes with the object by its ownerReferences.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::log::{Change, Verb};
use super::object::{Key, Object};
use super::{State, Store};
use crate::demo::{
    clock, json,
    refusal::{Outcome, Refusal},
    resource::{KINDS, Kind},
};

const FOREGROUND: &str = "foregroundDeletion";

/// The wishes of a `metav1.DeleteOptions`.
#[derive(Debug, Clone, Default)]
pub struct Deletion {
    pub grace_seconds: Option<i64>,
    pub policy: Option<Policy>,
    pub uid: Option<String>,
    pub version: Option<String>,
    pub dry_run: bool,
}

/// What happens to the dependents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    Background,
    Foreground,
    Orphan,
}

impl Store {
    /// Deletes as the API server and its garbage collector would. Gives the object's last state and whether
    /// it is gone; a pod that runs, or an object with finalizers, stays for a while and says so.
    pub fn delete(&self, kind: Kind, key: &Key, wish: &Deletion) -> Outcome<(Arc<Object>, bool)> {
        let now = self.clock.now();
        self.change(|state| state.delete(kind, key, wish, now))
    }
}

impl State {
    fn delete(
        &mut self,
        kind: Kind,
        key: &Key,
        wish: &Deletion,
        now: DateTime<Utc>,
    ) -> Outcome<(Arc<Object>, bool)> {
        let object = self.find(kind, key)?;
        let mut value = Value::clone(&self.value(&object));
        check(kind, &object, wish)?;
        let grace = grace(kind, &value, wish);
        let policy = wish.policy.unwrap_or(default_policy(kind));
        if policy == Policy::Foreground && self.owned.contains_key(&object.uid) {
            add_finalizer(&mut value);
        }
        let stays = grace > 0 || !json::list(&value, "/metadata/finalizers").is_empty();
        if wish.dry_run {
            return Ok((object, !stays));
        }
        if stays {
            let object = self.mark(kind, value, grace, now).unwrap_or(object);
            if policy == Policy::Foreground {
                self.delete_dependents(&object.uid, policy, now);
            }
            let left = self.shelves[kind as usize].get(key).cloned();
            let gone = left.is_none();
            return Ok((left.unwrap_or(object), gone));
        }
        let last = self.remove(kind, key).unwrap_or(object);
        match policy {
            Policy::Orphan => self.orphan(&last.uid),
            Policy::Background | Policy::Foreground => {
                self.delete_dependents(&last.uid, policy, now);
            }
        }
        if kind == Kind::Namespaces {
            self.empty(&key.name, now);
        }
        Ok((last, true))
    }

    /// Takes the object from its shelf and tells it; wakes an owner that waits for its last dependent.
    pub(super) fn remove(&mut self, kind: Kind, key: &Key) -> Option<Arc<Object>> {
        let before = self.shelves[kind as usize].remove(key)?;
        self.disown(&before);
        self.version += 1;
        let mut value = Value::clone(&self.value(&before));
        json::put(&mut value, "/metadata/resourceVersion", self.version.to_string().into());
        let object = Arc::new(Object::new(kind, self.version, &value));
        let verb = Verb::Deleted;
        self.log.push(Change {
            version: self.version,
            kind,
            verb,
            before: Some(before.clone()),
            object: object.clone(),
        });
        for owner in before.owners() {
            if let Some(owner_kind) = owner.kind {
                let namespace = if owner_kind.row().namespaced { &*key.namespace } else { "" };
                self.last_dependent_left(owner_kind, &Key::new(namespace, &owner.name), &owner.uid);
            }
        }
        Some(object)
    }

    fn last_dependent_left(&mut self, kind: Kind, key: &Key, uid: &str) {
        let Some(owner) = self.shelves[kind as usize].get(key).cloned() else { return };
        if &*owner.uid != uid || self.owned.contains_key(uid) {
            return;
        }
        let mut value = owner.value();
        let Some(Value::Array(finalizers)) = value.pointer_mut("/metadata/finalizers") else {
            return;
        };
        let count = finalizers.len();
        finalizers.retain(|finalizer| finalizer != FOREGROUND);
        if finalizers.len() == count {
            return;
        }
        if is_free_to_go(&value) {
            self.remove(kind, key);
        } else {
            self.commit(kind, value);
        }
    }

    /// Marks it for deletion, once; to be asked again changes nothing.
    fn mark(&mut self, kind: Kind, mut value: Value, grace: i64, now: DateTime<Utc>) -> Option<Arc<Object>> {
        if value["metadata"].get("deletionTimestamp").is_none() {
            let when = clock::stamp(now + TimeDelta::seconds(grace));
            json::put(&mut value, "/metadata/deletionTimestamp", when.into());
            json::put(&mut value, "/metadata/deletionGracePeriodSeconds", json!(grace));
            if kind.row().generation {
                let generation = json::int(&value, "/metadata/generation") + 1;
                json::put(&mut value, "/metadata/generation", json!(generation));
            }
        }
        let known = self.shelves[kind as usize].get(&Key::of(&value)).cloned();
        let same = known.is_some_and(|object| *self.value(&object) == value);
        (!same).then(|| self.commit(kind, value))
    }

    fn delete_dependents(&mut self, uid: &str, policy: Policy, now: DateTime<Utc>) {
        for (kind, key) in self.owned.get(uid).cloned().unwrap_or_default() {
            let Some(object) = self.shelves[kind as usize].get(&key).cloned() else { continue };
            let kept = object.owners().iter().any(|owner| {
                &*owner.uid != uid && owner.kind.is_some_and(|kind| self.lives(kind, &key.namespace, owner))
            });
            let terminating = self.value(&object)["metadata"].get("deletionTimestamp").is_some();
            if !kept && !terminating {
                let wish = Deletion { policy: Some(policy), ..Deletion::default() };
                // It was found under the same lock, and the wish has no precondition: nothing can refuse.
                let _ = self.delete(kind, &key, &wish, now);
            }
        }
    }

    fn lives(&self, kind: Kind, namespace: &str, owner: &super::object::Owner) -> bool {
        let namespace = if kind.row().namespaced { namespace } else { "" };
        let found = self.shelves[kind as usize].get(&Key::new(namespace, &owner.name));
        found.is_some_and(|object| object.uid == owner.uid)
    }

    /// Cuts the ownerReferences to an object that is gone.
    fn orphan(&mut self, uid: &str) {
        for (kind, key) in self.owned.get(uid).cloned().unwrap_or_default() {
            let Some(object) = self.shelves[kind as usize].get(&key) else { continue };
            let mut value = object.value();
            if let Some(Value::Array(owners)) = value.pointer_mut("/metadata/ownerReferences") {
                owners.retain(|owner| owner["uid"] != uid);
                if owners.is_empty() {
                    json::remove(&mut value, "/metadata/ownerReferences");
                }
            }
            self.commit(kind, value);
        }
    }

    /// A namespace that goes takes everything in it along, at once.
    fn empty(&mut self, namespace: &str, now: DateTime<Utc>) {
        let wish =
            Deletion { grace_seconds: Some(0), policy: Some(Policy::Background), ..Deletion::default() };
        for kind in KINDS.iter().copied().filter(|kind| kind.row().namespaced) {
            let keys: Vec<Key> = self.shelf(kind, Some(namespace)).map(|object| object.key.clone()).collect();
            for key in keys {
                // What went with its owner a moment ago is not there any more, and that is the aim.
                let _ = self.delete(kind, &key, &wish, now);
            }
        }
    }
}

/// Marked for deletion, with nothing left to wait for?
pub(super) fn is_free_to_go(value: &Value) -> bool {
    value["metadata"].get("deletionTimestamp").is_some()
        && json::list(value, "/metadata/finalizers").is_empty()
        && json::int(value, "/metadata/deletionGracePeriodSeconds") == 0
}

fn check(kind: Kind, object: &Object, wish: &Deletion) -> Outcome<()> {
    let name = &object.key.name;
    if let Some(uid) = &wish.uid
        && **uid != *object.uid
    {
        let why = format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been \
             deleted and then recreated",
            object.uid
        );
        return Err(Refusal::precondition(kind, name, &why));
    }
    if let Some(version) = &wish.version
        && *version != object.version.to_string()
    {
        let why = format!(
            "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({}). \
             The object might have been modified",
            object.version
        );
        return Err(Refusal::precondition(kind, name, &why));
    }
    Ok(())
}

/// Only a pod that a kubelet has to stop gets time for it.
fn grace(kind: Kind, value: &Value, wish: &Deletion) -> i64 {
    let ended = ["Succeeded", "Failed"].contains(&json::text(value, "/status/phase"));
    if kind != Kind::Pods || ended || json::text(value, "/spec/nodeName").is_empty() {
        return 0;
    }
    wish.grace_seconds
        .unwrap_or(json::int_or(value, "/spec/terminationGracePeriodSeconds", 30))
        .clamp(0, json::LARGEST)
}

/// Jobs keep the old default of their API: their pods stay.
fn default_policy(kind: Kind) -> Policy {
    if kind == Kind::Jobs { Policy::Orphan } else { Policy::Background }
}

fn add_finalizer(value: &mut Value) {
    let mut finalizers = json::list(value, "/metadata/finalizers").to_vec();
    if !finalizers.iter().any(|finalizer| finalizer == FOREGROUND) {
        finalizers.push(FOREGROUND.into());
    }
    json::put(value, "/metadata/finalizers", finalizers.into());
}
