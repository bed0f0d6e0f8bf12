//! Istio's VirtualService: v1, v1beta1 and v1alpha3 have one shape.
//!
//! Source: istio/api `networking/v1alpha3/virtual_service.proto`; short names as istio
//! `pkg/config/model.go` (ResolveShortnameToFQDN) resolves them.

use serde_json::Value;

use super::shares::{Weight, shares};
use super::{
    Destination, Mirror, Parts, Place, Print, Protocol, Rule, Shape, Weighing, entries, in_cluster, list,
    place, port, words,
};
use crate::fleet::text::of_json as text;
use crate::fleet::{Clean, ObjectKey};

/// The lists of rules, with what a rule's own list of destinations is called.
const LISTS: [(&str, Protocol); 3] =
    [("http", Protocol::Http), ("tls", Protocol::Tls), ("tcp", Protocol::Tcp)];

pub(super) fn virtual_service(key: &ObjectKey, spec: &Value) -> Result<Parts, String> {
    let hosts = list(&spec["hosts"], "hosts")?;
    let gateways = list(&spec["gateways"], "gateways")?;
    let parents: Box<[Clean]> = match gateways {
        [] => Box::new(["mesh".into()]),
        some => some.iter().map(|it| Clean::new(text(it))).collect(),
    };
    let mut rules = Vec::new();
    for (name, protocol) in LISTS {
        let mut taken: Option<u32> = None;
        for (index, value) in list(&spec[name], name)?.iter().enumerate() {
            let mut rule = rule(key, value, protocol, format!("/spec/{name}/{index}"));
            rule.index = place(index);
            rule.unreachable = taken;
            if taken.is_none() && takes_everything(&value["match"]) {
                taken = Some(rule.index);
            }
            rules.push(rule);
        }
    }
    let hosts = hosts.iter().map(|it| Clean::from(whole_name(text(it), &key.namespace))).collect();
    Ok(Parts { hosts, parents, rules, lists: &["http", "tls", "tcp"] })
}

fn rule(key: &ObjectKey, value: &Value, protocol: Protocol, pointer: String) -> Rule {
    let mut weights = Vec::new();
    let mut destinations: Box<[Destination]> = entries(&value["route"])
        .iter()
        .enumerate()
        .map(|(at, it)| {
            let weight = Weight::number(it.get("weight"));
            let destination = &it["destination"];
            let written = weight.written();
            weights.push(weight);
            Destination {
                host: whole_name(text(&destination["host"]), &key.namespace).into(),
                short: text(&destination["host"]).into(),
                subset: text(&destination["subset"]).into(),
                port: port(&destination["port"]["number"]),
                weight: written,
                share: None,
                place: Place::Number(format!("{pointer}/route/{at}/weight").into()),
            }
        })
        .collect();
    let mut invalid = conflict(value);
    let shape = if let Some(words) = words::istio_redirect(&value["redirect"]) {
        Shape::Redirect(words)
    } else if let Some(words) = words::direct_response(&value["directResponse"]) {
        Shape::DirectResponse(words)
    } else if let Some(delegate) = delegate(key, &value["delegate"]) {
        Shape::Delegate(delegate)
    } else {
        match shares(&weights, Weighing::Istio) {
            _ if invalid.is_some() => {}
            Ok(shares) => {
                destinations.iter_mut().zip(shares).for_each(|(it, share)| it.share = Some(share));
            }
            Err(why) => invalid = Some(why),
        }
        Shape::Destinations(destinations)
    };
    Rule {
        protocol,
        weighing: Weighing::Istio,
        index: 0,
        name: text(&value["name"]).into(),
        matches: entries(&value["match"]).iter().map(words::istio_match).collect(),
        timeout: value.get("timeout").and_then(Value::as_str).map(Clean::new),
        retries: words::istio_retries(&value["retries"]),
        shape,
        mirrors: mirrors(key, value),
        unreachable: None,
        invalid,
        note: Clean::default(),
        print: print(value),
        pointers: Box::new([pointer.into()]),
    }
}

/// A rule is one of these; its webhook refuses more than one, if it was asked.
fn conflict(value: &Value) -> Option<Clean> {
    if !value.is_object() {
        return Some("it is not an object".into());
    }
    let kinds = ["route", "redirect", "directResponse", "delegate"];
    let set: Vec<_> =
        kinds.into_iter().filter(|kind| value.get(kind).is_some_and(|it| !it.is_null())).collect();
    (set.len() > 1).then(|| format!("it has {} at once", set.join(" and ")).into())
}

fn delegate(key: &ObjectKey, value: &Value) -> Option<ObjectKey> {
    let name = value.get("name")?.as_str()?;
    let namespace = value["namespace"].as_str().filter(|it| !it.is_empty()).unwrap_or(&key.namespace);
    Some(ObjectKey::new(namespace, name))
}

/// One mirror with a percentage beside it, or a list of them.
fn mirrors(key: &ObjectKey, value: &Value) -> Box<[Mirror]> {
    let one = value.get("mirror").filter(|it| it.is_object()).map(|destination| {
        let percentage = value.get("mirrorPercentage").map(|it| &it["value"]);
        let percentage = percentage.or_else(|| value.get("mirrorPercent").or(value.get("mirror_percent")));
        mirror(key, destination, percentage)
    });
    let more = entries(&value["mirrors"])
        .iter()
        .map(|it| mirror(key, &it["destination"], it.get("percentage").map(|it| &it["value"])));
    one.into_iter().chain(more).collect()
}

fn mirror(key: &ObjectKey, destination: &Value, percentage: Option<&Value>) -> Mirror {
    Mirror {
        host: whole_name(text(&destination["host"]), &key.namespace).into(),
        subset: text(&destination["subset"]).into(),
        percent: percentage.map_or(Some(100.0), Value::as_f64),
    }
}

/// Whether nothing is left for the rules behind it: no condition at all, or only that the path begins with `/`.
fn takes_everything(matches: &Value) -> bool {
    let matches = entries(matches);
    matches.is_empty()
        || matches.iter().any(|block| {
            let conditions = block.as_object().into_iter().flatten();
            let mut conditions =
                conditions.filter(|(key, _)| !["name", "statPrefix"].contains(&key.as_str()));
            conditions.all(|(key, value)| {
                key == "uri" && (value["prefix"] == "/" || value["regex"] == ".*" || value["regex"] == "*")
            }) && block.is_object()
        })
}

/// The rule without its weights.
fn print(value: &Value) -> Print {
    let mut bare = value.clone();
    for entry in bare.get_mut("route").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(entry) = entry.as_object_mut() {
            entry.remove("weight");
        }
    }
    Print::of(&bare)
}

/// A name without a dot is that of a service in the route's own namespace; any other is whole as it is.
pub(crate) fn whole_name(host: &str, namespace: &str) -> String {
    let is_short = !host.is_empty() && host != "*" && !host.contains(['.', ':']);
    if is_short { in_cluster(host, namespace) } else { host.to_owned() }
}
