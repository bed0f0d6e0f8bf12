//! The bounded history of changes: what a watch resumes from, what an older list is rebuilt from, and the
//! reason why both may hear *too old resource version*.

use std::collections::VecDeque;
use std::sync::Arc;

use super::object::Object;
use crate::demo::{
    refusal::{Outcome, Refusal},
    resource::Kind,
};

#[derive(Debug)]
pub struct Change {
    pub version: u64,
    pub kind: Kind,
    pub verb: Verb,
    /// What was there before; `None` for an addition.
    pub before: Option<Arc<Object>>,
    /// What is there now; for a deletion the last state, with the version of the deletion.
    pub object: Arc<Object>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Added,
    Modified,
    Deleted,
}

pub struct Log {
    changes: VecDeque<Arc<Change>>,
    capacity: usize,
    /// Changes up to this version are forgotten.
    compacted: u64,
}

impl Log {
    pub fn new(capacity: usize) -> Log {
        Log { changes: VecDeque::new(), capacity, compacted: 0 }
    }

    pub fn push(&mut self, change: Change) {
        while self.changes.len() >= self.capacity.max(1) {
            if let Some(oldest) = self.changes.pop_front() {
                self.compacted = oldest.version;
            }
        }
        self.changes.push_back(Arc::new(change));
    }

    pub fn compact(&mut self, version: u64) {
        self.changes.clear();
        self.compacted = version;
    }

    /// The changes after a version, oldest first.
    pub fn since(&self, version: u64) -> Outcome<impl DoubleEndedIterator<Item = &Arc<Change>>> {
        if version < self.compacted {
            return Err(Refusal::expired(version, self.compacted));
        }
        let start = self.changes.partition_point(|change| change.version <= version);
        Ok(self.changes.range(start..))
    }
}
