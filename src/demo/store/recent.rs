//! Objects in parsed form, of those that were written or looked at a moment ago. Controllers come back to the
//! same few objects again and again; parsing their bytes anew each time would be most of their work.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::object::{Key, Object};
use crate::demo::resource::Kind;

/// So many are kept; then it begins anew.
const KEPT: usize = 512;

#[derive(Default)]
pub struct Recent {
    values: HashMap<(Kind, Key), (u64, Arc<Value>)>,
}

impl Recent {
    pub fn keep(&mut self, object: &Object, value: Arc<Value>) {
        if self.values.len() >= KEPT {
            self.values.clear();
        }
        self.values.insert((object.kind, object.key.clone()), (object.version, value));
    }

    pub fn get(&mut self, object: &Object) -> Arc<Value> {
        match self.values.get(&(object.kind, object.key.clone())) {
            Some((version, value)) if *version == object.version => value.clone(),
            _ => {
                let value = Arc::new(object.value());
                self.keep(object, value.clone());
                value
            }
        }
    }
}
