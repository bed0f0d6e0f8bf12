//! File, environment and arguments → typed values, once.
//!
//! Nothing behind this module reads a configuration file or an environment variable again. A mistake never
//! stops at the first: all of them are told together, each with its line, key and a hint.

pub mod args;
pub mod job_kind;
mod read;
mod sections;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use args::Arguments;
pub use job_kind::JobKind;
pub use read::{Mistake, Report, did_you_mean};

use crate::fleet::{Clean, Rule};
use crate::gate::Policy;
use crate::input::Keymap;
use crate::state::{ClusterSpec, Scope, Settings};

/// Everything that was configured, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it came from; `None` when there is no file.
    pub file: Option<PathBuf>,
    pub fleet_name: Option<Clean>,
    /// Empty: every context of the kubeconfig.
    pub clusters: Vec<ClusterEntry>,
    pub scope: Scope,
    pub settings: Settings,
    pub silenced_rules: Vec<Rule>,
    /// What may be changed, how quickly, and how it is confirmed.
    pub change: Policy,
    pub job_kinds: Vec<JobKind>,
    /// Labels that tell a workload's version, the first that is there.
    pub version_labels: Vec<String>,
    pub ui: Ui,
    pub keymap: Keymap,
    /// The user's own themes by name: their text.
    pub themes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterEntry {
    pub spec: ClusterSpec,
    /// The kubeconfig's context; the cluster's name when not given.
    pub context: String,
    /// Another kubeconfig than the default.
    pub kubeconfig: Option<PathBuf>,
    /// Only these namespaces are read; empty for all.
    pub namespaces: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ui {
    pub theme: Option<String>,
    /// `None`: by the locale.
    pub ascii: Option<bool>,
    pub mouse: bool,
    /// The panel to begin with; `None`: the one that was left last.
    pub panel: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            file: None,
            fleet_name: None,
            clusters: Vec::new(),
            scope: Scope::default(),
            settings: Settings::default(),
            silenced_rules: Vec::new(),
            change: Policy::default(),
            job_kinds: job_kind::built_in(),
            version_labels: ["app.kubernetes.io/version", "model-version", "version"]
                .map(str::to_owned)
                .to_vec(),
            ui: Ui { theme: None, ascii: None, mouse: true, panel: None },
            keymap: Keymap::default(),
            themes: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Reads the text of a configuration file; all its mistakes at once.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Report> {
        let mut config = Self { file: Some(file.to_owned()), ..Self::default() };
        let mut report = Report::new(file, text);
        report.read(text, |root| sections::root(root, &mut config));
        report.into_result(config)
    }

    /// Reads the configured file; without one the default configuration, if no file was asked for.
    pub fn load(explicit: Option<&Path>) -> Result<Self, Report> {
        let path = explicit.map(Path::to_owned).or_else(default_path);
        let Some(path) = path else { return Ok(Self::default()) };
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let mut config = Self::parse(&path, &text)?;
                config.themes = themes(&path);
                Ok(config)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && explicit.is_none() => {
                Ok(Self { themes: themes(&path), ..Self::default() })
            }
            Err(error) => Err(Report::unreadable(&path, &error)),
        }
    }
}

/// `config.toml` in the XDG place.
pub fn default_path() -> Option<PathBuf> {
    Some(directories::ProjectDirs::from("", "", "skydeck")?.config_dir().join("config.toml"))
}

/// Where the console remembers its last panel, theme and sort orders; never the configuration.
pub fn state_path() -> Option<PathBuf> {
    Some(state_folder()?.join("state.json"))
}

/// Where every change is written down before it is made.
pub fn journal_path() -> Option<PathBuf> {
    Some(state_folder()?.join("journal.jsonl"))
}

fn state_folder() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "skydeck")?;
    Some(folders.state_dir().unwrap_or_else(|| folders.data_local_dir()).to_owned())
}

/// Where recordings are kept that were given no file of their own.
pub fn recordings_path() -> Option<PathBuf> {
    Some(state_folder()?.join("recordings"))
}

/// The program's own log, beside that.
pub fn log_path() -> Option<PathBuf> {
    Some(state_path()?.with_file_name("skydeck.log"))
}

/// Files `themes/NAME.toml` beside the configuration. One that cannot be read is told when it is asked for.
fn themes(config: &Path) -> BTreeMap<String, String> {
    let folder = config.parent().map(|folder| folder.join("themes"));
    let files = folder.and_then(|folder| std::fs::read_dir(folder).ok());
    let files = files.into_iter().flatten().flatten().map(|entry| entry.path());
    files
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .filter_map(|path| {
            let name = path.file_stem()?.to_str()?.to_owned();
            Some((name, std::fs::read_to_string(&path).ok()?))
        })
        .collect()
}
