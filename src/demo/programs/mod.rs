//! What is inside the containers: how long an image takes to pull and to become ready, when it ends and how,
//! and what it writes to its log.
//!
//! The fate of a pod is decided by its image, as in life: `reranker:v0.7.0` crashes wherever it runs, and
//! patching it back heals; a tag that nobody pushed cannot be pulled. Pure: the kubelet asks, the log asks.

mod catalog;
mod log;
mod training;
mod voices;

use serde_json::Value;

use super::json;

pub use catalog::{latest, previous};
pub use log::Log;
pub use training::Training;
pub use voices::{Voice, hash};

/// What a container does once it is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    pub voice: Voice,
    pub pull_seconds: i64,
    pub ready_seconds: i64,
    pub end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It serves until it is stopped.
    Never,
    After {
        seconds: i64,
        exit_code: i64,
        reason: &'static str,
    },
}

impl Program {
    /// The program in a container. `once`: the pod's restartPolicy is not `Always`, so it is meant to end.
    pub fn of(container: &Value, once: bool) -> Program {
        let image = json::text(container, "/image");
        let (name, tag) = split(image);
        let Some(app) = catalog::find(name) else { return foreign(container, once) };
        let mut program =
            Program { voice: app.voice, pull_seconds: app.pull, ready_seconds: app.ready, end: End::Never };
        if app.voice == Voice::Trainer {
            let seconds = Training::of(container).seconds();
            program.end = End::After { seconds, exit_code: 0, reason: "Completed" };
        } else if app.runs > 0 {
            program.end = End::After { seconds: app.runs, exit_code: 0, reason: "Completed" };
        }
        if let Some(flaw) = app.flaws.iter().find(|flaw| flaw.version == tag) {
            program.voice = flaw.voice;
            program.end = End::After { seconds: flaw.after, exit_code: flaw.exit_code, reason: flaw.reason };
        }
        program
    }
}

/// Why an image cannot be pulled; `None` if it can.
pub fn pull_error(image: &str) -> Option<String> {
    let (name, tag) = split(image);
    let app = catalog::find(name)?;
    if app.versions.contains(&tag) && !catalog::not_replicated(image) {
        return None;
    }
    Some(format!(
        "failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {image}: not found"
    ))
}

/// The last part of a repository and the tag: `ml-inference` and `v2.4.1`.
pub fn split(image: &str) -> (&str, &str) {
    let last = image.rsplit('/').next().unwrap_or(image);
    let last = last.split('@').next().unwrap_or(last);
    last.split_once(':').unwrap_or((last, "latest"))
}

/// An image from outside the platform: it serves, or does what its command says (`sleep 30; exit 1`).
fn foreign(container: &Value, once: bool) -> Program {
    let words: Vec<&str> = ["/command", "/args"]
        .into_iter()
        .flat_map(|pointer| json::list(container, pointer))
        .filter_map(Value::as_str)
        .flat_map(str::split_whitespace)
        .map(|word| word.trim_matches(|c: char| c == ';' || c == '"' || c == '\''))
        .collect();
    let after = |word: &str| {
        let place = words.iter().position(|own| *own == word)?;
        words.get(place + 1)?.parse::<i64>().ok().map(|number| number.clamp(0, json::LARGEST))
    };
    let exit_code = after("exit").unwrap_or(0).min(255);
    let seconds = after("sleep").unwrap_or(if exit_code == 0 { 20 } else { 2 });
    let ends = once || exit_code != 0;
    let reason = if exit_code == 0 { "Completed" } else { "Error" };
    let end = if ends { End::After { seconds, exit_code, reason } } else { End::Never };
    Program { voice: if once { Voice::Batch } else { Voice::Agent }, pull_seconds: 2, ready_seconds: 2, end }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_image_decides() {
        let run = |image: &str| Program::of(&json!({"image": image}), false);
        assert_eq!(run("acme.azurecr.io/ml/ml-inference:v2.4.1").end, End::Never);
        assert!(matches!(run("x/reranker:v0.7.0").end, End::After { exit_code: 1, .. }));
        assert!(pull_error("x/ml-inference:v9.9.9").is_some());
        assert_eq!(pull_error("nginx:1.27"), None);
        assert!(pull_error("acmeml.azurecr.io/ml/drift-monitor:v0.9.3").is_some());
        assert_eq!(pull_error("us-central1-docker.pkg.dev/acme-ml/ml/drift-monitor:v0.9.3"), None);
    }

    #[test]
    fn a_foreign_image_does_what_its_command_says() {
        let container = json!({"image": "busybox", "command": ["sh", "-c", "sleep 7; exit 3"]});
        let end = Program::of(&container, true).end;
        assert_eq!(end, End::After { seconds: 7, exit_code: 3, reason: "Error" });
        assert_eq!(Program::of(&json!({"image": "nginx"}), false).end, End::Never);
    }

    #[test]
    fn images_split() {
        assert_eq!(split("registry:5000/ml/a:v1"), ("a", "v1"));
        assert_eq!(split("registry:5000/ml/a"), ("a", "latest"));
        assert_eq!(split("a@sha256:00"), ("a", "latest"));
    }
}
