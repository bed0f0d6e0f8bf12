//! Job kinds as data: where an object keeps its phase, its times, its GPUs.
//!
//! The kinds that come with the program are written in the same language that users write theirs in
//! (`assets/job_kinds.toml`), so there is one reader and one evaluator.

use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use serde_json::Value;

use super::read::{Report, Section, did_you_mean};
use crate::fleet::JobPhase;

#[derive(Debug, Clone, PartialEq)]
pub struct JobKind {
    /// What the screen calls it; Kubernetes' kind unless another kind has the same.
    pub name: String,
    pub group: String,
    /// Served versions that these rules understand, the best first.
    pub versions: Vec<String>,
    pub plural: String,
    /// Rules before all others, for kinds with more than one axis; the first that holds decides.
    pub rules: Vec<PhaseRule>,
    /// Condition types that decide when their status is `True`, in this order.
    pub conditions: Vec<(JobPhase, String)>,
    pub phase: Option<Path>,
    pub phase_map: Vec<(String, JobPhase)>,
    pub reason: Option<Path>,
    pub message: Option<Path>,
    pub start: Option<Path>,
    pub end: Option<Path>,
    pub progress: Option<Path>,
    /// What `progress` says when all is done: 1 or 100.
    pub progress_whole: f64,
    pub gpus: Option<Path>,
    pub workers: Option<Path>,
    /// `workers` counts only when this is true.
    pub workers_if: Option<Path>,
    pub pods: Vec<PodGroup>,
    pub active: Option<Path>,
    pub succeeded: Option<Path>,
    pub failed: Option<Path>,
    pub restarts: Option<Path>,
    pub queue: Option<Path>,
    pub metrics: Option<Path>,
    pub columns: Vec<(String, Path)>,
}

/// If the value at `path` is `is`, the phase is `phase`.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseRule {
    pub path: Path,
    pub is: String,
    pub phase: JobPhase,
}

/// Pods that a spec asks for: for every object at `each`, the product of `count` pods of `template`.
#[derive(Debug, Clone, PartialEq)]
pub struct PodGroup {
    pub each: Path,
    pub count: Vec<Path>,
    /// A pod template, or an object that has the containers' resources itself.
    pub template: Path,
}

/// A JSONPath (RFC 9535), also as Kubernetes writes it: `.status.phase`, `{.spec.x}`.
#[derive(Debug, Clone)]
pub struct Path {
    text: String,
    query: JpQuery,
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Path {
    pub fn parse(text: &str) -> Result<Self, String> {
        let inner = text.trim().trim_start_matches('{').trim_end_matches('}');
        let rooted = if inner.starts_with('$') { inner.to_owned() } else { format!("${inner}") };
        let query = parse_json_path(&rooted).map_err(|_| {
            format!("`{text}` is not a path such as .status.phase or .spec.tasks[*].replicas")
        })?;
        Ok(Self { text: inner.trim_start_matches('$').trim_start_matches('.').to_owned(), query })
    }

    /// As people say it: `status.phase`.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn all<'a>(&self, object: &'a Value) -> Vec<&'a Value> {
        let found = jsonpath_rust::query::js_path_process(&self.query, object);
        found.unwrap_or_default().into_iter().map(jsonpath_rust::query::QueryRef::val).collect()
    }

    pub fn first<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        self.all(object).into_iter().find(|value| !value.is_null())
    }
}

/// The kinds that come with the program.
pub fn built_in() -> Vec<JobKind> {
    let text = include_str!("../../assets/job_kinds.toml");
    let mut kinds = Vec::new();
    let mut report = Report::new(std::path::Path::new("job_kinds.toml"), text);
    report.read(text, |root| root.sections("job_kind", |section| kinds.extend(read(section))));
    debug_assert!(report.mistakes.is_empty(), "{report}");
    kinds
}

pub(super) fn read(section: &mut Section<'_>) -> Option<JobKind> {
    // Read to the end even without its name: all mistakes are told at once.
    let gvk = gvk(section);
    let named = gvk.is_some();
    let (group, version, name) = gvk.unwrap_or_default();
    let mut versions = vec![version];
    versions.extend(section.texts("more_versions").unwrap_or_default());
    let plural = section.text("plural");
    let shown = section.text("name");
    let mut kind = JobKind {
        plural: plural.unwrap_or_else(|| format!("{}s", name.to_ascii_lowercase())),
        name: shown.unwrap_or(name),
        group,
        versions,
        rules: Vec::new(),
        conditions: Vec::new(),
        phase: path(section, "phase"),
        phase_map: Vec::new(),
        reason: path(section, "reason"),
        message: path(section, "message"),
        start: path(section, "start"),
        end: path(section, "end"),
        progress: path(section, "progress"),
        progress_whole: section.number("progress_whole").unwrap_or(1.0),
        gpus: path(section, "gpus"),
        workers: path(section, "workers"),
        workers_if: path(section, "workers_if"),
        pods: Vec::new(),
        active: path(section, "active"),
        succeeded: path(section, "succeeded"),
        failed: path(section, "failed"),
        restarts: path(section, "restarts"),
        queue: path(section, "queue"),
        metrics: path(section, "metrics"),
        columns: columns(section),
    };
    section.sections("rules", |rule| kind.rules.extend(phase_rule(rule)));
    section.sections("pods", |pods| kind.pods.extend(pod_group(pods)));
    section.section("conditions", |section| kind.conditions = conditions(section));
    section.section("phase_map", |section| kind.phase_map = phase_map(section));
    if !["phase", "conditions", "rules"].into_iter().any(|key| section.has(key)) {
        section.mistake_here("nothing tells its phase", "give `phase`, `conditions` or `rules`");
        return None;
    }
    named.then_some(kind)
}

/// `ml.example.com/v1/TrainingJob`.
fn gvk(section: &mut Section<'_>) -> Option<(String, String, String)> {
    let Some(gvk) = section.text_at("gvk") else {
        section.mistake_here("`gvk` is missing", "for example gvk = \"ml.example.com/v1/TrainingJob\"");
        return None;
    };
    let parts: Vec<_> = gvk.value.split('/').collect();
    if let [group, version, kind] = parts[..]
        && ![group, version, kind].contains(&"")
    {
        return Some((group.to_owned(), version.to_owned(), kind.to_owned()));
    }
    let what = format!("`{}` is not GROUP/VERSION/KIND", gvk.value);
    section.mistake(gvk.at, "gvk", what, "for example \"ml.example.com/v1/TrainingJob\"");
    None
}

fn path(section: &mut Section<'_>, key: &'static str) -> Option<Path> {
    section.parsed(key, Path::parse)
}

fn columns(section: &mut Section<'_>) -> Vec<(String, Path)> {
    let Some(columns) = section.texts_at("columns") else { return Vec::new() };
    let mut read = Vec::new();
    for column in columns.value {
        let parsed = column
            .split_once(':')
            .ok_or_else(|| format!("`{column}` is not NAME:PATH"))
            .and_then(|(name, path)| Ok((name.trim().to_owned(), Path::parse(path)?)));
        match parsed {
            Ok(column) => read.push(column),
            Err(what) => section.mistake(columns.at.clone(), "columns", what, ""),
        }
    }
    read
}

fn phase_rule(section: &mut Section<'_>) -> Option<PhaseRule> {
    let (path, is) = (path(section, "path"), section.text("is"));
    let phase = section.parsed("phase", phase);
    if !["path", "is", "phase"].into_iter().all(|key| section.has(key)) {
        section.mistake_here("a rule needs `path`, `is` and `phase`", "");
    }
    Some(PhaseRule { path: path?, is: is?, phase: phase? })
}

fn pod_group(section: &mut Section<'_>) -> Option<PodGroup> {
    let each = path(section, "each");
    let template = path(section, "template");
    let count = section.texts_at("count")?;
    let mut counts = Vec::new();
    for text in count.value {
        match Path::parse(&text) {
            Ok(path) => counts.push(path),
            Err(what) => section.mistake(count.at.clone(), "count", what, ""),
        }
    }
    Some(PodGroup { each: each?, count: counts, template: template? })
}

/// `Failed = "BackoffLimitExceeded"`: phase = condition type, or a list of them.
fn conditions(section: &mut Section<'_>) -> Vec<(JobPhase, String)> {
    let mut conditions = Vec::new();
    for (name, types) in section.entries() {
        match phase(&name.value) {
            Ok(phase) => conditions.extend(types.value.into_iter().map(|kind| (phase, kind))),
            Err(what) => section.mistake(name.at, &name.value, what, ""),
        }
    }
    // What has ended outweighs what merely happened on the way.
    conditions.sort_by_key(|(phase, _)| (!phase.has_ended(), *phase));
    conditions
}

/// `Completed = "Succeeded"`: raw value = phase.
fn phase_map(section: &mut Section<'_>) -> Vec<(String, JobPhase)> {
    let mut map = Vec::new();
    for (raw, phases) in section.entries() {
        match phases.value.first().map_or_else(|| Err("a phase is missing".into()), |name| phase(name)) {
            Ok(phase) => map.push((raw.value, phase)),
            Err(what) => section.mistake(phases.at, &raw.value, what, ""),
        }
    }
    map
}

fn phase(name: &str) -> Result<JobPhase, String> {
    let known = JobPhase::ALL.map(JobPhase::name);
    JobPhase::named(name).ok_or_else(|| format!("`{name}` is not a phase; {}", did_you_mean(name, &known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_that_comes_with_the_program_is_read() {
        let names: Vec<_> = built_in().into_iter().map(|kind| kind.name).collect();
        for name in ["TrainingJob", "JobSet", "TrainJob", "PyTorchJob", "RayJob"] {
            assert!(names.iter().any(|known| known == name), "{name} in {names:?}");
        }
    }

    #[test]
    fn paths_as_kubernetes_and_as_the_standard_write_them() {
        let object = serde_json::json!({
            "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Failed"}]},
            "spec": {"limits": {"nvidia.com/gpu": "8"}},
        });
        for (text, value) in [
            (".status.conditions[0].type", "Ready"),
            ("{.status.conditions[0].type}", "Ready"),
            ("$.status.conditions[?(@.type=='Ready')].status", "True"),
            (".status.conditions[?(@.type==\"Ready\")].status", "True"),
            (".status.conditions[-1:].type", "Failed"),
            (".spec.limits['nvidia.com/gpu']", "8"),
        ] {
            let path = Path::parse(text).unwrap();
            assert_eq!(path.first(&object).and_then(Value::as_str), Some(value), "{text}");
        }
        assert_eq!(Path::parse(".spec.absent").unwrap().first(&object), None);
        assert!(Path::parse(".status[").is_err());
        assert_eq!(Path::parse("{.status.phase}").unwrap().text(), "status.phase");
    }
}
