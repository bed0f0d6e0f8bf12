//! Watching: the changes of one kind from a version on, for as long as the client stays.
//!
//! A watch reads the store's history; it holds no queue of its own that could overflow. A client that reads
//! too slowly falls out of the history and is told so with a 410, as in Kubernetes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::stream;
use serde_json::{Value, json};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};

use super::Server;
use super::accept::{Encoding, Form, Wish};
use super::body::{self, IncludeObject};
use super::route::{Call, Params};
use crate::demo::{
    json, protobuf,
    refusal::{Outcome, Refusal},
    resource::Kind,
    store::{Change, Object, Query, Verb},
};

const BOOKMARK_EVERY: Duration = Duration::from_secs(10);
/// A watch without `timeoutSeconds` ends after half an hour to an hour in Kubernetes.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(40);

/// No watch is longer than a day, whatever was asked for.
const LONGEST: u64 = 86_400;

struct Watch {
    server: Arc<Server>,
    kind: Kind,
    query: Query,
    wish: Wish,
    include: IncludeObject,
    /// Everything up to this version has been told.
    told: u64,
    /// What is ready to be sent.
    ready: Vec<u8>,
    /// Has a Table's header been sent?
    headed: bool,
    news: Receiver<u64>,
    bookmarks: Option<Instant>,
    deadline: Instant,
    ended: bool,
}

pub fn open(server: &Arc<Server>, call: &Call, params: &Params, wish: Wish) -> Outcome<Response> {
    let store = &server.store;
    let asked = params.version()?;
    let timeout = params
        .int("timeoutSeconds")?
        .and_then(|seconds| u64::try_from(seconds).ok())
        .filter(|seconds| *seconds > 0);
    let now = Instant::now();
    let mut watch = Watch {
        server: server.clone(),
        kind: call.kind,
        query: params.selection(call)?,
        wish,
        include: IncludeObject::parse(params.get("includeObject"))?,
        told: asked.unwrap_or_default(),
        ready: Vec::new(),
        headed: false,
        news: store.subscribe(),
        bookmarks: params.flag("allowWatchBookmarks").then(|| now + BOOKMARK_EVERY),
        deadline: now + timeout.map_or(DEFAULT_TIMEOUT, |seconds| Duration::from_secs(seconds.min(LONGEST))),
        ended: false,
    };
    let streamed = params.flag("sendInitialEvents");
    if streamed && params.get("resourceVersionMatch") != "NotOlderThan" {
        let message = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        return Err(Refusal::bad_request(message));
    }
    match asked {
        Some(version) if version > store.version() => {
            return Err(Refusal::version_too_large(version, store.version()));
        }
        None if params.has("sendInitialEvents") && !streamed => watch.told = store.version(),
        None | Some(0) => watch.tell_all(),
        Some(_) if streamed => watch.tell_all(),
        Some(version) => {
            let expired = store.since(version).err();
            if let Some(refusal) = expired.filter(|_| server.expired_as_http.load(Ordering::Relaxed)) {
                return Err(refusal);
            }
        }
    }
    if streamed && watch.bookmarks.is_some() {
        watch.bookmark(true);
    }
    let pieces = stream::unfold(watch, |mut watch| async move {
        let piece = watch.next().await?;
        Some((Ok::<_, std::io::Error>(piece), watch))
    });
    let media = match wish.encoding {
        Encoding::Json => "application/json",
        Encoding::Protobuf => "application/vnd.kubernetes.protobuf;stream=watch",
    };
    Ok(body::typed(200, media, Body::from_stream(pieces)))
}

impl Watch {
    /// What to send next; waits for it. `None`: the watch is over.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            self.gather();
            if !self.ready.is_empty() {
                return Some(std::mem::take(&mut self.ready).into());
            }
            if self.ended {
                return None;
            }
            let bookmark_due = self.bookmarks.unwrap_or(self.deadline);
            tokio::select! {
                changed = self.news.changed() => self.ended |= changed.is_err(),
                () = sleep_until(bookmark_due.min(self.deadline)) => self.time_passed(),
            }
        }
    }

    /// All changes since the last look.
    fn gather(&mut self) {
        if self.ended {
            return;
        }
        let version = self.server.store.version();
        match self.server.store.since(self.told) {
            Ok(changes) => {
                let kind = self.kind;
                for change in changes.iter().filter(|change| change.kind == kind) {
                    self.tell(change);
                }
                let last = changes.last().map_or(0, |change| change.version);
                self.told = self.told.max(version).max(last);
            }
            Err(refusal) => {
                let body = refusal.body();
                self.tell_of("ERROR", protobuf::STATUS, &body);
                self.ended = true;
            }
        }
    }

    fn time_passed(&mut self) {
        let now = Instant::now();
        self.gather();
        if self.bookmarks.is_some() {
            self.bookmark(false);
            self.bookmarks = Some(now + BOOKMARK_EVERY);
        }
        self.ended |= now >= self.deadline;
    }

    fn tell_all(&mut self) {
        let snapshot = self.server.store.list(self.kind, &self.query);
        for object in &snapshot.objects {
            self.object("ADDED", object);
        }
        self.told = snapshot.version;
    }

    /// An object that starts or stops to match comes and goes, whatever happened to it.
    fn tell(&mut self, change: &Change) {
        let before = change.before.as_deref().filter(|before| self.query.matches(before));
        let matches = change.verb != Verb::Deleted && self.query.matches(&change.object);
        match (before, matches) {
            (None, true) => self.object("ADDED", &change.object),
            (Some(_), true) => self.object("MODIFIED", &change.object),
            (Some(before), false) => {
                if self.server.deletes_of_old.load(Ordering::Relaxed) {
                    return self.object("DELETED", before);
                }
                let mut last = before.value();
                json::put(&mut last, "/metadata/resourceVersion", change.version.to_string().into());
                self.object("DELETED", &Object::new(self.kind, change.version, &last));
            }
            (None, false) => {}
        }
    }

    fn object(&mut self, verb: &str, object: &Object) {
        match (self.wish.form, self.wish.encoding) {
            (Form::Object | Form::Metadata, Encoding::Protobuf) => self.event(verb, &object.value()),
            (Form::Object, Encoding::Json) => {
                self.ready.extend_from_slice(format!(r#"{{"type":"{verb}","object":"#).as_bytes());
                self.ready.extend_from_slice(&object.body());
                self.ready.extend_from_slice(b"}\n");
            }
            (Form::Metadata, Encoding::Json) => self.event(verb, &body::metadata(&object.value())),
            (Form::Table, _) => {
                let now = self.server.store.clock().now();
                let table = body::table_of(object, !self.headed, self.include, now);
                self.headed = true;
                self.event(verb, &table);
            }
        }
    }

    fn bookmark(&mut self, initial_events_end: bool) {
        let row = self.kind.row();
        let mut meta = json!({"resourceVersion": self.told.to_string()});
        if initial_events_end {
            meta["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object = match self.wish.form {
            Form::Object => {
                json!({"kind": row.kind, "apiVersion": row.api_version(), "metadata": meta})
            }
            Form::Metadata => body::metadata(&json!({"metadata": meta})),
            Form::Table => json!({
                "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": self.told.to_string()},
                "columnDefinitions": null,
                "rows": [{"cells": [], "object": body::metadata(&json!({"metadata": meta}))}],
            }),
        };
        self.event("BOOKMARK", &object);
    }

    /// An event of an object in the form that was asked for.
    fn event(&mut self, verb: &str, object: &Value) {
        let (kind, form) = (self.kind, self.wish.form);
        body::with_type(kind, form, |of| self.tell_of(verb, of, object));
    }

    fn tell_of(&mut self, verb: &str, of: protobuf::Type<'_>, object: &Value) {
        self.ready.extend_from_slice(&body::event(self.wish.encoding, verb, of, object));
    }
}
