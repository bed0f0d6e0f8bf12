//! The facts of all pods, kept by version: a controller with a thousand pods looks at the one that changed.

use std::cell::RefCell;
use std::collections::HashMap;

use super::template::PodFacts;
use crate::demo::store::{Key, Object, Store};

#[derive(Default)]
pub struct Facts {
    /// With the version of the pod they were read from.
    pods: RefCell<HashMap<Key, (u64, PodFacts)>>,
}

impl Facts {
    pub fn of(&self, store: &Store, pod: &Object) -> PodFacts {
        let mut pods = self.pods.borrow_mut();
        match pods.get(&pod.key) {
            Some((version, facts)) if *version == pod.version => facts.clone(),
            _ => {
                let facts = PodFacts::of(pod, &store.value(pod));
                pods.insert(pod.key.clone(), (pod.version, facts.clone()));
                facts
            }
        }
    }

    pub fn forget(&self, pod: &Key) {
        self.pods.borrow_mut().remove(pod);
    }
}
