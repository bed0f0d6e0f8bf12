//! `--demo`: the fleet inside the program, and the kubeconfig that leads the console and kubectl to it.
//!
//! The console reaches it as it reaches any other fleet: a kubeconfig, HTTP, the same clients.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use color_eyre::eyre::{Result, WrapErr, bail};
use tempfile::{NamedTempFile, TempDir};

use crate::config::Config;
use crate::config::args::Global;
use crate::demo::{Fleet, Options};
use crate::effects::desk;
use crate::sources::inventory::Places;
use crate::state::Scope;

/// First line of the files that may be overwritten: those that this verb wrote.
const MARK: &str = "# Written by skydeck --demo; it leads to servers that end with that program.\n";

/// The running fleet. Dropping it ends the servers and removes the kubeconfig that nobody asked for.
pub struct Demo {
    fleet: Fleet,
    kubeconfig: Kubeconfig,
    /// Holds the journal of changes to servers that end with this program.
    folder: TempDir,
}

enum Kubeconfig {
    Asked(PathBuf),
    Temporary(NamedTempFile),
}

impl Demo {
    pub fn start(global: &Global) -> Result<Self> {
        let mut options = Options::default();
        if let Some((clusters, pods)) = global.demo_scale {
            options = Options { clusters, pods, ..options };
        }
        options.seed = global.demo_seed.unwrap_or(options.seed);
        let fleet = Fleet::start(&options).wrap_err("the demo fleet cannot listen on loopback")?;
        let text = format!("{MARK}{}", fleet.kubeconfig());
        let kubeconfig = match &global.demo_kubeconfig {
            Some(path) => asked(path, &text)?,
            None => temporary(&text).wrap_err("the demo fleet's kubeconfig cannot be written")?,
        };
        let folder = tempfile::Builder::new().prefix("skydeck-demo-").tempdir();
        let folder = folder.wrap_err("the demo fleet's journal has no place")?;
        Ok(Self { fleet, kubeconfig, folder })
    }

    pub fn journal(&self) -> PathBuf {
        self.folder.path().join("journal.jsonl")
    }

    pub fn places(&self) -> Places {
        Places { kubeconfig_files: vec![self.path().to_owned()] }
    }

    /// The operator's looks, keys and rules over the demo fleet; never the operator's clusters.
    pub fn over(config: Config) -> Config {
        let (clusters, scope) = (Vec::new(), Scope::default());
        Config { clusters, scope, fleet_name: Some("demo".into()), ..config }
    }

    pub fn notice(&self) -> String {
        format!("demo: {} clusters in this program; {}", self.fleet.clusters().len(), self.kubectl())
    }

    fn kubectl(&self) -> String {
        format!("kubectl --kubeconfig {} get pods -A", self.path().display())
    }

    fn path(&self) -> &Path {
        match &self.kubeconfig {
            Kubeconfig::Asked(path) => path,
            Kubeconfig::Temporary(file) => file.path(),
        }
    }
}

/// A file of the operator's is never overwritten: it could be the way to production.
fn asked(path: &Path, text: &str) -> Result<Kubeconfig> {
    match std::fs::read_to_string(path) {
        Ok(there) if !there.starts_with(MARK) => {
            bail!("{} is there already and not from `skydeck --demo`: name a new file", path.display())
        }
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).wrap_err_with(|| path.display().to_string());
        }
        _ => {}
    }
    desk::write_private(path, text).wrap_err_with(|| path.display().to_string())?;
    Ok(Kubeconfig::Asked(path.to_owned()))
}

fn temporary(text: &str) -> std::io::Result<Kubeconfig> {
    let mut file = tempfile::Builder::new().prefix("skydeck-demo-").suffix(".kubeconfig").tempfile()?;
    file.write_all(text.as_bytes())?;
    Ok(Kubeconfig::Temporary(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_of_ours_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        assert!(asked(&path, &format!("{MARK}one")).is_ok());
        assert!(asked(&path, &format!("{MARK}two")).is_ok());
        std::fs::write(&path, "apiVersion: v1\n").unwrap();
        let refused = asked(&path, MARK).err().unwrap().to_string();
        assert!(refused.contains("not from"), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "apiVersion: v1\n");
    }

    #[test]
    fn the_file_that_nobody_asked_for_is_private_and_goes_with_the_fleet() {
        use std::os::unix::fs::PermissionsExt;
        let demo = Demo::start(&Global::default()).unwrap();
        let path = demo.path().to_owned();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(std::fs::read_to_string(&path).unwrap().contains("current-context"));
        drop(demo);
        assert!(!path.exists());
    }
}
