//! A warning that Kubernetes recorded about an object. Events are hints, kept for about an hour by the
//! server; nothing is decided from them alone.

use serde::{Deserialize, Serialize};

use super::{Clean, ObjectKey, Unix};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub key: ObjectKey,
    /// What it is about, in the event's namespace unless the object has none.
    pub about_kind: Clean,
    pub about: ObjectKey,
    pub reason: Clean,
    pub message: Clean,
    pub count: u32,
    pub last_seen: Unix,
}
