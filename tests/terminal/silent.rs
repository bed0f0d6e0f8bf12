//! A fleet of which a part does not answer: it costs neither the first screen, nor a key, nor the others any time.
//!
//! Two consoles are measured at the same moments, with that part and without, so that whatever else the machine does slows
//! both down alike. `tests/wire/silent.rs` sees to the millisecond, in virtual time, what is left to the machine here.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::console::{Console, home};

/// Clusters that take a connection and what is asked, and never answer.
const SILENT: u16 = 30;
const STARTS: usize = 3;
const KEYS: usize = 60;

/// How long it took until something was seen, in the middle of several starts, and of many keys.
#[derive(Debug)]
struct Took {
    first_screen: Duration,
    healthy_live: Duration,
    /// Half of the keys were quicker.
    key: Duration,
    /// Nine of ten were quicker.
    slow_key: Duration,
    slowest_key: Duration,
}

/// Nobody takes what comes; the kernel says that somebody will.
fn black_holes() -> Vec<TcpListener> {
    (0..SILENT).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect()
}

/// A home with the two clusters that answer behind these that do not.
fn home_with(silent: &[TcpListener]) -> tempfile::TempDir {
    let home = home();
    let file = home.path().join(".kube/config");
    let mut kubeconfig: serde_json::Value =
        serde_saphyr::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let user = kubeconfig["contexts"][0]["context"]["user"].clone();
    for (at, silent) in silent.iter().enumerate() {
        let (name, server) = (format!("a-silent-{at}"), format!("http://{}", silent.local_addr().unwrap()));
        let mut first = |list: &str, entry| kubeconfig[list].as_array_mut().unwrap().insert(at, entry);
        first("clusters", serde_json::json!({"name": name, "cluster": {"server": server}}));
        first("contexts", serde_json::json!({"name": name, "context": {"cluster": name, "user": user}}));
    }
    std::fs::write(&file, kubeconfig.to_string()).unwrap();
    home
}

#[expect(clippy::disallowed_methods, reason = "the time that an operator waits is what is tested")]
fn now() -> Instant {
    Instant::now()
}

/// A console, until its first screen, and until the clusters that answer are live.
fn started(silent: &[TcpListener]) -> (Console, Duration, Duration) {
    let home = home_with(silent);
    let began = now();
    let console = Console::at(home, (120, 60));
    console.shows("READ-ONLY");
    let first_screen = began.elapsed();
    console.shows(&format!("clusters 2/{} live", silent.len() + 2));
    (console, first_screen, began.elapsed())
}

/// How long each of many keys takes until its panel is shown, the quickest first; then it ends.
fn pressed(mut console: Console) -> Vec<Duration> {
    let mut keys = Vec::new();
    for at in 0..KEYS {
        // Until the first questions are given up, and those after them.
        std::thread::sleep(Duration::from_millis(250));
        let (panel, words) = [("2", "CLUSTER↑"), ("4", "PHASE↑")][at % 2];
        let pressed = now();
        console.press(panel).shows(words);
        keys.push(pressed.elapsed());
    }
    console.press("q");
    assert!(console.ended().success());
    keys.sort_unstable();
    keys
}

/// The same at the same time, for the fleet that answers and for the one with silent clusters.
fn both<I: Send, T: Send>((without, with): (I, I), act: impl Fn(I) -> T + Sync) -> (T, T) {
    std::thread::scope(|scope| {
        let without = scope.spawn(|| act(without));
        let with = act(with);
        (without.join().unwrap(), with)
    })
}

fn measured(silent: &[TcpListener]) -> (Took, Took) {
    let (mut starts_without, mut starts_with, mut last) = (Vec::new(), Vec::new(), None);
    for _ in 0..STARTS {
        let (without, with) = both((&[][..], silent), started);
        starts_without.push((without.1, without.2));
        starts_with.push((with.1, with.2));
        // Those before are ended.
        last = Some((without.0, with.0));
    }
    let (keys_without, keys_with) = both(last.unwrap(), pressed);
    let took = |starts: Vec<(Duration, Duration)>, keys: Vec<Duration>| {
        let (mut first_screens, mut lives): (Vec<_>, Vec<_>) = starts.into_iter().unzip();
        first_screens.sort_unstable();
        lives.sort_unstable();
        Took {
            first_screen: first_screens[STARTS / 2],
            healthy_live: lives[STARTS / 2],
            key: keys[KEYS / 2],
            slow_key: keys[KEYS * 9 / 10],
            slowest_key: keys[KEYS - 1],
        }
    };
    (took(starts_without, keys_without), took(starts_with, keys_with))
}

#[test]
fn clusters_that_never_answer_cost_nobody_any_time() {
    // The fleet has settled when the first console has seen it.
    drop(started(&[]));
    let (without, with) = measured(&black_holes());
    println!("without: {without:?}\nwith {SILENT} that are silent: {with:?}");
    let millis = Duration::from_millis;
    // Whoever waits for one that is silent waits for ten seconds, however fast the machine is.
    let a_stall = millis(8_000);
    for (what, without, with, spare) in [
        ("the first screen", without.first_screen, with.first_screen, millis(500)),
        ("the healthy clusters", without.healthy_live, with.healthy_live, millis(3_000)),
        ("a key", without.key, with.key, millis(60)),
        ("a slow key", without.slow_key, with.slow_key, millis(250)),
        ("the slowest key", without.slowest_key, with.slowest_key, millis(2_000)),
    ] {
        assert!(
            with <= (without * 2 + spare).min(without + a_stall),
            "{what}: {without:?} without, {with:?} with clusters that are silent"
        );
    }
}
