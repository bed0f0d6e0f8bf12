//! `skydeck bugreport`: one private file, what is inside is said, nothing secret is in it, and nothing has to work.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::console::{Console, home};

fn skydeck(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skydeck"));
    command.args(arguments).current_dir(home).env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin");
    command.env("LANG", "C.UTF-8").env("TERM", "xterm-256color");
    // A proxy of somebody, who is not asked for loopback.
    command.env("HTTPS_PROXY", "http://me:planted@127.0.0.1:9").env("NO_PROXY", "127.0.0.1").output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// What an archive holds: names and texts.
fn unpacked(home: &Path, archive: &str) -> Vec<(String, String)> {
    let folder = home.join("unpacked");
    std::fs::create_dir_all(&folder).unwrap();
    let tar = Command::new("tar").arg("-xzf").arg(home.join(archive)).current_dir(&folder).output().unwrap();
    assert!(tar.status.success(), "{tar:?}");
    let within = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let mut files: Vec<_> = std::fs::read_dir(within).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

fn text<'a>(files: &'a [(String, String)], name: &str) -> &'a str {
    &files.iter().find(|(it, _)| it == name).unwrap_or_else(|| panic!("{name} is in it")).1
}

#[test]
fn what_is_inside_is_said_and_no_planted_secret_is_in_it() {
    let home = home();
    let state = home.path().join(".local/state/skydeck");
    std::fs::create_dir_all(&state).unwrap();
    std::fs::write(
        state.join("skydeck.log"),
        "INFO begins\nWARN dial https://me:planted@h failed: Authorization: Bearer planted.planted.planted\n",
    )
    .unwrap();
    std::fs::create_dir_all(home.path().join(".config/skydeck")).unwrap();
    std::fs::write(
        home.path().join(".config/skydeck/config.toml"),
        "# my token is planted\nfleet = \"acme\"\n[policy]\nstale_after = \"50s\" # planted\n",
    )
    .unwrap();
    // Two more clusters, whose ways hold every secret that a kubeconfig can.
    let mut kubeconfig: serde_json::Value =
        serde_saphyr::from_str(&std::fs::read_to_string(home.path().join(".kube/config")).unwrap()).unwrap();
    let more = serde_json::json!({
        "clusters": [{"name": "x", "cluster": {"server": "https://me:planted@127.0.0.1:9", "proxy-url": "http://me:planted@127.0.0.1:9"}}],
        "users": [{"name": "x", "user": {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/false",
            "args": ["--token=planted"], "env": [{"name": "SECRET", "value": "planted"}]}}},
            {"name": "y", "user": {"username": "me", "password": "planted"}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}, {"name": "y", "context": {"cluster": "x", "user": "y"}}]});
    for list in ["clusters", "users", "contexts"] {
        let more = more[list].as_array().unwrap().clone();
        kubeconfig[list].as_array_mut().unwrap().extend(more);
    }
    let token = kubeconfig["users"][0]["user"]["token"].as_str().unwrap().to_owned();
    std::fs::write(home.path().join(".kube/config"), kubeconfig.to_string()).unwrap();

    let output = skydeck(home.path(), &["bugreport", "report.tar.gz"]);
    let printed = said(&output);
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains("Nothing was sent"), "{printed}");
    let about = std::fs::metadata(home.path().join("report.tar.gz")).unwrap();
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    let files = unpacked(home.path(), "report.tar.gz");
    assert_eq!(files.len(), 6);
    for (name, text) in &files {
        assert!(printed.contains(name), "{name} is told: {printed}");
        assert!(!text.contains("planted") && !text.contains(&token), "{name}: {text}");
        assert!(!text.contains(home.path().to_str().unwrap()), "{name}: whose home it is: {text}");
    }
    let versions = text(&files, "versions.txt");
    assert!(
        versions.contains(env!("CARGO_PKG_VERSION")) && versions.contains("xterm-256color"),
        "{versions}"
    );
    assert!(versions.contains("HTTPS_PROXY              (set)"), "{versions}");
    let configuration = text(&files, "configuration.toml");
    assert!(configuration.contains("fleet = \"acme\"") && configuration.contains("50s"), "{configuration}");
    let kubeconfig = text(&files, "kubeconfig.txt");
    assert!(
        kubeconfig.contains("~/.kube/config") && kubeconfig.contains("https://127.0.0.1:9"),
        "{kubeconfig}"
    );
    assert!(
        kubeconfig.contains("credential exec") && kubeconfig.contains("credential token"),
        "{kubeconfig}"
    );
    assert!(text(&files, "log.txt").contains("INFO begins"));
    assert!(text(&files, "doctor.txt").contains("aws-east"));

    // It is never written over.
    let again = skydeck(home.path(), &["bugreport", "report.tar.gz"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(said(&again).contains("is there already: name a new file"), "{}", said(&again));
}

/// The cluster that answers, with what is in it.
#[test]
fn without_a_recording_it_makes_a_short_one_that_can_be_looked_at() {
    let home = home();
    let output = said(&skydeck(home.path(), &["bugreport", "report.tar.gz"]));
    for words in [
        "every cluster is looked at, and recorded for 6s",
        "of a console that nobody touches, names and states",
    ] {
        assert!(output.contains(words), "{words}: {output}");
    }
    let files = unpacked(home.path(), "report.tar.gz");
    std::fs::write(home.path().join("own.jsonl"), text(&files, "recording.jsonl")).unwrap();
    let shown =
        said(&skydeck(home.path(), &["--replay", "own.jsonl", "--snapshot", "text", "--panel", "clusters"]));
    assert!(shown.contains("aws-east") && shown.contains("live"), "{shown}");
}

#[test]
fn it_works_where_nothing_else_does_and_can_only_be_looked_at() {
    let nothing = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(nothing.path().join(".config/skydeck")).unwrap();
    std::fs::write(nothing.path().join(".config/skydeck/config.toml"), "[ui]\nthem = \"planted\"\n").unwrap();
    let output = skydeck(nothing.path(), &["bugreport", "--list"]);
    let printed = said(&output);
    assert!(output.status.success() && printed.contains("Nothing was written."), "{printed}");
    assert!(printed.contains("places of 1 mistakes"), "{printed}");
    assert!(printed.contains("No recording was made: "), "{printed}");
    let left: Vec<_> = std::fs::read_dir(nothing.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left, [".config"], "nothing is left behind");
    let output = skydeck(nothing.path(), &["bugreport", "a.tar.gz"]);
    assert!(output.status.success(), "{}", said(&output));
    let files = unpacked(nothing.path(), "a.tar.gz");
    assert!(text(&files, "configuration.toml").contains("line 2: ui.them"), "{files:?}");
    assert!(files.iter().all(|(_, text)| !text.contains("planted")), "{files:?}");
}

#[test]
fn a_recording_is_packed_when_it_is_asked_for_and_nothing_that_is_none() {
    let mut console = Console::with(100, 30, &["--record"], &[]);
    console.shows("clusters 2/2 live").press("q");
    assert!(console.ended().success());
    let home = console.home();
    let output = skydeck(home, &["bugreport", "a.tar.gz", "--recording"]);
    assert!(said(&output).contains("recording.jsonl"), "{}", said(&output));
    assert!(!said(&output).contains("recorded for"), "none is made beside it: {}", said(&output));
    let files = unpacked(home, "a.tar.gz");
    assert!(text(&files, "recording.jsonl").starts_with("{\"skydeckRecording\":1,"));
    let wrong = skydeck(home, &["bugreport", "b.tar.gz", "--recording", ".kube/config"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(said(&wrong).contains("it is no recording of skydeck"), "{}", said(&wrong));
    assert!(!home.join("b.tar.gz").exists());
    let without = said(&skydeck(home, &["bugreport", "--list", "--no-recording"]));
    assert!(!without.contains("recording.jsonl") && !without.contains("recorded for"), "{without}");
}
