//! A table of objects in which a relist replaces the old rows without a second copy of them.
//!
//! Every row remembers the source and the list (generation) that told of it last. While a list runs, rows are
//! brought up to date one by one; when it is complete, the rows of that source which it did not mention go.

use std::collections::HashMap;
use std::hash::Hash;

use crate::fleet::{Kind, Slot};

#[derive(Debug)]
pub struct Table<K, V> {
    rows: HashMap<K, Row<V>>,
}

#[derive(Debug)]
struct Row<V> {
    value: V,
    stamp: Stamp,
}

/// Which list of which source told of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub kind: Kind,
    pub slot: Slot,
    pub generation: u32,
}

/// Which rows of a source to take out.
#[derive(Debug, Clone, Copy)]
pub enum Take {
    /// What it told of in an earlier list and not in this one, which is complete.
    Older(Stamp),
    /// All; the generation does not matter.
    All(Stamp),
}

impl Take {
    pub fn kind(self) -> Kind {
        let (Self::Older(stamp) | Self::All(stamp)) = self;
        stamp.kind
    }

    fn takes(self, row: Stamp) -> bool {
        match self {
            Self::Older(stamp) => {
                (row.kind, row.slot) == (stamp.kind, stamp.slot) && row.generation != stamp.generation
            }
            Self::All(stamp) => (row.kind, row.slot) == (stamp.kind, stamp.slot),
        }
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: HashMap::new() }
    }
}

impl<K: Eq + Hash + Clone, V> Table<K, V> {
    /// Puts a row in; gives the value it replaces.
    pub fn upsert(&mut self, key: K, value: V, stamp: Stamp) -> Option<V> {
        self.rows.insert(key, Row { value, stamp }).map(|row| row.value)
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.rows.remove(key).map(|row| row.value)
    }

    /// Takes rows out; gives what it took.
    pub fn take(&mut self, which: Take) -> Vec<(K, V)> {
        let taken = self.rows.extract_if(|_, row| which.takes(row.stamp));
        let taken: Vec<_> = taken.map(|(key, row)| (key, row.value)).collect();
        if taken.len() > self.rows.len() {
            self.rows.shrink_to_fit();
        }
        taken
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key).map(|row| &row.value)
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.rows.values().map(|row| &row.value)
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(slot: u8, generation: u32) -> Stamp {
        Stamp { kind: Kind::Pod, slot: Slot(slot), generation }
    }

    #[test]
    fn a_relist_takes_away_only_what_its_own_source_no_longer_tells() {
        let mut table = Table::default();
        for name in ["a", "b"] {
            table.upsert(name, 1, stamp(1, 1));
        }
        table.upsert("other namespace", 1, stamp(2, 1));
        assert_eq!(table.upsert("b", 2, stamp(1, 2)), Some(1));
        assert_eq!(table.len(), 3, "nothing goes before the list is complete");
        assert_eq!(table.take(Take::Older(stamp(1, 2))), [("a", 1)]);
        assert_eq!(table.get(&"b"), Some(&2));
        assert_eq!(table.get(&"other namespace"), Some(&1));
        assert_eq!(table.take(Take::All(stamp(2, 0))).len(), 1);
        assert_eq!(table.remove(&"b"), Some(2));
        assert!(table.is_empty());
    }
}
