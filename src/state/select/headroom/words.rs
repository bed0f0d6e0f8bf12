//! Headroom and quota as an operator reads them before saying yes.

use serde_json::Value;

use super::{Headroom, Place, Quota, Refused, Short, headroom, nodes, quota};
use crate::fleet::amounts::{self, CPU, MEMORY, PODS};
use crate::fleet::{Amounts, Clean, ClusterId, GpuCount, Kind, ReplicaNeeds, gpu};
use crate::state::State;

/// A workload that is to become larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    pub cluster: ClusterId,
    pub kind: Kind,
    pub from: u32,
    pub to: u32,
}

/// What there is to say about more replicas of a workload, by its whole object: whether it is a warning, and the
/// words. Nothing when it does not become larger.
pub fn words(state: &State, object: &Value, growth: Growth) -> Vec<(bool, Clean)> {
    let more = growth.to.saturating_sub(growth.from);
    let name = state.cluster(growth.cluster).map_or("?", |cluster| &cluster.spec.name);
    if more == 0 {
        return Vec::new();
    }
    let needs = match ReplicaNeeds::read(growth.kind, object) {
        Ok(needs) => needs,
        Err(why) => return vec![(true, format!("{name}: room is not known: {why}").into())],
    };
    let headroom = headroom(state, growth.cluster, &needs);
    let mut words = Said { name, words: Vec::new() };
    words.room(&headroom, &needs, more);
    for note in &headroom.notes {
        words.say(false, note);
    }
    if let Some(queue) = &needs.queue {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
        let place = Place { cluster: growth.cluster, namespace, queue };
        if let Some(quota) = quota(state, &place, &needs, more) {
            words.say(!quota.holds_all(), &quota_words(&quota));
        }
    }
    words.words
}

/// The same without a number in mind: `3 more replicas (scheduler estimate): 3 nodes fit; 2 pods already wait`.
pub fn line(headroom: &Headroom) -> Clean {
    let count = match &headroom.fits {
        Ok(count) => count,
        Err(why) => return format!("not known: {why}").into(),
    };
    let replicas = if *count == 1 { "replica" } else { "replicas" };
    let waiting =
        headroom.waiting.as_ref().map(|(count, _)| format!("; {}", wait(*count))).unwrap_or_default();
    format!("{count} more {replicas} (scheduler estimate): {}{waiting}", fit(headroom)).into()
}

struct Said<'a> {
    name: &'a str,
    words: Vec<(bool, Clean)>,
}

impl Said<'_> {
    fn say(&mut self, is_warning: bool, words: &str) {
        self.words.push((is_warning, format!("{}: {words}", self.name).into()));
    }

    fn room(&mut self, headroom: &Headroom, needs: &ReplicaNeeds, more: u32) {
        let how = how(headroom, needs);
        match &headroom.fits {
            Err(why) => self.say(true, &format!("room is not known: {why}")),
            Ok(fits) if *fits >= more => {
                self.say(
                    false,
                    &format!("room for {fits} more, {more} asked for (scheduler estimate): {how}"),
                );
            }
            Ok(fits) => {
                let grows = if headroom.may_grow { "; an autoscaler may add nodes" } else { "" };
                self.say(true, &format!("room for {fits} more of {more} (scheduler estimate): {how}{grows}"));
                let why = refused(&headroom.refused, headroom.nodes);
                if !why.is_empty() {
                    self.say(false, &why);
                }
            }
        }
        if let Some((count, what)) = &headroom.waiting {
            self.say(true, &format!("{} for {what}", wait(*count)));
        }
    }
}

/// `8 GPUs a pod, 3 nodes fit`.
fn how(headroom: &Headroom, needs: &ReplicaNeeds) -> String {
    format!("{}, {}", each(needs), fit(headroom))
}

fn fit(headroom: &Headroom) -> String {
    let fit = if headroom.fitting == 1 { "fits" } else { "fit" };
    format!("{} {fit}", nodes(headroom.fitting as usize))
}

fn wait(pods: u32) -> String {
    if pods == 1 { "1 pod already waits".into() } else { format!("{pods} pods already wait") }
}

fn each(needs: &ReplicaNeeds) -> String {
    let asked = asked(&needs.requests());
    match needs.size() {
        0 | 1 => format!("{asked} a pod"),
        size => format!("{asked} a group of {size} pods"),
    }
}

/// GPUs; or what the pod asks for when it asks for none.
fn asked(requests: &Amounts) -> String {
    let whole = GpuCount::among(requests.iter().map(|(name, amount)| (name.as_str(), amount))).whole;
    let mut parts = Vec::new();
    if whole > 0 {
        parts.push(format!("{whole} GPU{}", if whole == 1 { "" } else { "s" }));
    }
    let parts_of = requests.iter().filter(|(name, _)| gpu::is_share(name) || gpu::is_slice(name));
    parts.extend(parts_of.map(|(name, amount)| format!("{amount} {name}")));
    if parts.is_empty() {
        let plain = [CPU, MEMORY].map(|name| (name, requests.get(name)));
        let plain = plain.into_iter().filter(|(_, amount)| *amount > 0);
        parts.extend(plain.map(|(name, amount)| format!("{} {name}", amounts::words(name, amount))));
    }
    if parts.is_empty() { "nothing asked for by".into() } else { parts.join(" and ") }
}

/// `of 12 nodes: 4 have too little nvidia.com/gpu free (8 a pod; 4+4+2 free), 5 have no nvidia.com/gpu, 1 is not ready`.
fn refused(refused: &Refused, all: u32) -> String {
    let is = |count: u32, words: &str| {
        (count > 0).then(|| format!("{count} {} {words}", if count == 1 { "is" } else { "are" }))
    };
    let has = |count: u32| if count == 1 { "has" } else { "have" };
    let short = refused.short.iter().map(|(resource, it)| match resource.as_str() {
        PODS => format!("{} {} no place for another pod", it.nodes, has(it.nodes)),
        _ => format!("{} {} too little {resource} free ({})", it.nodes, has(it.nodes), free(resource, it)),
    });
    let without =
        refused.without.iter().map(|(resource, count)| format!("{count} {} no {resource}", has(*count)));
    let tainted = refused.tainted.iter().filter_map(|(key, count)| is(*count, &format!("tainted {key}")));
    let others = [
        is(refused.not_ready, "not ready"),
        is(refused.cordoned, "cordoned"),
        is(refused.not_selected, "not selected"),
    ];
    let reasons: Vec<_> = short.chain(without).chain(tainted).chain(others.into_iter().flatten()).collect();
    if reasons.is_empty() {
        String::new()
    } else {
        format!("of {}: {}", nodes(all as usize), reasons.join(", "))
    }
}

fn free(resource: &str, short: &Short) -> String {
    const SHOWN: usize = 4;
    let some = short.free.iter().filter(|free| **free > 0);
    let shown: Vec<_> = some.clone().take(SHOWN).map(|free| amounts::words(resource, *free)).collect();
    let more = if some.count() > SHOWN { "+…" } else { "" };
    let asked = amounts::words(resource, short.asked);
    if shown.is_empty() {
        format!("{asked} a pod, none free")
    } else {
        format!("{asked} a pod, {}{more} free", shown.join("+"))
    }
}

/// `Kueue: 2 of 4 more replicas within quota of ClusterQueue research; the rest would stay gated …`.
fn quota_words(quota: &Quota) -> String {
    let Quota { more, queue, .. } = quota;
    let waiting = match quota.pending {
        0 => String::new(),
        1 => "; 1 workload already waits there".into(),
        count => format!("; {count} workloads already wait there"),
    };
    match &quota.fits {
        Err(why) => format!("Kueue: quota is not known: {why}"),
        Ok(fits) => {
            let borrowed = if quota.borrowed > 0 {
                format!(", {} of them borrowed", quota.borrowed)
            } else {
                String::new()
            };
            let rest =
                if fits < more { "; the rest would stay gated, and Kubernetes shows no error" } else { "" };
            let why = if quota.why.is_empty() { String::new() } else { format!(" ({})", quota.why) };
            format!(
                "Kueue: {fits} of {more} more replicas within quota of {queue}{why}{borrowed}{rest}{waiting}"
            )
        }
    }
}
