//! The file and its folder: opened so that nobody else can have put them there, and locked for as long as it takes.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;

use crate::fleet::Clean;

/// Whoever holds a lock does so for milliseconds; one that does not give it back is stopped.
const LOOKS: u32 = 500;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Write permission of anybody but the owner.
const OTHERS_WRITE: u32 = 0o022;

/// Which file it is, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub fn of(file: &File) -> io::Result<Self> {
        let found = file.metadata()?;
        Ok(Self { device: found.dev(), inode: found.ino() })
    }

    /// Of what is there now under this name.
    pub fn at(path: &Path) -> Option<Self> {
        let found = path.symlink_metadata().ok()?;
        Some(Self { device: found.dev(), inode: found.ino() })
    }
}

/// Opens for appending and locks; makes the file and its folder if they are not there.
pub fn to_append(path: &Path) -> Result<Locked, Clean> {
    private_folder(path)?;
    let flags = OFlags::RDWR | OFlags::APPEND | OFlags::CREATE;
    locked(path, flags, FlockOperation::NonBlockingLockExclusive)
}

/// Opens for reading and locks; `None` when there is no file.
pub fn to_read(path: &Path) -> Result<Option<Locked>, Clean> {
    if Identity::at(path).is_none() {
        return Ok(None);
    }
    locked(path, OFlags::RDONLY, FlockOperation::NonBlockingLockShared).map(Some)
}

/// Opens a private file and takes its lock. While it waited the file may have been moved away: then the new one.
fn locked(path: &Path, flags: OFlags, how: FlockOperation) -> Result<Locked, Clean> {
    for _ in 0..LOOKS {
        let locked = Locked(private(path, flags)?);
        wait_for(&locked.0, how, path)?;
        let identity = Identity::of(&locked.0).map_err(|error| told(path, &error))?;
        if Identity::at(path) == Some(identity) {
            return Ok(locked);
        }
    }
    Err(Clean::from(format!("{} is another file every time", path.display())))
}

/// Opens a file that only its owner writes; a link, another's file or one that others may write is refused.
pub fn private(path: &Path, flags: OFlags) -> Result<File, Clean> {
    // Not blocking, so that a pipe in its place does not keep it waiting.
    let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mode = Mode::RUSR | Mode::WUSR;
    let file = match open(path, flags, mode) {
        Ok(file) => File::from(file),
        Err(Errno::LOOP) => return Err(refused(path, "is a link", "remove it")),
        Err(error) => return Err(told(path, &error.into())),
    };
    let found = file.metadata().map_err(|error| told(path, &error))?;
    if !found.is_file() {
        return Err(refused(path, "is not a file", "move it away"));
    }
    check(path, found.uid(), found.mode(), 0o600)?;
    Ok(file)
}

/// The folder of a file: made if need be, for its owner alone.
fn private_folder(path: &Path) -> Result<(), Clean> {
    let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) else { return Ok(()) };
    if !folder.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| told(folder, &error))?;
        let above = folder.parent().filter(|it| !it.as_os_str().is_empty());
        above.map_or(Ok(()), sync_folder).map_err(|error| told(folder, &error))?;
    }
    let found = folder.metadata().map_err(|error| told(folder, &error))?;
    check(folder, found.uid(), found.mode(), 0o700)
}

/// Makes the names in a folder survive a loss of power.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn check(path: &Path, owner: u32, mode: u32, right: u32) -> Result<(), Clean> {
    if owner != rustix::process::geteuid().as_raw() {
        return Err(refused(path, "belongs to somebody else", "move it away, or run skydeck as its owner"));
    }
    if mode & OTHERS_WRITE != 0 {
        let hint = format!("look at it, then: chmod {right:o} {}", path.display());
        return Err(refused(path, "can be written by others", &hint));
    }
    Ok(())
}

/// Takes a lock; gives up when whoever holds it does not give it back.
fn wait_for(file: &File, how: FlockOperation, path: &Path) -> Result<(), Clean> {
    for _ in 0..LOOKS {
        match flock(file, how) {
            Ok(()) => return Ok(()),
            Err(Errno::WOULDBLOCK) => std::thread::sleep(BETWEEN_LOOKS),
            Err(Errno::INTR) => {}
            Err(error) => return Err(told(path, &error.into())),
        }
    }
    Err(refused(
        path,
        "is held by another skydeck",
        "is one of them stopped (Ctrl-Z)? bring it back or end it",
    ))
}

/// A file whose lock is given back when this is dropped.
#[derive(Debug)]
pub struct Locked(pub File);

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing would do, but not while a child that is being started shares the file.
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

/// A failure of the system, in words.
pub fn told(path: &Path, error: &io::Error) -> Clean {
    let words = error.to_string();
    // The number helps nobody who reads the words.
    let words = words.split(" (os error").next().unwrap_or_default();
    let hint = match error.kind() {
        io::ErrorKind::StorageFull => ": make room on the disk",
        io::ErrorKind::QuotaExceeded => ": your quota is used up, make room",
        io::ErrorKind::PermissionDenied => ": it must be writable by you alone",
        _ => "",
    };
    Clean::from(format!("{}: {words}{hint}", path.display()))
}

pub fn refused(path: &Path, what: &str, hint: &str) -> Clean {
    Clean::from(format!("{} {what}: {hint}", path.display()))
}
