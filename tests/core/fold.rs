//! The fold: relists, freshness, identity, and sums that stay right.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;
use skydeck::fleet::{
    Age, ClusterFact, ClusterId, Fault, FaultKind, Kind, Now, ObjectKey, SourceFact, SourceState, Step, Unix,
};
use skydeck::state::select::clusters::{Liveness, liveness};
use skydeck::state::select::totals::totals;
use skydeck::state::select::{jobs, replicas, routes};
use skydeck::state::usage::Usage;
use skydeck::state::{Cluster, Freshness};

use crate::world::{
    NOW, World, ago, deployment, destination, failed, fleet, job, node, pod, source, virtual_service,
};

fn names(cluster: &Cluster) -> Vec<String> {
    let mut names: Vec<_> = cluster.objects.pods.values().map(|pod| pod.key.name.to_string()).collect();
    names.sort();
    names
}

fn pods(suffixes: &[&str]) -> Vec<Value> {
    suffixes.iter().map(|it| pod("ml/a", it, "n", 1)).collect()
}

#[test]
fn a_relist_takes_away_what_it_does_not_mention_and_only_when_it_is_complete() {
    let mut world = World::new();
    let id = world.cluster("a", "v1.33.0", 1, &pods(&["x", "y"]));
    let source = source(id, Kind::Pod);
    world.source(source, ago(0), SourceFact::Begin);
    world.item(id, ago(0), &pods(&["z"])[0]);
    let cluster = world.state.cluster(id).unwrap();
    assert_eq!(names(cluster), ["a-6b7f9-x", "a-6b7f9-y", "a-6b7f9-z"], "nothing is taken away too early");
    // The list breaks off and begins anew.
    world.source(source, ago(0), SourceFact::Begin);
    world.item(id, ago(0), &pods(&["x"])[0]);
    world.source(source, ago(0), SourceFact::Complete);
    let cluster = world.state.cluster(id).unwrap();
    assert_eq!(names(cluster), ["a-6b7f9-x"]);
    assert_eq!(cluster.objects.usage.pods.total, 1);
    assert_eq!(cluster.sources[&(Kind::Pod, source.slot)].relists, 1);
}

/// Watches are renewed several times a second in a large fleet, and most changes are of what is not shown; nothing is
/// judged or drawn anew for that.
#[test]
fn what_changes_nothing_but_an_age_is_no_news() {
    let mut world = World::new();
    let id = world.cluster("a", "v1.33.0", 1, &pods(&["x"]));
    let source = source(id, Kind::Pod);
    let x = world.read(&pods(&["x"])[0]).unwrap();
    let mut is_news = |fact: SourceFact| {
        let before = world.state.revision();
        world.source(source, ago(0), fact);
        world.state.revision() != before
    };
    let told = || SourceFact::Item(x.clone());
    let gone = |name: &str| SourceFact::Gone(ObjectKey::new("ml", name));
    assert!(!is_news(SourceFact::State(SourceState::Watching)) && !is_news(SourceFact::Heard));
    assert!(!is_news(told()), "as it was");
    assert!(!is_news(gone("a-6b7f9-y")), "nobody knew of it");
    assert!(is_news(SourceFact::Undecodable { name: Some("ml/a-6b7f9-x".into()), why: "no idea".into() }));
    assert!(is_news(told()), "it can be understood again");
    assert!(!is_news(told()));
    assert!(is_news(gone("a-6b7f9-x")) && is_news(told()));
    let fault = Fault::new(Step::Watch, FaultKind::Cut, "");
    assert!(is_news(SourceFact::State(SourceState::Retrying { fault, attempt: 1, next_ms: 500 })));
    assert!(is_news(SourceFact::Heard), "of one that did not flow");
    assert!(is_news(SourceFact::State(SourceState::Watching)), "it flows again");
    assert!(!is_news(SourceFact::Heard));
    assert!(is_news(SourceFact::Begin) && is_news(SourceFact::Heard) && is_news(SourceFact::Complete));
    let heard = world.state.cluster(id).unwrap().sources[&(Kind::Pod, source.slot)].heard;
    assert_eq!(heard, Some(ago(0)), "its age is known all the same");
}

#[test]
fn one_silent_cluster_is_stale_and_the_others_are_not() {
    let world = fleet();
    let state = &world.state;
    let of = |name| liveness(state, state.cluster_named(name).unwrap());
    assert_eq!(of("aws-east"), Liveness::Live);
    assert_eq!(of("azure-eastus"), Liveness::Silent(Some(Age(196))));
    let totals = totals(state);
    assert_eq!((totals.clusters_live, totals.clusters), (2, 3));
    assert_eq!(totals.gpus_allocatable.to_string(), "56+?");
}

#[test]
fn a_cluster_that_was_never_heard_has_no_numbers() {
    let mut world = World::new();
    let id = world.configured("new");
    world.fact(id, ago(3), ClusterFact::Unanswered(Fault::new(Step::Ping, FaultKind::Refused, "")));
    let cluster = world.state.cluster(id).unwrap();
    let freshness = cluster.freshness(Kind::Pod, NOW, Age(45));
    assert!(matches!(freshness, Freshness::Never(fault) if fault.kind == FaultKind::Refused));
    assert_eq!(totals(&world.state).gpus_allocatable.to_string(), "?");
    assert_eq!(liveness(&world.state, cluster), Liveness::Silent(None));
}

#[test]
fn another_cluster_at_the_old_address_is_never_mixed_with_the_old_one() {
    let mut world = World::new();
    let id = world.cluster("a", "v1.33.0", 1, &pods(&["x"]));
    world.fact(id, ago(0), ClusterFact::Identity(Some("another".into())));
    let cluster = world.state.cluster(id).unwrap();
    assert!(names(cluster).is_empty(), "what was known of the old cluster is gone");
    assert_eq!(cluster.freshness(Kind::Pod, NOW, Age(45)), Freshness::Loading);
    world.later(1);
    let causes = world.causes();
    assert!(causes.iter().any(|it| it.contains("a different cluster answers at this address")), "{causes:?}");
}

/// What was asked before it went holds no longer, although as much has happened in it since.
#[test]
fn a_cluster_that_comes_back_to_its_address_is_asked_anew() {
    let mut world = World::new();
    let id = world.cluster("a", "v1.33.0", 1, &[deployment("ml/before", 1, 1, "1", 0)]);
    let names = |world: &World| {
        let groups = replicas::groups(&world.state);
        groups.iter().map(|group| group.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(&world), ["ml/before"]);
    for uid in ["another", "uid-of-a"] {
        world.fact(id, ago(1), ClusterFact::Identity(Some(uid.into())));
    }
    world.list(id, Kind::Deployment, ago(1), &[deployment("ml/after", 1, 1, "1", 0)]);
    for kind in Kind::ALL.into_iter().filter(|kind| kind.is_built_in() && *kind != Kind::Deployment) {
        world.list(id, kind, ago(1), &[]);
    }
    world.fact(id, ago(1), ClusterFact::Answered { round_trip_ms: 21, git_version: "v1.33.0".into() });
    world.fact(id, ago(1), ClusterFact::Served(Vec::new()));
    assert_eq!(names(&world), ["ml/after"]);
}

#[test]
fn two_ways_to_one_cluster_count_it_once() {
    let mut world = World::new();
    let first = world.cluster("a", "v1.33.0", 1, &[node("n", "aws", "r", 8, true)]);
    let second = world.cluster("b", "v1.33.0", 1, &[node("n", "aws", "r", 8, true)]);
    assert_eq!(totals(&world.state).gpus_allocatable.known, 16);
    world.fact(second, ago(0), ClusterFact::Identity(Some("uid-of-a".into())));
    assert_eq!(world.state.cluster(second).unwrap().same_as, Some(first));
    assert_eq!(totals(&world.state).gpus_allocatable.known, 8);
}

#[test]
fn a_machine_that_slept_trusts_nothing_it_heard_before() {
    let mut world = World::new();
    let id = world.cluster("a", "v1.33.0", 1, &pods(&["x"]));
    world.state.slept();
    let cluster = world.state.cluster(id).unwrap();
    assert!(matches!(cluster.freshness(Kind::Pod, NOW, Age(45)), Freshness::Stale(_)));
    world.heard(id);
    let cluster = world.state.cluster(id).unwrap();
    assert_eq!(cluster.freshness(Kind::Pod, NOW, Age(45)), Freshness::Live);
}

#[test]
fn a_kind_that_may_not_be_read_loses_its_rows_and_says_what_is_lost() {
    let mut world = World::new();
    let id = world.cluster("a", "v1.33.0", 1, &pods(&["x"]));
    world.source(
        source(id, Kind::Pod),
        ago(0),
        SourceFact::State(SourceState::Denied("pods is forbidden".into())),
    );
    world.later(1);
    assert!(names(world.state.cluster(id).unwrap()).is_empty());
    let causes = world.causes();
    assert!(causes[0].contains("may not read Pod: without it no crash loops"), "{causes:?}");
    let cluster = world.state.cluster(id).unwrap();
    assert_eq!(liveness(&world.state, cluster), Liveness::Partial);
}

#[test]
fn a_crd_that_goes_and_comes_back() {
    let mut world = World::new();
    let id = world.cluster("a", "v1.33.0", 1, &[crate::world::training_job("ml/j", "Running", 0.5)]);
    let kind = *world.state.cluster(id).unwrap().sources.keys().map(|(kind, _)| kind).next_back().unwrap();
    assert!(matches!(kind, Kind::CustomJob(_)));
    world.source(source(id, kind), ago(0), SourceFact::State(SourceState::Absent));
    world.fact(id, ago(0), ClusterFact::Served(Vec::new()));
    let cluster = world.state.cluster(id).unwrap();
    assert!(cluster.objects.jobs.is_empty());
    assert_eq!(cluster.freshness(kind, NOW, Age(45)), Freshness::Absent);
    assert_eq!(liveness(&world.state, cluster), Liveness::Live, "a kind that is not there lacks nothing");
    world.fact(id, ago(0), ClusterFact::Served(vec![kind]));
    assert_eq!(world.state.cluster(id).unwrap().freshness(kind, NOW, Age(45)), Freshness::Loading);
}

#[test]
fn facts_of_a_cluster_that_was_taken_away_are_dropped() {
    let mut world = World::new();
    let id = world.cluster("a", "v1.33.0", 1, &pods(&["x"]));
    world.state.remove_cluster(id);
    world.source(source(id, Kind::Pod), ago(0), SourceFact::Gone(ObjectKey::new("ml", "a-6b7f9-x")));
    world.fact(ClusterId(77), ago(0), ClusterFact::Identity(None));
    assert_eq!(world.state.clusters().count(), 0);
}

#[test]
fn scope_narrows_what_is_summed_and_shown() {
    let mut world = fleet();
    world.state.scope.hidden_clouds.insert("gcp".into());
    world.state.scope.hidden_clusters.insert("azure-eastus".into());
    let totals = totals(&world.state);
    assert_eq!((totals.clusters, totals.gpus_allocatable.known), (1, 32));
    world.state.scope.hidden_namespaces.insert("ml-training".into());
    let rows = skydeck::state::select::jobs::rows(&world.state);
    assert!(rows.is_empty());
}

#[test]
fn ages_are_those_of_the_console_and_of_kubernetes() {
    let now = Now { mono: NOW.mono, unix: Unix(NOW.unix.0) };
    assert_eq!(now.unix_of(ago(60)), Unix(NOW.unix.0 - 60));
}

/// A random day: pods and nodes come, change and go, lists begin, break off and end.
#[derive(Debug, Clone)]
enum Happens {
    Pod(u8, u8, bool),
    Deployment(u8, u32),
    Job(u8, bool),
    PodOfJob(u8, bool),
    Node(u8, bool),
    Gone(u8),
    NoNode(u8),
    NoDeployment(u8),
    /// Time passes, and the cluster is heard again or is not.
    Later(u8, bool),
    /// Its server is asked in vain.
    Unanswered,
    List(Vec<u8>),
    HalfAList(Vec<u8>),
}

fn any_day() -> impl Strategy<Value = Vec<Happens>> {
    let one = prop_oneof![
        (0u8..9, 0u8..4, any::<bool>()).prop_map(|(a, b, c)| Happens::Pod(a, b, c)),
        (0u8..5, 0u32..9).prop_map(|(a, b)| Happens::Deployment(a, b)),
        (0u8..5, any::<bool>()).prop_map(|(a, b)| Happens::Job(a, b)),
        (0u8..5, any::<bool>()).prop_map(|(a, b)| Happens::PodOfJob(a, b)),
        (0u8..4, any::<bool>()).prop_map(|(a, b)| Happens::Node(a, b)),
        (0u8..9).prop_map(Happens::Gone),
        (0u8..4).prop_map(Happens::NoNode),
        (0u8..5).prop_map(Happens::NoDeployment),
        (1u8..60, any::<bool>()).prop_map(|(a, b)| Happens::Later(a, b)),
        Just(Happens::Unanswered),
        proptest::collection::vec(0u8..9, 0..6).prop_map(Happens::List),
        proptest::collection::vec(0u8..9, 0..6).prop_map(Happens::HalfAList),
    ];
    proptest::collection::vec(one, 0..40)
}

fn a_pod(name: u8, node: u8, crashing: bool) -> Value {
    let pod = pod("ml/a", &name.to_string(), &format!("n{node}"), u32::from(node));
    if crashing { crate::world::crashing(pod) } else { pod }
}

/// Lets it happen in a cluster.
fn happen(world: &mut World, id: ClusterId, happens: &Happens) {
    let gone = |world: &mut World, kind, namespace, name: String| {
        world.source(source(id, kind), ago(0), SourceFact::Gone(ObjectKey::new(namespace, &name)));
    };
    match happens {
        Happens::Pod(name, node, crashing) => world.item(id, ago(0), &a_pod(*name, *node, *crashing)),
        Happens::Deployment(name, replicas) => {
            world.item(id, ago(0), &deployment(&format!("ml/d{name}"), 1, *replicas, "1", 0));
        }
        Happens::Job(name, has_failed) => {
            let status = if *has_failed { failed() } else { serde_json::json!({"active": 1}) };
            world.item(id, ago(0), &job(&format!("ml/j{name}"), &status));
        }
        Happens::PodOfJob(name, is_crashing) => {
            let mut pod = a_pod(*name, 1, *is_crashing);
            pod["metadata"]["ownerReferences"] =
                serde_json::json!([{"kind": "Job", "name": format!("j{name}"), "controller": true}]);
            world.item(id, ago(0), &pod);
        }
        Happens::Node(name, ready) => {
            let provider = if *ready { "aws" } else { "gce" };
            world.item(id, ago(0), &node(&format!("n{name}"), provider, "r", 8, *ready));
        }
        Happens::Gone(name) => gone(world, Kind::Pod, "ml", format!("a-6b7f9-{name}")),
        Happens::NoNode(name) => gone(world, Kind::Node, "", format!("n{name}")),
        Happens::NoDeployment(name) => gone(world, Kind::Deployment, "ml", format!("d{name}")),
        Happens::List(names) => {
            let list: Vec<_> = names.iter().map(|name| a_pod(*name, 1, false)).collect();
            world.list(id, Kind::Pod, ago(0), &list);
        }
        Happens::HalfAList(names) => {
            world.source(source(id, Kind::Pod), ago(0), SourceFact::Begin);
            for name in names {
                world.item(id, ago(0), &a_pod(*name, 2, true));
            }
        }
        Happens::Unanswered => {
            let fault = Fault::new(Step::Ping, FaultKind::TimedOut(10), "");
            world.fact(id, world.state.now.mono, ClusterFact::Unanswered(fault));
        }
        Happens::Later(seconds, heard) => {
            world.later((*seconds).into());
            if *heard {
                world.heard(id);
            }
        }
    }
}

/// A world of one cluster at the beginning of such a day.
fn morning() -> (World, ClusterId) {
    let mut world = World::new();
    // Whose the route is depends on kinds that the cluster does not serve, and must be believed that it does not.
    let route = virtual_service(
        "ml/split",
        &serde_json::json!([{"route": [destination("d1", 60), destination("d2", 40)]}]),
    );
    let id = world.cluster("a", "v1.33.0", 1, &[node("n1", "aws", "r", 8, true), route]);
    (world, id)
}

/// What panels ask for, in words.
fn answers(world: &World) -> Vec<String> {
    let state = &world.state;
    let mut jobs: Vec<_> = jobs::rows(state).iter().map(|row| format!("{row:?}")).collect();
    jobs.sort();
    let groups = replicas::groups(state);
    let routes = routes::rows::rows(state);
    let told = [format!("{groups:?}"), format!("{routes:?}"), format!("{:?}", totals(state))];
    told.into_iter().chain(jobs).chain(world.causes()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn sums_kept_change_by_change_equal_the_sums_from_nothing(day in any_day()) {
        let (mut world, id) = morning();
        for happens in day {
            happen(&mut world, id, &happens);
            let objects = &world.state.cluster(id).unwrap().objects;
            let (pods, nodes) = (objects.pods.values(), objects.nodes.values());
            prop_assert_eq!(&objects.usage, &Usage::recompute(pods, nodes, objects.workloads.values()));
        }
    }

    #[test]
    fn answers_that_are_kept_are_those_of_whoever_asks_for_the_first_time(day in any_day()) {
        let (mut asked, id) = morning();
        let (mut fresh, _) = morning();
        for happens in day {
            happen(&mut asked, id, &happens);
            happen(&mut fresh, id, &happens);
            answers(&asked);
        }
        prop_assert_eq!(answers(&asked), answers(&fresh));
    }
}

#[test]
fn what_changes_nothing_that_is_shown_makes_no_new_answer() {
    let mut world = fleet();
    assert!(
        !world.state.cluster(ClusterId(2)).unwrap().freshness(Kind::Job, world.state.now, Age(45)).is_whole()
    );
    let before = (replicas::groups(&world.state), jobs::rows(&world.state));
    // A pod comes again with other annotations, a server with another round trip, and a second passes.
    world.item(ClusterId(1), ago(0), &pod("ml-platform/ml-inference", "0", "gcp-node-1", 1));
    world.heard(ClusterId(1));
    world.later(1);
    let after = (replicas::groups(&world.state), jobs::rows(&world.state));
    assert!(Arc::ptr_eq(&before.0, &after.0) && Arc::ptr_eq(&before.1, &after.1));
    world.item(ClusterId(1), ago(0), &deployment("ml-platform/ml-inference", 3, 4, "1.4.1", 1));
    let changed = (replicas::groups(&world.state), jobs::rows(&world.state));
    assert!(!Arc::ptr_eq(&changed.0, &after.0) && Arc::ptr_eq(&changed.1, &after.1));
    world.state.scope.hidden_namespaces.insert("ml-platform".into());
    assert!(replicas::groups(&world.state).is_empty());
}
