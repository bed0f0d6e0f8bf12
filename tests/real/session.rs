//! An operator at work, in a pseudo-terminal, on two real clusters: marks cells, scales, watches the rollout, takes it
//! back; moves weights, ramps, aborts. Every screen is printed, so that the log shows what was seen.

use std::path::Path;

use serde_json::{Value, json};

use crate::bed::{self, Cluster};
use crate::console::{Console, DEAF};

const CONFIG: &str = r#"
[change]
bake = "1s"
step_every = "8s"
"#;

fn home(clusters: &[&Cluster]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join(".config/skydeck");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("config.toml"), CONFIG).unwrap();
    std::fs::create_dir(home.path().join(".kube")).unwrap();
    std::fs::write(home.path().join(".kube/config"), bed::Console::new(clusters, &[]).merged()).unwrap();
    home
}

fn start(home: tempfile::TempDir) -> Console {
    Console::in_home(
        home,
        Path::new(env!("CARGO_BIN_EXE_skydeck")),
        (120, 36),
        (&["--panel", "replicas"], &[]),
    )
}

/// Waits until the plan on top is in this state.
fn plan_is(console: &Console, title: &str, state: &str) {
    let end = format!(" {state} ╮");
    let so = |text: &str| text.lines().any(|line| line.contains(title) && line.trim_end().ends_with(&end));
    console.until(&format!("{title} … {state}"), so);
}

fn unlock(console: &Console) {
    console.shows("Unlock for changes");
    std::thread::sleep(DEAF);
    console.press("a");
}

fn replicas(cluster: &Cluster, name: &str) -> Value {
    cluster.kubectl_json(&["get", "deployment", name, "-n", "ml"])["spec"]["replicas"].clone()
}

fn rules(cluster: &Cluster) -> Value {
    cluster.kubectl_json(&["get", "virtualservice", "web", "-n", "ml"])["spec"]["http"].clone()
}

fn weights(cluster: &Cluster) -> [u64; 2] {
    let rules = rules(cluster);
    [0, 1].map(|at| rules[1]["route"][at]["weight"].as_u64().unwrap_or(0))
}

#[test]
fn mark_scale_watch_undo_shift_ramp_abort() {
    if !bed::is_there() {
        return;
    }
    let clusters = [
        Cluster::up("session-aws", &["--controllers", "--nodes", "2", "--gpus", "0", "--crds"]),
        Cluster::up(
            "session-gcp",
            &["--cloud", "gcp", "--controllers", "--nodes", "2", "--gpus", "0", "--crds"],
        ),
    ];
    for cluster in &clusters {
        cluster.apply("session.yaml");
        cluster.kubectl(&[
            "rollout",
            "status",
            "deployment/web",
            "deployment/webhook",
            "-n",
            "ml",
            "--timeout=90s",
        ]);
    }
    let [aws, gcp] = &clusters;
    let console = start(home(&[aws, gcp]));
    console.shows("clusters 2/2 live").press("/ml/web\r").shows("ml/webhook").shows("2/2");
    scale(&console, aws, gcp);
    traffic(&console, aws, gcp);
}

/// Three cells in two clusters: up by one, watched, taken back.
fn scale(console: &Console, aws: &Cluster, gcp: &Cluster) {
    console.press("gm").shows("◆ 2/2").press("lm").press("jm");
    console.until("three marks", |text| text.matches("◆ 2/2").count() == 3);
    console.show("three cells are marked");
    console.press("s");
    unlock(console);
    console.shows("3 workloads").shows("replicas  2");
    std::thread::sleep(DEAF);
    console.press("\x7f+1").shows("2 → 3");
    console.show("scale: relative, shown as what it is");
    console.press("\r").shows("dry run: accepted by the server").shows("waits for you");
    console.show("the plan, asked of every server");
    console.confirm();
    console.shows("CHANGE").until("the end", |text| text.contains("done"));
    console.show("done: every step read again, every rollout arrived");
    assert_eq!(
        [replicas(aws, "web"), replicas(gcp, "web"), replicas(gcp, "webhook")],
        [json!(3), json!(3), json!(3)]
    );
    assert_eq!(replicas(aws, "webhook"), 2, "what was not marked is as it was");
    console.press("u").shows("undo").shows("waits for you");
    console.show("undo is a plan of its own");
    console.confirm();
    plan_is(console, "Plan undo", "done");
    console.press("\x1b\x1b");
    assert_eq!(
        [replicas(aws, "web"), replicas(gcp, "web"), replicas(gcp, "webhook")],
        [json!(2), json!(2), json!(2)]
    );
}

/// Weights in both clusters, then a ramp that is aborted on its way.
fn traffic(console: &Console, aws: &Cluster, gcp: &Cluster) {
    let before = [rules(aws), rules(gcp)];
    console.press("6").shows("web-aws").press("gj").press("e").shows("writes to");
    std::thread::sleep(DEAF);
    console.press("[[").until("the weights of both move", |text| text.contains("50.0%"));
    console.show("the traffic editor");
    console.press("\r").shows("waits for you");
    console.show("the plan for both source clusters");
    console.confirm();
    plan_is(console, "Plan shift", "done");
    for (cluster, before) in [aws, gcp].into_iter().zip(&before) {
        let mut wanted = before.clone();
        wanted[1]["route"][0]["weight"] = 50.into();
        wanted[1]["route"][1]["weight"] = 50.into();
        assert_eq!(rules(cluster), wanted, "two weights and nothing else");
    }
    // An escape that a letter follows at once would be Alt and the letter.
    console.press("\x1b").until("the dialog is closed", |text| !text.contains("esc close"));
    console.press("r").shows("ramp: 10% every 8s");
    std::thread::sleep(DEAF);
    console.press("10").shows("40.0");
    console.show("a ramp is prepared");
    console.press("\r").shows("waits for you");
    console.show("every stage of the ramp is in the plan");
    console.confirm();
    console.until("a stage", |text| text.contains("verified"));
    console.show("the ramp runs");
    assert_ne!(weights(aws), [50, 50]);
    console.press("A");
    plan_is(console, "Plan undo", "done");
    console.show("aborted: back to the weights before the ramp");
    for cluster in [aws, gcp] {
        assert_eq!(weights(cluster), [50, 50]);
    }
}
