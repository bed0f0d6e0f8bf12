//! What the nodes of a cluster say of where they are and who made them, counted change by change.
//!
//! The cloud of a cluster is asked for with every frame, for every row; a walk over all nodes is not.

use std::collections::BTreeMap;

use crate::fleet::cluster::Distribution;
use crate::fleet::{Clean, Cloud, Node};

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Census {
    clouds: Counts<Cloud>,
    regions: Counts<Clean>,
    distributions: Counts<Distribution>,
}

/// How many nodes say each of these.
#[derive(Debug, PartialEq, Eq)]
struct Counts<T>(BTreeMap<T, u32>);

impl Census {
    pub fn change(&mut self, old: Option<&Node>, new: Option<&Node>) {
        let of = |node: Option<&Node>| {
            let (place, distribution) = node.map_or((None, None), |it| (Some(&it.place), it.distribution));
            let cloud = place.and_then(|it| it.cloud.as_ref());
            (cloud.cloned(), place.and_then(|it| it.region.clone()), distribution)
        };
        let (old, new) = (of(old), of(new));
        self.clouds.change(old.0, new.0);
        self.regions.change(old.1, new.1);
        self.distributions.change(old.2, new.2);
    }

    /// The cloud that most nodes name.
    pub fn cloud(&self) -> Option<&Cloud> {
        self.clouds.most()
    }

    pub fn region(&self) -> Option<&Clean> {
        self.regions.most()
    }

    pub fn distribution(&self) -> Option<Distribution> {
        self.distributions.most().copied()
    }
}

impl<T> Default for Counts<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Ord> Counts<T> {
    fn change(&mut self, old: Option<T>, new: Option<T>) {
        if old == new {
            return;
        }
        if let Some(old) = old
            && let Some(count) = self.0.get_mut(&old)
        {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&old);
            }
        }
        if let Some(new) = new {
            *self.0.entry(new).or_default() += 1;
        }
    }

    fn most(&self) -> Option<&T> {
        self.0.iter().max_by_key(|(_, count)| **count).map(|(value, _)| value)
    }
}
