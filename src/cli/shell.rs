//! What a shell and `man` want to know of the command line.

use std::io::{Write, stdout};

use clap::CommandFactory;
use clap_complete::Shell;
use color_eyre::eyre::{Result, eyre};

use crate::config::Arguments;

pub fn completions(shell: Shell) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "skydeck", &mut script);
    stdout().write_all(&script)?;
    Ok(0)
}

/// The page of the program, or of one of its verbs.
pub fn manual(verbs: &[String]) -> Result<u8> {
    let mut command = Arguments::command();
    command.build();
    let mut wanted = &command;
    for verb in verbs {
        wanted = wanted.find_subcommand(verb).ok_or_else(|| {
            let known: Vec<_> = wanted.get_subcommands().map(clap::Command::get_name).collect();
            eyre!("there is no verb `{verb}` (there are {})", known.join(", "))
        })?;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(wanted.clone()).render(&mut page)?;
    stdout().write_all(&page)?;
    Ok(0)
}
