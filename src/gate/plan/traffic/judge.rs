//! Can the destinations take what they would get? Judged when a plan is made, and again when a step goes out.

use crate::fleet::route::Rule;
use crate::fleet::{Clean, ClusterId, Kind, ObjectId, ObjectKey, Unix};
use crate::gate::plan::{Need, Note, Plan, Refusal, Step};
use crate::gate::{Intent, Override};
use crate::state::select::routes;
use crate::state::select::routes::reach::Reach;
use crate::state::{Cluster, State};

use super::ease;

/// A ready endpoint that would get more than so many times what one gets now is worth a word.
const MUCH_MORE: f64 = 1.5;

pub(in crate::gate::plan) struct Shift<'a> {
    pub cluster: &'a Cluster,
    pub route: &'a ObjectId,
    pub rule: usize,
    pub read: &'a Rule,
    pub from: &'a [u32],
    pub to: &'a [u32],
}

impl Shift<'_> {
    /// Refuses what would lose requests; the rest is for the operator to weigh.
    pub fn judge(&self, intent: &Intent, state: &State) -> Result<Vec<Note>, Refusal> {
        let (before, after) = (ease::shares(self.from), ease::shares(self.to));
        let reach = reach(state, self.cluster.id, self.route, self.rule);
        let mut notes = Vec::new();
        for (at, destination) in self.read.destinations().iter().enumerate() {
            if after[at] <= before[at] {
                continue;
            }
            let what = format!("{}: {}", self.cluster.spec.name, destination.name());
            let of = reach.get(at);
            match of.and_then(Reach::ready) {
                Some(0) => {
                    let words = format!("{what} has no ready endpoint and would get more traffic");
                    return Err(Refusal::new(words, "bring it up first"));
                }
                Some(ready) => notes.push(crowded(&what, ready, before[at], after[at])),
                None => {
                    let why = of.map(|it| it.note.clone()).filter(|it| !it.is_empty());
                    let why = why.unwrap_or_else(|| "its endpoints are not known".into());
                    let words = format!("{what}: nobody knows whether it is ready: {why}");
                    if !intent.overrides(Override::UnknownCapacity) {
                        return Err(Refusal::new(words, "make sure of it by other means")
                            .unless(Override::UnknownCapacity));
                    }
                    notes.push(Note::warning(words));
                }
            }
        }
        self.keeps_a_healthy_one(intent, &reach, (&before, &after))?;
        Ok(notes)
    }

    /// The last destination that is healthy keeps its traffic, unless somebody insists.
    fn keeps_a_healthy_one(
        &self,
        intent: &Intent,
        reach: &[Reach],
        (before, after): (&[f64], &[f64]),
    ) -> Result<(), Refusal> {
        let healthy = |at: usize| reach.get(at).and_then(Reach::ready).is_some_and(|ready| ready > 0);
        let all = 0..after.len();
        let left = all.clone().any(|at| after[at] > 0.0 && healthy(at));
        let lost = all.clone().find(|at| before[*at] > 0.0 && after[*at] == 0.0 && healthy(*at));
        match lost {
            Some(at) if !left && !intent.overrides(Override::LastDestination) => {
                let name = self.read.destinations()[at].name();
                let words = format!(
                    "{}: {name} is the last destination that is known to be healthy",
                    self.cluster.spec.name
                );
                Err(Refusal::new(words, "bring another one up first").unless(Override::LastDestination))
            }
            _ => Ok(()),
        }
    }

    /// What must still be so when a step goes out.
    pub fn needs(&self) -> Vec<Need> {
        let (before, after) = (ease::shares(self.from), ease::shares(self.to));
        let grows = self.read.destinations().iter().enumerate().filter(|(at, _)| after[*at] > before[*at]);
        grows
            .map(|(at, it)| Need { rule: self.rule, destination: at, name: it.name(), at_least: 1 })
            .collect()
    }
}

fn crowded(what: &str, ready: u32, before: f64, after: f64) -> Note {
    let more = (after - before) * 100.0;
    let words = format!("{what}: {ready} ready would carry {more:+.0}% of the traffic");
    let much = before > 0.0 && after / before > MUCH_MORE;
    if much { Note::warning(words) } else { Note::info(words) }
}

fn reach(state: &State, cluster: ClusterId, route: &ObjectId, rule: usize) -> Vec<Reach> {
    let group = routes::group(state, route);
    let cell = group.as_ref().and_then(|group| group.cells.get(&cluster));
    // Knowledge that is not of now is none.
    let cell = cell.filter(|cell| cell.freshness.is_whole());
    cell.and_then(|cell| cell.rules.get(rule)).map(|rule| rule.reach.clone()).unwrap_or_default()
}

/// What stops a ramp: a destination that got more and is known not to be ready any more. Not to know is no reason to
/// move production back; the next step waits for an answer.
pub fn fallen(state: &State, cluster: ClusterId, step: &Step) -> Option<Clean> {
    ready_now(state, cluster, step).into_iter().find_map(|(need, ready)| not_enough(need, ready?))
}

/// Why a step cannot go out now: a destination that would get more is not ready any more, or not known to be.
pub fn shortage(state: &State, cluster: ClusterId, plan: &Plan, step: &Step) -> Option<Clean> {
    ready_now(state, cluster, step).into_iter().find_map(|(need, ready)| match ready {
        Some(ready) => not_enough(need, ready),
        None if plan.overrides.contains(&Override::UnknownCapacity) => None,
        None => Some(Clean::from(format!("{}: whether it is ready is not known now", need.name))),
    })
}

/// What a step needs, and how many endpoints are ready for it, if that is known.
fn ready_now<'a>(state: &State, cluster: ClusterId, step: &'a Step) -> Vec<(&'a Need, Option<u32>)> {
    let Some(first) = step.needs.first() else { return Vec::new() };
    let reach = reach(state, cluster, &step.object, first.rule);
    step.needs.iter().map(|need| (need, reach.get(need.destination).and_then(Reach::ready))).collect()
}

fn not_enough(need: &Need, ready: u32) -> Option<Clean> {
    (ready < need.at_least).then(|| Clean::from(format!("{}: {ready} ready endpoints", need.name)))
}

/// A warning that Kubernetes recorded about a destination since then: of its pods, its workload or its service.
pub fn trouble_since(state: &State, plan: &Plan, since: Unix) -> Option<Clean> {
    let names: Vec<&str> =
        plan.steps.iter().flat_map(|step| &step.needs).map(|need| service(&need.name)).collect();
    let namespaces: Vec<_> = plan.steps.iter().map(|step| &step.object.key.namespace).collect();
    let events =
        state.clusters().flat_map(|cluster| cluster.objects.events.values().map(move |it| (cluster, it)));
    events.into_iter().find_map(|(cluster, event)| {
        let about = &event.about;
        // The clusters are walked through for what is new alone.
        let ours = event.last_seen > since
            && namespaces.contains(&&about.namespace)
            && names.iter().any(|name| is_of(&about.name, name) && !is_of_another(cluster, about, name))
            && !ROUTES.iter().any(|kind| event.about_kind == kind.name());
        ours.then(|| {
            Clean::from(format!("{} {}: {}: {}", event.about_kind, about.name, event.reason, event.message))
        })
    })
}

/// The service's own name in a destination's: before the first dot of a host, without the subset.
fn service(destination: &str) -> &str {
    let host = destination.split('/').next().unwrap_or(destination);
    host.split('.').next().unwrap_or(host)
}

/// Routes are what the ramp itself changes, and what it leaves its events at.
const ROUTES: [Kind; 4] = [Kind::VirtualService, Kind::HttpRoute, Kind::GrpcRoute, Kind::DnsEndpoint];

/// `web-canary-7d9f` is of the Deployment `web-canary`, not of `web`.
fn is_of_another(cluster: &Cluster, about: &ObjectKey, service: &str) -> bool {
    let others = cluster.objects.workloads.values().filter(|it| it.kind != Kind::ReplicaSet);
    others.into_iter().any(|it| {
        it.key.namespace == about.namespace
            && it.key.name.len() > service.len()
            && is_of(&it.key.name, service)
            && is_of(&about.name, &it.key.name)
    })
}

/// `web` itself, and what is made of it: `web-7d9f-abc`.
fn is_of(name: &str, service: &str) -> bool {
    name.strip_prefix(service).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
