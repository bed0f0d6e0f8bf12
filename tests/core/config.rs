//! The configuration: the example loads and is complete; every mistake is told, all at once.

use std::fs;
use std::path::{Path, PathBuf};

use skydeck::config::Config;
use skydeck::fleet::{Age, Rule};
use skydeck::input::{Action, Resolved};
use skydeck::state::GroupBy;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(Path::new("config.toml"), text).map_err(|report| report.to_string())
}

/// The example with everything that is commented out switched on.
fn example() -> String {
    let text = fs::read_to_string(root().join("config.example.toml")).unwrap();
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        // Prose has a space behind its sign, settings have none.
        Some(setting) if !setting.starts_with(' ') && !setting.is_empty() => setting,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_loads_as_it_is_and_with_everything_switched_on() {
    let as_it_is = fs::read_to_string(root().join("config.example.toml")).unwrap();
    parse(&as_it_is).unwrap();
    let config = parse(&example()).unwrap();
    assert_eq!(config.clusters.len(), 2);
    assert_eq!(config.fleet_name.as_deref(), Some("acme-ml"));
    assert!(!config.silenced_rules.is_empty());
}

/// Every key that the program asks for stands in the example, so it cannot become incomplete.
#[test]
fn the_example_names_every_key() {
    let example = example();
    let sources = ["src/config/sections.rs", "src/config/job_kind.rs"];
    for source in sources {
        let code = fs::read_to_string(root().join(source)).unwrap();
        let code = code.split("#[cfg(test)]").next().unwrap();
        for (method, end) in
            [("section.", ""), ("root.", ""), ("path(section, ", ""), ("age(", ""), ("names(", "")]
        {
            let _ = end;
            for part in code.split(method).skip(1) {
                let asks =
                    method.starts_with("path") || method.starts_with("age") || method.starts_with("names");
                let asks = asks
                    || ["text", "boolean", "number", "age", "parsed", "one_of", "section", "has"]
                        .iter()
                        .any(|it| part.starts_with(it));
                let Some(key) = part.split('"').nth(1).filter(|_| asks && part.find('"') < Some(30)) else {
                    continue;
                };
                assert!(
                    example.lines().any(|line| {
                        let line = line.trim_start().trim_start_matches(['[', '{', ' ']);
                        line.starts_with(&format!("{key} ="))
                            || line.starts_with(&format!("{key}]"))
                            || line.contains(&format!(" {key} ="))
                            || line.contains(&format!(".{key}]"))
                    }),
                    "{source}: `{key}` is not in config.example.toml"
                );
            }
        }
    }
}

#[test]
fn every_mistake_is_told_with_its_line_and_key() {
    for entry in fs::read_dir(root().join("tests/core/config")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|it| it != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let report = parse(&text).expect_err(&format!("{} has no mistake", path.display()));
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        insta::assert_snapshot!(format!("config_{name}"), report);
    }
}

#[test]
fn nothing_configured_is_the_default() {
    let config = parse("").unwrap();
    assert!(config.clusters.is_empty());
    assert!(!config.job_kinds.is_empty());
}

#[test]
fn settings_arrive_where_they_are_meant_to() {
    let config = parse(
        "
[[cluster]]
name = 'a'
context = 'b'
cloud = 'aws'
namespaces = ['x', 'y']
read_only = true
colour = 3
[replicas]
group_by = 'label:app.kubernetes.io/name'
strip_endings = '-aws'
[policy]
pending_after = '5m'
silenced_findings = ['job-failed']
[keys]
quit = 'ctrl-q'
help = []
",
    )
    .unwrap();
    let cluster = &config.clusters[0];
    assert_eq!((cluster.context.as_str(), cluster.spec.tint), ("b", Some(2)));
    assert!(cluster.spec.read_only);
    assert_eq!(config.settings.grouping.by, GroupBy::Label("app.kubernetes.io/name".into()));
    assert_eq!(config.settings.pending_after, Age(300));
    assert_eq!(config.silenced_rules, [Rule::JobFailed]);
    let resolve = |key: &str| config.keymap.resolve(&[], &key.parse::<skydeck::input::Chord>().unwrap().0);
    assert_eq!(resolve("ctrl-q"), Resolved::Action(Action::Quit));
    assert_eq!(resolve("q"), Resolved::Unknown);
    assert_eq!(resolve("?"), Resolved::Unknown);
}

#[test]
fn two_actions_may_change_places() {
    let config = parse("[keys]\nfilter = 'o'\nsort-next = '/'").unwrap();
    let resolve = |key: &str| {
        config
            .keymap
            .resolve(&[skydeck::input::Context::Panel], &key.parse::<skydeck::input::Chord>().unwrap().0)
    };
    assert_eq!(resolve("o"), Resolved::Action(Action::Filter));
    assert_eq!(resolve("/"), Resolved::Action(Action::SortNext));
}

#[test]
fn a_job_kind_of_ones_own_replaces_the_built_in_one() {
    let config =
        parse("[[job_kind]]\ngvk = 'ml.example.com/v1/TrainingJob'\nphase = '.status.state'").unwrap();
    let kinds: Vec<_> = config.job_kinds.iter().filter(|kind| kind.name == "TrainingJob").collect();
    assert_eq!(kinds.len(), 1);
    assert_eq!(kinds[0].phase.as_ref().unwrap().text(), "status.state");
}

#[test]
fn a_file_that_was_asked_for_must_be_there() {
    let report = Config::load(Some(Path::new("/nowhere/config.toml"))).unwrap_err().to_string();
    assert!(report.contains("/nowhere/config.toml") && report.contains("--config"), "{report}");
}
