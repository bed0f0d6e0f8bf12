//! Where requests go: routes of Istio, Gateway API and DNS, and what they lead to. Every cluster has its own
//! copy of the route between the clouds, for the requests that begin there.

use serde_json::{Value, json};

use super::clouds::Profile;
use super::objects::Service;
use super::system::add;
use crate::demo::programs::latest;
use crate::demo::resource::Kind;
use crate::demo::world::World;
use crate::demo::world::traffic::{ROUTE, SERVICE, WEIGHTS};

const HOME: &str = "ml-platform";

pub fn routes(world: &mut World, profile: &Profile) {
    between_clouds(world, profile);
    canary(world, profile);
    methods(world);
    if profile.index == 0 {
        names(world);
    }
}

fn metadata(name: &str) -> Value {
    json!({"name": name, "namespace": HOME, "labels": {"app.kubernetes.io/part-of": "ml-platform"}})
}

fn host(cloud: &str) -> String {
    format!("{SERVICE}-{cloud}")
}

/// One Service for what runs here, an entry for each other cloud, and the route that splits between them.
fn between_clouds(world: &mut World, profile: &Profile) {
    let own = profile.cloud.name();
    let mut service = Service::new(HOME, SERVICE, String::new()).service();
    service["metadata"]["name"] = json!(host(own));
    service["spec"]["clusterIP"] = json!(format!("172.20.251.{}", profile.index % 250 + 1));
    add(world, Kind::Services, service);
    for (cloud, _) in WEIGHTS.iter().filter(|(cloud, _)| *cloud != own) {
        let entry = json!({
            "metadata": metadata(&host(cloud)),
            "spec": {
                "hosts": [format!("{}.{HOME}.svc.cluster.local", host(cloud))], "location": "MESH_INTERNAL",
                "resolution": "DNS", "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
                "endpoints": [{"address": format!("eastwest.{cloud}.example.com"), "ports": {"http": 15_443}}],
            },
        });
        add(world, Kind::ServiceEntries, entry);
    }
    let rule = json!({
        "metadata": metadata(&host(own)),
        "spec": {
            "host": host(own),
            "trafficPolicy": {"outlierDetection": {"consecutive5xxErrors": 5, "interval": "10s", "baseEjectionTime": "30s"}},
        },
    });
    add(world, Kind::DestinationRules, rule);
    let to = |cloud: &str, weight: i64| json!({"destination": {"host": host(cloud), "port": {"number": 80}}, "weight": weight});
    let split: Vec<Value> = WEIGHTS.iter().map(|(cloud, weight)| to(cloud, *weight)).collect();
    let route = json!({
        "metadata": metadata(ROUTE),
        "spec": {
            "hosts": ["ml-inference.example.com"],
            "http": [
                {"name": "canary", "match": [{"headers": {"x-canary": {"exact": "true"}}}],
                 "route": [{"destination": {"host": host("gcp"), "port": {"number": 80}}}]},
                {"name": "batch", "match": [{"uri": {"prefix": "/v1/batch"}}], "timeout": "120s",
                 "route": [to("aws", 80), to("azure", 20)]},
                {"name": "default", "timeout": "5s",
                 "retries": {"attempts": 3, "perTryTimeout": "2s", "retryOn": "5xx,connect-failure"}, "route": split},
            ],
        },
    });
    add(world, Kind::VirtualServices, route);
}

/// The next version of the language model takes a tenth of the requests; it needs no accelerator.
fn canary(world: &mut World, profile: &Profile) {
    let image = format!("{}/llm-serve:{}", profile.registry(), latest("llm-serve"));
    let canary = Service::new(HOME, "llm-serve-canary", image).size("2", "8Gi", 0);
    add(world, Kind::Deployments, canary.deployment());
    add(world, Kind::Services, canary.service());
    let route = json!({
        "metadata": metadata("llm-serve"),
        "spec": {
            "parentRefs": [{"name": "public", "namespace": HOME, "sectionName": "https"}], "hostnames": ["llm.example.com"],
            "rules": [{
                "matches": [{"path": {"type": "PathPrefix", "value": "/v1"}}], "timeouts": {"request": "60s"},
                "backendRefs": [
                    {"name": "llm-serve", "port": 80, "weight": 90}, {"name": "llm-serve-canary", "port": 80, "weight": 10},
                ],
            }],
        },
    });
    add(world, Kind::HttpRoutes, route);
}

fn methods(world: &mut World) {
    let route = json!({
        "metadata": metadata("embedding-api"),
        "spec": {
            "parentRefs": [{"name": "public", "namespace": HOME}], "hostnames": ["embedding.example.com"],
            "rules": [{
                "matches": [{"method": {"service": "ml.v1.Embedding", "method": "Embed"}}],
                "backendRefs": [{"name": "embedding-api", "port": 80}],
            }],
        },
    });
    add(world, Kind::GrpcRoutes, route);
}

/// Weighted answers of the name server, kept in one cluster for all.
fn names(world: &mut World) {
    let record = |(cloud, weight): &(&str, i64)| {
        json!({
            "dnsName": "ml-inference.example.com", "recordType": "CNAME", "recordTTL": 60, "setIdentifier": cloud,
            "targets": [format!("ingress.{cloud}.example.com")],
            "providerSpecific": [{"name": "aws/weight", "value": weight.to_string()}],
        })
    };
    let records: Vec<Value> = WEIGHTS.iter().map(record).collect();
    add(
        world,
        Kind::DnsEndpoints,
        json!({"metadata": metadata("ml-inference"), "spec": {"endpoints": records}}),
    );
}
