//! Secrets that are planted where the program sees them: in a kubeconfig, in what a plugin prints, in the objects that
//! are changed. None is in anything that is printed or left behind, whatever came of it.

use std::fs;
use std::path::Path;

use serde_json::json;
use skydeck::demo::api::Failure;
use skydeck::demo::resource::Kind;
use skydeck::demo::store::Key;

use crate::plugins::write_script;
use crate::verbs::{Bed, id};

/// The server's token, which the plugin gives.
const TOKEN: &str = "secret";

/// Everything below a folder, with its name.
fn files(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            found.push((path.display().to_string(), text));
        }
    }
}

#[track_caller]
fn nothing_secret(place: &str, text: &str) {
    let is_word = |at: usize| {
        let around = |it: Option<char>| it.is_none_or(|it| !it.is_alphanumeric());
        around(text[..at].chars().next_back()) && around(text[at + TOKEN.len()..].chars().next())
    };
    let token = text.match_indices(TOKEN).find(|(at, _)| is_word(*at)).map(|(at, _)| at);
    if let Some(at) = text.find("canary").or(token) {
        let from = text[..at].char_indices().rev().nth(80).map_or(0, |(at, _)| at);
        let words: String = text[from..].chars().take(200).collect();
        panic!("{place}: …{words}…");
    }
}

/// In every place of the object that a server gives and a plan does not need.
fn plant(bed: &Bed) {
    let store = bed.clusters[0].store();
    let mut web = store.get(Kind::Deployments, &Key::new("a", "web")).unwrap().value().clone();
    web["metadata"]["annotations"]["vault.example.com/role"] = json!("canary-annotation");
    let container = &mut web["spec"]["template"]["spec"]["containers"][0];
    container["env"] = json!([{"name": "PASSWORD", "value": "canary-variable"}]);
    container["args"] = json!(["--token=canary-argument"]);
    store.put(Kind::Deployments, web);
}

/// The kubeconfig's user becomes a plugin that is given secrets and talks of them.
fn with_a_plugin(bed: &Bed) {
    let home = bed.home();
    let file = home.join("one");
    let text = fs::read_to_string(&file).unwrap();
    let mut kubeconfig: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
    kubeconfig["users"][0]["user"] = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "./bin/plugin", "args": ["canary-argument"],
        "env": [{"name": "CANARY", "value": "canary-variable"}], "interactiveMode": "IfAvailable"}});
    fs::write(&file, kubeconfig.to_string()).unwrap();
    let bin = home.join("bin");
    fs::create_dir(&bin).unwrap();
    write_script(&bin.join("plugin"), &bin, &format!("echo canary-words >&2; credential {TOKEN}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_planted_secret_is_in_the_journal_the_log_or_anything_that_is_printed() {
    let bed = Bed::new(&["one"], "");
    with_a_plugin(&bed);
    plant(&bed);
    let mut printed = Vec::new();
    for (line, code) in [
        ("status -o json", 0),
        ("status replicas -o yaml", 0),
        ("doctor -o json", 0),
        ("scale web --replicas 3 --dry-run -n a", 0),
        ("scale web --replicas 3 --yes -n a --reason tested -o json", 0),
        ("restart web --yes -n a -o json", 0),
    ] {
        let ran = bed.run(line).await;
        ran.is(code);
        printed.push((line.to_owned(), ran));
    }
    let change = id(&printed[4].1.document());
    // A server that refuses the credential, and one whose answer is lost.
    bed.clusters[0].seam().fail("dryRun=All", 1, Failure::Status(401));
    let refused = bed.run("scale web --replicas 4 --yes -n a").await;
    assert_ne!(refused.code, 0, "{}", refused.out);
    printed.push(("refused".to_owned(), refused));
    // A server whose words hold somebody else's secrets.
    let words = "calling https://me:canary@hook.example.com/?token=canary: Bearer canary-canary";
    bed.clusters[0].seam().fail("dryRun=All", 1, Failure::Webhook(403, words));
    let refused = bed.run("scale web --replicas 4 --yes -n a").await;
    assert!(
        (refused.out.clone() + &refused.err).contains("hook.example.com"),
        "{} {}",
        refused.out,
        refused.err
    );
    printed.push(("refused by a webhook".to_owned(), refused));
    for what in ["/deployments", "/pods"] {
        bed.clusters[0].seam().fail(what, 1, Failure::Webhook(400, words));
    }
    let listed = bed.run("status -o json").await;
    printed.push(("a list that was refused".to_owned(), listed));
    for line in [
        "journal list -o json".to_owned(),
        format!("journal show {change}"),
        format!("journal export {change}"),
    ] {
        let ran = bed.run(&line).await;
        ran.is(0);
        printed.push((line, ran));
    }
    for (line, ran) in &printed {
        nothing_secret(&format!("printed by {line}"), &(ran.out.clone() + &ran.err));
    }
    let mut left = Vec::new();
    files(&bed.home().join(".local"), &mut left);
    for (name, text) in &left {
        nothing_secret(name, text);
    }
    let told = |end: &str| &left.iter().find(|(name, _)| name.ends_with(end)).unwrap().1;
    assert!(
        told("journal.jsonl").contains("\"sending\""),
        "the journal is written: {}",
        told("journal.jsonl")
    );
    assert!(told("skydeck.log").contains("credential given"), "the log is written: {}", told("skydeck.log"));
}
