//! What the operator wants to see: clouds, clusters and namespaces that are hidden.
//!
//! Scope narrows what is shown and summed, never what is watched: leaving it shows the rest at once. What is
//! hidden is remembered rather than what is shown, so that a new cluster is never invisible by accident.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Cluster;
use crate::fleet::Clean;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    pub hidden_clouds: BTreeSet<Clean>,
    pub hidden_clusters: BTreeSet<Clean>,
    pub hidden_namespaces: BTreeSet<Clean>,
}

impl Scope {
    pub fn is_everything(&self) -> bool {
        self.hidden_clouds.is_empty() && self.hidden_clusters.is_empty() && self.hidden_namespaces.is_empty()
    }

    pub fn has_cluster(&self, cluster: &Cluster) -> bool {
        let cloud_hidden = cluster.cloud().is_some_and(|cloud| self.hidden_clouds.contains(cloud.name()));
        !cloud_hidden && !self.hidden_clusters.contains(&cluster.spec.name)
    }

    pub fn has_namespace(&self, namespace: &Clean) -> bool {
        !self.hidden_namespaces.contains(namespace)
    }

    /// Hides what is shown and shows what is hidden.
    pub fn toggle(set: &mut BTreeSet<Clean>, name: &Clean) {
        if !set.remove(name) {
            set.insert(name.clone());
        }
    }
}
