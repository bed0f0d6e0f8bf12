//! Each fault becomes words, is waited out and not hammered at, and is forgotten when it is over.

use std::time::Duration;

use serde_json::{Value, json};
use skydeck::clients::kube::{Access, Question};
use skydeck::demo::api::{Failure, Mangled};
use skydeck::fleet::{FaultKind, Kind, Step};
use skydeck::state::Freshness;
use skydeck::state::select::clusters::Liveness;
use tokio::time::Instant;

use crate::cluster::{Api, Console, TOKEN};
use crate::day::virtually;
use crate::plugins::Bench;

const FOR_EVER: usize = usize::MAX;

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_one_kind_are_waited_out_while_the_others_are_live() {
    for failure in [Failure::Status(500), Failure::Status(503), Failure::Cut, Failure::Garbage] {
        let api = Api::start("one", None);
        api.deployment("serving", 3);
        api.seam().fail("/deployments?", FOR_EVER, failure);
        let mut console = Console::of(&api);
        console.for_a_while(Duration::from_secs(6)).await;
        assert!(api.seam().asked("/deployments?") < 12, "{failure:?}: {}", api.seam().asked("/deployments?"));
        let fresh = |console: &Console, kind| {
            let state = console.state();
            console.cluster().freshness(kind, state.now, state.settings.stale_after)
        };
        assert!(!fresh(&console, Kind::Deployment).is_known(), "{failure:?}");
        assert_eq!(fresh(&console, Kind::Node), Freshness::Live, "{failure:?}");
        api.seam().mend();
        console.until("mended", |it| it.equals(&api)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forbidden_is_told_once_with_what_is_lost() {
    let api = Api::start("one", None);
    api.deployment("serving", 3);
    api.seam().fail("/nodes?", FOR_EVER, Failure::Status(403));
    let mut console = Console::of(&api);
    console.for_a_while(Duration::from_secs(6)).await;
    assert_eq!(console.liveness(), Liveness::Partial);
    assert!(console.problem().contains("may not read Node"), "{}", console.problem());
    assert_eq!(console.cluster().objects.workloads.len(), 1);
    assert!(
        api.seam().asked("/nodes?") <= 3,
        "{} requests for what is forbidden",
        api.seam().asked("/nodes?")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_some_namespaces_reads_those() {
    let api = Api::start("one", None);
    api.deployment("serving", 3);
    for cluster_wide in ["/apps/v1/deployments?", "/api/v1/pods?", "/api/v1/nodes?"] {
        api.seam().fail(cluster_wide, FOR_EVER, Failure::Status(403));
    }
    let entry = "[[cluster]]\nname = \"c\"\nnamespaces = [\"a\"]\n";
    let mut console = Console::configured(&api, entry);
    console.until("its namespace is read", |it| it.cluster().objects.workloads.len() == 1).await;
    assert!(api.seam().asked("/namespaces/a/deployments?") > 0);
    assert_eq!(api.seam().asked("/apps/v1/deployments?"), 0, "what is configured is not asked for elsewhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_is_refused_is_told_and_tried_again() {
    let api = Api::start("one", None);
    api.deployment("serving", 3);
    api.seam().fail("/", FOR_EVER, Failure::Status(401));
    let mut console = Console::of(&api);
    console.until("told", |it| it.problem().contains("401")).await;
    assert!(!console.liveness().is_live());
    console.for_a_while(Duration::from_secs(4)).await;
    assert!(api.seam().asked("/") < 60, "{} requests with a refused credential", api.seam().asked("/"));
    api.seam().mend();
    console.until("let in again", |it| it.equals(&api)).await;
}

/// P1: within ten seconds it is known that there is no answer, whichever part of it does not come.
#[test]
fn what_is_not_answered_is_given_up_in_time() {
    virtually(1, async {
        let bench = Bench::new("");
        for how in ["no head", "no body"] {
            let api = Api::start("one", None);
            let user = json!({"token": TOKEN});
            let target = bench.targets(&[format!("http://{}", api.address)], &user).remove(0);
            let door = bench.connect(&target).unwrap().door;
            match how {
                "no head" => api.seam().pause(),
                _ => api.seam().fail("/", FOR_EVER, Failure::Body(Mangled::Silent)),
            }
            let access = Access { verb: "update", resource: "deployments", ..Access::default() };
            let read =
                async { door.ask_json::<Value>(Question::json("/version", Step::Ping)).await.unwrap_err() };
            let asked = async { door.may(&access).await.unwrap_err() };
            let (began, faults) = (Instant::now(), tokio::join!(read, asked));
            let took = began.elapsed();
            assert!((Duration::from_secs(9)..Duration::from_secs(11)).contains(&took), "{how}: {took:?}");
            for fault in <[_; 2]>::from(faults) {
                assert_eq!(fault.kind, FaultKind::TimedOut(10), "{how}: {fault}");
            }
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_time_gets_it() {
    let api = Api::start("one", None);
    api.deployment("serving", 3);
    api.seam().fail("/deployments?", 1, Failure::RetryAfter(429, 5));
    let mut console = Console::of(&api);
    console.for_a_while(Duration::from_secs(3)).await;
    assert_eq!(api.seam().asked("/deployments?"), 1, "not before the time that it asked for");
    console.until("read afterwards", |it| it.equals(&api)).await;
}
