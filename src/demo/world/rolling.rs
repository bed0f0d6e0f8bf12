//! The arithmetic of a rolling update: how many replicas the new and the old sets may have next. Pure.

use serde_json::Value;

use super::json;

/// One ReplicaSet of a Deployment, oldest first in lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Set {
    /// The replicas it is asked to have.
    pub wanted: i64,
    pub available: i64,
}

impl Set {
    /// A set that was just made smaller still reports the pods that are about to go; they do not count.
    fn counted(&self) -> i64 {
        self.available.min(self.wanted)
    }
}

/// How far the update may go above and below the wish at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub desired: i64,
    pub surge: i64,
    pub unavailable: i64,
}

impl Bounds {
    /// From `maxSurge` (rounded up) and `maxUnavailable` (rounded down); never both zero.
    pub fn new(desired: i64, surge: &Value, unavailable: &Value) -> Bounds {
        let (surge, unavailable) = (share(surge, desired, true), share(unavailable, desired, false));
        let unavailable = if surge == 0 && unavailable == 0 { 1 } else { unavailable };
        Bounds { desired, surge, unavailable: unavailable.min(desired) }
    }
}

/// The next wishes for the new set and the old ones.
pub fn next(bounds: Bounds, new: Set, old: &[Set]) -> (i64, Vec<i64>) {
    let mut wishes: Vec<i64> = old.iter().map(|set| set.wanted).collect();
    let old_total: i64 = wishes.iter().sum();
    let room = (bounds.desired + bounds.surge - new.wanted - old_total).max(0);
    let grown = if new.wanted > bounds.desired {
        bounds.desired
    } else {
        new.wanted + room.min(bounds.desired - new.wanted)
    };
    if grown != new.wanted {
        return (grown, wishes);
    }
    let least = bounds.desired - bounds.unavailable;
    let new_unavailable = new.wanted - new.counted();
    let mut may_go = (new.wanted + old_total - least - new_unavailable).max(0);
    // First what is not available anyway.
    for (wish, set) in wishes.iter_mut().zip(old) {
        let sick = (set.wanted - set.counted()).min(may_go);
        *wish -= sick;
        may_go -= sick;
    }
    let available: i64 = new.counted() + old.iter().map(Set::counted).sum::<i64>();
    let mut spare = (available - least).max(0);
    for (wish, set) in wishes.iter_mut().zip(old) {
        let healthy = (*wish).min(set.counted()).min(spare);
        *wish -= healthy;
        spare -= healthy;
    }
    (grown, wishes)
}

/// A number, or a share like `25%` of the total.
pub fn share(value: &Value, total: i64, up: bool) -> i64 {
    let percent =
        value.as_str().and_then(|text| text.strip_suffix('%')).and_then(|text| text.parse::<i64>().ok());
    let percent = percent.map(|percent| percent.clamp(0, 10_000));
    match (percent, value.as_i64()) {
        (Some(percent), _) if up => (total * percent + 99) / 100,
        (Some(percent), _) => total * percent / 100,
        (None, Some(number)) => number.clamp(0, json::LARGEST),
        (None, None) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn shares_round_as_kubernetes_rounds() {
        assert_eq!(share(&json!("25%"), 6, true), 2);
        assert_eq!(share(&json!("25%"), 6, false), 1);
        assert_eq!(share(&json!(3), 6, false), 3);
        assert_eq!(Bounds::new(1, &json!(0), &json!("25%")).unavailable, 1);
    }

    #[test]
    fn a_broken_version_stops_the_update() {
        let bounds = Bounds::new(4, &json!(1), &json!(0));
        let (new, old) = next(bounds, Set { wanted: 1, available: 0 }, &[Set { wanted: 4, available: 4 }]);
        assert_eq!((new, old), (1, vec![4]));
    }

    #[test]
    fn pods_on_their_way_out_do_not_count() {
        let bounds = Bounds::new(3, &json!(1), &json!(0));
        let stale = [Set { wanted: 2, available: 3 }];
        assert_eq!(next(bounds, Set { wanted: 1, available: 1 }, &stale), (2, vec![2]));
        assert_eq!(next(bounds, Set { wanted: 2, available: 1 }, &stale), (2, vec![2]));
    }

    proptest! {
        /// With pods that become available one by one, every update ends, and never leaves its bounds.
        #[test]
        fn an_update_ends_within_its_bounds(
            desired in 0..40_i64, surge in 0..5_i64, unavailable in 0..5_i64, start in 0..40_i64,
        ) {
            let bounds = Bounds::new(desired, &json!(surge), &json!(unavailable));
            let mut new = Set { wanted: 0, available: 0 };
            let mut old = vec![Set { wanted: start, available: start }];
            let mut steps = 0;
            while (new.wanted, new.available, old[0].wanted) != (desired, desired, 0) {
                let (grown, wishes) = next(bounds, new, &old);
                if start == desired {
                    prop_assert!(grown + wishes[0] <= desired + bounds.surge);
                    prop_assert!(new.available.min(grown) + old[0].available.min(wishes[0]) >= desired - bounds.unavailable);
                }
                new.wanted = grown;
                old[0].wanted = wishes[0];
                old[0].available = old[0].available.min(wishes[0]);
                new.available = (new.available + 1).min(new.wanted);
                steps += 1;
                prop_assert!(steps < 400, "{new:?} {old:?}");
            }
        }
    }
}
