//! Gateway API: HTTPRoute and GRPCRoute.
//!
//! Source: gateway-api `apis/v1/httproute_types.go`, `grpcroute_types.go`, `shared_types.go`. Which rule takes
//! a request is decided by how specific its matches are, not by its place, so none is called unreachable.

use serde_json::Value;

use super::shares::{Weight, shares};
use super::{
    Destination, Mirror, Parts, Place, Print, Protocol, Rule, Shape, Weighing, entries, in_cluster, list,
    place, port, words,
};
use crate::fleet::text::of_json as text;
use crate::fleet::{Clean, ObjectKey};

pub(super) fn route(protocol: Protocol, key: &ObjectKey, spec: &Value) -> Result<Parts, String> {
    let hosts = list(&spec["hostnames"], "hostnames")?.iter().map(|it| Clean::new(text(it))).collect();
    let parents = list(&spec["parentRefs"], "parentRefs")?.iter().map(|it| parent(key, it)).collect();
    let rules = list(&spec["rules"], "rules")?.iter().enumerate();
    let rules = rules.map(|(index, value)| rule(protocol, key, value, index)).collect();
    Ok(Parts { hosts, parents, rules, lists: &["rules"] })
}

fn rule(protocol: Protocol, key: &ObjectKey, value: &Value, index: usize) -> Rule {
    let pointer = format!("/spec/rules/{index}");
    let mut weights = Vec::new();
    let mut destinations: Box<[Destination]> = entries(&value["backendRefs"])
        .iter()
        .enumerate()
        .map(|(at, backend)| {
            let weight = Weight::number(backend.get("weight"));
            let written = weight.written();
            weights.push(weight);
            let (host, short) = names(key, backend);
            Destination {
                host,
                short,
                subset: Clean::default(),
                port: port(&backend["port"]),
                weight: written,
                share: None,
                place: Place::Number(format!("{pointer}/backendRefs/{at}/weight").into()),
            }
        })
        .collect();
    let redirect = entries(&value["filters"]).iter().find_map(words::gateway_redirect);
    let mut invalid = (!value.is_object()).then(|| Clean::from("it is not an object"));
    let shape = if let Some(redirect) = redirect {
        Shape::Redirect(redirect)
    } else {
        match shares(&weights, Weighing::Gateway) {
            Ok(shares) => {
                destinations.iter_mut().zip(shares).for_each(|(it, share)| it.share = Some(share));
            }
            Err(why) => invalid = invalid.or(Some(why)),
        }
        Shape::Destinations(destinations)
    };
    let matches = entries(&value["matches"]).iter();
    Rule {
        protocol,
        weighing: Weighing::Gateway,
        index: place(index),
        name: text(&value["name"]).into(),
        matches: matches.map(|it| words::gateway_match(it, protocol)).collect(),
        timeout: value["timeouts"]["request"].as_str().map(Clean::new),
        retries: words::gateway_retries(&value["retry"]),
        shape,
        mirrors: entries(&value["filters"]).iter().filter_map(|it| mirror(key, it)).collect(),
        unreachable: None,
        invalid,
        note: Clean::default(),
        print: print(value),
        pointers: Box::new([pointer.into()]),
    }
}

/// The host of a Service as the mesh calls it; anything else by its kind.
fn names(key: &ObjectKey, backend: &Value) -> (Clean, Clean) {
    let name = text(&backend["name"]);
    let namespace = backend["namespace"].as_str().filter(|it| !it.is_empty()).unwrap_or(&key.namespace);
    let short =
        if namespace == key.namespace.as_str() { name.to_owned() } else { format!("{name}.{namespace}") };
    let host = match backend["kind"].as_str().unwrap_or("Service") {
        "Service" => in_cluster(name, namespace),
        "ServiceImport" => format!("{name}.{namespace}.svc.clusterset.local"),
        "Hostname" => name.to_owned(),
        other => format!("{other} {namespace}/{name}"),
    };
    (host.into(), short.into())
}

/// `gateway ml-platform/public`, `service ml-platform/llm` for a route of the mesh, with its section.
fn parent(key: &ObjectKey, value: &Value) -> Clean {
    let namespace = value["namespace"].as_str().filter(|it| !it.is_empty()).unwrap_or(&key.namespace);
    let kind = value["kind"].as_str().unwrap_or("Gateway").to_lowercase();
    let section = value["sectionName"].as_str().map(|it| format!(" {it}")).unwrap_or_default();
    format!("{kind} {namespace}/{}{section}", text(&value["name"])).into()
}

fn mirror(key: &ObjectKey, filter: &Value) -> Option<Mirror> {
    if filter["type"] != "RequestMirror" {
        return None;
    }
    let mirror = &filter["requestMirror"];
    let percent = match (mirror.get("percent"), mirror.get("fraction")) {
        (Some(percent), _) => percent.as_f64(),
        (None, Some(fraction)) => {
            let denominator = fraction.get("denominator").map_or(Some(100.0), Value::as_f64);
            let parts = fraction["numerator"].as_f64().zip(denominator);
            parts.filter(|(_, denominator)| *denominator > 0.0).map(|(part, of)| 100.0 * part / of)
        }
        (None, None) => Some(100.0),
    };
    Some(Mirror { host: names(key, &mirror["backendRef"]).0, subset: Clean::default(), percent })
}

/// The rule without its weights.
fn print(value: &Value) -> Print {
    let mut bare = value.clone();
    for backend in bare.get_mut("backendRefs").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(backend) = backend.as_object_mut() {
            backend.remove("weight");
        }
    }
    Print::of(&bare)
}
