//! Credential plugins and the terminal: none has it, but one that the operator lets have it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::console::{Console, home};

/// A home whose clusters take their credential from a script. It prints everywhere it can, and answers `go`.
fn home_with(mode: &str, script: &str) -> tempfile::TempDir {
    let home = home();
    let file = home.path().join(".kube/config");
    let kubeconfig = std::fs::read_to_string(&file).unwrap();
    let mut kubeconfig: serde_json::Value = serde_saphyr::from_str(&kubeconfig).unwrap();
    let user = &mut kubeconfig["users"][0]["user"];
    let token = user["token"].as_str().unwrap().to_owned();
    *user = serde_json::json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", "interactiveMode": mode,
    }});
    std::fs::write(&file, kubeconfig.to_string()).unwrap();
    let plugin = home.path().join(".kube/plugin");
    let credential = format!(
        "printf '{{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"{token}\"}}}}'"
    );
    let text = format!(
        "#!/bin/sh\necho run >> '{}'\ncredential() {{ {credential}; }}\n{script}\n",
        home.path().join("runs").display()
    );
    std::fs::write(&plugin, text).unwrap();
    std::fs::set_permissions(&plugin, std::fs::Permissions::from_mode(0o755)).unwrap();
    home
}

fn runs(home: &Path) -> usize {
    std::fs::read_to_string(home.join("runs")).unwrap_or_default().lines().count()
}

const LOUD: &str = "echo canary-out; echo canary-err >&2; echo canary-tty > /dev/tty; printf 'Password: canary ' >&2; \
                    read answer || exit 1; [ \"$answer\" = go ] && exec 3>&1 >&2; echo canary-answered; credential >&3";

#[test]
fn no_byte_of_a_plugin_is_on_the_screen_and_it_runs_once_for_all_clusters() {
    let mut console = Console::at(home_with("IfAvailable", LOUD), (120, 36));
    console.press("2").shows("needs login: press L");
    console.press("j:log\r").shows("Log of this program").shows("needs somebody to answer it");
    console.press("/somebody\r").shows("Log of this program");
    console.press("\x1b").hides("Log of this program");
    assert_eq!(runs(console.home()), 1, "one for both clusters");
    console.press("q");
    assert!(console.ended().success());
    let bytes = String::from_utf8_lossy(&console.bytes()).into_owned();
    assert!(!bytes.contains("canary"), "on the screen");
    let log = std::fs::read_to_string(console.home().join(".local/state/skydeck/skydeck.log")).unwrap();
    assert!(log.contains("needs somebody to answer it") && !log.contains("canary"), "{log}");
}

#[test]
fn the_operator_answers_a_plugin_in_the_foreground_and_is_connected() {
    let script = "[ -t 0 ] || exit 1; printf 'Password of canary: ' >&2; read answer; [ \"$answer\" = go ] || exit 4\n\
                  credential";
    let mut console = Console::at(home_with("Always", script), (120, 36));
    console.press("2").shows("needs login: press L");
    assert_eq!(runs(console.home()), 0, "it is not run behind the operator's back");
    // A wrong answer: what it said stays until it was read.
    console.press("L").shows("Password of canary:").is_restored();
    console.press("wrong\r").shows("failed with exit status: 4").shows("Press Enter");
    console.press("\r").is_entered();
    console.shows("needs login: press L");
    console.press("L").until("it asks again", |text| text.matches("Password of canary:").count() == 2);
    console.press("go\r").is_entered();
    console.shows("logged in for").shows("clusters 2/2 live");
    assert_eq!(runs(console.home()), 2);
    let token = std::fs::read_to_string(console.home().join(".kube/plugin")).unwrap();
    let token = token.split("\"token\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    console.press("q");
    assert!(console.ended().success());
    console.is_restored();
    assert!(!String::from_utf8_lossy(&console.bytes()).contains(&token), "the credential is not shown");
}

#[test]
fn ctrl_c_ends_the_plugin_and_not_the_console() {
    let script = "[ -t 0 ] || exit 1; printf 'Password of canary: ' >&2; read answer; credential";
    let console = Console::at(home_with("Always", script), (120, 36));
    console.press("2").shows("needs login: press L");
    console.press("L").shows("Password of canary:").press("\x03");
    console.shows("failed with signal: 2").press("\r").is_entered();
    console.shows("needs login: press L");
}

/// As many slow plugins as could keep every thread of the program waiting, each for a cluster of its own.
#[test]
fn plugins_that_take_their_time_hold_up_neither_a_key_nor_another_cluster() {
    let home = home();
    let file = home.path().join(".kube/config");
    let mut kubeconfig: serde_json::Value =
        serde_saphyr::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let slow = std::thread::available_parallelism().map_or(4, usize::from) + 2;
    let ended = home.path().join("ended");
    let script = format!("sleep 25; echo >> '{}'", ended.display());
    for at in 0..slow {
        // Nobody listens there, and nobody is asked before there is a credential.
        let (name, server) = (format!("slow-{at}"), format!("http://127.0.0.1:{}", at + 1));
        let exec = serde_json::json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh",
            "args": ["-c", script, name], "interactiveMode": "Never"});
        let mut first = |list: &str, entry| kubeconfig[list].as_array_mut().unwrap().insert(at, entry);
        first("clusters", serde_json::json!({"name": name, "cluster": {"server": server}}));
        first("users", serde_json::json!({"name": name, "user": {"exec": exec}}));
        first("contexts", serde_json::json!({"name": name, "context": {"cluster": name, "user": name}}));
    }
    std::fs::write(&file, kubeconfig.to_string()).unwrap();
    let mut console = Console::at(home, (120, 36));
    console.shows(&format!("clusters 2/{} live", slow + 2));
    console.press("2").shows("CLUSTER↑").press("4").shows("PHASE↑");
    assert!(!ended.exists(), "the screen waited for a plugin");
    console.press("q");
    assert!(console.ended().success());
    assert!(!ended.exists(), "the end waited for a plugin");
}
