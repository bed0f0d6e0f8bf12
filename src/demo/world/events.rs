//! Events: what controllers tell people, counted when it happens again, gone after an hour.

use serde_json::{Value, json};

use super::{EVENT_TICKS, World, json};
use crate::demo::programs::hash;
use crate::demo::resource::Kind;
use crate::demo::store::Key;

/// The object an event is about, and who says it.
#[derive(Debug, Clone, Copy)]
pub struct Involved<'a> {
    pub kind: Kind,
    pub object: &'a Value,
    pub component: &'a str,
}

impl World {
    pub(super) fn normal(&mut self, about: Involved<'_>, reason: &str, message: &str) {
        self.event(about, "Normal", reason, message);
    }

    pub(super) fn warning(&mut self, about: Involved<'_>, reason: &str, message: &str) {
        self.event(about, "Warning", reason, message);
    }

    fn event(&mut self, about: Involved<'_>, kind: &str, reason: &str, message: &str) {
        if self.tick < -EVENT_TICKS {
            return;
        }
        let meta = &about.object["metadata"];
        let namespace = match json::text(meta, "/namespace") {
            "" => "default",
            namespace => namespace,
        };
        let id = hash(&[json::text(meta, "/uid"), reason, message]);
        let key = Key::new(namespace, &format!("{}.{id:016x}", json::text(meta, "/name")));
        let now = self.stamp();
        if self.store.get(Kind::Events, &key).is_some() {
            self.edit(Kind::Events, &key, |event| {
                json::put(event, "/count", json!(json::int(event, "/count") + 1));
                json::put(event, "/lastTimestamp", now.into());
            });
        } else {
            let row = about.kind.row();
            let mut involved = json!({
                "kind": row.kind, "apiVersion": row.api_version(), "name": meta["name"], "uid": meta["uid"],
                "resourceVersion": meta["resourceVersion"],
            });
            if row.namespaced {
                involved["namespace"] = meta["namespace"].clone();
            }
            let event = json!({
                "metadata": {"name": &*key.name, "namespace": namespace},
                "involvedObject": involved, "reason": reason, "message": message,
                "source": {"component": about.component}, "firstTimestamp": now, "lastTimestamp": now, "count": 1,
                "type": kind, "eventTime": null, "reportingComponent": about.component, "reportingInstance": "",
            });
            // The namespace may be on its way out; then nobody is left to read the event.
            let _ = self.create(Kind::Events, event);
        }
        self.wake_after(EVENT_TICKS, Kind::Events, &key);
    }
}

/// Takes the event away if nothing was added to it for an hour.
pub fn expire(world: &mut World, key: &Key) {
    let Some(event) = world.get(Kind::Events, key) else { return };
    let last = world.tick_of(json::text(&event, "/lastTimestamp")).unwrap_or(world.tick);
    if world.tick - last >= EVENT_TICKS - 2 {
        world.store.remove(Kind::Events, key);
    }
}
