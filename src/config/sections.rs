//! The parts of the configuration file, one function each.

use std::path::PathBuf;

use super::read::{Section, did_you_mean};
use super::{ClusterEntry, Config, job_kind};
use crate::fleet::{Clean, Rule};
use crate::input::{ACTIONS, Action, Chord};
use crate::state::{ClusterSpec, GroupBy};
use crate::ui::theme::TINTS;

pub(super) fn root(root: &mut Section<'_>, config: &mut Config) {
    config.fleet_name = root.text("fleet").map(Clean::from);
    root.sections("cluster", |section| cluster(section, config));
    root.section("scope", |section| scope(section, config));
    root.section("replicas", |section| replicas(section, config));
    root.section("policy", |section| policy(section, config));
    root.section("change", |section| change(section, config));
    root.sections("job_kind", |section| {
        if let Some(kind) = job_kind::read(section) {
            // The user's rules for a kind replace the built-in ones.
            config.job_kinds.retain(|known| (&known.group, &known.name) != (&kind.group, &kind.name));
            config.job_kinds.push(kind);
        }
    });
    root.section("ui", |section| ui(section, config));
    root.section("keys", |section| keys(section, config));
}

fn cluster(section: &mut Section<'_>, config: &mut Config) {
    let name = section.text_at("name");
    let shown = name.as_ref().map(|name| name.value.clone()).unwrap_or_default();
    let context = section.text("context").unwrap_or_else(|| shown.clone());
    let spec = ClusterSpec {
        cloud: section.text("cloud").map(Clean::from),
        region: section.text("region").map(Clean::from),
        environment: section.text("environment").map(Clean::from),
        tint: tint(section),
        read_only: section.boolean("read_only").unwrap_or(false),
        name: Clean::from(shown),
    };
    let entry = ClusterEntry {
        context,
        kubeconfig: section.text("kubeconfig").map(|path| expand_home(&path)),
        namespaces: section.texts("namespaces").unwrap_or_default(),
        spec,
    };
    let Some(name) = name else {
        section.mistake_here("`name` is missing", "give each cluster the name that is shown");
        return;
    };
    if name.value.is_empty() {
        section.mistake(name.at, "name", "is empty", "");
    } else if config.clusters.iter().any(|known| known.spec.name == entry.spec.name) {
        let what = format!("a cluster `{}` stands above already", name.value);
        section.mistake(name.at, "name", what, "names must differ");
    } else {
        config.clusters.push(entry);
    }
}

fn tint(section: &mut Section<'_>) -> Option<u8> {
    let number = section.number("colour")?;
    if number.fract() == 0.0 && (1.0..=f64::from(TINTS)).contains(&number) {
        return Some(number as u8 - 1);
    }
    section.mistake_here(format!("`colour` is a number from 1 to {TINTS}"), "themes say how each looks");
    None
}

fn scope(section: &mut Section<'_>, config: &mut Config) {
    let mut names = |key| {
        let names = section.texts(key).unwrap_or_default();
        names.into_iter().map(Clean::from).collect()
    };
    config.scope.hidden_clouds = names("hide_clouds");
    config.scope.hidden_clusters = names("hide_clusters");
    config.scope.hidden_namespaces = names("hide_namespaces");
}

fn replicas(section: &mut Section<'_>, config: &mut Config) {
    let grouping = &mut config.settings.grouping;
    let by = section.parsed("group_by", |text| match text {
        "namespace/name" => Ok(GroupBy::NamespaceAndName),
        "name" => Ok(GroupBy::Name),
        label => label
            .strip_prefix("label:")
            .filter(|label| !label.is_empty())
            .map(|label| GroupBy::Label(label.to_owned()))
            .ok_or_else(|| format!("`{text}` is none of \"namespace/name\", \"name\", \"label:KEY\"")),
    });
    grouping.by = by.unwrap_or(grouping.by.clone());
    grouping.strip = section.texts("strip_endings").unwrap_or_default();
    if let Some(labels) = section.texts("version_labels") {
        config.version_labels = labels;
    }
}

fn policy(section: &mut Section<'_>, config: &mut Config) {
    let settings = &mut config.settings;
    let mut age = |key, place: &mut crate::fleet::Age| {
        if let Some(age) = section.age(key) {
            *place = age;
        }
    };
    age("stale_after", &mut settings.stale_after);
    age("replicas_short_after", &mut settings.replicas_short_after);
    age("pending_after", &mut settings.pending_after);
    age("no_progress_after", &mut settings.no_progress_after);
    age("failed_job_for", &mut settings.failed_job_for);
    age("certificate_warning", &mut settings.certificate_warning);
    let Some(silenced) = section.texts_at("silenced_findings") else { return };
    let known: Vec<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    for name in silenced.value {
        match Rule::ALL.into_iter().find(|rule| rule.name() == name) {
            Some(rule) => config.silenced_rules.push(rule),
            None => section.mistake(
                silenced.at.clone(),
                "silenced_findings",
                format!("there is no finding `{name}`"),
                did_you_mean(&name, &known),
            ),
        }
    }
}

fn change(section: &mut Section<'_>, config: &mut Config) {
    let policy = &mut config.change;
    if let Some(words) = section.texts("production") {
        policy.production = words;
    }
    if let Some(label) = section.text("production_label") {
        policy.production_label = label;
    }
    let mut age = |key, place: &mut crate::fleet::Age| {
        if let Some(age) = section.age(key) {
            *place = age;
        }
    };
    age("unlock_for", &mut policy.unlock_for);
    age("step_every", &mut policy.step_every);
    age("bake", &mut policy.bake);
    age("rollout_deadline", &mut policy.rollout_deadline);
    age("plan_expiry", &mut policy.plan_expiry);
    policy.floor = whole(section, "floor", (0, 10_000)).unwrap_or(policy.floor);
    policy.largest_step = whole(section, "largest_step", (1, 100)).unwrap_or(policy.largest_step);
    policy.allow_insecure = section.boolean("allow_insecure").unwrap_or(policy.allow_insecure);
}

/// A whole number between two others.
fn whole(section: &mut Section<'_>, key: &'static str, (least, most): (u32, u32)) -> Option<u32> {
    let number = section.number(key)?;
    if number.fract() == 0.0 && (f64::from(least)..=f64::from(most)).contains(&number) {
        return Some(number as u32);
    }
    section.mistake_here(format!("`{key}` is a whole number from {least} to {most}"), "");
    None
}

const PANELS: [(&str, &str); 6] = [
    ("fleet", "fleet"),
    ("clusters", "clusters"),
    ("jobs", "jobs"),
    ("replicas", "replicas"),
    ("traffic", "traffic"),
    ("journal", "journal"),
];

fn ui(section: &mut Section<'_>, config: &mut Config) {
    config.ui.theme = section.text("theme");
    config.ui.ascii = section.boolean("ascii");
    config.ui.mouse = section.boolean("mouse").unwrap_or(true);
    config.ui.panel = section.one_of("panel", &PANELS).map(str::to_owned);
}

fn keys(section: &mut Section<'_>, config: &mut Config) {
    let mut rebound: Vec<(Action, Vec<Chord>, std::ops::Range<usize>)> = Vec::new();
    for (name, chords) in section.entries() {
        let Some(action) = Action::named(&name.value) else {
            let known: Vec<_> = ACTIONS.iter().map(|row| row.name).collect();
            let hint = did_you_mean(&name.value, &known);
            section.mistake(name.at, &name.value, "there is no such action", hint);
            continue;
        };
        let parsed: Result<Vec<Chord>, String> = chords.value.iter().map(|chord| chord.parse()).collect();
        match parsed {
            Ok(parsed) => rebound.push((action, parsed, chords.at)),
            Err(what) => section.mistake(chords.at, &name.value, what, ""),
        }
    }
    // First everything that moves lets go of its keys, so that two actions can change places.
    for (action, ..) in &rebound {
        let _ = config.keymap.rebind(*action, Vec::new());
    }
    for (action, chords, at) in rebound {
        if let Err(clash) = config.keymap.rebind(action, chords) {
            let first = clash.first.row().name;
            let what = format!("`{}` is the key of `{first}` already", clash.chord);
            section.mistake(at, action.row().name, what, format!("give `{first}` another key too"));
        }
    }
}

/// `~/x` as shells read it.
fn expand_home(path: &str) -> PathBuf {
    let home = directories::BaseDirs::new();
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.home_dir().join(rest),
        _ => PathBuf::from(path),
    }
}
