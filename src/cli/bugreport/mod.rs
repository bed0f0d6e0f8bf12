//! `skydeck bugreport`: what somebody needs who is to mend a mistake, in one file that stays on this machine.
//!
//! It says what is inside. It sends nothing, and works when the configuration, the kubeconfig or the clusters do not.

mod archive;
mod parts;
mod recording;

use std::fs::OpenOptions;
use std::io::{Write, stdout};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use color_eyre::eyre::{Result, WrapErr, eyre};
use rustix::fs::OFlags;

use super::complain;
use super::files::Files;
use crate::config::Config;
use crate::config::args::{Bugreport, Global};
use crate::fleet::Unix;
use crate::runtime::clock::Clocks;
use crate::sources::Clock;
use parts::Part;

pub fn run(global: &Global, args: &Bugreport) -> Result<u8> {
    let now = Clocks::new(Clock::start()).read().now.unix;
    let named = args.recording.as_ref().map(|asked| recording::named(asked.as_deref())).transpose()?;
    let records = named.is_none() && !args.no_recording;
    if records {
        let seconds = recording::SECONDS;
        complain(&format!("every cluster is looked at, and recorded for {seconds}s"));
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let (mut contents, own) = runtime.block_on(gather(global, now, records));
    runtime.shutdown_background();
    contents.extend(named);
    let missing = own.and_then(|own| own.map(|part| contents.push(part)).err());
    let name = format!("skydeck-bugreport-{}", now.rfc3339().replace(':', "-"));
    let path = args.file.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.tar.gz")));
    if !args.list {
        write(&path, &name, &contents, now)?;
    }
    let mut out = stdout().lock();
    let first = if args.list { "A report would hold".to_owned() } else { path.display().to_string() };
    writeln!(out, "{first}:")?;
    for part in &contents {
        writeln!(out, "{:>10}  {:<19} {}", size(part.bytes.len()), part.name, part.about)?;
    }
    if let Some(why) = missing {
        writeln!(out, "No recording was made: {why:#}. One is packed with --recording FILE.")?;
    }
    if args.list {
        writeln!(out, "Nothing was written.")?;
    } else {
        writeln!(
            out,
            "Nothing was sent. Read it before you give it to anybody: tar -xzf {}",
            path.display()
        )?;
    }
    Ok(0)
}

/// Everything but a recording that was named; and one of its own, if it is wanted.
async fn gather(global: &Global, now: Unix, records: bool) -> (Vec<Part>, Option<Result<Part>>) {
    let files = Files::new(global, None);
    let loaded = Config::load(global.config.as_deref());
    let configuration = parts::configuration(global.config.as_deref(), &loaded);
    let found = files.read();
    let kubeconfigs = files.kubeconfigs();
    // Read again for each, who takes what he looks at.
    let shape = files.read().map(|setup| setup.inventory).map_err(|error| format!("{error:#}"));
    let recorded = records.then(|| files.read());
    let recorded = async {
        match recorded {
            Some(setup) => Some(recording::own(global, setup).await),
            None => None,
        }
    };
    let doctor = parts::doctor(found.map_err(|error| format!("{error:#}")), now);
    let (doctor, recorded) = tokio::join!(doctor, recorded);
    let shape = parts::kubeconfig(&kubeconfigs, &shape);
    (vec![parts::versions(now), configuration, shape, parts::log_tail(), doctor], recorded)
}

/// A new file for its owner alone; one that is there is never written over.
fn write(path: &Path, name: &str, contents: &[Part], now: Unix) -> Result<()> {
    let no_link = OFlags::NOFOLLOW.bits().cast_signed();
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(no_link).open(path);
    let file = file.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => eyre!("{} is there already: name a new file", path.display()),
        _ => eyre!("{} cannot be written: {error}", path.display()),
    })?;
    let files: Vec<_> =
        contents.iter().map(|part| (format!("{name}/{}", part.name), part.bytes.clone())).collect();
    let unix = u64::try_from(now.0).unwrap_or(0);
    archive::write(file, &files, unix).wrap_err_with(|| path.display().to_string())
}

fn size(bytes: usize) -> String {
    match bytes {
        ..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
