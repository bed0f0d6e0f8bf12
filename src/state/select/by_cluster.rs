//! What each of a few clusters has of the same thing, in the order of the clusters.
//!
//! There is one for every workload, and mostly one to five clusters in it: a tree would take its smallest node for each,
//! ten times what is in it.

use crate::fleet::ClusterId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByCluster<T>(Box<[(ClusterId, T)]>);

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
}

impl<T> FromIterator<(ClusterId, T)> for ByCluster<T> {
    /// In any order, each cluster once.
    fn from_iter<I: IntoIterator<Item = (ClusterId, T)>>(each: I) -> Self {
        let mut each: Box<[_]> = each.into_iter().collect();
        each.sort_by_key(|(id, _)| *id);
        Self(each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_is_a_map_in_the_order_of_the_clusters(map in proptest::collection::hash_map(0u16..6, 1u32..9, 0..6)) {
            let it: ByCluster<u32> = map.iter().map(|(id, it)| (ClusterId(*id), *it)).collect();
            let map: BTreeMap<ClusterId, u32> = map.into_iter().map(|(id, it)| (ClusterId(id), it)).collect();
            prop_assert!(it.iter().eq(map.iter().map(|(id, it)| (*id, it))));
            prop_assert!(it.clusters().eq(map.keys().copied()));
            prop_assert!(it.values().eq(map.values()));
            prop_assert!((0..6).map(ClusterId).all(|id| it.get(id) == map.get(&id)));
        }
    }
}
