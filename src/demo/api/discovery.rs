//! Discovery: what there is, told in the old way (one answer a group) and in the new (all at once, with an
//! ETag). Both are derived from the table of resources.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::accept::asks_for;
use super::body;
use super::route::Topic;
use crate::demo::resource::{KINDS, Resource};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

pub fn answer(topic: &Topic, headers: &HeaderMap) -> Response {
    let whole = matches!(topic, Topic::Core | Topic::Groups);
    if whole
        && asks_for(
            headers,
            &["application/json", "g=apidiscovery.k8s.io", "v=v2", "as=APIGroupDiscoveryList"],
        )
    {
        return aggregated(*topic == Topic::Core, headers);
    }
    let value = match topic {
        Topic::Core => {
            json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
        }
        Topic::Groups => {
            let groups: Vec<Value> = groups()
                .into_iter()
                .filter(|group| !group.is_empty())
                .map(|name| group(name, false))
                .collect();
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
        }
        Topic::Group(name) => group(name, true),
        Topic::Version(group, version) => resources(group, version),
    };
    body::json(200, &value)
}

/// The groups in the order of the table, once each.
fn groups() -> Vec<&'static str> {
    let mut groups = Vec::new();
    for row in KINDS.iter().map(|kind| kind.row()) {
        if !groups.contains(&row.group) {
            groups.push(row.group);
        }
    }
    groups
}

fn rows(group: &str, version: &str) -> impl Iterator<Item = &'static Resource> {
    let (group, version) = (group.to_owned(), version.to_owned());
    KINDS.iter().map(|kind| kind.row()).filter(move |row| row.group == group && row.version == version)
}

fn versions(group: &str) -> Vec<&'static str> {
    let mut versions: Vec<&str> =
        KINDS.iter().map(|kind| kind.row()).filter(|row| row.group == group).map(|row| row.version).collect();
    versions.dedup();
    versions
}

fn group(name: &str, typed: bool) -> Value {
    let versions: Vec<Value> = versions(name)
        .into_iter()
        .map(|version| json!({"groupVersion": format!("{name}/{version}"), "version": version}))
        .collect();
    let mut group = json!({"name": name, "preferredVersion": versions.first(), "versions": versions});
    if typed {
        group["kind"] = "APIGroup".into();
        group["apiVersion"] = "v1".into();
    }
    group
}

fn resources(group: &str, version: &str) -> Value {
    let mut list = Vec::new();
    for row in rows(group, version) {
        let mut resource = json!({
            "name": row.plural, "singularName": row.singular, "namespaced": row.namespaced, "kind": row.kind,
            "verbs": row.verbs.names(),
        });
        if !row.short.is_empty() {
            resource["shortNames"] = row.short.into();
        }
        if !row.categories.is_empty() {
            resource["categories"] = row.categories.into();
        }
        list.push(resource);
        for (sub, group, version, kind, verbs) in subresources(row) {
            let mut resource = json!({
                "name": format!("{}/{sub}", row.plural), "singularName": "", "namespaced": row.namespaced,
                "kind": kind, "verbs": verbs,
            });
            if group != row.group {
                resource["group"] = group.into();
                resource["version"] = version.into();
            }
            list.push(resource);
        }
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": list})
}

type Subresource = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

/// Name, group, version, kind and verbs of each subresource.
fn subresources(row: &Resource) -> Vec<Subresource> {
    const CHANGE: &[&str] = &["get", "patch", "update"];
    let mut list: Vec<Subresource> = Vec::new();
    if row.log {
        list.push(("log", row.group, row.version, row.kind, &["get"]));
    }
    if row.scale.is_some() {
        list.push(("scale", "autoscaling", "v1", "Scale", CHANGE));
    }
    if row.status {
        list.push(("status", row.group, row.version, row.kind, CHANGE));
    }
    list
}

fn aggregated(core: bool, headers: &HeaderMap) -> Response {
    let groups: Vec<Value> = groups()
        .into_iter()
        .filter(|group| group.is_empty() == core)
        .map(|group| {
            let versions: Vec<Value> =
                versions(group).into_iter().map(|version| listed(group, version)).collect();
            let metadata = if group.is_empty() { json!({}) } else { json!({"name": group}) };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    let list = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": groups,
    })
    .to_string();
    let mut hasher = DefaultHasher::new();
    list.hash(&mut hasher);
    let tag = format!("\"{:016X}\"", hasher.finish());
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|given| given.as_bytes() == tag.as_bytes());
    let (code, content) = if known { (304, Body::empty()) } else { (200, Body::from(list)) };
    let mut response = body::typed(code, AGGREGATED, content);
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public"));
    response
}

/// One version of a group in the new way.
fn listed(group: &str, version: &str) -> Value {
    let resources: Vec<Value> = rows(group, version)
        .map(|row| {
            let mut resource = json!({
                "resource": row.plural,
                "responseKind": {"group": row.group, "version": row.version, "kind": row.kind},
                "scope": if row.namespaced { "Namespaced" } else { "Cluster" },
                "singularResource": row.singular,
                "verbs": row.verbs.names(),
            });
            if !row.short.is_empty() {
                resource["shortNames"] = row.short.into();
            }
            if !row.categories.is_empty() {
                resource["categories"] = row.categories.into();
            }
            let subresources: Vec<Value> = subresources(row)
                .into_iter()
                .map(|(sub, group, version, kind, verbs)| {
                    let kind = json!({"group": group, "version": version, "kind": kind});
                    json!({"subresource": sub, "responseKind": kind, "verbs": verbs})
                })
                .collect();
            if !subresources.is_empty() {
                resource["subresources"] = subresources.into();
            }
            resource
        })
        .collect();
    json!({"version": version, "resources": resources, "freshness": "Current"})
}
