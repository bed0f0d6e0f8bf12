//! The verbs, one file each. They print what the panels show, from the same selectors.

mod console;
pub mod status;

use std::process::ExitCode;

use color_eyre::eyre::Result;

use crate::config::args::Verb;
use crate::config::{Arguments, Config};
use crate::runtime::panic;
use crate::sources::inventory::{self, Places};

/// Everything that can be asked of the program; the exit code says how it went.
pub fn main(arguments: Arguments) -> ExitCode {
    if let Err(error) = panic::install() {
        return failed(&error);
    }
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(arguments)));
    // The terminal has been given back by now; what was kept while it was drawn on can be told.
    panic::print_kept();
    match ended {
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(error)) => failed(&error),
        Err(_) => ExitCode::from(101),
    }
}

fn run(arguments: Arguments) -> Result<u8> {
    let config = Config::load(arguments.global.config.as_deref())?;
    let inventory = inventory::find(&config, &Places::of_environment(), &arguments.global.contexts)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let ended = runtime.block_on(async {
        match arguments.verb {
            Some(Verb::Status(args)) => status::run(&args, &config, inventory).await,
            _ => console::run(&arguments.global, config, inventory).await,
        }
    });
    // Tasks that hang in a library must not keep the program from ending.
    runtime.shutdown_background();
    ended
}

#[expect(clippy::print_stderr, reason = "errors are told where errors are looked for")]
fn failed(error: &color_eyre::Report) -> ExitCode {
    eprintln!("skydeck: {error:#}");
    ExitCode::from(2)
}
