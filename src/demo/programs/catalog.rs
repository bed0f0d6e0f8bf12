//! The images of the platform: which versions were pushed, how they behave, and which release went wrong.

use super::voices::Voice;

#[derive(Debug)]
pub struct App {
    pub name: &'static str,
    /// Oldest first; the last is what the platform runs.
    pub versions: &'static [&'static str],
    pub voice: Voice,
    /// Seconds to pull, and from start to ready.
    pub pull: i64,
    pub ready: i64,
    /// Seconds until it ends by itself; 0: never.
    pub runs: i64,
    pub flaws: &'static [Flaw],
}

/// A version that does not do what it should.
#[derive(Debug)]
pub struct Flaw {
    pub version: &'static str,
    pub after: i64,
    pub exit_code: i64,
    pub reason: &'static str,
    pub voice: Voice,
}

const SERVICE: App =
    App { name: "", versions: &[], voice: Voice::Service, pull: 2, ready: 3, runs: 0, flaws: &[] };

static APPS: &[App] = &[
    App {
        name: "ml-inference",
        versions: &["v2.3.0", "v2.3.1", "v2.4.0", "v2.4.1"],
        voice: Voice::ModelServer,
        pull: 5,
        ready: 8,
        ..SERVICE
    },
    App {
        name: "llm-serve",
        versions: &["v0.8.0", "v0.8.1", "v0.8.2"],
        voice: Voice::LlmServer,
        pull: 7,
        ready: 14,
        ..SERVICE
    },
    App {
        name: "embedding-api",
        versions: &["v1.8.3", "v1.9.0", "v1.9.1"],
        voice: Voice::ModelServer,
        ..SERVICE
    },
    App { name: "feature-store", versions: &["v3.1.3", "v3.1.4", "v3.2.0"], ..SERVICE },
    App { name: "model-registry", versions: &["v1.11.2", "v1.12.0", "v1.12.1"], ..SERVICE },
    App { name: "inference-gateway", versions: &["v0.14.0", "v0.14.1", "v0.15.0"], ..SERVICE },
    App {
        name: "reranker",
        versions: &["v0.6.2", "v0.7.0"],
        voice: Voice::ModelServer,
        ready: 5,
        flaws: &[Flaw {
            version: "v0.7.0",
            after: 4,
            exit_code: 1,
            reason: "Error",
            voice: Voice::CrashMissingTokenizer,
        }],
        ..SERVICE
    },
    App { name: "drift-monitor", versions: &["v0.9.2", "v0.9.3"], ..SERVICE },
    App { name: "experiment-tracker", versions: &["v2.20.3", "v2.21.0"], ..SERVICE },
    App { name: "batch-scorer", versions: &["v1.3.0", "v1.4.0"], voice: Voice::Queue, ..SERVICE },
    App {
        name: "ml-trainer",
        versions: &["v1.7.2", "v1.8.0", "v1.9.0-rc1"],
        voice: Voice::Trainer,
        pull: 6,
        ready: 0,
        flaws: &[Flaw {
            version: "v1.9.0-rc1",
            after: 25,
            exit_code: 1,
            reason: "Error",
            voice: Voice::CrashGpuMemory,
        }],
        ..SERVICE
    },
    App { name: "data-prep", versions: &["v0.5.0"], voice: Voice::Batch, ready: 0, runs: 90, ..SERVICE },
    App { name: "model-eval", versions: &["v0.5.0"], voice: Voice::Batch, ready: 0, runs: 45, ..SERVICE },
    App {
        name: "feature-backfill",
        versions: &["v3.1.4"],
        voice: Voice::Batch,
        ready: 0,
        runs: 35,
        ..SERVICE
    },
    App {
        name: "model-server",
        versions: &["v1.0.0", "v1.1.0", "v1.2.0"],
        voice: Voice::ModelServer,
        ..SERVICE
    },
];

/// Tags that one registry never got: part of its host, application, version.
static NOT_REPLICATED: &[(&str, &str)] = &[("azurecr.io", "drift-monitor:v0.9.3")];

pub fn find(name: &str) -> Option<&'static App> {
    APPS.iter().find(|app| app.name == name)
}

pub fn not_replicated(image: &str) -> bool {
    NOT_REPLICATED.iter().any(|(host, tag)| image.contains(host) && image.ends_with(tag))
}

/// The version of an application that a healthy cluster runs.
pub fn latest(name: &str) -> &'static str {
    good(name).last().copied().unwrap_or("v1.0.0")
}

/// The one before it.
pub fn previous(name: &str) -> &'static str {
    good(name).iter().rev().nth(1).copied().unwrap_or_else(|| latest(name))
}

fn good(name: &str) -> Vec<&'static str> {
    let Some(app) = find(name) else { return Vec::new() };
    let flawed = |version: &str| app.flaws.iter().any(|flaw| flaw.version == version);
    app.versions.iter().copied().filter(|version| !flawed(version)).collect()
}
