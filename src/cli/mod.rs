//! The verbs, one file each. They print what the panels show, from the same selectors.

pub mod status;

use std::process::ExitCode;

use color_eyre::eyre::Result;

use crate::config::args::Verb;
use crate::config::{Arguments, Config};
use crate::sources::inventory::{self, Places};

/// Everything that can be asked of the program; the exit code says how it went.
pub fn main(arguments: Arguments) -> ExitCode {
    match run(arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("skydeck: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: Arguments) -> Result<u8> {
    let config = Config::load(arguments.global.config.as_deref())?;
    let inventory = inventory::find(&config, &Places::of_environment(), &arguments.global.contexts)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        match arguments.verb {
            Some(Verb::Status(args)) => status::run(&args, &config, inventory).await,
            _ => Ok(0),
        }
    })
}
