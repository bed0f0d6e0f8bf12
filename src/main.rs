//! Reads the arguments, calls the verb, turns errors into words and exit codes.

use std::process::ExitCode;

use clap::Parser;
use skydeck::config::Arguments;

fn main() -> ExitCode {
    skydeck::cli::main(&Arguments::parse())
}
