//! Events that a server or something on the way drops, while the watch goes on as if nothing were missing: the picture
//! is the server's again in a time that is known, and nothing is listed anew for less than a loss.

use std::time::Duration;

use skydeck::demo::api::{Failure, Mangled, Which};
use skydeck::demo::resource;
use skydeck::demo::store::Key;
use skydeck::fleet::Kind;
use skydeck::state::Freshness;

use crate::cluster::{Api, Console};
use crate::day::{Day, NOTICED, each, virtually};

const FOR_EVER: usize = usize::MAX;

/// Sources that missed something, and lists that were read again, of all kinds together.
fn missed(console: &Console) -> (u32, u32) {
    let sources = console.cluster().sources.values();
    sources.fold((0, 0), |(missed, relists), it| (missed + it.missed, relists + it.relists))
}

/// Questions of the census since the last `forget`.
fn looks(api: &Api) -> usize {
    let asked = api.seam().record(&Which::any().at("limit="));
    asked.iter().filter(|it| ["limit=500", "limit=1"].iter().any(|end| it.query.ends_with(end))).count()
}

#[test]
fn an_event_that_was_dropped_is_noticed_in_a_known_time() {
    type Act = fn(&mut Day);
    let delete: Act = |day| day.delete(2);
    let add: Act = |day| day.deployment(6, 1);
    let change: Act = |day| day.deployment(0, 7);
    let rows = [("DELETED", delete), ("ADDED", add), ("MODIFIED", change)];
    each(
        &rows,
        |(kind, _)| (*kind).to_owned(),
        |(kind, act)| {
            for seed in 1..=2 {
                virtually(seed, drops(kind, *act));
            }
        },
    );
}

async fn drops(kind: &'static str, act: impl Fn(&mut Day)) {
    let mut day = Day::start(|_, _| {}).await;
    day.drop_events(NOTICED);
    let without = Which::any().at("/deployments?watch=");
    day.api.seam().strike(without, FOR_EVER, Failure::Body(Mangled::Without(kind)));
    day.pass(Duration::from_secs(100)).await;
    assert!(day.equals(), "at the beginning: {}", day.told());
    act(&mut day);
    day.pass(Duration::from_secs(2)).await;
    assert!(!day.equals(), "it was not dropped");
    let state = day.console.state();
    let fresh = day.console.cluster().freshness(Kind::Deployment, state.now, state.settings.stale_after);
    assert_eq!(fresh, Freshness::Live, "nobody can know yet");
    let began = tokio::time::Instant::now();
    while !day.equals() {
        assert!(began.elapsed() < NOTICED, "not noticed in time: {}", day.told());
        day.pass(Duration::from_secs(1)).await;
    }
    println!("{kind:>8}: noticed after {:?}", began.elapsed());
    assert_eq!(missed(&day.console), (1, 1), "one list, of what was not whole");
    day.api.seam().mend();
    day.pass(Duration::from_mins(7)).await;
    assert_eq!(missed(&day.console), (1, 1), "it is over");
}

#[test]
fn nothing_is_listed_again_under_heavy_change_without_a_loss() {
    virtually(1, async {
        let api = Api::start("one", None);
        let mut console = Console::of(&api);
        console.for_a_while(Duration::from_secs(10)).await;
        api.seam().forget();
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..6_000 {
            let number = random.u8(0..40);
            match random.u8(0..4) {
                0 => {
                    let _ =
                        api.store.remove(resource::Kind::Deployments, &Key::new("a", &format!("o{number}")));
                }
                _ => api.deployment(&format!("o{number}"), random.u32(0..9)),
            }
            console.for_a_while(Duration::from_millis(random.u64(0..200))).await;
        }
        let (looks, kinds) = (looks(&api), console.cluster().sources.len());
        println!("ten minutes of change: {looks} looks at {kinds} kinds");
        assert!(looks > kinds, "it was not looked at all");
        assert_eq!(missed(&console), (0, 0));
    });
}

#[test]
fn looking_costs_a_server_next_to_nothing() {
    virtually(1, async {
        let mut day = Day::start(|_, _| {}).await;
        day.pass(Duration::from_secs(90)).await;
        day.api.seam().forget();
        let (mut most, mut sum) = (0, 0);
        for _ in 0..120 {
            day.pass(Duration::from_secs(10)).await;
            let now = looks(&day.api);
            day.api.seam().forget();
            (most, sum) = (most.max(now), sum + now);
        }
        let kinds = day.console.cluster().sources.len();
        println!("20 minutes of quiet: {sum} looks at {kinds} kinds, at most {most} in ten seconds");
        assert!((kinds * 3..=kinds * 5).contains(&sum), "{sum} looks at {kinds} kinds");
        assert!(most <= 8, "{most} looks in ten seconds");
        assert_eq!(missed(&day.console), (0, 0));
    });
}

#[test]
fn of_many_objects_the_number_is_compared() {
    virtually(1, async {
        let mut day = Day::start(|api, _| {
            for number in 0..510 {
                api.deployment(&format!("{}.{number}", api.uid), 1);
            }
        })
        .await;
        day.drop_events(NOTICED);
        let without = Which::any().at("/deployments?watch=");
        day.api.seam().strike(without, FOR_EVER, Failure::Body(Mangled::Without("DELETED")));
        day.pass(Duration::from_secs(100)).await;
        day.delete(2);
        day.pass(NOTICED).await;
        assert!(day.equals(), "{}", day.told());
        assert_eq!(missed(&day.console), (1, 1));
        let asked = day.api.seam().record(&Which::any().at("/deployments?limit=1"));
        assert!(asked.iter().any(|it| it.query == "limit=1"), "{asked:?}");
    });
}
