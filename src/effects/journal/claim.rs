//! Which process drives an operation: a lock on a file of its own, which the kernel gives back when the process ends,
//! however it ends.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use super::file::{self, Identity, Locked};
use crate::fleet::{ChangeId, Clean};

/// Held while claims are looked at or taken, so that a look never keeps anybody from taking one.
const DOOR: &str = "door.lock";

/// As long as it lives nobody else drives the operation.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    _lock: Locked,
}

/// Why there is no claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unclaimed {
    /// Somebody drives it already.
    Held,
    Failed(Clean),
}

impl fmt::Display for Unclaimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held => f.write_str("another skydeck on this machine drives it"),
            Self::Failed(words) => f.write_str(words),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Taken away while the lock is held: whoever waits for it sees that the file is another one.
        let _ = fs::remove_file(&self.path);
    }
}

pub(super) fn claim(folder: &Path, id: &ChangeId) -> Result<Claim, Unclaimed> {
    let path = place(folder, id).map_err(Unclaimed::Failed)?;
    let _door = file::to_append(&folder.join(DOOR)).map_err(Unclaimed::Failed)?;
    let failed = |error: io::Error| Unclaimed::Failed(file::told(&path, &error));
    loop {
        let lock = file::private(&path, OFlags::RDWR | OFlags::CREATE).map_err(Unclaimed::Failed)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(Unclaimed::Held),
            Err(error) => return Err(failed(error.into())),
        }
        // Whoever gave it back has taken the file away with it; then the lock is one on nothing.
        if Identity::at(&path) == Some(Identity::of(&lock).map_err(failed)?) {
            return Ok(Claim { path, _lock: Locked(lock) });
        }
    }
}

/// What cannot be looked at counts as claimed: nobody must take it for free.
pub(super) fn is_claimed(folder: &Path, id: &ChangeId) -> bool {
    let Ok(path) = place(folder, id) else { return false };
    if path.symlink_metadata().is_err() {
        return false;
    }
    let Ok(_door) = file::to_append(&folder.join(DOOR)) else { return true };
    let Ok(lock) = file::private(&path, OFlags::RDONLY) else { return path.symlink_metadata().is_ok() };
    flock(&lock, FlockOperation::NonBlockingLockShared).is_err()
}

/// An id comes from a file; only one that is written as an id becomes a part of a path.
fn place(folder: &Path, id: &ChangeId) -> Result<PathBuf, Clean> {
    match ChangeId::parse(id.as_clean()) {
        Some(id) => Ok(folder.join(format!("{id}.lock"))),
        None => Err(Clean::from(format!("{id} is not the id of an operation"))),
    }
}
