//! What the console costs a server, counted at the server: little when it is quiet, and never more than the budget,
//! also when everything reconnects at once.

use std::time::Duration;

use skydeck::demo::api::Failure;

use crate::day::{Day, virtually};
use crate::proxy::Mode;

/// P14: requests a second once synced, and those that may go out together.
const RATE: usize = 5;
const TOGETHER: usize = 10;

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
            assert!(sum <= RATE * length + TOGETHER, "{what}: {sum} requests in {length} s: {asked:?}");
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
