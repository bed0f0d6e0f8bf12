//! `--replay`: a recording on the screen, or one moment of it on the standard output. No kubeconfig is read, no
//! connection is opened.

use std::io::{Write, stdout};
use std::path::Path;

use color_eyre::eyre::{Result, bail};

use super::console::check_terminal;
use super::looks::{self, Looks};
use super::snapshot;
use crate::app::{Prefs, prefs};
use crate::config::Config;
use crate::config::args::{Global, SnapshotFormat};
use crate::runtime::player::{self, Pace};
use crate::runtime::record::read::Recording;
use crate::runtime::replay::Replay;

pub fn run(global: &Global, path: &Path) -> Result<u8> {
    let recording = Recording::open(path)?;
    // Only how it looks is taken from the configuration.
    let config = Config::load(global.config.as_deref())?;
    match global.snapshot {
        Some(format) => picture(global, &config, &recording, format),
        None => show(global, &config, &recording),
    }
}

/// The screen as it was at a moment, at the end if none is given.
fn picture(global: &Global, config: &Config, recording: &Recording, format: SnapshotFormat) -> Result<u8> {
    let (themes, glyphs, reason) =
        looks::chosen(global, config, &Prefs::default(), snapshot::looks_of(format));
    if let Some(reason) = reason {
        bail!(reason);
    }
    let at = global.at.unwrap_or(recording.end());
    if at > recording.end() {
        bail!("the recording ends after {:?}", recording.end());
    }
    let at = at.as_millis() as u64;
    let mut replay = Replay::start(recording, themes, glyphs)?;
    match recording.frame_at(at) {
        Some(line) => replay.up_to_line(line)?,
        None => replay.up_to(at)?,
    }
    let panel = global.panel.as_deref().and_then(prefs::panel_named);
    if let Some(panel) = panel {
        replay.app.go_to(panel);
    }
    let size = global.size.unwrap_or(replay.size);
    if global.size.is_some() {
        replay.shown_on(size.0, size.1);
        replay.app.needs_frame();
    }
    stdout().write_all(snapshot::print(&replay.app, size, format)?.as_bytes())?;
    Ok(0)
}

fn show(global: &Global, config: &Config, recording: &Recording) -> Result<u8> {
    check_terminal()?;
    let looks = Looks::of_environment();
    let (themes, glyphs, reason) = looks::chosen(global, config, &Prefs::default(), looks);
    if let Some(reason) = reason {
        bail!(reason);
    }
    let replay = Replay::start(recording, themes, glyphs)?;
    let pace =
        Pace { at: global.at.unwrap_or_default(), speed: global.speed.unwrap_or(1.0), is_held: global.step };
    let runtime = tokio::runtime::Runtime::new()?;
    let code = runtime.block_on(player::run(recording, replay, pace))??;
    runtime.shutdown_background();
    Ok(code)
}
