//! What was just read for a plan: whole objects, as the servers gave them.
//!
//! A plan is made of these and of nothing older; what is not here is not known.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Place, Wish};
use crate::fleet::{Clean, Fault, Mono};

/// An object as it was when it was shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    pub place: Place,
    pub value: Arc<Value>,
    pub at: Mono,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sight {
    pub objects: Vec<Seen>,
    /// What could not be read, and why.
    pub unread: Vec<(Place, Clean)>,
}

impl Sight {
    /// From what came of each.
    pub fn from_answers(answers: impl IntoIterator<Item = Result<Seen, (Place, Fault)>>) -> Self {
        let mut sight = Self::default();
        for answer in answers {
            match answer {
                Ok(seen) => sight.objects.push(seen),
                Err((place, fault)) => {
                    let words = format!("{} cannot be read: {fault}", place.object);
                    sight.unread.push((place, words.into()));
                }
            }
        }
        sight
    }

    /// As much as the wish needs, or why not. To take something back, less than all is enough: the plan tells what it
    /// leaves out.
    pub fn enough_for(self, wish: &Wish) -> Result<Self, Clean> {
        if matches!(wish, Wish::Undo(_)) { Ok(self) } else { self.whole() }
    }

    /// All of it, or why not.
    pub fn whole(self) -> Result<Self, Clean> {
        match self.unread.first() {
            Some((_, words)) => Err(words.clone()),
            None => Ok(self),
        }
    }

    pub fn of(&self, place: &Place) -> Option<&Seen> {
        self.objects.iter().find(|seen| seen.place == *place)
    }
}

impl Seen {
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.value.pointer(pointer)?.as_str()
    }

    pub fn number(&self, pointer: &str) -> Option<u32> {
        u32::try_from(self.value.pointer(pointer)?.as_u64()?).ok()
    }

    pub fn uid(&self) -> Option<Clean> {
        self.text("/metadata/uid").filter(|uid| !uid.is_empty()).map(Clean::new)
    }

    pub fn resource_version(&self) -> Option<&str> {
        self.text("/metadata/resourceVersion").filter(|version| !version.is_empty())
    }

    /// `None` for kinds that have none, such as autoscalers.
    pub fn generation(&self) -> Option<i64> {
        self.value.pointer("/metadata/generation")?.as_i64()
    }

    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.value["metadata"]["annotations"].get(name)?.as_str()
    }

    /// Kind and name of the owner that controls it.
    pub fn controller(&self) -> Option<(&str, &str)> {
        let owners = self.value["metadata"]["ownerReferences"].as_array()?;
        let owner = owners.iter().find(|owner| owner["controller"] == true)?;
        Some((owner["kind"].as_str()?, owner["name"].as_str()?))
    }
}

/// Whether this console wrote the number of replicas last: Kubernetes books one entry an updater and subresource, and
/// takes a field away from it when another writes it.
pub fn owns_scale(object: &Value) -> bool {
    let entries = object["metadata"]["managedFields"].as_array();
    entries
        .into_iter()
        .flatten()
        .any(|entry| entry["manager"] == super::patch::FIELD_MANAGER && entry["subresource"] == "scale")
}
