//! `skydeck status`: connect to all clusters, print what is known, with ages and errors in the data.

pub mod document;

use std::io::Write;

use color_eyre::eyre::Result;

use crate::config::Config;
use crate::config::args::{Status, Subject};
use crate::runtime::headless::Headless;
use crate::sources::inventory::Inventory;
use crate::state::State;

pub async fn run(args: &Status, config: &Config, inventory: Inventory) -> Result<u8> {
    let mut session = Headless::start(config, inventory);
    session.settle(args.timeout).await;
    let text = json(args.what, &session.state)?;
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(u8::from(!document::is_whole(&session.state)))
}

fn json(what: Subject, state: &State) -> Result<String> {
    let mut text = match what {
        Subject::Clusters => serde_json::to_string_pretty(&document::clusters(state)),
        Subject::Replicas => serde_json::to_string_pretty(&document::replicas(state)),
        Subject::Jobs => serde_json::to_string_pretty(&document::jobs(state)),
        Subject::Attention => serde_json::to_string_pretty(&document::attention(state)),
    }?;
    text.push('\n');
    Ok(text)
}
