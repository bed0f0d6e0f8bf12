//! `skydeck traffic`: where requests go.

mod show;

use std::path::PathBuf;

use color_eyre::eyre::Result;

use crate::cli::change::{self, Asked};
use crate::config::args::Traffic;
use crate::runtime::reload::Setup;

pub async fn run(args: &Traffic, setup: Setup, journal: Option<PathBuf>) -> Result<u8> {
    match args {
        Traffic::Show(args) => show::run(args, setup).await,
        Traffic::Set(args) => change::run(Asked::Set(args), setup, journal).await,
        Traffic::Drain(args) => change::run(Asked::Drain(args), setup, journal).await,
        Traffic::Ramp(args) => change::run(Asked::Ramp(args), setup, journal).await,
    }
}
