//! ExternalDNS's DNSEndpoint: weighted records, where a share is one of DNS answers, not of requests.
//!
//! Records of one name and type that have different identifiers are one rule. Source: external-dns
//! `endpoint/endpoint.go`, `provider/aws/aws.go`: the property is `aws/weight`, and no other provider weighs.

use serde_json::{Value, json};

use super::shares::{Weight, shares};
use super::{Destination, Parts, Place, Print, Protocol, Rule, Shape, Weighing, entries, list, place};
use crate::fleet::Clean;
use crate::fleet::text::of_json as text;

/// The property that holds the weight.
pub(super) const WEIGHT: &str = "aws/weight";
/// Properties by which Route 53 chooses an answer otherwise. A name has one policy.
const OTHER_POLICIES: [&str; 5] =
    ["aws/region", "aws/failover", "aws/geolocation-", "aws/geoproximity-", "aws/multi-value-answer"];

pub(super) fn endpoint(spec: &Value) -> Result<Parts, String> {
    let records = list(&spec["endpoints"], "endpoints")?;
    let mut groups: Vec<((&str, &str), Vec<usize>)> = Vec::new();
    for (at, record) in records.iter().enumerate() {
        let name = (text(&record["dnsName"]), text(&record["recordType"]));
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, places)) => places.push(at),
            None => groups.push((name, vec![at])),
        }
    }
    let mut hosts: Vec<Clean> = groups.iter().map(|((name, _), _)| Clean::new(name)).collect();
    hosts.dedup();
    let rules = groups.iter().enumerate().map(|(index, (name, places))| rule(index, *name, places, records));
    Ok(Parts { rules: rules.collect(), hosts: hosts.into(), parents: Box::new([]), lists: &["endpoints"] })
}

fn rule(index: usize, (name, record_type): (&str, &str), places: &[usize], records: &[Value]) -> Rule {
    let (weights, mut destinations): (Vec<_>, Vec<_>) =
        places.iter().map(|at| record(&records[*at], *at)).unzip();
    let own: Vec<&Value> = places.iter().map(|at| &records[*at]).collect();
    let (mut invalid, mut note) = (conflict(&own), Clean::default());
    if invalid.is_none() {
        match policy(&own, &weights) {
            Ok(None) => match shares(&weights, Weighing::Dns) {
                Ok(shares) => {
                    destinations.iter_mut().zip(shares).for_each(|(it, share)| it.share = Some(share));
                }
                Err(why) => invalid = Some(why),
            },
            Ok(Some(words)) => note = words,
            Err(why) => invalid = Some(why),
        }
    }
    let ttl = own.first().and_then(|record| record["recordTTL"].as_i64());
    if note.is_empty()
        && let Some(seconds) = ttl
    {
        note = format!("a share of DNS answers, takes {seconds} s or longer").into();
    }
    Rule {
        protocol: Protocol::Dns,
        weighing: Weighing::Dns,
        index: place(index),
        name: Clean::default(),
        matches: Box::new([format!("{record_type} {name}").into()]),
        timeout: None,
        retries: None,
        shape: Shape::Destinations(destinations.into()),
        mirrors: Box::new([]),
        unreachable: None,
        invalid,
        note,
        print: print(&own),
        pointers: places.iter().map(|at| format!("/spec/endpoints/{at}").into()).collect(),
    }
}

fn record(value: &Value, at: usize) -> (Weight, Destination) {
    let targets = entries(&value["targets"]).iter().map(text).collect::<Vec<_>>().join(", ");
    let identifier = text(&value["setIdentifier"]);
    let properties = entries(&value["providerSpecific"]);
    let pointer = format!("/spec/endpoints/{at}/providerSpecific");
    let own = properties.iter().position(|it| it["name"] == WEIGHT);
    let (weight, place) = match own {
        Some(number) => {
            let weight = Weight::text(&properties[number]["value"]);
            (weight, Place::Text(format!("{pointer}/{number}/value").into()))
        }
        None if value["providerSpecific"].is_array() => {
            (Weight::Omitted, Place::Property(format!("{pointer}/-").into()))
        }
        None => (Weight::Omitted, Place::Properties(pointer.into())),
    };
    let destination = Destination {
        short: if identifier.is_empty() { targets.as_str().into() } else { identifier.into() },
        host: targets.into(),
        subset: Clean::default(),
        port: None,
        weight: weight.written(),
        share: None,
        place,
    };
    (weight, destination)
}

/// Several records of one name need identifiers of their own.
fn conflict(records: &[&Value]) -> Option<Clean> {
    if records.iter().any(|record| !record.is_object()) {
        return Some("it is not an object".into());
    }
    let mut identifiers: Vec<_> = records.iter().map(|record| text(&record["setIdentifier"])).collect();
    identifiers.sort_unstable();
    let count = identifiers.len();
    if count > 1 && identifiers.first() == Some(&"") {
        return Some("several records, and not every one has a setIdentifier".into());
    }
    identifiers.dedup();
    (identifiers.len() < count).then(|| "two records have the same setIdentifier".into())
}

/// `None` when weights decide, or nothing does; else by what it is decided.
fn policy(records: &[&Value], weights: &[Weight]) -> Result<Option<Clean>, Clean> {
    let weighted = weights.iter().filter(|weight| **weight != Weight::Omitted).count();
    let other = records.iter().flat_map(|record| entries(&record["providerSpecific"])).find_map(|property| {
        let name = text(&property["name"]);
        OTHER_POLICIES.iter().any(|policy| name.starts_with(policy)).then_some(name)
    });
    match (weighted, other) {
        (0, None) if records.len() > 1 => Ok(Some("not weighted: the name server decides".into())),
        (0, None) => Ok(None),
        (0, Some(name)) => Ok(Some(format!("answers by {name}, not by weight").into())),
        (_, Some(name)) => Err(format!("both {WEIGHT} and {name}: a name has one policy").into()),
        (some, None) if some < records.len() => Err(format!("not every record has {WEIGHT}").into()),
        _ => Ok(None),
    }
}

/// The records without their weights.
fn print(records: &[&Value]) -> Print {
    let bare = records.iter().map(|record| {
        let mut record = (*record).clone();
        if let Some(properties) = record.get_mut("providerSpecific").and_then(Value::as_array_mut) {
            properties.retain(|it| it["name"] != WEIGHT);
        }
        // No properties, and none but a weight, are the same without it.
        if entries(&record["providerSpecific"]).is_empty()
            && let Some(fields) = record.as_object_mut()
        {
            fields.remove("providerSpecific");
        }
        record
    });
    Print::of(&json!(bare.collect::<Vec<_>>()))
}
