//! Whether Kueue would let more replicas in: quota of the queue that a workload names.
//!
//! The arithmetic of borrowing is Kueue's (`pkg/cache/scheduler/resource_node.go`, available), one cohort deep. What
//! is beyond it, such as cohorts of cohorts, preemption and labels of flavors, is Kueue's to decide.

use crate::fleet::queue::{ClusterQueue, Flavor, ResourceGroup, Share};
use crate::fleet::{Amounts, Clean, ClusterId, Kind, ObjectKey, ReplicaNeeds};
use crate::state::{Cluster, State};

/// The queue that a workload names by its label.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub cluster: ClusterId,
    pub namespace: &'a str,
    /// The LocalQueue.
    pub queue: &'a str,
}

/// What Kueue would say of more replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// What was asked for.
    pub more: u32,
    /// So many of them would be let in, or why nobody knows.
    pub fits: Result<u32, Clean>,
    /// So many of those with what others in the cohort do not use.
    pub borrowed: u32,
    /// `ClusterQueue research`.
    pub queue: Clean,
    /// Why it is less than the numbers alone say; empty when it is not.
    pub why: Clean,
    /// Workloads that wait in the ClusterQueue already.
    pub pending: u32,
}

impl Quota {
    pub fn holds_all(&self) -> bool {
        self.fits.as_ref().is_ok_and(|fits| *fits >= self.more) && self.pending == 0
    }
}

/// `None` where there is no Kueue.
pub fn quota(state: &State, place: &Place<'_>, needs: &ReplicaNeeds, more: u32) -> Option<Quota> {
    let cluster = state.cluster(place.cluster)?;
    let answer = |queue: String, fits| Quota {
        more,
        fits,
        borrowed: 0,
        queue: queue.into(),
        why: Clean::default(),
        pending: 0,
    };
    let local = format!("LocalQueue {}", place.queue);
    let Some(served) = &cluster.served else {
        return Some(answer(local, Err("what the cluster serves is not known yet".into())));
    };
    if !served.contains(&Kind::ClusterQueue) {
        return None;
    }
    if let Err(why) = super::told(state, cluster, &[Kind::LocalQueue, Kind::ClusterQueue]) {
        return Some(answer(local, Err(why)));
    }
    let nothing = |queue: String, why: &str| Quota { why: why.into(), ..answer(queue, Ok(0)) };
    let Some(door) = cluster.objects.local_queues.get(&ObjectKey::new(place.namespace, place.queue)) else {
        return Some(nothing(local, "there is no such queue in this namespace"));
    };
    let name = format!("ClusterQueue {}", door.cluster_queue);
    let Some(queue) = cluster.objects.cluster_queues.get(&ObjectKey::new("", &door.cluster_queue)) else {
        return Some(nothing(name, "there is no such queue"));
    };
    let pending = queue.pending.unwrap_or_default();
    if let Some(why) = door.closed.as_ref().or(queue.closed.as_ref()) {
        return Some(Quota { pending, ..nothing(name, why) });
    }
    Some(match room(cluster, queue, needs) {
        Err(why) => Quota { pending, ..answer(name, Err(why)) },
        Ok((own, all)) => {
            let fits = all.min(u64::from(more));
            let borrowed = fits.saturating_sub(own);
            let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
            Quota { borrowed: small(borrowed), pending, ..answer(name, Ok(small(fits))) }
        }
    })
}

/// Replicas within the queue's own quota, and with what it may borrow.
fn room(cluster: &Cluster, queue: &ClusterQueue, needs: &ReplicaNeeds) -> Result<(u64, u64), Clean> {
    let mut asked = needs.requests();
    asked.add(&pods(needs));
    let covered = |name: &str| queue.groups.iter().any(|group| group.covers(name));
    if let Some((name, _)) =
        asked.iter().find(|(name, _)| *name != crate::fleet::amounts::PODS && !covered(name))
    {
        return Err(format!(
            "{name} has no quota there: Kueue holds back what asks for it, unless it is set to leave it out"
        )
        .into());
    }
    let (mut own, mut all) = (u64::MAX, u64::MAX);
    for group in &queue.groups {
        let (mut of_own, mut of_all) = (0u64, 0u64);
        let is_asked =
            group.flavors.iter().flat_map(|flavor| &flavor.shares).any(|it| asked.get(&it.resource) > 0);
        if !is_asked {
            continue;
        }
        for flavor in &group.flavors {
            let (within, with_borrowed) = of_flavor(cluster, queue, flavor, &asked)?;
            of_own = of_own.saturating_add(within);
            of_all = of_all.saturating_add(with_borrowed);
        }
        own = own.min(of_own);
        all = all.min(of_all);
    }
    Ok((own, all))
}

fn pods(needs: &ReplicaNeeds) -> Amounts {
    let count = u64::from(needs.size());
    crate::fleet::Asked::new([(crate::fleet::amounts::PODS, count)].into_iter()).named(Clean::new)
}

/// All resources of a group come from one flavor.
fn of_flavor(
    cluster: &Cluster,
    queue: &ClusterQueue,
    flavor: &Flavor,
    asked: &Amounts,
) -> Result<(u64, u64), Clean> {
    let (mut own, mut all) = (u64::MAX, u64::MAX);
    for share in flavor.shares.iter().filter(|share| asked.get(&share.resource) > 0) {
        let each = asked.get(&share.resource);
        let (within, with_borrowed) = available(cluster, queue, flavor, share)?;
        own = own.min(within / each);
        all = all.min(with_borrowed / each);
    }
    // A flavor without quota of what is asked for gives none.
    if own == u64::MAX { Ok((0, 0)) } else { Ok((own, all)) }
}

/// Free within the nominal quota, and with what may be borrowed.
fn available(
    cluster: &Cluster,
    queue: &ClusterQueue,
    flavor: &Flavor,
    share: &Share,
) -> Result<(u64, u64), Clean> {
    let unknown = || {
        Clean::from(format!("Kueue has not told what is reserved of {} in {}", share.resource, flavor.name))
    };
    let reserved = share.reserved.ok_or_else(unknown)?;
    let unused = share.nominal.saturating_sub(reserved);
    let Some(cohort) = &queue.cohort else { return Ok((unused, unused)) };
    let members = cluster.objects.cluster_queues.values().filter(|it| it.cohort.as_ref() == Some(cohort));
    let mut free = 0i128;
    for member in members {
        let shares =
            member.groups.iter().flat_map(|group| &group.flavors).filter(|it| it.name == flavor.name);
        for it in shares.flat_map(|it| &it.shares).filter(|it| it.resource == share.resource) {
            let taken = it.reserved.ok_or_else(unknown)?.saturating_sub(it.guaranteed());
            free += i128::from(it.nominal - it.guaranteed()) - i128::from(taken);
        }
    }
    let guaranteed = share.guaranteed();
    let most = share.borrowing.map_or(i128::MAX, |limit| {
        let lent = i128::from(share.nominal - guaranteed) - i128::from(reserved.saturating_sub(guaranteed));
        lent + i128::from(limit)
    });
    let from_cohort = u64::try_from(free.min(most).max(0)).unwrap_or(u64::MAX);
    let all = guaranteed.saturating_sub(reserved).saturating_add(from_cohort);
    Ok((unused.min(all), all))
}

impl ResourceGroup {
    fn covers(&self, resource: &str) -> bool {
        self.flavors.iter().flat_map(|flavor| &flavor.shares).any(|share| share.resource == resource)
    }
}
