//! What the console costs a server, counted at the server: little when it is quiet, and never more than the budget,
//! also when everything reconnects at once.

use std::time::Duration;

use serde_json::json;
use skydeck::clients::kube::Access;
use skydeck::demo::api::Failure;
use tokio::time::Instant;

use crate::cluster::{Api, TOKEN};
use crate::day::{Day, virtually};
use crate::plugins::Bench;
use crate::proxy::Mode;

/// P14: requests in any second once synced.
const RATE: usize = 5;

/// Requests of each of the next seconds.
async fn seconds(day: &mut Day, count: usize) -> Vec<usize> {
    let mut asked = Vec::new();
    for _ in 0..count {
        day.api.seam().forget();
        day.pass(Duration::from_secs(1)).await;
        asked.push(day.api.seam().asked("/"));
    }
    asked
}

fn holds(asked: &[usize], what: &str) {
    for length in 1..=asked.len() {
        for window in asked.windows(length) {
            let sum: usize = window.iter().sum();
            assert!(sum <= RATE * length, "{what}: {sum} requests in {length} s: {asked:?}");
        }
    }
}

#[test]
fn the_budget_of_a_server_holds_whatever_happens_to_its_connections() {
    virtually(1, async {
        let mut day = Day::start(|_, _| {}).await;
        day.pass(Duration::from_secs(90)).await;
        assert!(day.equals(), "{}", day.told());
        let quiet = seconds(&mut day, 120).await;
        holds(&quiet, "quiet");
        let a_second = quiet.iter().sum::<usize>() as f64 / quiet.len() as f64;
        println!("quiet: {a_second:.2} requests/s");
        assert!(a_second < 2.0, "{a_second} requests a second for nothing: {quiet:?}");
        day.proxy.reset();
        holds(&seconds(&mut day, 40).await, "every connection was reset");
        day.swallow();
        holds(&seconds(&mut day, 60).await, "a black hole");
        day.proxy.set(Mode::Pass);
        holds(&seconds(&mut day, 60).await, "the black hole has gone");
        day.api.store.compact();
        day.api.seam().cut();
        holds(&seconds(&mut day, 40).await, "every list is read anew");
        day.api.seam().fail("/", usize::MAX, Failure::Status(500));
        day.api.seam().cut();
        holds(&seconds(&mut day, 60).await, "every answer is an error");
        day.recover().await;
    });
}

/// What is asked and sent for a change goes through the same door.
#[test]
fn whoever_changes_something_keeps_to_the_budget_too() {
    virtually(1, async {
        let api = Api::start("one", None);
        let bench = Bench::new("");
        let target = bench.targets(&[format!("http://{}", api.address)], &json!({"token": TOKEN})).remove(0);
        let connected = bench.connect(&target).unwrap();
        // The start of a session may be quick.
        tokio::time::sleep(Duration::from_mins(2)).await;
        let (began, asked) = (Instant::now(), 60);
        for _ in 0..asked {
            let access = Access { verb: "update", resource: "deployments", ..Access::default() };
            connected.door.may(&access).await.unwrap();
        }
        assert_eq!(api.seam().asked("/selfsubjectaccessreviews"), asked);
        let at_least = (asked / RATE - 1) as u64;
        assert!(began.elapsed().as_secs() >= at_least, "{asked} requests in {:?}", began.elapsed());
    });
}

/// Two consoles that lose a server at the same moment do not come back to it in step.
#[test]
fn no_two_consoles_ask_at_the_same_moments() {
    let moments = |seed: u64, part: &str| {
        virtually(seed, async {
            let mut day = Day::start(|_, _| {}).await;
            day.pass(Duration::from_mins(1)).await;
            day.api.seam().fail("/", usize::MAX, Failure::Status(503));
            day.api.seam().cut();
            let mut moments = Vec::new();
            for tenth in 0..1_200 {
                day.api.seam().forget();
                day.pass(Duration::from_millis(100)).await;
                moments.extend((day.api.seam().asked(part) > 0).then_some(tenth));
            }
            moments
        })
    };
    for part in ["/version", "/deployments?", "/pods?"] {
        let (one, other) = (moments(1, part), moments(2, part));
        let same = one.iter().filter(|moment| other.contains(moment)).count();
        println!("{part}: {} and {} moments, {same} of them the same", one.len(), other.len());
        assert!(one.len() >= 8 && same * 2 < one.len(), "{part}: the same moments: {one:?} and {other:?}");
    }
}

#[test]
fn the_round_trip_is_the_servers_and_not_our_own_queue() {
    virtually(1, async {
        let mut day = Day::start(|_, _| {}).await;
        let mut worst = 0;
        for what in ["the start", "every connection was reset", "every list is read anew"] {
            for _ in 0..40 {
                day.pass(Duration::from_secs(1)).await;
                worst = worst.max(day.console.cluster().api.round_trip_ms.unwrap_or(0));
            }
            println!("after {what}: at most {worst} ms");
            assert!(worst < 500, "after {what}: {worst} ms, of a server that answers at once");
            day.proxy.reset();
            day.api.store.compact();
            day.api.seam().cut();
        }
    });
}
