//! A table of objects in which a relist replaces the old rows without a second copy of them.
//!
//! Every row remembers the source and the list (generation) that told of it last. While a list runs, rows are
//! brought up to date one by one; when it is complete, the rows of that source which it did not mention go.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use crate::fleet::{Kind, Slot};

#[derive(Debug)]
pub struct Table<K, V> {
    rows: HashMap<K, Row<V>>,
    changes: u64,
}

/// What telling of a row came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Told<V> {
    /// It is as it was: nothing that is made of it needs to be made again.
    Same,
    New,
    /// And what it was before.
    Changed(V),
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
        Self { rows: HashMap::new(), changes: 0 }
    }
}

impl<K: Eq + Hash + Clone, V: PartialEq> Table<K, V> {
    /// Puts a row in, or brings it up to date.
    pub fn upsert(&mut self, key: K, value: V, stamp: Stamp) -> Told<V> {
        match self.rows.entry(key) {
            Entry::Occupied(mut row) => {
                let row = row.get_mut();
                row.stamp = stamp;
                // Most of what changes in a server (heartbeats, annotations, versions) changes nothing here.
                if row.value == value {
                    return Told::Same;
                }
                self.changes += 1;
                Told::Changed(std::mem::replace(&mut row.value, value))
            }
            Entry::Vacant(place) => {
                place.insert(Row { value, stamp });
                self.changes += 1;
                Told::New
            }
        }
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        let removed = self.rows.remove(key)?;
        self.changes += 1;
        Some(removed.value)
    }

    /// How often anything in it has changed. While it is the same number, what was made of the rows holds.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Takes rows out; gives what it took.
    pub fn take(&mut self, which: Take) -> Vec<(K, V)> {
        let taken = self.rows.extract_if(|_, row| which.takes(row.stamp));
        let taken: Vec<_> = taken.map(|(key, row)| (key, row.value)).collect();
        self.changes += taken.len() as u64;
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
        assert_eq!(table.upsert("b", 2, stamp(1, 2)), Told::Changed(1));
        assert_eq!(table.len(), 3, "nothing goes before the list is complete");
        assert_eq!(table.take(Take::Older(stamp(1, 2))), [("a", 1)]);
        assert_eq!(table.get(&"b"), Some(&2));
        assert_eq!(table.get(&"other namespace"), Some(&1));
        assert_eq!(table.take(Take::All(stamp(2, 0))).len(), 1);
        assert_eq!(table.remove(&"b"), Some(2));
        assert!(table.is_empty());
    }

    #[test]
    fn what_is_told_again_is_no_change_and_stays_in_the_new_list() {
        let mut table = Table::default();
        assert_eq!(table.upsert("a", 1, stamp(1, 1)), Told::New);
        assert_eq!(table.upsert("a", 1, stamp(1, 2)), Told::Same);
        assert_eq!(table.changes(), 1);
        assert_eq!(table.take(Take::Older(stamp(1, 2))), [], "the new list mentions it");
        assert_eq!(table.changes(), 1);
        table.upsert("a", 2, stamp(1, 2));
        table.remove(&"a");
        table.remove(&"a");
        assert_eq!(table.changes(), 3);
    }
}
