//! The program's own log: a file in the state folder, cut by size, readable by its owner only.
//!
//! Nothing but this program's own lines comes into it, whatever libraries say: theirs may hold headers. It is
//! written by a thread of its own, and a disk that does not take it costs lines, never time.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, flock};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::fleet::Clean;
use crate::fleet::scrub::scrub;

/// A file that has grown so long makes place for a new one.
const LONGEST: u64 = 1 << 20;
/// Files before this one that are kept.
const KEPT: u32 = 2;
/// What is shown of it.
const TAIL: u64 = 256 << 10;
const LINES_THAT_WAIT: usize = 1024;
/// At the end of the program, lines have so long to be written.
const LAST: Duration = Duration::from_millis(300);
/// Whose lines these are.
const OWN: &str = "skydeck";

/// Writes what is left when it goes.
pub struct Log {
    lines: Lines,
    written: std::sync::mpsc::Receiver<()>,
}

/// Begins to write. `filter` is as of `RUST_LOG`: `debug`, or `skydeck::clients=trace,info`.
pub fn start(path: &Path, filter: Option<&str>) -> Result<Log, String> {
    let targets = targets(filter.unwrap_or_default())?;
    let file = Rotating::open(path).map_err(|error| format!("{}: {}", path.display(), error.kind()))?;
    let (sender, receiver) = sync_channel::<Option<Vec<u8>>>(LINES_THAT_WAIT);
    let (done, written) = sync_channel(1);
    let writing = move || {
        let mut file = file;
        while let Ok(Some(line)) = receiver.recv() {
            // There is nowhere to tell that there is nowhere to tell.
            let _ = file.write(&line);
        }
        let _ = done.send(());
    };
    std::thread::Builder::new().name("log-writer".into()).spawn(writing).map_err(|it| it.to_string())?;
    let lines = Lines(sender);
    let layer =
        tracing_subscriber::fmt::layer().with_ansi(false).with_target(false).with_writer(lines.clone());
    tracing_subscriber::registry().with(targets).with(layer).try_init().map_err(|it| it.to_string())?;
    Ok(Log { lines, written })
}

/// Only what is ours, however wide the filter.
fn targets(filter: &str) -> Result<Targets, String> {
    let asked: Targets = filter.parse().map_err(|_| format!("`{filter}` is no filter for the log"))?;
    let default = if filter.trim().is_empty() { Some(LevelFilter::INFO) } else { asked.default_level() };
    let mut targets = Targets::new().with_target(OWN, default.unwrap_or(LevelFilter::INFO));
    for (target, level) in asked.iter().filter(|(target, _)| is_ours(target)) {
        targets = targets.with_target(target, level);
    }
    Ok(targets)
}

fn is_ours(target: &str) -> bool {
    target.strip_prefix(OWN).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The last lines, the oldest first.
pub fn tail(path: &Path) -> Result<Vec<Clean>, Clean> {
    let wrong = |error: io::Error| Clean::from(format!("{}: {}", path.display(), error.kind()));
    let mut file = File::open(path).map_err(wrong)?;
    let length = file.metadata().map_err(wrong)?.len();
    let from = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(from)).map_err(wrong)?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).map_err(wrong)?;
    let text = String::from_utf8_lossy(&bytes);
    // The first is likely to be half a line.
    let lines = text.lines().skip(usize::from(from > 0));
    Ok(lines.map(Clean::new).collect())
}

/// The way to the writing thread.
#[derive(Clone)]
struct Lines(SyncSender<Option<Vec<u8>>>);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let scrubbed = scrub(String::from_utf8_lossy(line)).into_owned();
        let _ = self.0.try_send(Some(scrubbed.into_bytes()));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = self.lines.0.try_send(None);
        if self.written.recv_timeout(LAST) == Err(RecvTimeoutError::Timeout) {
            // The disk does not take it.
        }
    }
}

/// Several consoles may write to one file: whoever finds it full makes place, and the others follow.
struct Rotating {
    path: PathBuf,
    file: File,
}

impl Rotating {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: in_place(path)? })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        // Deleted, or moved away by another console: what went into the old one nobody would read.
        if !self.is_in_place() {
            self.file = in_place(&self.path)?;
        }
        let length = self.file.metadata()?.len();
        if length > 0 && length + line.len() as u64 > LONGEST {
            self.make_place()?;
        }
        self.file.write_all(line)
    }

    fn is_in_place(&self) -> bool {
        let (Ok(there), Ok(own)) = (fs::symlink_metadata(&self.path), self.file.metadata()) else {
            return false;
        };
        (there.dev(), there.ino()) == (own.dev(), own.ino())
    }

    /// Done by one console alone; the others go on in the full file meanwhile. The lock goes with the old file.
    fn make_place(&mut self) -> io::Result<()> {
        if flock(&self.file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Ok(());
        }
        // Another may have been quicker.
        if self.is_in_place() {
            for number in (1..KEPT).rev() {
                let _ = fs::rename(self.before(number), self.before(number + 1));
            }
            match fs::rename(&self.path, self.before(1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.file = in_place(&self.path)?;
        Ok(())
    }

    fn before(&self, number: u32) -> PathBuf {
        self.path.with_extension(format!("log.{number}"))
    }
}

/// The file at its path, made with its folder if it is not there.
fn in_place(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    append(path)
}

/// A link in its place is somebody else's doing.
fn append(path: &Path) -> io::Result<File> {
    let no_link = OFlags::NOFOLLOW.bits().cast_signed();
    fs::OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(no_link).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn it_is_cut_by_size_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/skydeck.log");
        let mut file = Rotating::open(&path).unwrap();
        let line = |number: u32| format!("{number:07}{}\n", "x".repeat(92));
        // Three files and a half: the oldest half is gone.
        let lines = LONGEST as u32 / 100 * 7 / 2;
        for number in 0..lines {
            file.write(line(number).as_bytes()).unwrap();
        }
        let mut names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|it| it.unwrap()).collect();
        names.sort_by_key(std::fs::DirEntry::file_name);
        assert_eq!(names.len(), 3);
        for entry in &names {
            let about = entry.metadata().unwrap();
            assert!(about.len() <= LONGEST, "{entry:?}");
            assert_eq!(about.permissions().mode() & 0o777, 0o600);
        }
        let tail = tail(&path).unwrap();
        assert_eq!(tail.last().unwrap().as_str(), line(lines - 1).trim_end());
        assert!(tail.len() >= TAIL as usize / 100 - 1);
        assert!(tail.iter().all(|line| line.len() == 99), "no half of a line");
        // It goes on where it ended.
        let before = fs::metadata(&path).unwrap().len();
        Rotating::open(&path).unwrap().write(b"again\n").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), before + 6);
        std::os::unix::fs::symlink(&path, folder.path().join("link.log")).unwrap();
        assert!(Rotating::open(&folder.path().join("link.log")).is_err());
    }

    /// Every line of the file and of those before it, the oldest first.
    fn all_lines(path: &Path) -> Vec<String> {
        let files = [path.with_extension("log.2"), path.with_extension("log.1"), path.to_owned()];
        let texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
        texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn a_file_that_is_deleted_under_it_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/skydeck.log");
        let full = "x".repeat(LONGEST as usize - 1) + "\n";
        let mut file = Rotating::open(&path).unwrap();
        file.write(b"before\n").unwrap();
        fs::remove_file(&path).unwrap();
        file.write(b"after\n").unwrap();
        assert_eq!(all_lines(&path), ["after"]);
        // Also when there is no place any more, and with the whole folder.
        file.write(full.as_bytes()).unwrap();
        fs::remove_file(&path).unwrap();
        fs::remove_file(path.with_extension("log.1")).unwrap();
        for words in ["one\n", &full, "two\n"] {
            file.write(words.as_bytes()).unwrap();
        }
        let lines = all_lines(&path);
        assert_eq!((lines.len(), &*lines[0], &*lines[2]), (3, "one", "two"));
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
        file.write(b"new\n").unwrap();
        assert_eq!(all_lines(&path), ["new"]);
        let about = fs::metadata(&path).unwrap();
        assert_eq!(about.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn two_consoles_that_make_place_in_one_log_lose_no_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("skydeck.log");
        // Two files and a half.
        let each = LONGEST as u32 / 100 * 5 / 4;
        let line = |who: u32, number: u32| format!("{who} {number:07}{}", "x".repeat(90));
        std::thread::scope(|scope| {
            for who in 0..2 {
                let mut file = Rotating::open(&path).unwrap();
                scope.spawn(move || {
                    for number in 0..each {
                        file.write(format!("{}\n", line(who, number)).as_bytes()).unwrap();
                    }
                });
            }
        });
        let lines = all_lines(&path);
        assert_eq!(lines.len(), 2 * each as usize, "no line twice");
        let written = (0..2).flat_map(|who| (0..each).map(move |number| line(who, number)));
        let known: std::collections::HashSet<_> = lines.into_iter().collect();
        assert!(written.into_iter().all(|line| known.contains(&line)));
        assert!(path.with_extension("log.2").exists());
        // What one writes while the other makes place comes on top of a full file: few lines, unless that one is held up.
        assert!(fs::metadata(path.with_extension("log.2")).unwrap().len() < LONGEST * 3 / 2);
    }

    #[test]
    fn no_filter_lets_other_programs_lines_in() {
        use tracing::Level;
        for filter in ["", "trace", "kube_client=trace,hyper=trace,debug"] {
            let targets = targets(filter).unwrap();
            for other in ["kube_client", "hyper::proto", "rustls", "tower_http"] {
                assert!(!targets.would_enable(other, &Level::ERROR), "{filter}: {other}");
            }
            assert!(targets.would_enable("skydeck::clients", &Level::INFO), "{filter}");
        }
        let some = targets("skydeck::clients=trace,warn").unwrap();
        assert!(some.would_enable("skydeck::clients::kube", &Level::TRACE));
        assert!(!some.would_enable("skydeck::sources", &Level::INFO));
        assert!(targets("skydeck=loud").is_err());
    }
}
