//! Objects parsed a moment ago. Controllers look at the same few objects again and again; reading their bytes
//! anew each time would be most of the scenario's work.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::Task;
use super::template::PodFacts;
use crate::demo::resource::Kind;
use crate::demo::store::{Key, Object};

/// So many parsed objects are kept; facts of pods are small and all kept.
const KEPT: usize = 256;

/// With the version of the object it was made from.
type Versioned<T> = (u64, T);

#[derive(Default)]
pub struct Parsed {
    values: RefCell<HashMap<Task, Versioned<Arc<Value>>>>,
    pods: RefCell<HashMap<Key, Versioned<PodFacts>>>,
}

impl Parsed {
    pub fn value(&self, object: &Object) -> Arc<Value> {
        let mut values = self.values.borrow_mut();
        let place = (object.kind, object.key.clone());
        if let Some((version, value)) = values.get(&place)
            && *version == object.version
        {
            return value.clone();
        }
        if values.len() >= KEPT {
            values.clear();
        }
        let value = Arc::new(object.value());
        values.insert(place, (object.version, value.clone()));
        value
    }

    pub fn facts(&self, pod: &Object) -> PodFacts {
        let mut pods = self.pods.borrow_mut();
        match pods.get(&pod.key) {
            Some((version, facts)) if *version == pod.version => facts.clone(),
            _ => {
                let facts = PodFacts::of(pod);
                pods.insert(pod.key.clone(), (pod.version, facts.clone()));
                facts
            }
        }
    }

    pub fn forget(&self, pod: &Key) {
        self.pods.borrow_mut().remove(pod);
        self.values.borrow_mut().remove(&(Kind::Pods, pod.clone()));
    }
}
