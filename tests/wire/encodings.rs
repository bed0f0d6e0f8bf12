//! Built-in kinds come in protobuf, or in JSON where something on the way knows only that. What is read is the same.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::json;
use skydeck::clients::kube::wire::list::{ListDecoder, Part};
use skydeck::clients::kube::wire::stream::{Event, WatchDecoder};
use skydeck::clients::kube::{ACCEPT_BOTH, Question, wire::Encoding};
use skydeck::demo::api::{Failure, Mangled};
use skydeck::demo::protobuf::{self, Type};
use skydeck::demo::store::{Object, Query};
use skydeck::demo::{self, resource};
use skydeck::fleet::Step;
use skydeck::sources::kube::convert::Cx;
use skydeck::sources::kube::kinds::{self, Resource};

use crate::cluster::{Api, TOKEN, deployment};
use crate::day::{Day, virtually};
use crate::plugins::Bench;

fn cx() -> Cx {
    Cx::new(vec!["app.kubernetes.io/version".to_owned()].into())
}

fn of(resource: &Resource) -> resource::Kind {
    resource::Kind::find(&resource.group, &resource.versions[0], &resource.plural).unwrap()
}

/// What stands in a list of one and in a watch, cut into pieces of a few bytes.
fn in_protobuf(object: &Object) -> [Bytes; 2] {
    let row = object.kind.row();
    let (version, value) = (row.api_version(), object.value());
    let of = Type { version: &version, name: row.kind };
    let list = protobuf::list(of, &json!({"resourceVersion": "7"}), std::iter::once(&value));
    let (mut decoder, mut parts) = (ListDecoder::new(Encoding::Protobuf), Vec::new());
    list.chunks(11).for_each(|piece| decoder.feed(piece, &mut parts).unwrap());
    decoder.finish().unwrap();
    let Some(Part::Item(item)) = parts.pop() else { panic!("{parts:?}") };
    let (mut decoder, mut events) = (WatchDecoder::new(Encoding::Protobuf), Vec::new());
    let frame = protobuf::event("ADDED", of, &value);
    frame.chunks(11).for_each(|piece| decoder.feed(piece, &mut events).unwrap());
    let Some(Event::Applied(told)) = events.pop() else { panic!("{events:?}") };
    [item, told]
}

#[test]
fn every_object_of_the_fleet_reads_the_same_in_json_and_in_protobuf() {
    let begin: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let options = demo::Options { clusters: 2, pods: 60, ..demo::Options::default() };
    let mut worlds = demo::Fleet::rehearse(&options, begin);
    let (mut cx, mut kinds) = (cx(), std::collections::BTreeMap::<_, usize>::new());
    for world in &mut worlds {
        (0..400).for_each(|_| world.step());
        for resource in kinds::built_in() {
            for object in world.store().list(of(&resource), &Query::all()).objects {
                let from_json = resource.read(Encoding::Json, &object.body(), &mut cx);
                assert!(from_json.is_ok(), "{}: {from_json:?}", object.value());
                for bytes in in_protobuf(&object) {
                    let from_protobuf = resource.read(Encoding::Protobuf, &bytes, &mut cx);
                    assert_eq!(from_protobuf, from_json, "{}", object.value());
                }
                *kinds.entry(resource.kind).or_default() += 1;
            }
        }
    }
    assert_eq!(kinds.len(), kinds::built_in().len(), "{kinds:?}");
}

#[test]
fn what_cannot_be_understood_in_json_cannot_be_in_protobuf() {
    let resource = kinds::built_in().into_iter().find(|it| it.plural == "deployments").unwrap();
    let mut labelled = deployment("a", &json!(1));
    labelled["metadata"]["labels"] = json!("none");
    let mut timed = deployment("a", &json!(1));
    timed["metadata"]["creationTimestamp"] = json!("yesterday");
    let odd = [deployment("a", &json!("three")), deployment("a", &json!({"of": 1})), labelled, timed];
    for value in odd {
        let object = Object::new(resource::Kind::Deployments, 7, &value);
        assert!(resource.read(Encoding::Json, &object.body(), &mut cx()).is_err(), "{value}");
        for bytes in in_protobuf(&object) {
            assert!(resource.read(Encoding::Protobuf, &bytes, &mut cx()).is_err(), "{value}");
        }
    }
}

/// No length, no name and no line is whole in one piece.
#[test]
fn in_pieces_of_a_few_bytes_nothing_is_lost_and_nothing_is_listed_anew() {
    for only_json in [false, true] {
        virtually(1, async {
            let mut day = if only_json { Day::in_json().await } else { Day::start(|_, _| {}).await };
            day.api.seam().fail("/", usize::MAX, Failure::Body(Mangled::Crumbs));
            day.api.seam().cut();
            day.pass(Duration::from_secs(15)).await;
            for round in 0..20 {
                day.deployment(round % 7, u32::from(round));
                day.delete((round + 3) % 7);
                day.pass(Duration::from_secs(3)).await;
                assert!(day.equals(), "JSON {only_json}, round {round}: {}", day.told());
            }
            let relists: u32 = day.console.cluster().sources.values().map(|source| source.relists).sum();
            assert_eq!(relists, 0, "JSON {only_json}");
        });
    }
}

/// What the other tests rely on.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_answers_in_protobuf_unless_something_on_the_way_knows_only_json() {
    let api = Api::start("one", None);
    let bench = Bench::new("");
    let target = bench.targets(&[format!("http://{}", api.address)], &json!({"token": TOKEN})).remove(0);
    let door = bench.connect(&target).unwrap().door;
    for (only_json, encoding) in [(false, Encoding::Protobuf), (true, Encoding::Json)] {
        api.seam().only_json(only_json);
        for path in ["/api/v1/namespaces", "/api/v1/namespaces?watch=1&resourceVersion=1&timeoutSeconds=1"] {
            let question = Question { accept: ACCEPT_BOTH, ..Question::json(path, Step::List) };
            assert_eq!(door.ask(question).await.unwrap().encoding, encoding, "{path}");
        }
    }
}
