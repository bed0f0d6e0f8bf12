//! `skydeck traffic`: where requests go.

mod show;

use color_eyre::eyre::Result;

use crate::config::args::Traffic;
use crate::runtime::reload::Setup;

pub async fn run(args: &Traffic, setup: Setup) -> Result<u8> {
    match args {
        Traffic::Show(args) => show::run(args, setup).await,
    }
}
