//! Days that a server has: random changes and random faults by a seed. At no moment does something stale look live,
//! and when the faults are over the picture is what the server holds. A seed that fails is printed;
//! `SKYDECK_SEED=N cargo test --test wire schedules` plays it again, `SKYDECK_SEEDS=COUNT` plays so many.

use std::time::Duration;

use crate::day::{Day, each, virtually};
use crate::luck::{change, drop_events, mishap};

const SEEDS: u64 = 200;
/// One day in so many lies behind a gateway that knows only JSON.
const IN_JSON: u64 = 5;
/// Days on which events are dropped too.
const DROPPING: u64 = 20;
/// While a server has other faults nothing can be held against what it holds.
const UNKNOWN: Duration = Duration::from_hours(24);
const EVENTS: usize = 30;

fn seeds(usual: u64) -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    match number("SKYDECK_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("SKYDECK_SEEDS").unwrap_or(usual)).collect(),
    }
}

#[test]
fn on_no_day_something_stale_looks_live_and_after_any_day_the_picture_is_that_of_the_server() {
    each(&seeds(SEEDS), |seed| format!("SKYDECK_SEED={seed}"), |seed| virtually(*seed, day(*seed, false)));
}

/// What is dropped cannot be known at once; when the faults are over it is found.
#[test]
fn after_a_day_on_which_events_were_dropped_the_picture_is_that_of_the_server() {
    each(&seeds(DROPPING), |seed| format!("SKYDECK_SEED={seed}"), |seed| virtually(*seed, day(*seed, true)));
}

async fn day(seed: u64, drops: bool) {
    let told = std::env::var_os("SKYDECK_SEED").is_some();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut day =
        if seed.is_multiple_of(IN_JSON) { Day::in_json().await } else { Day::start(|_, _| {}).await };
    if drops {
        day.drop_events(UNKNOWN);
    }
    day.pass(Duration::from_secs(random.u64(0..10))).await;
    for _ in 0..EVENTS {
        let what = match random.bool() {
            true => change(&mut day, &mut random),
            false if drops && random.u8(0..4) == 0 => drop_events(&mut day, &mut random),
            false => mishap(&mut day, &mut random),
        };
        if told {
            println!("{what}; {}", day.told());
        }
        let long = if random.u8(0..12) == 0 { 70_000 } else { 6_000 };
        day.pass(Duration::from_millis(random.u64(0..long))).await;
    }
    day.recover().await;
    day.pass(Duration::from_secs(50)).await;
    assert!(day.equals(), "a minute later: {}", day.told());
}
