//! The README says what is so: its keys come from the table of actions, its commands are understood, its
//! fields are those of the documents.
//!
//! `SKYDECK_WRITE_README=1 cargo test --test core readme` writes the table of keys anew.

use std::fs;
use std::path::PathBuf;

use clap::Parser;
use serde_json::Value;
use skydeck::cli::status::document;
use skydeck::config::args::Arguments;
use skydeck::input::{ACTIONS, Context};

use crate::world::fleet;

const BEGIN: &str =
    "<!-- keys: made from the table of actions; SKYDECK_WRITE_README=1 cargo test --test core readme -->\n";
const END: &str = "<!-- end of keys -->";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

fn readme() -> String {
    fs::read_to_string(path()).unwrap()
}

fn table_of_keys() -> String {
    let mut table = String::from("\n| Keys | Where | What |\n|---|---|---|\n");
    for context in [
        Context::Everywhere,
        Context::Panel,
        Context::Inspect,
        Context::Text,
        Context::Logs,
        Context::Picker,
        Context::Replay,
    ] {
        for row in ACTIONS.iter().filter(|row| row.context == context) {
            let keys: Vec<_> =
                row.keys.iter().map(|keys| format!("`{}`", keys.replace('|', "\\|"))).collect();
            let keys = if keys.is_empty() { format!("`:{}`", row.name) } else { keys.join(" ") };
            table += &format!("| {keys} | {} | {} |\n", context.name(), row.doc);
        }
    }
    table + "\n"
}

#[test]
fn its_keys_are_those_of_the_program() {
    let text = readme();
    let (before, rest) = text.split_once(BEGIN).expect("the mark before the keys");
    let (keys, after) = rest.split_once(END).expect("the mark behind the keys");
    if std::env::var_os("SKYDECK_WRITE_README").is_some() {
        fs::write(path(), format!("{before}{BEGIN}{}{END}{after}", table_of_keys())).unwrap();
    } else {
        assert_eq!(keys, table_of_keys(), "write it anew as the first lines of this file say");
    }
}

/// Every command in a block of shell text.
fn commands(text: &str) -> Vec<String> {
    let blocks = text.split("```sh\n").skip(1).filter_map(|block| block.split_once("```"));
    let lines = blocks.flat_map(|(block, _)| block.lines().map(str::to_owned).collect::<Vec<_>>());
    lines.filter(|line| !line.trim().is_empty() && !line.starts_with('#')).collect()
}

#[test]
fn its_commands_are_understood() {
    let text = readme();
    let mut understood = 0;
    for line in commands(&text) {
        let line = line.replace("cargo run --release --", "skydeck");
        if line.starts_with("skydeck") {
            let words = line.split(" > ").next().unwrap().split_whitespace();
            Arguments::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
            understood += 1;
        }
    }
    assert!(understood >= 8, "only {understood} commands were found");
}

#[test]
fn the_first_commands_are_the_demo_and_the_tests() {
    let commands = commands(&readme());
    assert_eq!(commands[..2], ["cargo run --release -- --demo", "cargo test"]);
}

#[test]
fn it_documents_every_field_and_kind_of_the_documents() {
    let world = fleet();
    let text = readme();
    for document in [
        serde_json::to_value(document::clusters(&world.state)).unwrap(),
        serde_json::to_value(document::replicas(&world.state)).unwrap(),
        serde_json::to_value(document::jobs(&world.state)).unwrap(),
        serde_json::to_value(document::traffic(&world.state)).unwrap(),
        serde_json::to_value(document::attention(&world.state)).unwrap(),
    ] {
        let kind = document["kind"].as_str().unwrap();
        let row = text.lines().find(|line| line.starts_with(&format!("| `{kind}`"))).expect(kind);
        assert!(!document["items"].as_array().unwrap().is_empty(), "{kind} has nothing to look at");
        for field in fields(&document["items"]) {
            assert!(row.contains(&format!("`{field}`")), "{kind}.{field} is not in the README");
        }
        assert!(document.as_object().unwrap().keys().all(|field| text.contains(&format!("`{field}"))));
    }
}

/// The names of all fields, but for maps whose keys are data.
fn fields(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(fields).collect(),
        Value::Object(map) => map
            .iter()
            .flat_map(|(name, value)| {
                let data = matches!(
                    name.as_str(),
                    "metrics" | "columns" | "pods" | "gpus" | "autoscaler" | "gpusPerReplica"
                );
                let below = if data { Vec::new() } else { fields(value) };
                std::iter::once(name.clone()).chain(below)
            })
            .collect(),
        _ => Vec::new(),
    }
}
