//! What each of a few clusters has of the same thing, in the order of the clusters.
//!
//! There is one for every workload, and mostly one to five clusters in it: a tree would take its smallest node for each,
//! ten times what is in it.

use crate::fleet::ClusterId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByCluster<T>(Vec<(ClusterId, T)>);

impl<T> Default for ByCluster<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> ByCluster<T> {
    pub fn get(&self, cluster: ClusterId) -> Option<&T> {
        let at = self.0.binary_search_by_key(&cluster, |(id, _)| *id).ok()?;
        Some(&self.0[at].1)
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ClusterId, &T)> + Clone {
        self.0.iter().map(|(id, it)| (*id, it))
    }

    pub fn clusters(&self) -> impl ExactSizeIterator<Item = ClusterId> + Clone {
        self.0.iter().map(|(id, _)| *id)
    }

    pub fn values(&self) -> impl ExactSizeIterator<Item = &T> + Clone {
        self.0.iter().map(|(_, it)| it)
    }

    /// Adds what another cluster has, or joins it with what that cluster has already.
    pub fn join(&mut self, cluster: ClusterId, it: T, join: impl FnOnce(&mut T, T)) {
        match self.0.binary_search_by_key(&cluster, |(id, _)| *id) {
            Ok(at) => join(&mut self.0[at].1, it),
            Err(at) => {
                // Room for what comes, and no more.
                self.0.reserve_exact(1);
                self.0.insert(at, (cluster, it));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_is_a_map_in_the_order_of_the_clusters(added in proptest::collection::vec((0u16..6, 1u32..9), 0..12)) {
            let (mut it, mut map) = (ByCluster::default(), BTreeMap::new());
            for (id, more) in added {
                it.join(ClusterId(id), more, |sum, more| *sum += more);
                *map.entry(ClusterId(id)).or_insert(0) += more;
            }
            prop_assert!(it.iter().eq(map.iter().map(|(id, sum)| (*id, sum))));
            prop_assert!(it.clusters().eq(map.keys().copied()));
            prop_assert!(it.values().eq(map.values()));
            prop_assert!((0..6).all(|id| it.get(ClusterId(id)) == map.get(&ClusterId(id))));
        }
    }
}
