//! A fleet of which a part does not answer: it costs neither the first screen, nor a key, nor the others any time.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::console::{Console, home};

/// Clusters that take a connection and what is asked, and never answer.
const SILENT: u16 = 30;
const KEYS: usize = 60;

/// How long it took until something was seen, and of many keys.
#[derive(Debug)]
struct Took {
    first_screen: Duration,
    healthy_live: Duration,
    /// Half of the keys were quicker.
    key: Duration,
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
fn measured(silent: &[TcpListener]) -> Took {
    let home = home_with(silent);
    let began = Instant::now();
    let mut console = Console::at(home, (120, 60));
    console.shows("READ-ONLY");
    let first_screen = began.elapsed();
    console.shows(&format!("clusters 2/{} live", silent.len() + 2));
    let healthy_live = began.elapsed();
    let mut keys = Vec::new();
    for at in 0..KEYS {
        // Until the first questions are given up, and those after them.
        std::thread::sleep(Duration::from_millis(250));
        let (panel, words) = [("2", "CLUSTER↑"), ("4", "PHASE↑")][at % 2];
        let pressed = Instant::now();
        console.press(panel).shows(words);
        keys.push(pressed.elapsed());
    }
    console.press("q");
    assert!(console.ended().success());
    keys.sort_unstable();
    Took { first_screen, healthy_live, key: keys[KEYS / 2], slowest_key: keys[KEYS - 1] }
}

#[test]
fn clusters_that_never_answer_cost_nobody_any_time() {
    // The fleet has settled when the first console has seen it.
    Console::at(home_with(&[]), (120, 60)).shows("clusters 2/2 live");
    let without = measured(&[]);
    let with = measured(&black_holes());
    println!("without: {without:?}\nwith {SILENT} that are silent: {with:?}");
    // Whoever waits for those that are silent waits ten seconds for each, or again and again; what is less is left
    // to a machine that does other things meanwhile.
    let seconds = Duration::from_secs;
    for (what, without, with, spare) in [
        ("the first screen", without.first_screen, with.first_screen, seconds(3)),
        ("the healthy clusters", without.healthy_live, with.healthy_live, seconds(30)),
        ("a key", without.key, with.key, Duration::from_millis(250)),
        ("the slowest key", without.slowest_key, with.slowest_key, seconds(4)),
    ] {
        assert!(
            with <= without * 2 + spare,
            "{what}: {without:?} without, {with:?} with clusters that are silent"
        );
    }
}
