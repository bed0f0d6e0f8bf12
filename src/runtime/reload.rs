//! The files that say what is watched and how it looks, read again when they change.
//!
//! Looking is cheap and asks nobody: modification time and length, once a second. A file counts as changed when
//! it then stands still for a second, so that half of an edit is not read; what is wrong changes nothing.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::{MissedTickBehavior, interval};

use crate::app::Configuration;
use crate::config::Config;
use crate::sources::inventory::Inventory;

const LOOK: Duration = Duration::from_secs(1);

/// Everything that was read, and the files that it came from.
pub struct Setup {
    pub config: Config,
    pub inventory: Inventory,
    pub files: Vec<PathBuf>,
}

/// How to read everything again: what it says, or why it is not taken.
pub type Read = Box<dyn Fn() -> Result<Setup, String> + Send>;

/// What reading again brought.
pub type Outcome = Result<Box<Setup>, String>;

/// What a file looked like; `None` when it is not there.
type Stamp = Option<(Option<SystemTime>, u64)>;

/// What the files looked like when they were read last, and when they were looked at last.
struct Watch {
    files: Vec<PathBuf>,
    taken: Option<Vec<Stamp>>,
    seen: Option<Vec<Stamp>>,
    read: Read,
}

/// Looks at the files as long as somebody listens.
pub fn follow(files: Vec<PathBuf>, read: Read) -> Receiver<Outcome> {
    let (sender, receiver) = channel(1);
    tokio::spawn(async move {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut watch = Watch { files, taken: None, seen: None, read };
        while !sender.is_closed() {
            looks.tick().await;
            // On a thread of its own: a file system that hangs must not stop anything else.
            let looked = tokio::task::spawn_blocking(move || {
                let setup = watch.look();
                (watch, setup)
            });
            let Ok((same, setup)) = looked.await else { return };
            watch = same;
            if let Some(setup) = setup {
                // Nobody listening is looked at above.
                let _ = sender.send(setup).await;
            }
        }
    });
    receiver
}

impl Watch {
    /// What the files say now, if they changed and have stood still since the last look.
    fn look(&mut self) -> Option<Outcome> {
        let seen: Vec<Stamp> = self.files.iter().map(|path| stamp(path)).collect();
        let is_still = self.seen.replace(seen.clone()).is_some_and(|last| last == seen);
        let taken = self.taken.get_or_insert_with(|| seen.clone());
        if !is_still || *taken == seen {
            return None;
        }
        *taken = seen;
        let setup = (self.read)().map(Box::new);
        if let Ok(setup) = &setup
            && setup.files != self.files
        {
            self.files.clone_from(&setup.files);
            (self.taken, self.seen) = (None, None);
        }
        Some(setup)
    }
}

/// A folder looks like the files in it.
fn stamp(path: &Path) -> Stamp {
    let own = std::fs::metadata(path).ok()?;
    if !own.is_dir() {
        return Some((own.modified().ok(), own.len()));
    }
    let entries = std::fs::read_dir(path).ok()?.flatten().filter_map(|entry| entry.metadata().ok());
    let (mut newest, mut length) = (own.modified().ok(), 0);
    for entry in entries {
        newest = newest.max(entry.modified().ok());
        length += entry.len();
    }
    Some((newest, length))
}

/// What a configuration says to the app: everything, and of the habits of a session only what is new in it.
pub fn to_app(before: &Config, new: &Config) -> Configuration {
    Configuration {
        fleet_name: new.fleet_name.clone(),
        keymap: new.keymap.clone(),
        settings: new.settings.clone(),
        silenced_rules: new.silenced_rules.clone(),
        theme_files: new.themes.clone(),
        scope: (before.scope != new.scope).then(|| new.scope.clone()),
        theme: new.ui.theme.clone().filter(|theme| before.ui.theme.as_ref() != Some(theme)),
        mouse: (before.ui.mouse != new.ui.mouse).then_some(new.ui.mouse),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_change_is_read_once_it_stands_still_and_only_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        let paths = vec![file.clone(), folder.path().join("themes")];
        let path = file.clone();
        let read = move || Err(std::fs::read_to_string(&path).unwrap_or_default());
        let mut changes = follow(paths, Box::new(read));
        tokio::time::sleep(LOOK * 3).await;
        assert!(changes.try_recv().is_err(), "a file that is not there has not changed");
        tokio::time::sleep(LOOK / 2).await;
        for count in 1..=5 {
            std::fs::write(&file, "x".repeat(count)).unwrap();
            tokio::time::sleep(LOOK).await;
            assert!(changes.try_recv().is_err(), "half of an edit is not read");
        }
        std::fs::write(&file, "one").unwrap();
        assert_eq!(changes.recv().await.unwrap().err().unwrap(), "one");
        std::fs::create_dir(folder.path().join("themes")).unwrap();
        std::fs::write(folder.path().join("themes/mine.toml"), "").unwrap();
        assert_eq!(changes.recv().await.unwrap().err().unwrap(), "one");
        std::fs::write(folder.path().join("themes/mine.toml"), "inherits = \"dark\"").unwrap();
        assert_eq!(changes.recv().await.unwrap().err().unwrap(), "one");
        std::fs::remove_file(&file).unwrap();
        assert_eq!(changes.recv().await.unwrap().err().unwrap(), "");
        tokio::time::sleep(LOOK * 5).await;
        assert!(changes.try_recv().is_err(), "nothing changed since");
    }

    #[test]
    fn a_habit_of_the_session_stays_unless_the_file_says_something_new() {
        let before = Config::default();
        let mut new = Config { fleet_name: Some("acme".into()), ..Config::default() };
        let said = to_app(&before, &new);
        assert_eq!((said.scope, said.theme, said.mouse), (None, None, None));
        assert_eq!(said.fleet_name.unwrap().as_str(), "acme");
        new.ui.theme = Some("light".into());
        new.ui.mouse = false;
        new.scope.hidden_clouds.insert("aws".into());
        let said = to_app(&before, &new);
        assert_eq!((said.theme.as_deref(), said.mouse), (Some("light"), Some(false)));
        assert!(said.scope.is_some());
    }
}
