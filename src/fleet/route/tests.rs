//! Routes as they are written by people and by other programs, and as nobody should write them.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn virtual_service(spec: &Value) -> Route {
    let object = json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {
        "namespace": "ml-platform", "name": "ml-inference-multicloud", "uid": "u-1", "generation": 17,
        "resourceVersion": "42", "annotations": {"skydeck.dev/change": "01JD8"}}, "spec": spec});
    read(Kind::VirtualService, &object).unwrap()
}

fn http_route(rules: &Value) -> Route {
    let object = json!({"apiVersion": "gateway.networking.k8s.io/v1", "metadata": {"namespace": "ml", "name": "llm"},
        "spec": {"parentRefs": [{"name": "public", "sectionName": "https"}, {"kind": "Service", "name": "llm"}], "hostnames": ["llm.example.com"], "rules": rules}});
    read(Kind::HttpRoute, &object).unwrap()
}

fn dns(endpoints: &Value) -> Route {
    let object = json!({"metadata": {"namespace": "ml", "name": "d"}, "spec": {"endpoints": endpoints}});
    read(Kind::DnsEndpoint, &object).unwrap()
}

fn split(host: &str, weight: impl Into<Value>) -> Value {
    json!({"destination": {"host": host}, "weight": weight.into()})
}

/// Shares in per cent, `?` for one that is not certain.
fn shares(rule: &Rule) -> Vec<String> {
    let of = |it: &Destination| it.share.map_or("?".into(), |share| format!("{:.0}", share * 100.0));
    rule.destinations().iter().map(of).collect()
}

#[test]
fn a_virtual_service_as_people_write_it() {
    let route = virtual_service(
        &json!({"hosts": ["ml-inference", "api.example.com"], "gateways": ["mesh", "edge/public"], "http": [
        {"name": "canary", "match": [{"headers": {"x-canary": {"exact": "true"}}, "uri": {"prefix": "/v2"}}],
            "route": [{"destination": {"host": "ml-inference-gcp", "subset": "v2", "port": {"number": 8080}}}]},
        {"route": [split("ml-inference-aws", 60), split("ml-inference-gcp.other.svc.cluster.local", 40),
            {"destination": {"host": "azure.ml.example.com"}}],
            "timeout": "5s", "retries": {"attempts": 3, "perTryTimeout": "2s", "retryOn": "5xx"},
            "mirror": {"host": "shadow"}, "mirrorPercentage": {"value": 12.5}},
        {"match": [{"uri": {"exact": "/x"}}], "redirect": {"authority": "new.example.com", "redirectCode": 308}}],
        "tcp": [{"route": [split("db", 1)]}]}),
    );
    assert_eq!((route.uid.as_str(), route.generation, route.resource_version.as_str()), ("u-1", 17, "42"));
    assert_eq!(
        (route.api_version.as_str(), route.change.as_deref()),
        ("networking.istio.io/v1", Some("01JD8"))
    );
    assert_eq!(
        route.hosts[..],
        ["ml-inference.ml-platform.svc.cluster.local".into(), Clean::from("api.example.com")]
    );
    let [canary, default, moved, tcp] = &route.rules[..] else { panic!("{route:?}") };
    assert_eq!(canary.matches[..], [Clean::from("header x-canary is true, path /v2…")]);
    assert_eq!((canary.label(1).as_str(), shares(canary)), ("rule 1 (canary)", vec!["100".into()]));
    let [only] = canary.destinations() else { panic!() };
    assert_eq!((only.name().as_str(), only.port, only.weight), ("ml-inference-gcp/v2", Some(8080), None));
    assert_eq!(shares(default), ["60", "40", "0"]);
    let hosts: Vec<_> = default.destinations().iter().map(|it| it.host.as_str()).collect();
    let own = "ml-inference-aws.ml-platform.svc.cluster.local";
    assert_eq!(hosts, [own, "ml-inference-gcp.other.svc.cluster.local", "azure.ml.example.com"]);
    let clouds: Vec<_> =
        default.destinations().iter().map(|it| it.cloud_by_name().unwrap().to_string()).collect();
    assert_eq!(clouds, ["aws", "gcp", "azure"]);
    assert_eq!(
        (default.timeout.as_deref(), default.retries.as_deref()),
        (Some("5s"), Some("3 retries of 2s on 5xx"))
    );
    assert_eq!(
        (default.mirrors[0].percent, default.unreachable, default.sum()),
        (Some(12.5), None, Some(100))
    );
    assert_eq!(moved.shape, Shape::Redirect("308 to new.example.com".into()));
    assert_eq!(moved.unreachable, Some(1), "a rule without a match stands before it");
    assert_eq!((tcp.protocol, tcp.unreachable), (Protocol::Tcp, None));
}

#[test]
fn pointers_lead_to_rules_and_weights() {
    let spec = json!({"hosts": ["x"], "http": [{"route": [split("a", 1), {"destination": {"host": "b"}}]}],
        "tls": [{"match": [{"sniHosts": ["x"]}], "route": [split("c", 1)]}]});
    let route = virtual_service(&spec);
    let object = json!({"spec": spec});
    for rule in &route.rules {
        assert!(object.pointer(rule.pointer()).is_some(), "{}", rule.pointer());
    }
    let [http, tls] = &route.rules[..] else { panic!() };
    let pointers: Vec<_> = http.destinations().iter().map(Destination::pointer).collect();
    assert_eq!(pointers, ["/spec/http/0/route/0/weight", "/spec/http/0/route/1/weight"]);
    assert_eq!(tls.destinations()[0].pointer(), "/spec/tls/0/route/0/weight");
    let gateway = http_route(&json!([{"backendRefs": [{"name": "a"}, {"name": "b", "weight": 3}]}]));
    assert_eq!(gateway.rules[0].pointer(), "/spec/rules/0");
    assert_eq!(gateway.rules[0].destinations()[1].pointer(), "/spec/rules/0/backendRefs/1/weight");
    assert_eq!(gateway.rules[0].destinations()[1].weight_value(7), json!(7));
}

/// What an operator changes: add the weights at their pointers, read again, and nothing but they differs.
#[test]
fn what_is_written_at_the_pointers_is_read_again() {
    let mut objects = [
        (
            Kind::VirtualService,
            json!({"metadata": {"name": "v"}, "spec": {"http": [{"route": [split("a", 60), {"destination": {"host": "b"}}], "timeout": "5s"}]}}),
        ),
        (
            Kind::HttpRoute,
            json!({"metadata": {"name": "h"}, "spec": {"rules": [{"backendRefs": [{"name": "a"}, {"name": "b"}]}]}}),
        ),
        (
            Kind::DnsEndpoint,
            json!({"metadata": {"name": "d"}, "spec": {"endpoints": [
            {"dnsName": "x", "recordType": "A", "setIdentifier": "a", "providerSpecific": [{"name": "alias", "value": "true"}, {"name": "aws/weight", "value": "9"}]},
            {"dnsName": "x", "recordType": "A", "setIdentifier": "b", "providerSpecific": []}]}}),
        ),
        (
            Kind::DnsEndpoint,
            json!({"metadata": {"name": "d"}, "spec": {"endpoints": [
            {"dnsName": "x", "recordType": "A", "setIdentifier": "a"}, {"dnsName": "x", "recordType": "A", "setIdentifier": "b"}]}}),
        ),
    ];
    for (kind, object) in &mut objects {
        let before = read(*kind, object).unwrap();
        for (at, weight) in [(0, 70), (1, 30)] {
            let destination = &before.rules[0].destinations()[at];
            let patch = json!([{"op": "add", "path": destination.pointer(), "value": destination.weight_value(weight)}]);
            json_patch::patch(object, &serde_json::from_value::<json_patch::Patch>(patch).unwrap()).unwrap();
        }
        let after = read(*kind, object).unwrap();
        let weights: Vec<_> = after.rules[0].destinations().iter().map(|it| it.weight).collect();
        assert_eq!(weights, [Some(70), Some(30)], "{kind} {object}");
        assert_eq!(shares(&after.rules[0]), ["70", "30"]);
        assert_eq!((before.rules[0].print, before.print), (after.rules[0].print, after.print));
    }
}

#[test]
fn a_rule_without_sense_is_invalid_and_has_no_shares() {
    for (route, why) in [
        (json!([split("a", 0), split("b", 0)]), "all weights are 0"),
        (json!([split("a", Value::Null), split("b", 40)]), "weight 1 is null"),
        (json!([split("a", -5), split("b", 40)]), "weight 1 is negative: -5"),
        (json!([split("a", "60"), split("b", 40)]), "weight 1 is the text \"60\""),
        (json!([]), "it has no destination"),
        (json!("none"), "it has no destination"),
    ] {
        let route = virtual_service(&json!({"hosts": ["x"], "http": [{"route": route}]}));
        let rule = &route.rules[0];
        assert_eq!((rule.invalid.as_deref(), rule.sum()), (Some(why), None));
        assert!(rule.destinations().iter().all(|it| it.share.is_none()), "{rule:?}");
    }
    let both = virtual_service(
        &json!({"http": [{"route": [split("a", 1)], "redirect": {"uri": "/"}}, "odd", null]}),
    );
    assert_eq!(both.rules[0].invalid.as_deref(), Some("it has route and redirect at once"));
    assert_eq!(both.rules[1].invalid.as_deref(), Some("it is not an object"));
}

#[test]
fn rules_can_stand_in_another_virtual_service() {
    let root = virtual_service(
        &json!({"hosts": ["x"], "http": [{"match": [{"uri": {"prefix": "/a"}}], "delegate": {"name": "part", "namespace": "other"}}, {"delegate": {"name": "near"}}]}),
    );
    assert_eq!(root.rules[0].shape, Shape::Delegate(ObjectKey::new("other", "part")));
    assert_eq!(root.rules[1].shape, Shape::Delegate(ObjectKey::new("ml-platform", "near")));
    assert!(!root.is_delegate() && virtual_service(&json!({"http": []})).is_delegate());
}

#[test]
fn a_match_that_takes_everything_leaves_nothing_behind_it() {
    for (matches, everything) in [
        (json!(null), true),
        (json!([]), true),
        (json!([{"uri": {"prefix": "/"}}]), true),
        (json!([{"uri": {"exact": "/a"}}, {"name": "rest"}]), true),
        (json!([{"uri": {"prefix": "/"}, "headers": {"x": {}}}]), false),
        (json!([{"gateways": ["mesh"]}]), false),
        (json!([7]), false),
    ] {
        let route = virtual_service(
            &json!({"http": [{"match": matches, "route": [split("a", 1)]}, {"route": [split("b", 1)]}]}),
        );
        assert_eq!(route.rules[1].unreachable.is_some(), everything, "{matches}");
    }
}

#[test]
fn an_http_route_counts_an_omitted_weight_as_one() {
    let route = http_route(&json!([
        {"name": "main", "matches": [{"path": {"value": "/v1"}}, {"method": "POST", "headers": [{"name": "x", "value": "y"}]}],
            "backendRefs": [{"name": "stable"}, {"name": "canary", "namespace": "lab", "weight": 3, "port": 80}], "timeouts": {"request": "10s"},
            "filters": [{"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "shadow"}, "fraction": {"numerator": 1, "denominator": 8}}}]},
        {"filters": [{"type": "RequestRedirect", "requestRedirect": {"hostname": "new.example.com"}}]},
        {"backendRefs": [{"name": "off", "weight": 0}]}, {"backendRefs": [{"kind": "InferencePool", "group": "inference.networking.k8s.io", "name": "pool"}]}]));
    assert_eq!(route.parents[..], [Clean::from("gateway ml/public https"), "service ml/llm".into()]);
    let [main, moved, off, pool] = &route.rules[..] else { panic!() };
    assert_eq!((shares(main), main.sum()), (vec!["25".into(), "75".into()], Some(4)));
    assert_eq!(main.matches[..], [Clean::from("path /v1…"), "method is POST, header x is y".into()]);
    let canary = &main.destinations()[1];
    assert_eq!((canary.host.as_str(), canary.short.as_str()), ("canary.lab.svc.cluster.local", "canary.lab"));
    assert_eq!((main.mirrors[0].percent, main.timeout.as_deref()), (Some(12.5), Some("10s")));
    assert_eq!(moved.shape, Shape::Redirect("302 to new.example.com".into()));
    assert_eq!(
        off.invalid.as_deref(),
        Some("all weights are 0"),
        "zero means none here, also for a single one"
    );
    assert_eq!(pool.destinations()[0].host, "InferencePool ml/pool");
}

#[test]
fn a_grpc_route_names_its_methods() {
    let object = json!({"metadata": {"name": "g"}, "spec": {"rules": [{"matches": [{"method": {"service": "ml.Infer", "method": "Predict"}}, {"method": {"service": "ml.Health"}}],
        "backendRefs": [{"name": "a", "weight": 9}, {"name": "b"}]}]}});
    let route = read(Kind::GrpcRoute, &object).unwrap();
    assert_eq!(
        route.rules[0].matches[..],
        [Clean::from("method ml.Infer/Predict"), "method ml.Health/*".into()]
    );
    assert_eq!(
        (route.rules[0].protocol, shares(&route.rules[0])),
        (Protocol::Grpc, vec!["90".into(), "10".into()])
    );
}

#[test]
fn records_of_one_name_are_one_rule() {
    let record = |identifier: &str, target: &str, properties: Value| {
        json!({"dnsName": "api.example.com", "recordType": "CNAME", "recordTTL": 60, "targets": [target],
            "setIdentifier": identifier, "providerSpecific": properties})
    };
    let weight = |value: &str| json!([{"name": "aws/weight", "value": value}]);
    let route = dns(
        &json!([record("aws", "a.example.com", weight("60")), {"dnsName": "other", "recordType": "A", "targets": ["192.0.2.1"]},
        record("gcp", "g.example.com", weight("20"))]),
    );
    let [api, other] = &route.rules[..] else { panic!() };
    assert_eq!((shares(api), shares(other)), (vec!["75".into(), "25".into()], vec!["100".into()]));
    assert_eq!((api.pointers.len(), &*api.pointers[1]), (2, "/spec/endpoints/2"));
    assert_eq!(api.destinations()[1].pointer(), "/spec/endpoints/2/providerSpecific/0/value");
    assert_eq!(
        (api.note.as_str(), api.matches[0].as_str()),
        ("a share of DNS answers, takes 60 s or longer", "CNAME api.example.com")
    );
    assert_eq!(api.destinations()[1].weight_value(5), json!("5"));
    assert_eq!(other.destinations()[0].weight_value(5), json!([{"name": "aws/weight", "value": "5"}]));
    for (second, invalid, note) in [
        (record("gcp", "g", weight("many")), Some("weight 2 is \"many\""), ""),
        (record("gcp", "g", weight("256")), Some("weight 2 is 256, more than 255"), ""),
        (
            record("gcp", "g", json!([{"name": "aws/region", "value": "us-east-1"}])),
            Some("both aws/weight and aws/region: a name has one policy"),
            "",
        ),
        (record("gcp", "g", json!([])), Some("not every record has aws/weight"), ""),
        (record("aws", "g", weight("1")), Some("two records have the same setIdentifier"), ""),
        (record("", "g", weight("1")), Some("several records, and not every one has a setIdentifier"), ""),
    ] {
        let rule = &dns(&json!([record("aws", "a", weight("60")), second])).rules[0];
        assert_eq!((rule.invalid.as_deref(), rule.note.starts_with(note)), (invalid, true));
    }
    let region = |name: &str| record(name, name, json!([{"name": "aws/region", "value": name}]));
    let rule = &dns(&json!([region("us-east-1"), region("eu-west-1")])).rules[0];
    assert_eq!(
        (shares(rule), rule.note.as_str()),
        (vec!["?".into(), "?".into()], "answers by aws/region, not by weight")
    );
    let zeros = &dns(&json!([record("a", "a", weight("0")), record("b", "b", weight("0"))])).rules[0];
    assert_eq!(shares(zeros), ["50", "50"], "Route 53 treats zeros alike");
}

#[test]
fn the_print_of_a_rule_does_not_know_weights_and_knows_all_else() {
    let rule = |weight: i64, timeout: &str| {
        virtual_service(
            &json!({"hosts": ["x"], "http": [{"timeout": timeout, "route": [split("a", json!(weight)), split("b", 1)]}]}),
        )
    };
    let (one, other) = (rule(60, "5s"), rule(10, "5s"));
    assert_eq!((one.rules[0].print, one.print), (other.rules[0].print, other.print));
    assert_ne!(one.rules[0].print, rule(60, "6s").rules[0].print);
    assert_ne!(one.print, virtual_service(&json!({"hosts": ["y"], "http": []})).print);
}

#[test]
fn what_is_no_route_is_told() {
    for (object, why) in [
        (json!(null), "it has no name"),
        (json!({"metadata": {"name": ""}}), "it has no name"),
        (json!({"metadata": {"name": "x"}}), "it has no spec"),
        (json!({"metadata": {"name": "x"}, "spec": {"http": {"a": 1}}}), "its `http` is not a list"),
        (json!({"metadata": {"name": "x"}, "spec": {"hosts": "x"}}), "its `hosts` is not a list"),
    ] {
        assert_eq!(read(Kind::VirtualService, &object).unwrap_err(), why);
    }
    let named = json!({"metadata": {"name": "x"}, "spec": {}});
    assert_eq!(read(Kind::Pod, &named).unwrap_err(), "a Pod is not a route");
    let hostile = virtual_service(
        &json!({"hosts": ["a\u{1b}[2J"], "http": [{"name": "\u{202e}x", "route": [split("h\u{7}", 1)]}]}),
    );
    assert!(!format!("{hostile:?}").contains(['\u{1b}', '\u{202e}', '\u{7}']));
}

const KEYS: &[&str] = &[
    "http",
    "tls",
    "tcp",
    "rules",
    "endpoints",
    "route",
    "backendRefs",
    "match",
    "matches",
    "weight",
    "destination",
    "host",
    "mirror",
    "mirrors",
    "providerSpecific",
    "name",
    "value",
    "headers",
    "uri",
    "retries",
    "redirect",
    "delegate",
    "filters",
    "type",
    "path",
    "method",
    "setIdentifier",
    "dnsName",
    "hosts",
    "targets",
];

/// Any JSON, so that every place of a route meets every shape.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z/.]{0,5}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((proptest::sample::select(KEYS), inner), 0..5)
                .prop_map(|pairs| pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn no_shape_makes_it_panic_or_invent_a_share(spec in any_json()) {
        let object = json!({"metadata": {"name": "x"}, "spec": spec});
        for kind in [Kind::VirtualService, Kind::HttpRoute, Kind::GrpcRoute, Kind::DnsEndpoint] {
            let Ok(route) = read(kind, &object) else { continue };
            for rule in &route.rules {
                prop_assert!(rule.pointers.iter().all(|it| object.pointer(it).is_some()), "{rule:?}");
                let shares: Vec<_> = rule.destinations().iter().filter_map(|it| it.share).collect();
                prop_assert!(shares.is_empty() || (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{rule:?}");
                prop_assert!(rule.invalid.is_none() || shares.is_empty(), "{rule:?}");
            }
        }
    }
}
