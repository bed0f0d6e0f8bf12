//! A PodDisruptionBudget: how many pods evictions may take at once. It does not limit scaling down.

use serde::{Deserialize, Serialize};

use super::ObjectKey;
use super::workload::Labels;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    pub key: ObjectKey,
    /// `matchLabels`; `None` when the selector uses expressions, which are then not joined by guesswork.
    pub selector: Option<Labels>,
    pub disruptions_allowed: u32,
    pub healthy: u32,
    pub healthy_wanted: u32,
}

impl Budget {
    /// Whether it covers pods with these labels; an empty selector covers every pod of the namespace.
    pub fn covers(&self, pod_labels: &Labels) -> bool {
        self.selector
            .as_ref()
            .is_some_and(|wanted| wanted.0.iter().all(|(key, value)| pod_labels.get(key) == Some(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Clean;

    #[test]
    fn a_budget_covers_pods_that_have_all_its_labels() {
        let labels = |pairs: &[(&str, &str)]| -> Labels {
            pairs.iter().map(|(k, v)| (Clean::from(*k), Clean::from(*v))).collect()
        };
        let budget = |selector| Budget {
            key: ObjectKey::new("ml", "b"),
            selector,
            disruptions_allowed: 0,
            healthy: 0,
            healthy_wanted: 0,
        };
        let pod = labels(&[("app", "x"), ("tier", "gpu")]);
        assert!(budget(Some(labels(&[("app", "x")]))).covers(&pod));
        assert!(!budget(Some(labels(&[("app", "y")]))).covers(&pod));
        assert!(budget(Some(Labels::default())).covers(&pod));
        assert!(!budget(None).covers(&pod));
    }
}
