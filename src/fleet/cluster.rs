//! Where a cluster is and what it is: cloud, region, zone, distribution.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Clean, Unix};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Cloud {
    Aws,
    Gcp,
    Azure,
    /// Named by the configuration, or by a provider ID that is none of the three: `kind`, `digitalocean`.
    Other(Clean),
}

impl Cloud {
    /// `aws`, `gcp` or `gce`, `azure`; anything else keeps its own name.
    pub fn named(name: &str) -> Self {
        match name {
            "aws" => Self::Aws,
            "gcp" | "gce" => Self::Gcp,
            "azure" => Self::Azure,
            other => Self::Other(other.into()),
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Aws => "aws",
            Self::Gcp => "gcp",
            Self::Azure => "azure",
            Self::Other(name) => name,
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where a node, or most nodes of a cluster, are. Unknown parts are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub cloud: Option<Cloud>,
    pub region: Option<Clean>,
    pub zone: Option<Clean>,
}

/// Who runs the control plane, read from the version and from labels that only they set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Distribution {
    Eks,
    Gke,
    Aks,
    K3s,
    Kind,
    /// Kubernetes without a mark of its maker.
    Plain,
}

impl Distribution {
    /// From `gitVersion`: `v1.33.5-eks-113cf36`, `v1.34.1-gke.1293000`, `v1.33.4+k3s1`.
    pub fn of_version(git_version: &str) -> Self {
        if git_version.contains("-eks-") {
            Self::Eks
        } else if git_version.contains("-gke.") {
            Self::Gke
        } else if git_version.contains("+k3s") {
            Self::K3s
        } else {
            Self::Plain
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Eks => "EKS",
            Self::Gke => "GKE",
            Self::Aks => "AKS",
            Self::K3s => "k3s",
            Self::Kind => "kind",
            Self::Plain => "k8s",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    pub name: Clean,
    /// Deletion was asked for; a namespace can stay so for ever when a finalizer does not end.
    pub terminating_since: Option<Unix>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_are_told_by_their_versions() {
        for (version, distribution) in [
            ("v1.33.5-eks-113cf36", Distribution::Eks),
            ("v1.34.1-gke.1293000", Distribution::Gke),
            ("v1.33.4+k3s1", Distribution::K3s),
            ("v1.36.3", Distribution::Plain),
        ] {
            assert_eq!(Distribution::of_version(version), distribution);
        }
    }
}
