//! How much of each resource: what a pod asks for, what a node has to give.
//!
//! The rules of adding a pod up are those by which the scheduler and `kubectl describe node` do it (Kubernetes
//! `component-helpers/resource/helpers.go`, PodRequests). Nothing is guessed: what a pod does not ask for is not here.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Clean, Interner, quantity};

pub const CPU: &str = "cpu";
pub const MEMORY: &str = "memory";
pub const PODS: &str = "pods";

/// By name of the resource, in order, without zeros. Cpu in thousandths of a core, all else in whole units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Amounts(Box<[(Clean, u64)]>);

impl Amounts {
    pub fn get(&self, resource: &str) -> u64 {
        let found = self.0.binary_search_by(|(name, _)| name.as_str().cmp(resource));
        found.map_or(0, |at| self.0[at].1)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Clean, u64)> {
        self.0.iter().map(|(name, amount)| (name, *amount))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds up, never beyond what can be counted.
    pub fn add(&mut self, other: &Self) {
        self.change(other, u64::saturating_add);
    }

    /// Takes away, never below nothing.
    pub fn subtract(&mut self, other: &Self) {
        self.change(other, u64::saturating_sub);
    }

    #[must_use]
    pub fn times(&self, times: u64) -> Self {
        let rows = self.0.iter().filter(|_| times > 0);
        Self(rows.map(|(name, amount)| (name.clone(), amount.saturating_mul(times))).collect())
    }

    fn change(&mut self, other: &Self, by: fn(u64, u64) -> u64) {
        // Nearly always every name is there already, and nothing has to move.
        let mut rows = std::mem::take(&mut self.0).into_vec();
        let mut emptied = false;
        for (name, amount) in &other.0 {
            match rows.binary_search_by(|(known, _)| known.cmp(name)) {
                Ok(at) => {
                    rows[at].1 = by(rows[at].1, *amount);
                    emptied |= rows[at].1 == 0;
                }
                Err(at) => {
                    let amount = by(0, *amount);
                    if amount > 0 {
                        rows.insert(at, (name.clone(), amount));
                    }
                }
            }
        }
        if emptied {
            rows.retain(|(_, amount)| *amount > 0);
        }
        self.0 = rows.into();
    }
}

/// One amount as it is written: `8`, `500m` for cpu, `40Gi` for bytes.
pub fn words(resource: &str, amount: u64) -> String {
    let bytes = resource == MEMORY || resource == "ephemeral-storage" || resource.starts_with("hugepages-");
    match resource {
        CPU if !amount.is_multiple_of(1000) => format!("{amount}m"),
        CPU => (amount / 1000).to_string(),
        _ if bytes => {
            let units = [("Ti", 1u64 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)];
            let whole = units.into_iter().find(|(_, unit)| amount > 0 && amount.is_multiple_of(*unit));
            whole.map_or_else(|| amount.to_string(), |(name, unit)| format!("{}{name}", amount / unit))
        }
        _ => amount.to_string(),
    }
}

/// Reads one entry of a resource list.
pub fn parse(resource: &str, amount: &str) -> Option<u64> {
    quantity::in_parts(amount, if resource == CPU { 1000 } else { 1 })
}

/// Amounts while they are added up: names are those of the object that is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked<'a>(Vec<(&'a str, u64)>);

impl<'a> Asked<'a> {
    pub fn new(list: impl Iterator<Item = (&'a str, u64)>) -> Self {
        let mut asked = Self::default();
        list.for_each(|(name, amount)| asked.set(name, amount));
        asked
    }

    /// Takes over what is limited and not asked for: a limit alone is a request too.
    #[must_use]
    pub fn or_limits(mut self, limits: impl Iterator<Item = (&'a str, u64)>) -> Self {
        for (name, amount) in limits {
            if self.place(name).is_err() {
                self.set(name, amount);
            }
        }
        self
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'a str, u64)> {
        self.0.iter().copied()
    }

    /// The finished amounts, with names made by `name`.
    pub fn named(&self, mut name: impl FnMut(&str) -> Clean) -> Amounts {
        // Sanitised names may come out alike or in another order; the table must be in order all the same.
        let mut rows: Vec<_> = self
            .0
            .iter()
            .filter(|(_, amount)| *amount > 0)
            .map(|(key, amount)| (name(key), *amount))
            .collect();
        rows.sort();
        rows.dedup_by(|later, first| {
            let same = later.0 == first.0;
            first.1 = if same { first.1.saturating_add(later.1) } else { first.1 };
            same
        });
        Amounts(rows.into())
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| (*known).cmp(name))
    }

    fn set(&mut self, name: &'a str, amount: u64) {
        match self.place(name) {
            Ok(at) => self.0[at].1 = amount,
            Err(at) => self.0.insert(at, (name, amount)),
        }
    }

    fn join(&mut self, other: &Self, by: fn(u64, u64) -> u64) {
        for (name, amount) in other.iter() {
            match self.place(name) {
                Ok(at) => self.0[at].1 = by(self.0[at].1, amount),
                Err(at) => self.0.insert(at, (name, by(0, amount))),
            }
        }
    }
}

/// A pod, while it is added up container by container.
#[derive(Debug, Default)]
pub struct PodSum<'a> {
    /// Main containers and sidecars, which run together.
    running: Asked<'a>,
    sidecars: Asked<'a>,
    /// The most that is needed while it starts.
    starting: Asked<'a>,
}

impl<'a> PodSum<'a> {
    pub fn container(&mut self, asked: &Asked<'a>) {
        self.running.join(asked, u64::saturating_add);
    }

    /// In their order: an init container runs beside the sidecars before it.
    pub fn init_container(&mut self, mut asked: Asked<'a>, is_sidecar: bool) {
        if is_sidecar {
            self.running.join(&asked, u64::saturating_add);
            self.sidecars.join(&asked, u64::saturating_add);
            self.starting.join(&self.sidecars, u64::max);
        } else {
            asked.join(&self.sidecars, u64::saturating_add);
            self.starting.join(&asked, u64::max);
        }
    }

    /// With the resources of the pod as a whole, which count instead of its containers' for what they may speak of,
    /// and the overhead of its runtime.
    pub fn total(self, whole: &Asked<'a>, whole_limits: &Asked<'a>, overhead: &Asked<'a>) -> Asked<'a> {
        let mut total = self.running;
        total.join(&self.starting, u64::max);
        for (name, amount) in whole.iter().filter(|(name, _)| speaks_for_the_pod(name)) {
            total.set(name, amount);
        }
        // The server fills in a missing request for the pod from its containers, then from its limit.
        let limits = whole_limits.iter().filter(|(name, _)| speaks_for_the_pod(name));
        let mut total = total.or_limits(limits);
        total.join(overhead, u64::saturating_add);
        total
    }
}

fn speaks_for_the_pod(resource: &str) -> bool {
    resource == CPU || resource == MEMORY || resource.starts_with("hugepages-")
}

/// Gives equal amounts one allocation: the pods of a workload ask for the same. One a source, so without a lock.
#[derive(Default)]
pub struct AmountsInterner {
    known: HashSet<Arc<Amounts>>,
    prune_at: usize,
}

impl AmountsInterner {
    pub fn intern(&mut self, asked: &Asked<'_>, names: &mut Interner) -> Arc<Amounts> {
        let amounts = asked.named(|name| names.intern(name));
        if let Some(known) = self.known.get(&amounts) {
            return Arc::clone(known);
        }
        if self.known.len() >= self.prune_at {
            self.known.retain(|amounts| Arc::strong_count(amounts) > 1);
            self.prune_at = (self.known.len() * 2).max(256);
        }
        let amounts = Arc::new(amounts);
        self.known.insert(Arc::clone(&amounts));
        amounts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asked<'a>(list: &[(&'a str, u64)]) -> Asked<'a> {
        Asked::new(list.iter().copied())
    }

    fn amounts(list: &[(&str, u64)]) -> Amounts {
        asked(list).named(Clean::new)
    }

    #[test]
    fn a_pod_is_added_up_as_the_scheduler_does() {
        let mut sum = PodSum::default();
        sum.init_container(asked(&[("cpu", 500)]), false);
        sum.init_container(asked(&[("cpu", 200), ("memory", 10)]), true);
        sum.init_container(asked(&[("cpu", 3000), ("nvidia.com/gpu", 1)]), false);
        sum.container(&asked(&[("cpu", 1000), ("memory", 100)]));
        sum.container(&asked(&[("cpu", 1000), ("memory", 100)]));
        let none = Asked::default();
        let overhead = asked(&[("cpu", 50)]);
        let total = sum.total(&none, &none, &overhead);
        // Starting: 3,000 + 200 beside the sidecar; running: 2,000 + 200.
        assert_eq!(total, asked(&[("cpu", 3250), ("memory", 210), ("nvidia.com/gpu", 1)]));
    }

    #[test]
    fn what_the_pod_says_as_a_whole_counts_instead() {
        let pod = |whole: &[(&'static str, u64)], limits: &[(&'static str, u64)]| {
            let mut sum = PodSum::default();
            sum.container(&asked(&[("cpu", 100), ("nvidia.com/gpu", 2)]));
            sum.total(&asked(whole), &asked(limits), &Asked::default())
        };
        assert_eq!(
            pod(&[("cpu", 4000), ("nvidia.com/gpu", 9)], &[]),
            asked(&[("cpu", 4000), ("nvidia.com/gpu", 2)]),
            "it may not speak of GPUs"
        );
        assert_eq!(
            pod(&[], &[("cpu", 4000), ("memory", 7)]),
            asked(&[("cpu", 100), ("memory", 7), ("nvidia.com/gpu", 2)]),
            "a limit fills in only what no container asks for"
        );
    }

    #[test]
    fn equal_amounts_are_one() {
        let (mut interner, mut names) = (AmountsInterner::default(), Interner::default());
        let first = interner.intern(&asked(&[("cpu", 1)]), &mut names);
        assert!(Arc::ptr_eq(&first, &interner.intern(&asked(&[("cpu", 1), ("memory", 0)]), &mut names)));
        for number in 0..10_000 {
            interner.intern(&asked(&[("cpu", number)]), &mut names);
        }
        assert!(interner.known.len() <= 512, "{}", interner.known.len());
    }

    #[test]
    fn amounts_are_written_as_people_write_them() {
        for (resource, amount, text) in [
            ("cpu", 1500, "1500m"),
            ("cpu", 4000, "4"),
            ("memory", 40 << 30, "40Gi"),
            ("memory", 1000, "1000"),
            ("nvidia.com/gpu", 8, "8"),
        ] {
            assert_eq!(words(resource, amount), text);
        }
        assert_eq!((parse("cpu", "1.5"), parse("memory", "1.5")), (Some(1500), Some(2)));
    }

    proptest! {
        #[test]
        fn what_is_added_can_be_taken_away(lists in proptest::collection::vec(
            proptest::collection::btree_map("[abc]", 1u64..9, 0..3), 1..6)
        ) {
            let lists: Vec<Amounts> = lists
                .iter()
                .map(|list| Asked::new(list.iter().map(|(name, amount)| (name.as_str(), *amount))).named(Clean::new))
                .collect();
            let mut sum = Amounts::default();
            for list in &lists {
                sum.add(list);
            }
            for name in ["a", "b", "c"] {
                prop_assert_eq!(sum.get(name), lists.iter().map(|list| list.get(name)).sum::<u64>());
            }
            for list in lists.iter().rev() {
                sum.subtract(list);
            }
            prop_assert_eq!(sum, amounts(&[]));
        }
    }
}
