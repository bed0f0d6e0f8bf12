//! What the operators of this fleet have agreed on; every number can be configured.

use serde::{Deserialize, Serialize};

use crate::fleet::{Age, Clean, Labels};
use crate::state::Cluster;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Words in a cluster's `environment` that make it production.
    pub production: Vec<String>,
    /// A label with one of those words as its value makes a workload or route production.
    pub production_label: String,
    /// An unlocked cluster that was not used for so long is read-only again.
    pub unlock_for: Age,
    /// Percent of the traffic of a rule that may move in one step.
    pub largest_step: u32,
    /// The least time between two steps of a ramp.
    pub step_every: Age,
    /// Time between two clusters of one operation.
    pub bake: Age,
    /// Replicas that are always left.
    pub floor: u32,
    /// How long a rollout may take until it counts as not arrived.
    pub rollout_deadline: Age,
    /// A plan that is older is not applied.
    pub plan_expiry: Age,
    /// How long a request that was not answered may still land; then the object tells for sure. A kube-apiserver
    /// gives a request up after 60 s (`--request-timeout`).
    pub settle: Age,
    /// How long a request may take from the journal to the wire: a credential plugin (30 s), a look at the object
    /// (10 s), the budget. Of a process that died in between nobody knows how far it came.
    pub to_the_wire: Age,
    /// Clusters whose certificate is not checked may be changed.
    pub allow_insecure: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            production: ["production", "prod", "live"].map(str::to_owned).to_vec(),
            production_label: "environment".into(),
            unlock_for: Age(15 * 60),
            largest_step: 25,
            step_every: Age::MINUTE,
            bake: Age(10),
            floor: 0,
            rollout_deadline: Age(10 * 60),
            plan_expiry: Age(10 * 60),
            settle: Age(65),
            to_the_wire: Age(45),
            allow_insecure: false,
        }
    }
}

impl Policy {
    /// Whether a cluster is production by its environment.
    pub fn is_production(&self, cluster: &Cluster) -> bool {
        cluster.spec.environment.as_ref().is_some_and(|word| self.is_production_word(word))
    }

    /// Whether an object is production by its label.
    pub fn marks_production(&self, labels: &Labels) -> bool {
        labels.get(&self.production_label).is_some_and(|word| self.is_production_word(word))
    }

    pub fn is_production_word(&self, word: &Clean) -> bool {
        self.production.iter().any(|known| known.eq_ignore_ascii_case(word))
    }
}
