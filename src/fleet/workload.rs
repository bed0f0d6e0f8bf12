//! What serves: a Deployment, StatefulSet, ReplicaSet, Argo Rollout or LeaderWorkerSet in one cluster.

use serde::{Deserialize, Serialize};

use super::{Clean, GpuCount, Kind, ObjectId, ObjectKey, Owner, Rollout, Unix};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    pub kind: Kind,
    pub key: ObjectKey,
    pub uid: Clean,
    pub generation: i64,
    /// What the spec asks for: pods, or groups of pods for a LeaderWorkerSet.
    pub desired: u32,
    pub ready: u32,
    pub updated: u32,
    pub available: u32,
    pub rollout: Rollout,
    /// When the condition that decided `rollout` last changed.
    pub rollout_since: Option<Unix>,
    pub version: Version,
    pub images: Box<[Clean]>,
    /// GPUs that one replica asks for; one replica of a LeaderWorkerSet is a whole group.
    pub gpus_per_replica: GpuCount,
    pub labels: Labels,
    /// Labels of its pods, which selectors of budgets are held against.
    pub pod_labels: Labels,
    /// Routes whose weights it writes, as an Argo Rollout does.
    pub steers: Box<[ObjectId]>,
    /// The controller that made it, if any: scaling it by hand would be reverted.
    pub owner: Option<Owner>,
    pub created: Unix,
}

/// Labels as the object gives them, sorted by key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels(pub Box<[(Clean, Clean)]>);

/// Which version a workload runs, and how that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version {
    /// `1.4.2`, or a shortened digest; empty when nothing tells.
    pub name: Clean,
    /// `label app.kubernetes.io/version`, `image tag`, `image digest`.
    pub from: Clean,
}

/// A ReplicaSet as one revision of its Deployment or Rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    pub key: ObjectKey,
    pub owner: Owner,
    /// `deployment.kubernetes.io/revision`.
    pub number: Option<u32>,
    pub desired: u32,
    pub ready: u32,
    pub version: Version,
    pub created: Unix,
}

impl Workload {
    pub fn id(&self) -> ObjectId {
        ObjectId { kind: self.kind, key: self.key.clone() }
    }
}

impl Labels {
    pub fn get(&self, key: &str) -> Option<&Clean> {
        self.0.binary_search_by(|(name, _)| name.as_str().cmp(key)).ok().map(|at| &self.0[at].1)
    }
}

impl FromIterator<(Clean, Clean)> for Labels {
    fn from_iter<I: IntoIterator<Item = (Clean, Clean)>>(pairs: I) -> Self {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort();
        Self(pairs.into())
    }
}

/// The parts of an image reference that can name a version: `registry/repository:tag@digest`.
///
/// A colon before the last slash belongs to the registry's port, not to a tag.
pub fn image_version(image: &str) -> Option<Version> {
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    let last = name.rsplit('/').next().unwrap_or(name);
    if let Some((_, tag)) = last.split_once(':')
        && !tag.is_empty()
    {
        return Some(Version { name: tag.into(), from: "image tag".into() });
    }
    let (_, hex) = digest?.split_once(':')?;
    let short: String = hex.chars().take(12).collect();
    Some(Version { name: short.into(), from: "image digest".into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_images() {
        for (image, version) in [
            ("ml-inference:v1.2.3", Some(("v1.2.3", "image tag"))),
            ("registry.example.com:5000/ml/server:2.0", Some(("2.0", "image tag"))),
            ("registry.example.com:5000/ml/server", None),
            ("ml/server@sha256:0123456789abcdef0123", Some(("0123456789ab", "image digest"))),
            ("ml/server:1.0@sha256:0123456789abcdef", Some(("1.0", "image tag"))),
            ("", None),
            ("@", None),
        ] {
            let told = image_version(image);
            let told = told.as_ref().map(|v| (v.name.as_str(), v.from.as_str()));
            assert_eq!(told, version, "{image}");
        }
    }

    #[test]
    fn labels_are_found_by_key() {
        let labels: Labels =
            [("b", "2"), ("a", "1")].map(|(k, v)| (Clean::from(k), Clean::from(v))).into_iter().collect();
        assert_eq!(labels.get("a"), Some(&"1".into()));
        assert_eq!(labels.get("c"), None);
    }
}
