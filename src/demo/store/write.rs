//! Creating and changing: what the server sets, what it keeps, and when it refuses.

use std::sync::{Arc, PoisonError};

use serde_json::{Value, json};

use super::delete::is_free_to_go;
use super::fields::{self, Writer};
use super::log::{Change, Verb};
use super::object::{Key, Object};
use super::{State, Store};
use crate::demo::{
    clock, json,
    refusal::{Cause, Outcome, Refusal},
    resource::Kind,
};

/// The part of an object that an update may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All but the status, where the kind has a status subresource.
    Main,
    /// The status alone.
    Status,
    /// Both at once: what only a controller inside the cluster does.
    Whole,
}

/// What an update may change, and whether it is only tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    pub part: Part,
    pub dry_run: bool,
}

impl Store {
    /// Adds an object as the API server would: names, uid, times and version are the server's.
    pub fn create(&self, kind: Kind, value: Value, dry_run: bool) -> Outcome<Arc<Object>> {
        self.create_by(kind, value, dry_run, None)
    }

    /// As `create`; what a writer sets is written down as its own.
    pub fn create_by(
        &self,
        kind: Kind,
        value: Value,
        dry_run: bool,
        writer: Option<Writer<'_>>,
    ) -> Outcome<Arc<Object>> {
        let now = clock::stamp(self.clock.now());
        self.change(|state| state.create(kind, value, &now, (dry_run, writer)))
    }

    /// Changes an object by a function of its current state, under the store's lock.
    ///
    /// The function may set `metadata.resourceVersion` or `metadata.uid` to what its author believes: then
    /// another value in the store is a conflict. A change that changes nothing makes no new version.
    pub fn update(
        &self,
        kind: Kind,
        key: &Key,
        mode: Mode,
        edit: impl FnOnce(&mut Value) -> Outcome<()>,
    ) -> Outcome<Arc<Object>> {
        self.update_by(kind, key, (mode, None), edit)
    }

    /// As `update`; what the writer changes is written down as its own.
    pub fn update_by(
        &self,
        kind: Kind,
        key: &Key,
        (mode, writer): (Mode, Option<Writer<'_>>),
        edit: impl FnOnce(&mut Value) -> Outcome<()>,
    ) -> Outcome<Arc<Object>> {
        let now = clock::stamp(self.clock.now());
        self.change(|state| {
            let old = state.find(kind, key)?;
            let before = state.value(&old);
            let mut after = Value::clone(&before);
            edit(&mut after)?;
            keep_what_is_the_servers(kind, &before, &mut after, mode.part)?;
            if after == *before {
                return Ok(old);
            }
            if let Some(writer) = writer {
                fields::track(kind, &before, &mut after, writer, &now);
            }
            let counts = spec_differs(&before, &after)
                || kind == Kind::Deployments
                    && mode.part == Part::Main
                    && annotations_differ(&before, &after);
            if kind.row().generation && counts {
                json::put(
                    &mut after,
                    "/metadata/generation",
                    json!(json::int(&before, "/metadata/generation") + 1),
                );
            }
            if mode.dry_run {
                return Ok(Arc::new(Object::new(kind, old.version, &after)));
            }
            if is_free_to_go(&after) {
                return Ok(state.remove(kind, key).unwrap_or(old));
            }
            Ok(state.commit(kind, after))
        })
    }

    /// Puts an object there as it is, new or replaced: no rule but the version. For tests, and for what
    /// exists before the first second.
    pub fn put(&self, kind: Kind, value: Value) -> Arc<Object> {
        let now = clock::stamp(self.clock.now());
        self.change(|state| {
            let mut value = value;
            let old = state.shelves[kind as usize].get(&Key::of(&value)).map(|old| old.uid.clone());
            if json::text(&value, "/metadata/uid").is_empty() {
                let uid = old.map_or_else(|| state.uid(), String::from);
                json::put(&mut value, "/metadata/uid", uid.into());
            }
            if json::text(&value, "/metadata/creationTimestamp").is_empty() {
                json::put(&mut value, "/metadata/creationTimestamp", now.into());
            }
            state.commit(kind, value)
        })
    }

    /// Puts a copy of the object there, with a uid of its own; the value can be changed and put again. For
    /// what there is very much of.
    pub fn stamp(&self, kind: Kind, value: &mut Value) -> Arc<Object> {
        self.change(|state| {
            json::put(value, "/metadata/uid", state.uid().into());
            state.place(kind, value)
        })
    }

    /// Takes an object away at once: no grace, no cascade, no finalizer.
    pub fn remove(&self, kind: Kind, key: &Key) -> Option<Arc<Object>> {
        self.change(|state| state.remove(kind, key))
    }

    /// Five letters as Kubernetes appends them to generated names.
    pub fn suffix(&self) -> String {
        self.write().suffix()
    }
}

impl State {
    fn create(
        &mut self,
        kind: Kind,
        mut value: Value,
        now: &str,
        (dry_run, writer): (bool, Option<Writer<'_>>),
    ) -> Outcome<Arc<Object>> {
        let row = kind.row();
        let prefix = json::text(&value, "/metadata/generateName").to_owned();
        if json::text(&value, "/metadata/name").is_empty() && !prefix.is_empty() {
            let name = format!("{prefix}{}", self.suffix());
            json::put(&mut value, "/metadata/name", name.into());
        }
        let key = Key::of(&value);
        if key.name.is_empty() {
            let cause = Cause::required("metadata.name", "name or generateName is required");
            return Err(Refusal::invalid(kind, "", &[cause]));
        }
        if row.namespaced {
            self.find(Kind::Namespaces, &Key::new("", &key.namespace))?;
        }
        if self.shelves[kind as usize].contains_key(&key) {
            return Err(Refusal::already_exists(kind, &key.name));
        }
        for pointer in
            ["/metadata/deletionTimestamp", "/metadata/deletionGracePeriodSeconds", "/metadata/managedFields"]
        {
            json::remove(&mut value, pointer);
        }
        json::put(&mut value, "/metadata/uid", self.uid().into());
        json::put(&mut value, "/metadata/creationTimestamp", now.into());
        if row.generation {
            json::put(&mut value, "/metadata/generation", json!(1));
        }
        if let Some(writer) = writer {
            fields::track(kind, &Value::Null, &mut value, writer, now);
        }
        if dry_run {
            json::remove(&mut value, "/metadata/resourceVersion");
            return Ok(Arc::new(Object::new(kind, self.version, &value)));
        }
        Ok(self.commit(kind, value))
    }

    /// Gives the object the next version and puts it on its shelf and into the history.
    pub(super) fn commit(&mut self, kind: Kind, mut value: Value) -> Arc<Object> {
        let object = self.place(kind, &mut value);
        self.recent.get_mut().unwrap_or_else(PoisonError::into_inner).keep(&object, Arc::new(value));
        object
    }

    fn place(&mut self, kind: Kind, value: &mut Value) -> Arc<Object> {
        self.version += 1;
        json::put(value, "/metadata/resourceVersion", self.version.to_string().into());
        let object = Arc::new(Object::new(kind, self.version, value));
        let before = self.shelves[kind as usize].insert(object.key.clone(), object.clone());
        if let Some(before) = &before {
            self.disown(before);
        }
        for owner in object.owners() {
            self.owned.entry(owner.uid.clone()).or_default().insert((kind, object.key.clone()));
        }
        let verb = if before.is_some() { Verb::Modified } else { Verb::Added };
        self.log.push(Change { version: self.version, kind, verb, before, object: object.clone() });
        object
    }

    pub(super) fn disown(&mut self, object: &Object) {
        for owner in object.owners() {
            if let Some(dependents) = self.owned.get_mut(&owner.uid) {
                dependents.remove(&(object.kind, object.key.clone()));
                if dependents.is_empty() {
                    self.owned.remove(&owner.uid);
                }
            }
        }
    }

    pub(super) fn uid(&mut self) -> String {
        let [a, b] = [self.random.u64(..), self.random.u64(..)];
        let (version, variant) = (0x4000 | (a & 0x0fff), 0x8000 | (b >> 50));
        format!(
            "{:08x}-{:04x}-{version:04x}-{variant:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            b & 0xffff_ffff_ffff
        )
    }

    fn suffix(&mut self) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        (0..5).map(|_| char::from(LETTERS[self.random.usize(..LETTERS.len())])).collect()
    }
}

fn keep_what_is_the_servers(kind: Kind, before: &Value, after: &mut Value, part: Part) -> Outcome<()> {
    let name = json::text(before, "/metadata/name");
    let seen = json::text(after, "/metadata/resourceVersion");
    if !seen.is_empty() && seen != json::text(before, "/metadata/resourceVersion") {
        return Err(Refusal::modified(kind, name));
    }
    let (believed, own) = (json::text(after, "/metadata/uid"), json::text(before, "/metadata/uid"));
    if !believed.is_empty() && believed != own {
        let why = format!("Precondition failed: UID in precondition: {believed}, UID in object meta: {own}");
        return Err(Refusal::conflict(kind, name, &why));
    }
    match part {
        Part::Main if kind.row().status => copy(before, after, "/status"),
        Part::Main | Part::Whole => {}
        Part::Status => {
            let status = after.get("status").cloned();
            *after = before.clone();
            if let Some(status) = status {
                json::put(after, "/status", status);
            }
        }
    }
    for field in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "generation",
        "resourceVersion",
        "generateName",
        "managedFields",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        copy(before, after, &format!("/metadata/{field}"));
    }
    for pointer in ["/kind", "/apiVersion"] {
        copy(before, after, pointer);
    }
    Ok(())
}

fn copy(from: &Value, to: &mut Value, pointer: &str) {
    match from.pointer(pointer) {
        Some(value) => json::put(to, pointer, value.clone()),
        None => json::remove(to, pointer),
    }
}

/// Of a Deployment, annotations count as if they were spec; of nothing else.
fn annotations_differ(before: &Value, after: &Value) -> bool {
    before.pointer("/metadata/annotations") != after.pointer("/metadata/annotations")
}

/// Does anything but metadata and status differ?
fn spec_differs(before: &Value, after: &Value) -> bool {
    let keys = [before, after].into_iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys);
    keys.filter(|key| !["metadata", "status"].contains(&key.as_str()))
        .any(|key| before.get(key) != after.get(key))
}
