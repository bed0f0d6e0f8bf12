//! A server that falls silent is told within a minute and never summed; what it missed is made good.

use std::time::{Duration, Instant};

use serde_json::Value;
use skydeck::config::Config;
use skydeck::fleet::Age;
use skydeck::runtime::headless::Headless;
use skydeck::sources::inventory::{self, Places};
use skydeck::state::State;
use skydeck::state::select::clusters::{Liveness, rows};
use skydeck::state::select::totals::totals;

use crate::agrees::agree;
use crate::bed::{Cluster, Console, is_there};
use crate::proxy::{Mode, Proxy};

/// P1: a silent source is marked within so long.
const MARKED: Duration = Duration::from_secs(50);
/// P2: after a fault the picture equals the server within so long.
const MENDED: Duration = Duration::from_secs(30);

fn liveness(state: &State) -> Liveness {
    rows(state).remove(0).liveness
}

fn workload(state: &State, name: &str) -> Option<Value> {
    let document = serde_json::to_value(skydeck::cli::status::document::replicas(state)).unwrap();
    let cells = document["items"].as_array()?.iter().flat_map(|it| it["cells"].as_array().unwrap());
    let mut workloads = cells.flat_map(|it| it["workloads"].as_array().unwrap());
    workloads.find(|it| it["name"] == name).cloned()
}

fn desired(state: &State) -> Option<u64> {
    workload(state, "serving")?["desired"].as_u64()
}

/// Folds until something is so; gives how long it took.
async fn until(session: &mut Headless, what: &str, at_most: Duration, so: impl Fn(&State) -> bool) {
    let began = Instant::now();
    while !so(&session.state) {
        assert!(began.elapsed() < at_most, "not {what} within {at_most:?}: {:?}", rows(&session.state));
        let _ = tokio::time::timeout(at_most, session.next_change()).await;
    }
    println!("{what}: {:.1} s", began.elapsed().as_secs_f64());
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_told_and_made_good() {
    if !is_there() {
        return;
    }
    let cluster = Cluster::up("silence", &["--cloud", "gcp", "--nodes", "3"]);
    cluster.apply("fleet.yaml");
    // A wire between, so that things happen that the console does not hear of.
    let server = cluster.kubeconfig["clusters"][0]["cluster"]["server"].as_str().unwrap();
    let proxy = Proxy::start(server.strip_prefix("https://").unwrap().parse().unwrap()).await;
    let console = Console::new(&[&cluster], &[]);
    let behind = console.merged().replace(server, &format!("https://{}", proxy.address));
    std::fs::write(console.kubeconfig(), behind).unwrap();
    let config = Config::default();
    let places = Places { kubeconfig_files: vec![console.kubeconfig()] };
    let mut session = Headless::start(&config, inventory::find(&config, &places, &[]).unwrap());
    session.settle(Age(30)).await;
    assert_eq!(liveness(&session.state), Liveness::Live);
    assert_eq!((totals(&session.state).nodes.known, totals(&session.state).nodes.is_whole()), (3, true));

    cluster.call("pause", &[]);
    until(&mut session, "silent after a pause", MARKED, |state| !liveness(state).is_live()).await;
    let sum = totals(&session.state).nodes;
    assert_eq!((sum.known, sum.unknown_clusters), (0, 1), "what is not known now is not added up");
    assert_eq!(desired(&session.state), Some(3), "what was heard last is still there");

    cluster.call("resume", &[]);
    cluster.kubectl(&["-n", "ml", "scale", "deployment/serving", "--replicas", "7"]);
    until(&mut session, "live and equal after the resume", MENDED, |state| {
        liveness(state).is_live() && desired(state) == Some(7)
    })
    .await;

    // A history that is gone: watches get 410, and what was deleted meanwhile must go.
    assert!(workload(&session.state, "asleep").is_some());
    proxy.set(Mode::Refuse);
    proxy.reset();
    cluster.kubectl(&["-n", "ml", "delete", "deployment/asleep"]);
    cluster.call("restart", &["--compact"]);
    cluster.kubectl(&["-n", "ml", "scale", "deployment/serving", "--replicas", "9"]);
    proxy.set(Mode::Pass);
    until(&mut session, "live and equal after the restart", MENDED, |state| {
        liveness(state).is_live() && desired(state) == Some(9) && workload(state, "asleep").is_none()
    })
    .await;
    assert_eq!(totals(&session.state).nodes.known, 3);
    agree(&console, &cluster);
}
