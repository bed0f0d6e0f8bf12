//! Days that a server has: random changes and random faults by a seed. When the faults are over, the picture
//! is what the server holds. A seed that fails is printed; `SKYDECK_SEED=N cargo test --test wire schedules`
//! plays it again, `SKYDECK_SEEDS=COUNT` plays so many.

use std::time::Duration;

use serde_json::json;
use skydeck::demo::api::Failure;
use skydeck::demo::resource::Kind;
use skydeck::demo::store::{Key, Query};

use crate::cluster::{Api, Console};

const SEEDS: u64 = 12;
const EVENTS: usize = 25;

fn seeds() -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    match number("SKYDECK_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("SKYDECK_SEEDS").unwrap_or(SEEDS)).collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_any_day_the_picture_is_that_of_the_server() {
    // All at once: most of a day is waiting.
    let days = seeds().into_iter().map(|seed| tokio::spawn(day(seed)));
    for day in days.collect::<Vec<_>>() {
        day.await.unwrap();
    }
}

async fn day(seed: u64) {
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let api = Api::start(&format!("seed-{seed}"), None);
    for count in 0..5 {
        api.deployment(&format!("service-{count}"), count);
    }
    let mut console = Console::of(&api);
    for _ in 0..EVENTS {
        happen(&api, &mut random);
        console.for_a_while(Duration::from_millis(random.u64(0..300))).await;
    }
    api.seam().mend();
    api.seam().resume();
    console.until(&format!("equal after the day of seed {seed}"), |it| it.equals(&api)).await;
}

fn happen(api: &Api, random: &mut fastrand::Rng) {
    let name = format!("service-{}", random.u8(0..8));
    let part = ["/deployments?", "/nodes?", "watch=", "/", "kube-system"][random.usize(0..5)];
    let times = random.usize(1..4);
    match random.u8(0..12) {
        0..3 => api.deployment(&name, random.u32(0..9)),
        3 => drop(api.store.remove(Kind::Deployments, &Key::new("a", &name))),
        4 => drop(api.store.put(Kind::Nodes, json!({"metadata": {"name": name}}))),
        5 => api.seam().cut(),
        6 => {
            api.server.answer_expired_watches_with_http_410(random.bool());
            api.store.compact();
            api.seam().cut();
        }
        7 => api.seam().fail(part, times, Failure::Cut),
        8 => {
            let codes = [401, 410, 429, 500, 503, 504];
            api.seam().fail(part, times, Failure::Status(codes[random.usize(0..6)]));
        }
        9 => api.seam().fail(part, times, Failure::Garbage),
        10 => api.seam().pause(),
        _ => api.seam().resume(),
    }
    assert!(api.store.list(Kind::Deployments, &Query::all()).objects.len() <= 8);
}
