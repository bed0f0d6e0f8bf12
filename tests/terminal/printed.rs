//! What goes to the standard output, for pictures and for those who begin.

use std::process::{Command, Output};

use crate::console::home;

fn skydeck(home: &std::path::Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skydeck"));
    command.args(arguments).env_clear().env("HOME", home).env("LANG", "C.UTF-8").output().unwrap()
}

#[test]
fn a_snapshot_is_the_screen_as_text_or_as_a_picture() {
    let home = home();
    let text = skydeck(home.path(), &["--snapshot", "text", "--size", "100x30", "--panel", "jobs"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("clusters 2/2 live") && text.contains("PHASE↑"), "{text}");
    assert_eq!(text.lines().count(), 30);
    assert!(text.lines().all(|line| line.chars().count() <= 100) && !text.contains('\x1b'));
    let svg = skydeck(home.path(), &["--snapshot", "svg", "--size", "120x36"]);
    let svg = String::from_utf8(svg.stdout).unwrap();
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg}");
    assert!(svg.contains("Needs attention"));
    assert_eq!(svg.matches("<tspan").count(), svg.matches("</tspan>").count(), "what is opened is closed");
}

#[test]
fn without_a_kubeconfig_it_says_what_to_do() {
    let nothing = tempfile::tempdir().unwrap();
    for arguments in [&["status"][..], &[][..]] {
        let output = skydeck(nothing.path(), arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(".kube/config") && error.contains("skydeck --demo"), "{error}");
    }
}

#[test]
fn without_a_terminal_it_names_what_prints() {
    let home = home();
    let output = skydeck(home.path(), &[]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(error.contains("skydeck status") && error.contains("--snapshot"), "{error}");
}

#[test]
fn a_broken_kubeconfig_beside_a_good_one_is_told_and_changes_the_exit_code() {
    let home = home();
    let broken = home.path().join("broken");
    std::fs::write(&broken, "clusters: [canary").unwrap();
    let list = format!("{}:{}", home.path().join(".kube/config").display(), broken.display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_skydeck"));
    let output = command.arg("status").env("KUBECONFIG", list).env("HOME", home.path()).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("broken") && !error.contains("canary"), "{error}");
    assert_eq!(output.status.code(), Some(5));
}

#[test]
fn a_configuration_to_begin_with_is_written_once_and_leads_to_the_same_clusters() {
    let home = home();
    let written = skydeck(home.path(), &["init"]);
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let path = home.path().join(".config/skydeck/config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("name = \"aws-east\"") && text.contains("EKS 1.33, aws, us-east-1"), "{text}");
    let clusters = skydeck(home.path(), &["status"]);
    assert!(clusters.status.success() && String::from_utf8_lossy(&clusters.stdout).contains("gcp-central"));
    std::fs::write(&path, "mine = [").unwrap();
    let refused = skydeck(home.path(), &["init"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--force"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine = [");
    assert!(skydeck(home.path(), &["init", "--force"]).status.success(), "also over one that is broken");
    assert!(std::fs::read_to_string(&path).unwrap().contains("aws-east"));
}
