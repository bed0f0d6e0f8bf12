//! The verbs, one file each. They print what the panels show, from the same selectors.

mod bugreport;
pub mod change;
mod console;
mod demo;
pub mod doctor;
mod files;
mod init;
pub mod journal;
mod kinds;
mod looks;
mod replay;
mod shell;
mod snapshot;
pub mod status;
mod traffic;

use std::path::Path;
use std::process::ExitCode;

use change::Asked;
use color_eyre::eyre::{Result, bail};
use demo::Demo;
use files::Files;

use crate::config::args::Verb;
use crate::config::args::journal::{AnyVerb, Journal};
use crate::config::{self, Arguments};
use crate::runtime::log::{self, Log};
use crate::runtime::{limits, panic};

/// Everything that can be asked of the program; the exit code says how it went.
pub fn main(arguments: &Arguments) -> ExitCode {
    if let Err(error) = panic::install() {
        return failed(&error);
    }
    match panic::guarded(|| run(arguments)) {
        Some(Ok(code)) => ExitCode::from(code),
        Some(Err(error)) => failed(&error),
        None => ExitCode::from(101),
    }
}

fn run(arguments: &Arguments) -> Result<u8> {
    match &arguments.verb {
        Some(Verb::Completions { shell }) => return shell::completions(*shell),
        Some(Verb::Man { verb }) => return shell::manual(verb),
        Some(Verb::Journal(args)) => {
            if let AnyVerb::Look(verb) = &args.verb {
                return journal::run(verb);
            }
        }
        _ => {}
    }
    let global = &arguments.global;
    if arguments.verb.is_some() && (global.replay.is_some() || global.record.is_some()) {
        bail!("`--record` and `--replay` are of the console, not of a verb");
    }
    if let Some(recording) = &global.replay {
        return replay::run(global, recording);
    }
    if let Some(Verb::Bugreport(args)) = &arguments.verb {
        return bugreport::run(global, args);
    }
    let log_file = config::log_path();
    let _log = log_file.as_deref().and_then(start_log);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "begins");
    let demo = global.demo.then(|| Demo::start(global)).transpose()?;
    let files = Files::new(global, demo.as_ref());
    let mut setup = match &arguments.verb {
        // What is written anew is not read.
        Some(Verb::Init(_)) => files.read_kubeconfigs()?,
        _ => files.read()?,
    };
    if let Some(demo) = &demo {
        setup.inventory.notices = vec![demo.notice()];
    }
    limits::raise_open_files();
    let runtime = tokio::runtime::Runtime::new()?;
    let ended = runtime.block_on(async {
        match (&arguments.verb, global.snapshot) {
            (Some(Verb::Status(args)), _) => status::run(args, setup).await,
            (Some(Verb::Scale(args)), _) => change::run(Asked::Scale(args), setup, files.journal()).await,
            (Some(Verb::Restart(args)), _) => change::run(Asked::Restart(args), setup, files.journal()).await,
            (Some(Verb::Traffic(args)), _) => traffic::run(args, setup, files.journal()).await,
            (Some(Verb::Journal(Journal { verb: AnyVerb::Change(verb) })), _) => {
                change::run(Asked::of_journal(verb), setup, files.journal()).await
            }
            (Some(Verb::Init(args)), _) => init::run(global, args, setup).await,
            (Some(Verb::Doctor { output }), _) => doctor::run(*output, setup).await,
            (_, Some(format)) => snapshot::run(global, format, setup).await,
            _ => Box::pin(console::run(global, setup, files, log_file)).await,
        }
    });
    // Tasks that hang in a library must not keep the program from ending.
    runtime.shutdown_background();
    ended
}

/// A log that cannot be written keeps nobody from working; whoever asked for one is told.
fn start_log(path: &Path) -> Option<Log> {
    let filter = std::env::var("SKYDECK_LOG").ok();
    let started = log::start(path, filter.as_deref());
    if let (Err(reason), Some(_)) = (&started, &filter) {
        complain(&format!("no log is written: {reason}"));
    }
    started.ok()
}

fn failed(error: &color_eyre::Report) -> ExitCode {
    complain(&format!("{error:#}"));
    ExitCode::from(2)
}

#[expect(clippy::print_stderr, reason = "errors are told where errors are looked for")]
fn complain(words: &str) {
    eprintln!("skydeck: {words}");
}
