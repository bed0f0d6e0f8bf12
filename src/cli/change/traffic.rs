//! `skydeck traffic set`, `drain` and `ramp`: new weights for one rule, in every cluster that holds it.

use super::find::Search;
use super::route::{self, counted, destinations, kept_alike, only_rule};
use super::session::Session;
use super::{No, Wanted};
use crate::config::args::{RuleOf, TrafficDrain, TrafficRamp, TrafficSet, Weight};
use crate::fleet::route::{Rule, read};
use crate::fleet::{Clean, ClusterId, ObjectId};
use crate::gate::intent::{Ramp, Weights};
use crate::gate::plan::traffic::ease;
use crate::gate::{Intent, Place, Sight, Wish};
use crate::state::select::routes::{self, Holders};

pub async fn set(args: &TrafficSet, session: &mut Session) -> Result<Wanted, No> {
    Source::find(&args.of, session).await?.weighed(&args.weights, None)
}

pub async fn ramp(args: &TrafficRamp, session: &mut Session) -> Result<Wanted, No> {
    let every = args.every.unwrap_or(session.policy().step_every);
    let ramp = Ramp { by: args.step, every };
    Source::find(&args.of, session).await?.weighed(&args.weights, Some(ramp))
}

pub async fn drain(args: &TrafficDrain, session: &mut Session) -> Result<Wanted, No> {
    let every = args.every.unwrap_or(session.policy().step_every);
    let ramp = args.step.map(|by| Ramp { by, every });
    let source = Source::find(&args.of, session).await?;
    let rules = source.rules()?;
    let (_, rule) = &rules[0];
    let at = destinations(rule, [args.destination.as_str()])?[0];
    // Who gets what is left is said by the others, so they must agree.
    kept_alike(&references(&rules), &[at])?;
    let to = ease::drained(&counted(rule), at);
    Ok(source.wanted(to, ramp))
}

/// The route and its rule, in every cluster that is to be changed.
struct Source {
    object: ObjectId,
    rule: usize,
    live: Vec<(ClusterId, Clean)>,
    left_out: Vec<ClusterId>,
    sight: Sight,
    said: Vec<String>,
}

impl Source {
    async fn find(of: &RuleOf, session: &mut Session) -> Result<Self, No> {
        let mut source = Self::meant(of, session)?;
        let places = source.live.iter().map(|(id, _)| Place { cluster: *id, object: source.object.clone() });
        for seen in session.driver.look_at(places.collect()).await {
            match seen {
                Ok(seen) => source.sight.objects.push(seen),
                // One that was named is meant.
                Err((_, fault)) if !of.whereabouts.clusters.is_empty() => {
                    return Err(No::refused(format!("{} cannot be read: {fault}", source.object), ""));
                }
                Err((place, fault)) => source.leave_out(place.cluster, &fault.to_string()),
            }
        }
        if source.live.is_empty() {
            return Err(No::refused(format!("no cluster that holds {} can be read now", source.object), ""));
        }
        Ok(source)
    }

    /// By what is known, before it is read.
    fn meant(of: &RuleOf, session: &Session) -> Result<Self, No> {
        let state = &session.driver.session.state;
        let search = Search::routes(state, &session.homes, &of.route, &of.whereabouts)?;
        let found = search.one()?;
        let known =
            found.clusters.iter().find_map(|id| state.cluster(*id)?.objects.routes.get(&found.object));
        let known = known.ok_or_else(|| No::refused(format!("{} is gone", found.object), ""))?;
        let rule = only_rule(known, of.rule)?;
        let name = |id: &ClusterId| Some((*id, state.cluster(*id)?.spec.name.clone()));
        let mut source = Self {
            rule,
            live: Vec::new(),
            left_out: Vec::new(),
            sight: Sight::default(),
            said: Vec::new(),
            object: found.object.clone(),
        };
        if !of.whereabouts.clusters.is_empty() {
            source.live = found.clusters.iter().filter_map(name).collect();
            return Ok(source);
        }
        let Holders { live, left_out } = routes::holders(state, &found.object, rule, &found.clusters);
        let other: Vec<ClusterId> = found
            .clusters
            .iter()
            .filter(|id| !live.contains(id) && !left_out.contains(id))
            .copied()
            .collect();
        if !other.is_empty() {
            let words = format!("the rule has other destinations in {}", search.names(&other));
            let hint = format!("name the clusters that are meant: {}", search.list(&live));
            return Err(No::refused(words, hint));
        }
        source.live = live.iter().chain(&left_out).filter_map(name).collect();
        for (id, fault) in left_out.iter().map(|id| (*id, "it is not heard now")) {
            source.leave_out(id, fault);
        }
        for (id, name) in found.untold.iter().filter(|id| !left_out.contains(id)).filter_map(name) {
            source
                .said
                .push(format!("{name}: nobody knows now whether it holds the route: it keeps what it has"));
            source.left_out.push(id);
        }
        Ok(source)
    }

    fn leave_out(&mut self, cluster: ClusterId, why: &str) {
        if let Some(at) = self.live.iter().position(|(id, _)| *id == cluster) {
            let (id, name) = self.live.remove(at);
            self.said.push(format!("{name} holds it too and keeps its weights: {why}"));
            self.left_out.push(id);
        }
    }

    /// The rule as it was read, in each cluster; at least one.
    fn rules(&self) -> Result<Vec<(Clean, Rule)>, No> {
        let mut rules = Vec::new();
        for (cluster, name) in &self.live {
            let place = Place { cluster: *cluster, object: self.object.clone() };
            let gone = || No::refused(format!("{name} has no rule {} of it any more", self.rule + 1), "");
            let seen = self.sight.of(&place).ok_or_else(gone)?;
            let not_understood =
                |words| No::refused(format!("{} in {name} is not understood: {words}", self.object), "");
            let route = read(self.object.kind, &seen.value).map_err(not_understood)?;
            rules.push((name.clone(), route.rules.get(self.rule).cloned().ok_or_else(gone)?));
        }
        Ok(rules)
    }

    fn weighed(self, weights: &[Weight], ramp: Option<Ramp>) -> Result<Wanted, No> {
        let rules = self.rules()?;
        let (_, rule) = &rules[0];
        let places = destinations(rule, weights.iter().map(|it| it.destination.as_str()))?;
        kept_alike(&references(&rules), &places)?;
        let named: Vec<_> = places.into_iter().zip(weights.iter().map(|it| it.weight)).collect();
        let to = route::set(&counted(rule), &named);
        Ok(self.wanted(to, ramp))
    }

    fn wanted(self, to: Vec<u32>, ramp: Option<Ramp>) -> Wanted {
        let left_out = !self.left_out.is_empty();
        let weights = Weights {
            route: self.object,
            clusters: self.live.into_iter().map(|(id, _)| id).collect(),
            left_out: self.left_out,
            rule: self.rule,
            to,
            ramp,
        };
        let intent = Intent::new(Wish::Weights(weights));
        Wanted { intent, sight: self.sight, said: self.said, left_out }
    }
}

fn references(rules: &[(Clean, Rule)]) -> Vec<(Clean, &Rule)> {
    rules.iter().map(|(name, rule)| (name.clone(), rule)).collect()
}
