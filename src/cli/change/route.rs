//! Which rule of a route, and which of its destinations. A part of a name is enough when it fits one; never when it fits
//! two.

use super::No;
use crate::fleet::Clean;
use crate::fleet::route::{Destination, Route, Rule};
use crate::gate::plan::traffic::ease;

/// The rule of that number, counted from 1; without one the only one that has something to shift.
pub fn only_rule(route: &Route, number: Option<usize>) -> Result<usize, No> {
    if let Some(number) = number {
        let at = number.checked_sub(1).filter(|at| *at < route.rules.len());
        return at.ok_or_else(|| No::refused(format!("there is no rule {number}"), rules(route)));
    }
    let several: Vec<usize> =
        (0..route.rules.len()).filter(|at| route.rules[*at].destinations().len() > 1).collect();
    match several[..] {
        [only] => Ok(only),
        [] => Err(No::refused("no rule has several destinations", rules(route))),
        _ => {
            Err(No::refused("several rules have several destinations", format!("--rule N: {}", rules(route))))
        }
    }
}

/// `1: aws 60, gcp 40; 2 (canary): …`.
fn rules(route: &Route) -> String {
    let one = |(at, rule): (usize, &Rule)| {
        let name = if rule.name.is_empty() { String::new() } else { format!(" ({})", rule.name) };
        let to = list(rule);
        format!("{}{name}: {}", at + 1, if to.is_empty() { "no destinations" } else { &to })
    };
    route.rules.iter().enumerate().map(one).collect::<Vec<_>>().join("; ")
}

fn list(rule: &Rule) -> String {
    let weight = |it: &Destination| it.weight.map_or_else(|| "no weight".into(), |it| it.to_string());
    let destinations = rule.destinations().iter().map(|it| format!("{} {}", it.name(), weight(it)));
    destinations.collect::<Vec<_>>().join(", ")
}

/// The place of each destination that is named; none twice.
pub fn destinations<'a>(rule: &Rule, named: impl IntoIterator<Item = &'a str>) -> Result<Vec<usize>, No> {
    let mut places = Vec::new();
    for name in named {
        let at = destination(rule, name)?;
        if places.contains(&at) {
            let words = format!("{} is named twice", rule.destinations()[at].name());
            return Err(No::usage(words, ""));
        }
        places.push(at);
    }
    Ok(places)
}

fn destination(rule: &Rule, named: &str) -> Result<usize, No> {
    let all = rule.destinations();
    let fitting = |fits: &dyn Fn(&Destination) -> bool| {
        all.iter().enumerate().filter(|(_, it)| fits(it)).map(|(at, _)| at).collect::<Vec<_>>()
    };
    let exact = fitting(&|it| names(it).iter().any(|name| name.as_str() == named));
    let fits = if exact.is_empty() {
        fitting(&|it| !named.is_empty() && names(it).iter().any(|name| name.contains(named)))
    } else {
        exact
    };
    match fits[..] {
        [only] => Ok(only),
        [] => Err(No::refused(format!("no destination fits `{named}`"), list(rule))),
        _ => {
            let names: Vec<_> = fits.iter().map(|at| all[*at].name().to_string()).collect();
            Err(No::refused(format!("`{named}` fits {}", names.join(" and ")), "write more of it"))
        }
    }
}

/// As it is written and as it is resolved, with the subset if it has one.
fn names(destination: &Destination) -> Vec<Clean> {
    let whole = match destination.subset.as_str() {
        "" => destination.host.clone(),
        subset => Clean::from(format!("{}/{subset}", destination.host)),
    };
    vec![destination.name(), whole]
}

/// Weights as they count, an omitted one by the rule's default.
pub fn counted(rule: &Rule) -> Vec<u32> {
    let default = rule.default_weight();
    let weight = |it: &Destination| u32::try_from(it.weight.unwrap_or(default)).unwrap_or(0);
    rule.destinations().iter().map(weight).collect()
}

/// The new weights: those that are named, and the others as they are.
pub fn set(now: &[u32], named: &[(usize, u32)]) -> Vec<u32> {
    let mut to = now.to_vec();
    for (at, weight) in named {
        to[*at] = *weight;
    }
    to
}

/// Destinations that are not named must weigh the same everywhere, or nobody knows what they are to keep.
pub fn kept_alike(rules: &[(Clean, &Rule)], named: &[usize]) -> Result<(), No> {
    let Some(((first, rule), others)) = rules.split_first() else { return Ok(()) };
    let now = counted(rule);
    for (name, other) in others {
        let theirs = counted(other);
        let differs = (0..now.len()).find(|at| !named.contains(at) && theirs.get(*at) != now.get(*at));
        if let Some(at) = differs {
            let words = format!(
                "{} weighs differently: {first} has {}, {name} has {}",
                rule.destinations()[at].name(),
                ease::joined(&now),
                ease::joined(&theirs)
            );
            return Err(No::refused(
                words,
                "give every destination its weight, or name the clusters one by one",
            ));
        }
    }
    Ok(())
}
