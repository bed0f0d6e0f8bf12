//! The clusters of the fleet, and how each cloud names things.

use crate::demo::programs::hash;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    Aws,
    Gcp,
    Azure,
}

/// One cluster of the fleet.
#[derive(Debug, Clone)]
pub struct Profile {
    pub name: String,
    pub cloud: Cloud,
    pub region: String,
    /// Its place in the fleet; decides what is wrong with it.
    pub index: usize,
    /// About how many pods it has.
    pub pods: usize,
    pub seed: u64,
}

static SITES: &[(&str, Cloud, &str)] = &[
    ("aws-east", Cloud::Aws, "us-east-1"),
    ("gcp-central", Cloud::Gcp, "us-central1"),
    ("azure-eastus", Cloud::Azure, "eastus"),
    ("aws-west", Cloud::Aws, "us-west-2"),
    ("gcp-europe", Cloud::Gcp, "europe-west4"),
    ("azure-westeurope", Cloud::Azure, "westeurope"),
    ("aws-frankfurt", Cloud::Aws, "eu-central-1"),
    ("gcp-tokyo", Cloud::Gcp, "asia-northeast1"),
    ("azure-japaneast", Cloud::Azure, "japaneast"),
];

/// The first so many clusters; after the ninth the names get numbers.
pub fn profiles(clusters: usize, pods: usize, seed: u64) -> Vec<Profile> {
    (0..clusters)
        .map(|index| {
            let (name, cloud, region) = SITES[index % SITES.len()];
            let round = index / SITES.len();
            let name = if round == 0 { name.to_owned() } else { format!("{name}-{}", round + 1) };
            let seed = seed ^ hash(&[&name]);
            Profile { name, cloud, region: region.to_owned(), index, pods, seed }
        })
        .collect()
}

impl Cloud {
    pub fn name(self) -> &'static str {
        match self {
            Cloud::Aws => "aws",
            Cloud::Gcp => "gcp",
            Cloud::Azure => "azure",
        }
    }

    /// The `gitVersion` of `/version`.
    pub fn git_version(self) -> &'static str {
        match self {
            Cloud::Aws => "v1.33.5-eks-3025e55",
            Cloud::Gcp => "v1.34.1-gke.2037000",
            Cloud::Azure => "v1.33.4",
        }
    }

    pub fn kubelet_version(self) -> &'static str {
        match self {
            Cloud::Aws => "v1.33.5-eks-113cf36",
            other => other.git_version(),
        }
    }

    pub fn os_image(self) -> &'static str {
        match self {
            Cloud::Aws => "Amazon Linux 2023.9.20251110",
            Cloud::Gcp => "Container-Optimized OS from Google",
            Cloud::Azure => "Ubuntu 22.04.5 LTS",
        }
    }

    /// Zones are lettered, lettered with a dash, or numbered.
    pub fn zone(self, region: &str, index: usize) -> String {
        let letter = ["a", "b", "c"][index % 3];
        match self {
            Cloud::Aws => format!("{region}{letter}"),
            Cloud::Gcp => format!("{region}-{letter}"),
            Cloud::Azure => format!("{region}-{}", index % 3 + 1),
        }
    }
}

impl Profile {
    /// Where the platform's images are, as seen from this cluster.
    pub fn registry(&self) -> String {
        match self.cloud {
            Cloud::Aws => format!("123456789012.dkr.ecr.{}.amazonaws.com/ml", self.region),
            Cloud::Gcp => format!("{}-docker.pkg.dev/acme-ml/ml", self.region),
            Cloud::Azure => "acmeml.azurecr.io/ml".to_owned(),
        }
    }
}
