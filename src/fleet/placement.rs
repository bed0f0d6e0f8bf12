//! Which nodes a pod may go to: labels it selects, taints it tolerates.
//!
//! As the scheduler's own filters decide it (Kubernetes `component-helpers/scheduling/corev1`: nodeaffinity, and
//! `api/core/v1/toleration.go`). Preferences are not here: they choose among nodes, they do not exclude one.

use serde::{Deserialize, Serialize};

use super::{Clean, Labels};

/// A taint that keeps pods away. `PreferNoSchedule` keeps none away and is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taint {
    pub key: Clean,
    pub value: Clean,
    pub effect: Effect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    NoSchedule,
    NoExecute,
}

impl Effect {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "NoSchedule" => Some(Self::NoSchedule),
            "NoExecute" => Some(Self::NoExecute),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toleration {
    /// Empty: every key.
    pub key: Clean,
    pub holds: Holds,
    pub value: Clean,
    /// `None`: every effect.
    pub effect: Option<Effect>,
}

/// The operator of a toleration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    Equal,
    Exists,
    /// The taint's number is less than that of the toleration.
    Less,
    Greater,
}

impl Toleration {
    pub fn tolerates(&self, taint: &Taint) -> bool {
        let effect = self.effect.is_none_or(|effect| effect == taint.effect);
        effect && (self.key.is_empty() || self.key == taint.key) && self.value_holds(&taint.value)
    }

    fn value_holds(&self, value: &Clean) -> bool {
        match self.holds {
            Holds::Equal => self.value == *value,
            Holds::Exists => true,
            Holds::Less => numbers(value, &self.value).is_some_and(|(taint, own)| taint < own),
            Holds::Greater => numbers(value, &self.value).is_some_and(|(taint, own)| taint > own),
        }
    }
}

/// What a pod requires of a node's labels and name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placement {
    pub labels: Labels,
    /// Required node affinity: one of them must hold. `None`: nothing is required.
    pub terms: Option<Vec<Term>>,
    pub tolerations: Vec<Toleration>,
    /// The node that the pod names itself.
    pub node: Option<Clean>,
}

/// All of it must hold; a term that requires nothing holds nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Term {
    pub labels: Vec<Requirement>,
    /// About `metadata.name`, the only field there is.
    pub names: Vec<Requirement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    pub key: Clean,
    pub operator: Operator,
    pub values: Vec<Clean>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Greater,
    Less,
}

impl Placement {
    /// Whether the pod selects a node with this name and these labels.
    pub fn selects(&self, name: &Clean, labels: &Labels) -> bool {
        self.node.as_ref().is_none_or(|own| own == name)
            && self.labels.0.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.terms.as_ref().is_none_or(|terms| terms.iter().any(|term| term.holds(name, labels)))
    }

    /// The first taint that keeps the pod away.
    pub fn kept_away_by<'a>(&self, taints: &'a [Taint]) -> Option<&'a Taint> {
        taints.iter().find(|taint| !self.tolerates(taint))
    }

    pub fn tolerates(&self, taint: &Taint) -> bool {
        self.tolerations.iter().any(|toleration| toleration.tolerates(taint))
    }
}

impl Term {
    fn holds(&self, name: &Clean, labels: &Labels) -> bool {
        let asks = !self.labels.is_empty() || !self.names.is_empty();
        asks && self.labels.iter().all(|it| it.holds(labels.get(&it.key)))
            && self.names.iter().all(|it| it.holds(Some(name)))
    }
}

impl Requirement {
    /// What is not there is in no list: `NotIn` holds for it.
    fn holds(&self, label: Option<&Clean>) -> bool {
        let listed = label.is_some_and(|label| self.values.contains(label));
        let compared = || numbers(label?, self.values.first()?);
        match self.operator {
            Operator::In => listed,
            Operator::NotIn => !listed,
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::Greater => compared().is_some_and(|(label, bound)| label > bound),
            Operator::Less => compared().is_some_and(|(label, bound)| label < bound),
        }
    }
}

/// Both as numbers, if both are.
fn numbers(left: &str, right: &str) -> Option<(i64, i64)> {
    Some((left.parse().ok()?, right.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(key, value)| (Clean::from(*key), Clean::from(*value))).collect()
    }

    fn requirement(key: &str, operator: Operator, values: &[&str]) -> Requirement {
        Requirement { key: key.into(), operator, values: values.iter().map(|it| Clean::from(*it)).collect() }
    }

    #[test]
    fn operators_of_affinity() {
        use Operator::{DoesNotExist, Exists, Greater, In, Less, NotIn};
        let node = labels(&[("gpu", "a100"), ("count", "8"), ("odd", "eight")]);
        for (key, operator, values, holds) in [
            ("gpu", In, vec!["h100", "a100"], true),
            ("gpu", In, vec!["h100"], false),
            ("none", In, vec!["x"], false),
            ("gpu", NotIn, vec!["h100"], true),
            ("gpu", NotIn, vec!["a100"], false),
            ("none", NotIn, vec!["x"], true),
            ("gpu", Exists, vec![], true),
            ("none", Exists, vec![], false),
            ("gpu", DoesNotExist, vec![], false),
            ("none", DoesNotExist, vec![], true),
            ("count", Greater, vec!["7"], true),
            ("count", Greater, vec!["8"], false),
            ("count", Less, vec!["9"], true),
            ("odd", Less, vec!["9"], false),
            ("none", Greater, vec!["0"], false),
            ("count", Greater, vec![], false),
        ] {
            let term = Term { labels: vec![requirement(key, operator, &values)], names: vec![] };
            let placement = Placement { terms: Some(vec![term]), ..Placement::default() };
            assert_eq!(placement.selects(&"n".into(), &node), holds, "{key} {operator:?} {values:?}");
        }
    }

    #[test]
    fn one_term_is_enough_and_an_empty_one_holds_nowhere() {
        let name = |name: &str| Term {
            labels: vec![],
            names: vec![requirement("metadata.name", Operator::In, &[name])],
        };
        let of = |terms| Placement { terms: Some(terms), ..Placement::default() };
        let node = Labels::default();
        assert!(of(vec![name("other"), name("n")]).selects(&"n".into(), &node));
        assert!(!of(vec![name("other")]).selects(&"n".into(), &node));
        assert!(!of(vec![Term::default()]).selects(&"n".into(), &node));
        assert!(!of(vec![]).selects(&"n".into(), &node));
        assert!(Placement::default().selects(&"n".into(), &node));
    }

    #[test]
    fn tolerations() {
        let taint = |key: &str, value: &str, effect| Taint { key: key.into(), value: value.into(), effect };
        let tolerates = |key: &str, holds, value: &str, effect, taint: &Taint| {
            Toleration { key: key.into(), holds, value: value.into(), effect }.tolerates(taint)
        };
        let gpu = taint("nvidia.com/gpu", "present", Effect::NoSchedule);
        assert!(tolerates("nvidia.com/gpu", Holds::Exists, "", None, &gpu));
        assert!(tolerates("", Holds::Exists, "", None, &gpu), "no key is every key");
        assert!(tolerates("nvidia.com/gpu", Holds::Equal, "present", Some(Effect::NoSchedule), &gpu));
        assert!(!tolerates("nvidia.com/gpu", Holds::Equal, "", None, &gpu));
        assert!(!tolerates("nvidia.com/gpu", Holds::Exists, "", Some(Effect::NoExecute), &gpu));
        assert!(!tolerates("other", Holds::Exists, "", None, &gpu));
        let sla = taint("sla", "950", Effect::NoExecute);
        assert!(tolerates("sla", Holds::Greater, "900", None, &sla));
        assert!(!tolerates("sla", Holds::Less, "900", None, &sla));
        assert!(!tolerates("sla", Holds::Less, "much", None, &sla));
        assert!(!tolerates("nvidia.com/gpu", Holds::Less, "9", None, &gpu));
    }
}
