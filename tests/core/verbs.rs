//! The command line's words: which object is meant, which destination, and the document of what became of it.

use std::collections::BTreeMap;

use clap::Parser;
use serde_json::{Value, json};
use skydeck::cli::change::document::{OperationDocument, Report};
use skydeck::cli::change::{Found, No, Search, destinations, kept_alike, only_rule, operation_named};
use skydeck::config::args::{Arguments, Output, Verb, Whereabouts};
use skydeck::fleet::route::read;
use skydeck::fleet::{Clean, Kind};
use skydeck::gate::machine::Rejection;
use skydeck::gate::{Amount, Event, Policy, Refusal};

use crate::gate::bench::{Bench, Fate, policy};
use crate::world::{World, deployment, destination, fleet, meta, virtual_service};

fn places(namespace: &str, clusters: &[&str]) -> Whereabouts {
    let namespace = (!namespace.is_empty()).then(|| namespace.to_owned());
    Whereabouts { namespace, clusters: clusters.iter().map(|it| (*it).to_owned()).collect() }
}

fn workload(world: &World, named: &str, whereabouts: &Whereabouts) -> Result<Found, No> {
    Search::workloads(&world.state, &BTreeMap::new(), named, whereabouts)?.where_named()
}

/// Words, hint and exit code of a refusal.
fn no(outcome: Result<impl std::fmt::Debug, No>) -> (String, String, u8) {
    let no = outcome.unwrap_err();
    (no.refusal.words.to_string(), no.refusal.hint.to_string(), no.code)
}

#[test]
fn what_is_in_several_clusters_is_refused_with_the_list() {
    let world = fleet();
    let (words, hint, code) = no(workload(&world, "deploy/ml-inference", &places("", &[])));
    assert_eq!(words, "several clusters have Deployment ml-platform/ml-inference");
    assert!(hint.ends_with("--cluster aws-east --cluster gcp-central --cluster azure-eastus"), "{hint}");
    assert_eq!(code, 1);
    let found =
        workload(&world, "ml-inference", &places("ml-platform", &["aws-east", "gcp-central"])).unwrap();
    assert_eq!((found.object.kind, found.clusters.len()), (Kind::Deployment, 2));
}

#[test]
fn a_cluster_that_does_not_tell_is_not_taken_for_one_that_has_none() {
    let world = fleet();
    // Only one has it as far as is known, but azure-eastus is not heard.
    let (words, hint, _) = no(workload(&world, "feature-store", &places("", &[])));
    assert!(
        words.starts_with("whether azure-eastus has Deployment ml-platform/feature-store too"),
        "{words}"
    );
    assert!(hint.ends_with("--cluster aws-east"), "{hint}");
    assert_eq!(workload(&world, "feature-store", &places("", &["aws-east"])).unwrap().clusters.len(), 1);
    let (words, ..) = no(workload(&world, "feature-store", &places("", &["aws-east", "azure-eastus"])));
    assert_eq!(words, "azure-eastus has told no Deployment ml-platform/feature-store");
    let (words, hint, _) = no(workload(&world, "feature-store", &places("", &["aws-east", "gcp-central"])));
    assert_eq!(words, "gcp-central has no Deployment ml-platform/feature-store");
    assert_eq!(hint, "--cluster aws-east");
}

#[test]
fn what_is_not_there_names_what_is_near() {
    let world = fleet();
    let aws = places("", &["aws-east"]);
    let (words, hint, code) = no(workload(&world, "deploy/ml-inferense", &aws));
    assert_eq!((words.as_str(), code), ("no Deployment ml-inferense is known", 1));
    assert_eq!(hint, "did you mean `ml-inference`?");
    let (words, hint, _) = no(workload(&world, "ml-inference", &places("ml", &["aws-east"])));
    assert_eq!(words, "no workload ml-inference in the namespace ml is known");
    assert_eq!(hint, "there is one in another: -n ml-platform");
    let (words, hint, code) = no(workload(&world, "ml-inference", &places("", &["aws-eats"])));
    assert_eq!(
        (words.as_str(), hint.as_str(), code),
        ("there is no cluster aws-eats", "did you mean `aws-east`?", 2)
    );
    for wrong in ["", "deploy/", "a/b/c", "vs/ml-inference", "pod/x"] {
        assert_eq!(no(workload(&world, wrong, &aws)).2, 2, "{wrong}");
    }
}

#[test]
fn two_of_one_name_are_told_apart_by_namespace_kind_or_context() {
    let mut world = World::new();
    let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta("ml/web"),
        "spec": {"replicas": 1}, "status": {"replicas": 1, "readyReplicas": 1}});
    let objects = [deployment("ml/web", 1, 1, "1", 0), deployment("dev/web", 1, 1, "1", 0), set];
    world.cluster("aws-east", "v1.33.5", 1, &objects);
    let (words, hint, code) = no(workload(&world, "web", &places("", &[])));
    assert_eq!((words.as_str(), code), ("3 workloads are called web", 1));
    assert!(hint.contains("deployment/web -n dev, deployment/web -n ml, statefulset/web -n ml"), "{hint}");
    let found = workload(&world, "sts/web", &places("", &[])).unwrap();
    assert_eq!(found.object.kind, Kind::StatefulSet);
    let homes = BTreeMap::from([(Clean::from("aws-east"), Clean::from("dev"))]);
    let anywhere = places("", &[]);
    let of = |named| Search::workloads(&world.state, &homes, named, &anywhere).unwrap().where_named();
    assert_eq!(of("web").unwrap().object.key.namespace, "dev");
    let (words, hint, _) = no(of("sts/web"));
    assert_eq!(words, "no StatefulSet web in the namespace of the context is known");
    assert_eq!(hint, "there is one in another: -n ml");
}

fn route(http: &Value) -> skydeck::fleet::Route {
    read(Kind::VirtualService, &virtual_service("ml/split", http)).unwrap()
}

#[test]
fn a_rule_is_named_unless_only_one_can_be_meant() {
    let one = json!({"route": [{"destination": {"host": "a"}}]});
    let two = json!({"name": "split", "route": [destination("a", 60), destination("b", 40)]});
    assert_eq!(only_rule(&route(&json!([one, two])), None), Ok(1));
    assert_eq!(only_rule(&route(&json!([one, two])), Some(1)), Ok(0));
    let (words, hint, _) = no(only_rule(&route(&json!([two, two])), None));
    assert_eq!(words, "several rules have several destinations");
    assert_eq!(hint, "--rule N: 1 (split): a 60, b 40; 2 (split): a 60, b 40");
    assert_eq!(no(only_rule(&route(&json!([one])), None)).0, "no rule has several destinations");
    for wrong in [0, 3, usize::MAX] {
        assert_eq!(
            no(only_rule(&route(&json!([one, two])), Some(wrong))).0,
            format!("there is no rule {wrong}")
        );
    }
}

#[test]
fn a_destination_is_any_part_that_fits_one() {
    let of =
        |host: &str, subset: &str| json!({"destination": {"host": host, "subset": subset}, "weight": 25});
    let route = route(&json!([{"route": [
        of("web-aws", "stable"), of("web-aws", "canary"), of("web-gcp", "stable"), of("web", "")]}]));
    let rule = &route.rules[0];
    let named = |names: &[&str]| destinations(rule, names.iter().copied());
    assert_eq!(named(&["gcp", "canary", "web"]), Ok(vec![2, 1, 3]), "the whole name before any part");
    assert_eq!(named(&["web-aws/stable", "web.ml.svc.cluster.local"]), Ok(vec![0, 3]));
    assert_eq!(no(named(&["aws"])).0, "`aws` fits web-aws/stable and web-aws/canary");
    let (words, hint, _) = no(named(&["azure"]));
    assert_eq!(words, "no destination fits `azure`");
    assert!(hint.starts_with("web-aws/stable 25, web-aws/canary 25"), "{hint}");
    assert_eq!(
        no(named(&["gcp", "web-gcp/stable"])),
        ("web-gcp/stable is named twice".into(), String::new(), 2)
    );
    assert!(named(&[""]).is_err());
}

#[test]
fn what_is_not_named_keeps_its_weight_only_where_all_agree_on_it() {
    let of = |a: i64, b: i64, c: i64| {
        route(&json!([{"route": [destination("a", a), destination("b", b), destination("c", c)]}])).rules[0]
            .clone()
    };
    let (one, other) = (of(50, 30, 20), of(50, 20, 30));
    let both = [(Clean::from("aws"), &one), (Clean::from("gcp"), &other)];
    assert_eq!(kept_alike(&both, &[1, 2]), Ok(()));
    let (words, ..) = no(kept_alike(&both, &[0, 1]));
    assert_eq!(words, "c weighs differently: aws has 50/30/20, gcp has 50/20/30");
}

fn bench() -> Bench {
    let of = || vec![deployment("ml/web", 4, 4, "1.0", 0)];
    let policy = Policy { bake: skydeck::fleet::Age(1), ..policy() };
    Bench::new(policy, &[("aws-east", "v1.33.5", of()), ("gcp-central", "v1.34.1", of())])
}

fn document(bench: &Bench, id: &skydeck::fleet::ChangeId) -> String {
    serde_json::to_string_pretty(&OperationDocument::of(bench.operation(id), false)).unwrap()
}

#[test]
fn the_document_says_of_every_step_what_is_known() {
    let mut bench = bench();
    let six = Amount::Replicas(6);
    let mut intent = bench.scale(&[("aws-east", "ml/web", six), ("gcp-central", "ml/web", six)]);
    intent.reason = "more load".into();
    bench.fates.extend([Fate::Applied, Fate::Refused { conflict: false, may_pass: true }]);
    let id = bench.confirmed(&intent);
    bench.run(&id, 60).unwrap();
    insta::assert_snapshot!("operation_paused", document(&bench, &id));
    bench.on(&id, Event::Leave);
    bench.drive().unwrap();
    let document: Value = serde_json::from_str(&document(&bench, &id)).unwrap();
    assert_eq!((&document["state"], &document["outcome"]), (&json!("ended"), &json!("partial")));
    let report = Report::of(bench.operation(&id), 5, false);
    insta::assert_snapshot!("operation_table", report.text(Output::Table).unwrap());
}

#[test]
fn the_readme_has_every_field_of_the_document() {
    let mut bench = bench();
    let intent = bench.scale(&[("aws-east", "ml/web", Amount::Replicas(6))]);
    let id = bench.confirmed(&intent);
    bench.run(&id, 60).unwrap();
    let report = Report::of(bench.operation(&id), 0, false).but(Refusal::new("no", "why"));
    let document = serde_json::to_value(&report.document).unwrap();
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let row = readme.lines().find(|line| line.starts_with("| `Operation`")).unwrap();
    let step = &document["steps"][0];
    let parts =
        [&document, step, &step["target"], &step["changes"][0], &step["version"], &document["refusal"]];
    let names = parts.iter().flat_map(|part| part.as_object().unwrap().keys());
    for name in names.filter(|name| !["apiVersion", "kind"].contains(&name.as_str())) {
        assert!(row.contains(&format!("`{name}`")), "{name} is not in the README");
    }
}

#[test]
fn a_lost_answer_is_unknown_in_the_document_too() {
    let mut bench = bench();
    bench.fates.push_back(Fate::Lost { applied: true });
    let intent = bench.scale(&[("aws-east", "ml/web", Amount::Replicas(6))]);
    let id = bench.confirmed(&intent);
    bench.drive().unwrap();
    let of: Value = serde_json::from_str(&document(&bench, &id)).unwrap();
    assert_eq!((&of["state"], &of["outcome"]), (&json!("running"), &Value::Null));
    assert_eq!((&of["steps"][0]["state"], &of["steps"][0]["version"]), (&json!("unknown"), &Value::Null));
    let wanted = (&json!({"spec.replicas": 4}), &json!({"spec.replicas": 6}));
    assert_eq!((&of["steps"][0]["before"], &of["steps"][0]["after"]), wanted);
}

#[test]
fn a_servers_no_is_a_refusal_with_both_versions() {
    let mut bench = bench();
    let intent = bench.scale(&[("aws-east", "ml/web", Amount::Replicas(6))]);
    let plan = bench.plan(&intent).unwrap();
    let id = plan.id.clone();
    let _ = bench.desk.begin(plan, &bench.world.state);
    let differs = vec![skydeck::gate::machine::Difference {
        label: "spec.replicas".into(),
        shown: "4".into(),
        now: "9".into(),
    }];
    let answer =
        Err(Rejection { words: "it was changed since it was shown".into(), differs, is_conflict: true });
    bench.on(&id, Event::Checked { step: 0, answer });
    let of: Value = serde_json::from_str(&document(&bench, &id)).unwrap();
    assert_eq!(of["state"], "refused");
    assert_eq!(
        of["refusal"],
        json!({"message": "it was changed since it was shown", "hint": null, "rule": null, "conflict": true,
            "differs": [{"field": "spec.replicas", "shown": "4", "now": "9"}]})
    );
    let text = Report::of(bench.operation(&id), 3, true).text(Output::Table).unwrap();
    assert!(text.contains("spec.replicas  was shown as 4  is now 9"), "{text}");
}

#[test]
fn the_exit_code_says_whether_the_world_has_changed() {
    let refusal = Refusal::new("no", "");
    assert_eq!(No::from(refusal.clone()).code, 1);
    assert_eq!(No::from(refusal.conflict()).code, 3);
}

#[test]
fn an_operation_is_named_by_a_beginning_that_no_other_has() {
    let mut bench = bench();
    for to in [5, 6] {
        let intent = bench.scale(&[("aws-east", "ml/web", Amount::Replicas(to))]);
        let id = bench.confirmed(&intent);
        bench.run(&id, 60).unwrap();
    }
    let operations = bench.desk.operations();
    let id = operations[1].id();
    let all = id.to_string();
    assert_eq!(operation_named(operations, &all.to_lowercase()).unwrap().id(), id);
    assert!(operation_named(operations, "00000").unwrap_err().starts_with("00000 fits 2 changes: "));
    assert_eq!(
        operation_named(operations, "zz").unwrap_err(),
        "there is no change zz in the journal: `skydeck journal list` names them"
    );
    assert!(operation_named(operations, " ").is_err());
}

#[test]
fn the_command_line_takes_what_the_help_says() {
    let parse = |line: &str| Arguments::try_parse_from(line.split(' ')).map(|it| it.verb);
    for amount in ["6", "+2", "-1", "x2", "3-20"] {
        let line = format!("skydeck scale web --replicas {amount} --cluster a --cluster b -n ml -y -o json");
        let Ok(Some(Verb::Scale(args))) = parse(&line) else { panic!("{line}") };
        assert_eq!(
            (args.replicas.as_str(), args.whereabouts.clusters.len(), args.options.yes),
            (amount, 2, true)
        );
    }
    let Ok(Some(Verb::Traffic(_))) = parse("skydeck traffic ramp vs/web a=20 b=80 --step 5 --every 90s")
    else {
        panic!("a ramp")
    };
    for wrong in [
        "skydeck scale web",
        "skydeck scale --replicas 6",
        "skydeck scale web --replicas 6 -o yaml",
        "skydeck scale web --replicas 6 --override all",
        "skydeck traffic set web",
        "skydeck traffic set web aws",
        "skydeck traffic drain web",
        "skydeck traffic drain web aws --every 60s",
        "skydeck journal undo",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}
