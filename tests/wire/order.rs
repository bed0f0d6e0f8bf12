//! The order in which a cluster is read for the first time, seen at the server.

use std::time::Duration;

use skydeck::demo::api::{Failure, Which};

use crate::cluster::{Api, Console};
use crate::day::{Day, virtually};

const PODS: &str = "/api/v1/pods";
const EVENTS: &str = "/api/v1/events";

/// A list of events makes a server read all of them from its store; pods are what everybody waits for.
#[test]
fn events_are_listed_after_the_pods() {
    virtually(1, async {
        let mut day = Day::start(|_, _| {}).await;
        day.pass(Duration::from_secs(1)).await;
        let lists = day.api.seam().record(&Which::any().at("resourceVersion=0"));
        let place =
            |path| lists.iter().position(|it| it.path == path).unwrap_or_else(|| panic!("{path}: {lists:?}"));
        assert!(place(PODS) < place(EVENTS), "{lists:?}");
        assert!(day.equals(), "{}", day.told());
    });
}

#[test]
fn pods_that_do_not_come_hold_up_nothing_but_events_and_these_not_for_long() {
    virtually(1, async {
        let mut day = Day::start(|api, _| api.seam().fail(PODS, 1, Failure::Hang)).await;
        day.pass(Duration::from_secs(4)).await;
        let asked = |day: &Day, part: &str| day.api.seam().asked(part);
        assert_eq!((asked(&day, EVENTS), asked(&day, PODS)), (0, 1));
        for others in ["/nodes", "/deployments", "/jobs", "/endpointslices", "/virtualservices"] {
            assert!(asked(&day, others) > 0, "{others}");
        }
        day.pass(Duration::from_secs(2)).await;
        assert!(asked(&day, EVENTS) > 0);
        day.recover().await;
    });
}

/// Who ends when everything is told, as `skydeck status` does, has heard what that cost, too.
#[tokio::test]
async fn what_the_lists_have_cost_is_told_with_them() {
    let api = Api::start("one", None);
    (0..40).for_each(|number| api.deployment(&format!("service-{number}"), 1));
    let mut console = Console::of(&api);
    console.settled().await;
    let cost = console.cluster().cost;
    let lists = api.seam().count(&Which::any().at("resourceVersion=0")) as u64;
    assert!(lists > 10 && cost.requests >= lists, "{lists} lists, told were {cost:?}");
    assert!(cost.received_bytes > 10_000, "{cost:?}");
}

/// When every connection is lost, thirty loops wait for a place to come back; whether the server answers is asked first.
#[test]
fn the_ping_does_not_wait_behind_all_that_come_back() {
    virtually(1, async {
        let mut day = Day::start(|_, _| {}).await;
        day.pass(Duration::from_secs(90)).await;
        day.api.seam().fail("/", usize::MAX, Failure::Status(500));
        day.api.seam().cut();
        let (mut quiet, mut longest) = (0, 0);
        for _ in 0..60 {
            day.api.seam().forget();
            day.pass(Duration::from_secs(1)).await;
            quiet = if day.api.seam().asked("/version") > 0 { 0 } else { quiet + 1 };
            longest = longest.max(quiet);
        }
        // It comes every ten seconds, and every four when there was no answer.
        assert!(longest <= 10, "{longest} s without a ping");
        day.recover().await;
    });
}
