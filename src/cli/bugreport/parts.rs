//! What is in a bug report: each part is a text, made so that no secret can be in it.
//!
//! Values of the environment that could hold one are told by their being set. Of a kubeconfig the shape is told, never a
//! value but names and addresses without user and password. Every text is searched for what looks like a credential once
//! more.

use std::path::Path;
use std::time::Duration;

use toml::{Table, Value};

use crate::cli::doctor;
use crate::clients::kube::connect::Connector;
use crate::config::{self, Config, Report};
use crate::fleet::scrub::scrub;
use crate::fleet::{Clean, Unix};
use crate::runtime::log;
use crate::runtime::reload::Setup;
use crate::runtime::terminal::Terminal;
use crate::sources::inventory::{Inventory, Member};

/// What the doctor has not seen by then is not waited for.
const DOCTOR: Duration = Duration::from_secs(20);

/// One file of the report.
pub struct Part {
    pub name: &'static str,
    pub about: String,
    pub bytes: Vec<u8>,
}

impl Part {
    pub fn text(name: &'static str, about: impl Into<String>, text: String) -> Self {
        Self { name, about: about.into(), bytes: without_home(&scrub(text)).into_bytes() }
    }
}

/// Whose home it is is nobody's business.
fn without_home(text: &str) -> String {
    let home = directories::BaseDirs::new().map(|folders| folders.home_dir().display().to_string());
    match home.filter(|home| home.len() > 1) {
        Some(home) => text.replace(&home, "~"),
        None => text.to_owned(),
    }
}

/// Shown as they are: none is a place for a secret.
const SHOWN: [&str; 11] = [
    "TERM",
    "COLORTERM",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "VTE_VERSION",
    "NO_COLOR",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "SKYDECK_LOG",
    "TZ",
];
/// Told by their being set.
const TOLD: [&str; 14] = [
    "TMUX",
    "STY",
    "SSH_CONNECTION",
    "KUBECONFIG",
    "SKYDECK_CONFIG",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "https_proxy",
    "no_proxy",
    "KUBERNETES_SERVICE_HOST",
];

pub fn versions(now: Unix) -> Part {
    let system = rustix::system::uname();
    let word = |text: &std::ffi::CStr| Clean::from(text.to_string_lossy().into_owned());
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let (columns, lines) = Terminal::size();
    let mut text = format!(
        "skydeck     {} ({build}, {}-{})\nsystem      {} {} {}\nterminal    {columns}x{lines}\nat          {}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        word(system.sysname()),
        word(system.release()),
        word(system.machine()),
        now.rfc3339()
    );
    for name in SHOWN {
        let value = std::env::var(name).map_or_else(|_| "(not set)".into(), Clean::from);
        text += &format!("{name:<24} {value}\n");
    }
    for name in TOLD {
        let is_set = std::env::var_os(name).is_some_and(|value| !value.is_empty());
        text += &format!("{name:<24} {}\n", if is_set { "(set)" } else { "(not set)" });
    }
    Part::text("versions.txt", "program, system, terminal, locale; which variables are set", text)
}

/// The configuration without its comments, or where it is wrong.
pub fn configuration(file: Option<&Path>, loaded: &Result<Config, Report>) -> Part {
    const NAME: &str = "configuration.toml";
    match loaded {
        Err(report) => {
            let places = report.mistakes.iter().map(|it| format!("# line {}: {}\n", it.line, it.key));
            let text = places
                .fold("# It is not taken; these are the places of its mistakes.\n".to_owned(), |a, b| a + &b);
            Part::text(NAME, format!("places of {} mistakes, no value", report.mistakes.len()), text)
        }
        Ok(config) => {
            let path = config.file.as_deref().or(file);
            let text =
                path.and_then(|path| std::fs::read_to_string(path).ok()).filter(|_| config.file.is_some());
            let table = text.and_then(|text| text.parse::<Table>().ok());
            let Some(mut table) = table else {
                return Part::text(NAME, "there is none: every default", "# There is no file.\n".into());
            };
            table.iter_mut().for_each(|(_, value)| scrub_values(value));
            let text = format!("# Without comments.\n{table}");
            Part::text(NAME, "as it is set, without comments", text)
        }
    }
}

fn scrub_values(value: &mut Value) {
    match value {
        Value::String(text) => *text = scrub(std::mem::take(text)).into_owned(),
        Value::Array(list) => list.iter_mut().for_each(scrub_values),
        Value::Table(table) => table.iter_mut().for_each(|(_, value)| scrub_values(value)),
        _ => {}
    }
}

/// How many clusters there are, where, and with which kind of credential.
pub fn kubeconfig(files: &[std::path::PathBuf], found: &Result<Inventory, String>) -> Part {
    let mut text = String::new();
    for file in files {
        let state = if file.exists() { "" } else { " (not there)" };
        text += &format!("file        {}{state}\n", file.display());
    }
    let about = match found {
        Err(words) => {
            text += &format!("no clusters: {words}\n");
            "no clusters".to_owned()
        }
        Ok(inventory) => {
            inventory.broken.iter().for_each(|reason| text += &format!("not read    {reason}\n"));
            let connector = Connector::of_environment();
            inventory.members.iter().for_each(|member| text += &shape(member, &connector));
            format!("{} clusters: address and kind of credential, no value", inventory.members.len())
        }
    };
    Part::text("kubeconfig.txt", about, text)
}

fn shape(member: &Member, connector: &Connector) -> String {
    let name = &member.spec.name;
    let connected = member.target.as_ref().map_err(Clone::clone).and_then(|it| connector.connect(it));
    match connected {
        Err(fault) => format!("cluster     {name}: {fault}\n"),
        Ok(connected) => {
            let it = connected.connection;
            let proxy = it.proxy.map_or_else(String::new, |proxy| format!(", proxy {proxy}"));
            let insecure = if it.insecure { ", certificate not checked" } else { "" };
            format!(
                "cluster     {name}: context {}, {}, credential {}{proxy}{insecure}\n",
                it.context, it.server, it.credential
            )
        }
    }
}

pub fn log_tail() -> Part {
    const NAME: &str = "log.txt";
    let tail =
        config::log_path().ok_or_else(|| "there is no state folder".into()).and_then(|path| log::tail(&path));
    match tail {
        Ok(lines) => {
            let about = format!("the last {} lines of the program's own log", lines.len());
            Part::text(NAME, about, lines.iter().fold(String::new(), |text, line| text + line + "\n"))
        }
        Err(reason) => Part::text(NAME, "there is no log", format!("{reason}\n")),
    }
}

/// What `skydeck doctor` says, if it is quick.
pub async fn doctor(setup: Result<Setup, String>, now: Unix) -> Part {
    const NAME: &str = "doctor.txt";
    let setup = match setup {
        Ok(setup) => setup,
        Err(words) => return Part::text(NAME, "there is nothing to look at", format!("{words}\n")),
    };
    let report = tokio::time::timeout(DOCTOR, doctor::examine(setup, now)).await;
    let late = || format!("it was not done within {} s\n", DOCTOR.as_secs());
    let (about, text) = report.map_or_else(
        |_| ("it was not done in time", late()),
        |report| ("what `skydeck doctor` says", doctor::text(&report)),
    );
    Part::text(NAME, about, text)
}
