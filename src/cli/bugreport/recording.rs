//! The recording in a bug report: the one that was named, or a short one of the fleet as it is now.
//!
//! Its own is made by a console that nobody touches, into a place that goes with the program, and is bounded in time and
//! in size. A fleet that cannot be looked at has none, and that is said.

use std::path::{Path, PathBuf};
use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr, eyre};

use super::super::looks::{self, Looks};
use super::parts::Part;
use crate::app::Prefs;
use crate::config::args::Global;
use crate::config::recordings_path;
use crate::fleet::Age;
use crate::runtime::clock::Clocks;
use crate::runtime::record::Recorder;
use crate::runtime::record::line::Header;
use crate::runtime::record::read::Recording;
use crate::runtime::reload::Setup;
use crate::runtime::session::Session;
use crate::runtime::unattended::Unattended;
use crate::sources::Clock;

const NAME: &str = "recording.jsonl";
/// Long enough for the lists of most fleets, and for one question after them.
pub const SECONDS: u64 = 6;
const LARGEST: u64 = 64 << 20;
const SIZE: (u16, u16) = (120, 36);

/// The one that was named, or the newest in the state folder; nothing that is none.
pub fn named(asked: Option<&Path>) -> Result<Part> {
    let path = match asked {
        Some(path) => path.to_owned(),
        None => newest().ok_or_else(|| eyre!("there is no recording in the state folder: name one"))?,
    };
    let recording = Recording::open(&path)?;
    let bytes = std::fs::read(&path).wrap_err_with(|| path.display().to_string())?;
    let (columns, lines) = recording.header.size;
    let about = format!("{} of a {columns}x{lines} terminal, names and states", recording.length());
    Ok(Part { name: NAME, about, bytes })
}

fn newest() -> Option<PathBuf> {
    let entries = std::fs::read_dir(recordings_path()?).ok()?.flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|ending| ending == "jsonl")).max()
}

/// What a console sees of the fleet in a few seconds.
pub async fn own(global: &Global, setup: Result<Setup>) -> Result<Part> {
    let Setup { config, inventory, .. } = setup?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(NAME);
    let clock = Clock::start();
    let (session, facts, state) = Session::begin(&config, inventory, clock);
    let (app, _) = looks::app(global, &config, state, &Prefs::default(), Looks::PICTURE);
    let header = Header::new(Clocks::new(clock).read().now, SIZE, app.beginning());
    let recorder = Recorder::create_bounded(&path, &header, clock, LARGEST).map_err(|words| eyre!(words))?;
    let mut console = Unattended::new(app, (session, facts), (clock, Some(recorder)), SIZE);
    console.live(Duration::from_secs(SECONDS)).await;
    let trouble = console.trouble();
    // What waits to be written is written now.
    drop(console);
    let length = Age(Recording::open(&path)?.end / 1000);
    let text = std::fs::read_to_string(&path)?;
    let ends = trouble.map(|words| format!("; {words}")).unwrap_or_default();
    Ok(Part::text(NAME, format!("{length} of a console that nobody touches, names and states{ends}"), text))
}
