//! Everything that is read before anything is shown: the configuration, and the kubeconfigs it leads to.

use std::path::PathBuf;

use color_eyre::eyre::Result;

use super::demo::Demo;
use crate::config::args::Global;
use crate::config::{self, Config};
use crate::runtime::reload::Setup;
use crate::sources::inventory::{self, Places};

#[derive(Debug, Clone)]
pub struct Files {
    config: Option<PathBuf>,
    places: Places,
    contexts: Vec<String>,
    /// Where changes of the demo fleet are written down, if it is that.
    demo: Option<PathBuf>,
}

impl Files {
    pub fn new(global: &Global, demo: Option<&Demo>) -> Self {
        Self {
            config: global.config.clone(),
            places: demo.map_or_else(Places::of_environment, Demo::places),
            contexts: global.contexts.clone(),
            demo: demo.map(Demo::journal),
        }
    }

    /// Where changes are written down: one place for every console and command of an operator. The demo fleet has its
    /// own, which ends with it.
    pub fn journal(&self) -> Option<PathBuf> {
        self.demo.clone().or_else(config::journal_path)
    }

    /// Every kubeconfig that is looked at, whatever the configuration says of others.
    pub fn kubeconfigs(&self) -> Vec<PathBuf> {
        self.places.kubeconfig_files.clone()
    }

    pub fn read(&self) -> Result<Setup> {
        let config = Config::load(self.config.as_deref())?;
        self.lead(if self.demo.is_some() { Demo::over(config) } else { config })
    }

    /// As if there were no configuration.
    pub fn read_kubeconfigs(&self) -> Result<Setup> {
        self.lead(Config::default())
    }

    /// Where the configuration leads.
    fn lead(&self, config: Config) -> Result<Setup> {
        let inventory = inventory::find(&config, &self.places, &self.contexts)?;
        let files = self.list(&config);
        Ok(Setup { config, inventory, files })
    }

    /// The same while the console runs: one line says what is wrong, and a kubeconfig that cannot be read is
    /// no reason to leave the clusters that it led to.
    pub fn read_again(&self) -> Result<Setup, String> {
        let setup = self.read().map_err(|error| in_one_line(&error.to_string()))?;
        match setup.inventory.broken.first() {
            Some(reason) => Err(reason.clone()),
            None => Ok(setup),
        }
    }

    /// The files, and the folder of the operator's themes.
    fn list(&self, config: &Config) -> Vec<PathBuf> {
        let own = self.config.clone().or_else(config::default_path);
        let themes = own.as_ref().and_then(|file| Some(file.parent()?.join("themes")));
        own.into_iter().chain(themes).chain(inventory::files(config, &self.places)).collect()
    }
}

fn in_one_line(text: &str) -> String {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    match lines.count() {
        0 => first.to_owned(),
        more => format!("{first} (and {more} more: `skydeck status` tells all)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KUBECONFIG: &str = "apiVersion: v1\nkind: Config\nclusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}]\ncontexts: [{name: a, context: {cluster: a, user: u}}]\n";

    fn files(folder: &std::path::Path) -> Files {
        let kubeconfig_files = vec![folder.join("kubeconfig")];
        std::fs::write(&kubeconfig_files[0], KUBECONFIG).unwrap();
        Files {
            config: Some(folder.join("config.toml")),
            places: Places { kubeconfig_files },
            contexts: Vec::new(),
            demo: None,
        }
    }

    #[test]
    fn what_is_wrong_is_told_in_one_line_and_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let config = folder.path().join("config.toml");
        std::fs::write(&config, "fleet = 'acme'\n").unwrap();
        let setup = files.read_again().unwrap();
        assert_eq!((setup.inventory.members.len(), setup.files.len()), (1, 3));
        std::fs::write(&config, "flet = 'acme'\n[ui]\nthem = 'dark'\n").unwrap();
        let wrong = files.read_again().err().unwrap();
        assert!(wrong.contains("config.toml:1: flet: ") && wrong.contains("and 1 more"), "{wrong}");
        assert_eq!(wrong.lines().count(), 1);
        std::fs::write(&config, "").unwrap();
        std::fs::write(folder.path().join("kubeconfig"), "clusters: [canary").unwrap();
        let broken = files.read_again().err().unwrap();
        assert!(broken.contains("kubeconfig") && !broken.contains("canary"), "{broken}");
    }
}
