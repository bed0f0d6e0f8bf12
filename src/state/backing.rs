//! How many endpoints stand behind each Service, kept up to date change by change.
//!
//! A Service has a slice for every hundred endpoints, and all of them again for every family of addresses.
//! Slices of one family are added up; of the families the largest counts, so that a pod with two addresses is
//! one endpoint.

use std::collections::HashMap;

use crate::fleet::service::AddressType;
use crate::fleet::{Endpoints, ObjectKey};

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Backing {
    by_service: HashMap<ObjectKey, Families>,
}

/// Endpoints of a Service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counts {
    pub ready: u32,
    pub serving: u32,
    pub total: u32,
}

/// IPv4, IPv6 and names, with the number of slices of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Families([(u32, Counts); 3]);

impl Backing {
    pub fn change(&mut self, old: Option<&Endpoints>, new: Option<&Endpoints>) {
        if let Some(slice) = old {
            self.count(slice, |value, by| *value -= by);
        }
        if let Some(slice) = new {
            self.count(slice, |value, by| *value += by);
        }
        if let Some(key) = old.and_then(service)
            && self.by_service.get(&key) == Some(&Families::default())
        {
            self.by_service.remove(&key);
        }
    }

    /// `None` when no slice belongs to it.
    pub fn of(&self, service: &ObjectKey) -> Option<Counts> {
        let families = self.by_service.get(service)?;
        families.0.iter().map(|(_, counts)| *counts).max()
    }

    fn count(&mut self, slice: &Endpoints, change: impl Fn(&mut u32, u32)) {
        let Some(key) = service(slice) else { return };
        let family = match slice.address_type {
            AddressType::Ip4 => 0,
            AddressType::Ip6 => 1,
            AddressType::Name => 2,
        };
        let (slices, counts) = &mut self.by_service.entry(key).or_default().0[family];
        change(slices, 1);
        change(&mut counts.ready, slice.ready);
        change(&mut counts.serving, slice.serving);
        change(&mut counts.total, slice.total);
    }
}

fn service(slice: &Endpoints) -> Option<ObjectKey> {
    let name = slice.service.clone()?;
    Some(ObjectKey { namespace: slice.key.namespace.clone(), name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slice(name: &str, address_type: AddressType, ready: u32, total: u32) -> Endpoints {
        let service = Some("llm".into()).filter(|_| name != "alone");
        Endpoints { key: ObjectKey::new("ml", name), service, address_type, ready, serving: ready, total }
    }

    #[test]
    fn slices_add_up_and_families_do_not() {
        let mut backing = Backing::default();
        let llm = ObjectKey::new("ml", "llm");
        assert_eq!(backing.of(&llm), None);
        for it in [
            slice("a", AddressType::Ip4, 100, 100),
            slice("b", AddressType::Ip4, 7, 9),
            slice("c", AddressType::Ip6, 107, 109),
            slice("alone", AddressType::Ip4, 5, 5),
        ] {
            backing.change(None, Some(&it));
        }
        assert_eq!(backing.of(&llm), Some(Counts { ready: 107, serving: 107, total: 109 }));
    }

    proptest! {
        #[test]
        fn what_is_taken_away_leaves_nothing(changes in proptest::collection::vec((0usize..4, 0u32..9, any::<bool>()), 0..40)) {
            let mut backing = Backing::default();
            let mut slices: [Option<Endpoints>; 4] = [const { None }; 4];
            for (at, ready, there) in changes {
                let family = [AddressType::Ip4, AddressType::Ip6][at % 2];
                let new = there.then(|| slice(&format!("s{at}"), family, ready, ready + 1));
                backing.change(slices[at].as_ref(), new.as_ref());
                slices[at] = new;
            }
            let mut anew = Backing::default();
            slices.iter().flatten().for_each(|it| anew.change(None, Some(it)));
            prop_assert_eq!(&backing, &anew);
            for slice in slices.iter().flatten() {
                backing.change(Some(slice), None);
            }
            prop_assert_eq!(backing, Backing::default());
        }
    }
}
