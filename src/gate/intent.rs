//! What an operator wants, in absolute terms, before anything is known of whether it may be.
//!
//! A relative wish (`+2`, `x2`) is turned into a number where it is typed and never travels further.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fleet::{Age, ChangeId, Clean, ClusterId, ObjectId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    pub wish: Wish,
    /// Why, in the operator's words; may be empty.
    pub reason: Clean,
    /// Rules that the operator sets aside; each makes the confirmation longer.
    pub overrides: BTreeSet<Override>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    Scale(Vec<ScaleTo>),
    Restart(Vec<Place>),
    Weights(Weights),
    /// Take back what an operation did, as far as it is still as that left it.
    Undo(ChangeId),
}

/// One object in one cluster of this session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    pub cluster: ClusterId,
    pub object: ObjectId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScaleTo {
    pub place: Place,
    pub to: Amount,
}

/// Replicas, or the range of an autoscaler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Amount {
    Replicas(u32),
    Range { min: u32, max: u32 },
}

/// New weights of one rule of a route, in every cluster named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights {
    pub route: ObjectId,
    pub clusters: Vec<ClusterId>,
    /// Clusters that hold it too and cannot be read now: they keep their weights.
    pub left_out: Vec<ClusterId>,
    /// Which rule, in the order of the panel.
    pub rule: usize,
    /// One for each destination of the rule, in its order.
    pub to: Vec<u32>,
    pub ramp: Option<Ramp>,
}

/// In steps instead of at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ramp {
    /// Percent of the traffic that moves in one step, at the most.
    pub by: u32,
    pub every: Age,
}

/// A rule that can be set aside by saying so in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Override {
    /// More traffic in one step than the policy allows.
    StepSize,
    /// The last destination that is healthy loses its traffic.
    LastDestination,
    /// Traffic onto a destination of which nobody knows whether it is ready.
    UnknownCapacity,
    /// Fewer replicas than the floor of the policy.
    Floor,
    /// Nothing is left that serves, in any cluster.
    LastCapacity,
    /// A controller owns the object and will put it back.
    Owner,
}

impl Override {
    pub const ALL: [Self; 6] = [
        Self::StepSize,
        Self::LastDestination,
        Self::UnknownCapacity,
        Self::Floor,
        Self::LastCapacity,
        Self::Owner,
    ];

    /// As it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StepSize => "step-size",
            Self::LastDestination => "last-destination",
            Self::UnknownCapacity => "unknown-capacity",
            Self::Floor => "floor",
            Self::LastCapacity => "last-capacity",
            Self::Owner => "owner",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// More than any cluster runs of one workload; a slip of the finger beyond it is refused.
const MOST_REPLICAS: u32 = 100_000;

impl Amount {
    /// `6`, `+2`, `-1`, `x2` (from `current`), `3-20` (a range).
    pub fn parse(text: &str, current: u32) -> Result<Self, String> {
        let text = text.trim();
        let number = |digits: &str| {
            let digits = digits.trim();
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse::<u32>().ok()).flatten()
        };
        let wrong = || format!("`{text}` is none of 6, +2, -1, x2, 3-20");
        let amount = if let Some(more) = text.strip_prefix('+') {
            let more = number(more).ok_or_else(wrong)?;
            Self::Replicas(current.checked_add(more).ok_or_else(wrong)?)
        } else if let Some(fewer) = text.strip_prefix('-') {
            let fewer = number(fewer).ok_or_else(wrong)?;
            let left = current.checked_sub(fewer);
            Self::Replicas(left.ok_or_else(|| format!("there are only {current}, so not {fewer} fewer"))?)
        } else if let Some(times) = text.strip_prefix(['x', 'X', '*']) {
            let times = number(times).ok_or_else(wrong)?;
            Self::Replicas(current.checked_mul(times).ok_or_else(wrong)?)
        } else if let Some((min, max)) = text.split_once('-') {
            let (min, max) = (number(min).ok_or_else(wrong)?, number(max).ok_or_else(wrong)?);
            if min > max {
                return Err(format!("the least of {text} is above the most"));
            }
            Self::Range { min, max }
        } else {
            Self::Replicas(number(text).ok_or_else(wrong)?)
        };
        if amount.most() > MOST_REPLICAS {
            return Err(format!("more than {MOST_REPLICAS} is taken for a slip of the finger"));
        }
        Ok(amount)
    }

    /// The largest number in it.
    pub const fn most(self) -> u32 {
        match self {
            Self::Replicas(number) => number,
            Self::Range { max, .. } => max,
        }
    }

    /// The smallest number in it.
    pub const fn least(self) -> u32 {
        match self {
            Self::Replicas(number) => number,
            Self::Range { min, .. } => min,
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replicas(number) => write!(f, "{number}"),
            Self::Range { min, max } => write!(f, "{min}-{max}"),
        }
    }
}

impl Intent {
    pub fn new(wish: Wish) -> Self {
        Self { wish, reason: Clean::default(), overrides: BTreeSet::new() }
    }

    pub fn overrides(&self, rule: Override) -> bool {
        self.overrides.contains(&rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_absolute_from_the_key_press_on() {
        for (text, amount) in [
            ("6", Amount::Replicas(6)),
            (" 0 ", Amount::Replicas(0)),
            ("+2", Amount::Replicas(6)),
            ("-1", Amount::Replicas(3)),
            ("x2", Amount::Replicas(8)),
            ("3-20", Amount::Range { min: 3, max: 20 }),
        ] {
            assert_eq!(Amount::parse(text, 4), Ok(amount), "{text}");
        }
        for wrong in ["", "+", "x", "-", "six", "1.5", "20-3", "-5", "+ 4294967295", "9999999", "1e3", "٣"] {
            assert!(Amount::parse(wrong, 4).is_err(), "{wrong}");
        }
    }

    #[test]
    fn overrides_are_named() {
        for rule in Override::ALL {
            assert_eq!(Override::named(rule.name()), Some(rule));
        }
    }
}
