//! Who decides the number of replicas instead of the spec.

use serde::{Deserialize, Serialize};

use super::{Clean, ObjectKey, Owner, Unix};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Autoscaler {
    pub key: ObjectKey,
    pub maker: Maker,
    /// The workload it scales, in its own namespace.
    pub target: Owner,
    pub min: u32,
    pub max: u32,
    /// What it last asked for; `None` when it has not said.
    pub desired: Option<u32>,
    pub state: ScalingState,
    pub since: Option<Unix>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Maker {
    /// A HorizontalPodAutoscaler of its own.
    Hpa,
    /// A HorizontalPodAutoscaler that KEDA made for this ScaledObject.
    HpaOfKeda(Clean),
    /// The ScaledObject itself.
    Keda,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScalingState {
    Active,
    /// It would like more or fewer than its range allows.
    Limited(Clean),
    /// It does not scale now, and why: no metrics, target at zero.
    Inactive(Clean),
    /// KEDA paused, at this number if one is given.
    Paused(Option<u32>),
}
