//! A machine of a cluster, as far as an operator of ML workloads asks about it.

use serde::{Deserialize, Serialize};

use super::{Amounts, Clean, Distribution, GpuCount, Labels, Place, Taint, Unix};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub name: Clean,
    pub place: Place,
    /// What the node's labels say about the maker of the control plane.
    pub distribution: Option<Distribution>,
    pub instance_type: Option<Clean>,
    /// `nvidia.com/gpu.product` and its equals of other makers.
    pub gpu_product: Option<Clean>,
    pub gpus_allocatable: GpuCount,
    /// All that pods may be given here.
    pub allocatable: Amounts,
    /// Selectors of pods may ask for any of them.
    pub labels: Labels,
    pub taints: Box<[Taint]>,
    pub readiness: Readiness,
    /// Cordoned: no new pods.
    pub unschedulable: bool,
    /// Other conditions that say something is wrong: `MemoryPressure`, a false `AcceleratedHardwareReady`, ….
    pub complaints: Vec<Complaint>,
    pub kubelet_version: Clean,
    pub created: Unix,
}

/// The Ready condition. `Unknown` is what the control plane writes when the kubelet is silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Readiness {
    Ready,
    NotReady(Complaint),
    Unknown(Complaint),
    /// The node has no Ready condition yet.
    NotReported,
}

/// A condition of a node in the state in which it is bad.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    pub condition: Clean,
    pub reason: Clean,
    pub message: Clean,
    pub since: Option<Unix>,
}

impl Node {
    pub fn is_ready(&self) -> bool {
        self.readiness == Readiness::Ready
    }
}
