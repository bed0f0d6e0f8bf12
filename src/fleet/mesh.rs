//! What Istio knows of hosts besides routes: how their endpoints are parted and chosen, and hosts from outside.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::text::of_json as text;
use super::{Clean, Labels, ObjectKey};

/// A DestinationRule: subsets, and what changes the meaning of weights behind them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostPolicy {
    pub key: ObjectKey,
    /// The whole name, resolved in its namespace.
    pub host: Clean,
    pub subsets: Box<[Subset]>,
    /// Endpoints that fail are taken out for a while, which also turns on failover to other localities.
    pub ejects: bool,
    /// `distribute`, `failover` or `failoverPriority` of the locality settings, in words.
    pub locality: Option<Clean>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subset {
    pub name: Clean,
    pub labels: Labels,
    /// A setting of its own overrides that of the host.
    pub ejects: bool,
}

/// A ServiceEntry: hosts that the mesh knows without a Service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceEntry {
    pub key: ObjectKey,
    pub hosts: Box<[Clean]>,
    /// In the mesh or outside of it, as `location` says.
    pub in_mesh: bool,
    /// Addresses of its endpoints, as they are written; empty when DNS or a selector tells them.
    pub endpoints: Box<[Clean]>,
    /// The endpoints have weights or localities of their own, which split traffic again.
    pub splits: bool,
}

impl HostPolicy {
    /// istio/api `networking/v1alpha3/destination_rule.proto`.
    pub fn read(object: &Value) -> Result<Self, String> {
        let key = key(object)?;
        let spec = &object["spec"];
        let balancer = &spec["trafficPolicy"]["loadBalancer"]["localityLbSetting"];
        let locality =
            ["distribute", "failover", "failoverPriority"].into_iter().find(|it| !balancer[*it].is_null());
        let enabled = balancer["enabled"] != false;
        let subsets = spec["subsets"].as_array().into_iter().flatten();
        Ok(Self {
            host: super::route::whole_name(text(&spec["host"]), &key.namespace).into(),
            key,
            subsets: subsets.map(subset).collect(),
            ejects: spec["trafficPolicy"]["outlierDetection"].is_object(),
            locality: locality.filter(|_| enabled).map(Clean::new),
        })
    }

    pub fn subset(&self, name: &str) -> Option<&Subset> {
        self.subsets.iter().find(|subset| subset.name == *name)
    }
}

fn subset(value: &Value) -> Subset {
    let labels = value["labels"].as_object().into_iter().flatten();
    Subset {
        name: text(&value["name"]).into(),
        labels: labels.map(|(key, value)| (Clean::new(key), Clean::new(text(value)))).collect(),
        ejects: value["trafficPolicy"]["outlierDetection"].is_object(),
    }
}

impl ServiceEntry {
    /// istio/api `networking/v1alpha3/service_entry.proto`.
    pub fn read(object: &Value) -> Result<Self, String> {
        let key = key(object)?;
        let spec = &object["spec"];
        let endpoints = || spec["endpoints"].as_array().into_iter().flatten();
        Ok(Self {
            key,
            hosts: spec["hosts"].as_array().into_iter().flatten().map(|it| Clean::new(text(it))).collect(),
            in_mesh: spec["location"] == "MESH_INTERNAL",
            endpoints: endpoints().map(|it| Clean::new(text(&it["address"]))).collect(),
            splits: endpoints().any(|it| !it["weight"].is_null()),
        })
    }

    /// Whether a host is one of its own; `*.example.com` covers what ends so.
    pub fn has(&self, host: &str) -> bool {
        self.hosts.iter().any(|own| match own.strip_prefix('*') {
            Some(ending) => host.len() > ending.len() && host.ends_with(ending),
            None => own.as_str() == host,
        })
    }
}

fn key(object: &Value) -> Result<ObjectKey, String> {
    let meta = &object["metadata"];
    match text(&meta["name"]) {
        "" => Err("it has no name".into()),
        name => Ok(ObjectKey::new(text(&meta["namespace"]), name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_destination_rule_tells_its_subsets_and_what_moves_traffic() {
        let rule = HostPolicy::read(&json!({"metadata": {"namespace": "ml", "name": "d"}, "spec": {"host": "llm",
            "subsets": [{"name": "aws", "labels": {"topology.istio.io/cluster": "aws-east"}}, {"name": "v2", "labels": {"version": "v2"},
                "trafficPolicy": {"outlierDetection": {}}}],
            "trafficPolicy": {"outlierDetection": {"interval": "10s"},
                "loadBalancer": {"localityLbSetting": {"failover": [{"from": "us-east-1", "to": "us-central1"}]}}}}}))
        .unwrap();
        assert_eq!((rule.host.as_str(), rule.ejects), ("llm.ml.svc.cluster.local", true));
        assert_eq!(rule.locality.as_deref(), Some("failover"));
        assert_eq!(
            rule.subset("aws").unwrap().labels.get("topology.istio.io/cluster"),
            Some(&"aws-east".into())
        );
        assert!(rule.subset("v2").unwrap().ejects && rule.subset("v3").is_none());
        let off = json!({"metadata": {"name": "d"}, "spec": {"host": "x.example.com", "trafficPolicy":
            {"loadBalancer": {"localityLbSetting": {"enabled": false, "failover": []}}}}});
        assert_eq!(HostPolicy::read(&off).unwrap().locality, None);
    }

    #[test]
    fn a_service_entry_knows_its_hosts() {
        let entry = ServiceEntry::read(
            &json!({"metadata": {"name": "s"}, "spec": {"hosts": ["a.example.com", "*.gcp.global"],
            "location": "MESH_INTERNAL", "endpoints": [{"address": "192.0.2.1", "weight": 3}]}}),
        )
        .unwrap();
        assert!(entry.has("a.example.com") && entry.has("x.gcp.global") && !entry.has(".gcp.global"));
        assert!(!entry.has("b.example.com") && entry.in_mesh && entry.splits);
        assert!(ServiceEntry::read(&json!({"spec": {}})).is_err());
        assert!(ServiceEntry::read(&json!({"metadata": {"name": "s"}, "spec": 7})).unwrap().hosts.is_empty());
    }
}
