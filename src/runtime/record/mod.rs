//! `--record`: every message of the app, written to a file while it happens, so that any moment can be shown again.
//!
//! A thread of its own writes; the loop hands over and goes on. A disk that does not take it, or not quickly enough, ends
//! the recording with a notice, and nothing else.

pub mod line;
pub mod read;
pub mod redact;

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::OFlags;

use crate::app::Msg;
use crate::fleet::scrub::scrub;
use crate::fleet::{Clean, Mono};
use crate::sources::Clock;
use crate::state::State;
use line::{Entry, Header, Line};

/// A recording that has grown so long ends.
const LONGEST: u64 = 1 << 30;
/// Messages that wait for the disk, and facts in them.
const WAITING: usize = 1 << 13;
const WEIGHT: usize = 400_000;
/// At the end of the program, what waits has so long to be written.
const LAST: Duration = Duration::from_secs(2);

/// The way to the writing thread; what waits is written when it goes.
pub struct Recorder {
    lines: Option<SyncSender<Line>>,
    written: Receiver<()>,
    shared: Arc<Shared>,
    clock: Clock,
    began: Mono,
    last: u64,
    /// Why it ended was said.
    is_told: bool,
}

#[derive(Default)]
struct Shared {
    weight: AtomicUsize,
    /// Nothing more is taken.
    ended: AtomicBool,
    trouble: Mutex<Option<String>>,
}

impl Recorder {
    /// Begins a new file that only its owner may read; one that is there is never written over.
    pub fn create(path: &Path, header: &Header, clock: Clock) -> Result<Self, String> {
        Self::create_bounded(path, header, clock, LONGEST)
    }

    /// The same, which ends when it is so many bytes long.
    pub fn create_bounded(path: &Path, header: &Header, clock: Clock, longest: u64) -> Result<Self, String> {
        let file = new_file(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                format!("{} is there already: name a new file for the recording", path.display())
            }
            _ => format!("{} cannot be written: {error}", path.display()),
        })?;
        Self::start(Box::new(file), header, clock, longest)
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    fn start(file: Box<dyn Write + Send>, header: &Header, clock: Clock, longest: u64) -> io::Result<Self> {
        let mut file = Counted { file: BufWriter::with_capacity(1 << 16, file), length: 0, longest };
        file.line(serde_json::to_string(header)?)?;
        file.file.flush()?;
        let (lines, receiver) = sync_channel(WAITING);
        let (done, written) = sync_channel(1);
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        std::thread::Builder::new().name("recorder".into()).spawn(move || {
            let outcome = write_all(&mut file, &receiver, &of_thread);
            if let Err(error) = outcome {
                of_thread.end(&error.to_string());
            }
            let _ = done.send(());
        })?;
        let began = header.began.mono;
        Ok(Self { lines: Some(lines), written, shared, clock, began, last: 0, is_told: false })
    }

    pub fn message(&mut self, message: &Msg) {
        if self.is_running() {
            self.take(Entry::of(message));
        }
    }

    /// The picture was brought up to date.
    pub fn frame(&mut self) {
        self.take(Entry::Frame);
    }

    /// The clusters that there are from now on.
    pub fn clusters(&mut self, state: &State) {
        self.take(Entry::Clusters(state.clusters().map(|it| (it.id, it.spec.clone())).collect()));
    }

    fn is_running(&self) -> bool {
        self.lines.is_some() && !self.shared.ended.load(Ordering::Acquire)
    }

    /// Hands over what happens now.
    fn take(&mut self, entry: Entry) {
        let Some(lines) = self.lines.as_ref().filter(|_| self.is_running()) else { return };
        self.last = self.last.max(self.clock.mono().0.saturating_sub(self.began.0));
        let weight = entry.weight();
        let waits = self.shared.weight.fetch_add(weight, Ordering::AcqRel);
        if waits > WEIGHT || lines.try_send(Line { at: self.last, is: entry }).is_err() {
            // A recording with a hole in it would show what never was.
            self.shared.end("the disk does not keep up");
            self.lines = None;
        }
    }

    /// Why it ended, once.
    pub fn trouble(&mut self) -> Option<Clean> {
        if self.is_told || !self.shared.ended.load(Ordering::Acquire) {
            return None;
        }
        self.is_told = true;
        let trouble = self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let words = trouble.as_deref().unwrap_or("it was not written");
        let seconds = crate::fleet::Age(self.last / 1000);
        Some(Clean::from(format!("the recording ends after {seconds}: {words}; everything else goes on")))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.lines = None;
        // A disk that does not take it is not waited for.
        let _ = self.written.recv_timeout(LAST);
    }
}

impl Shared {
    fn end(&self, words: &str) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.get_or_insert_with(|| words.to_owned());
        self.ended.store(true, Ordering::Release);
    }
}

/// Writes until nobody hands over any more; what was handed over is on its way to the disk whenever there is nothing to
/// do, so that a program that is killed loses little.
fn write_all(file: &mut Counted, lines: &Receiver<Line>, shared: &Shared) -> io::Result<()> {
    loop {
        let line = match lines.try_recv() {
            Ok(line) => line,
            Err(TryRecvError::Disconnected) => return file.file.flush(),
            Err(TryRecvError::Empty) => {
                file.file.flush()?;
                let Ok(line) = lines.recv() else { return Ok(()) };
                line
            }
        };
        let mut line = line;
        shared.weight.fetch_sub(line.is.weight(), Ordering::AcqRel);
        redact::redact(&mut line.is);
        file.line(scrub(serde_json::to_string(&line)?).into_owned())?;
        if file.length > file.longest {
            file.file.flush()?;
            return Err(io::Error::other(format!("it is {} MiB long", file.longest >> 20)));
        }
    }
}

struct Counted {
    file: BufWriter<Box<dyn Write + Send>>,
    length: u64,
    longest: u64,
}

impl Counted {
    fn line(&mut self, mut line: String) -> io::Result<()> {
        line.push('\n');
        self.length += line.len() as u64;
        self.file.write_all(line.as_bytes())
    }
}

/// A link in its place is somebody else's doing.
fn new_file(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let no_link = OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(no_link).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Answer, App, Notice, Themes};
    use crate::fleet::{ClusterId, Kind, LogLine, Now, ObjectId, ObjectKey};
    use crate::input::Keymap;
    use crate::state::Settings;
    use crate::ui::glyphs::UNICODE;
    use crate::ui::theme::Depth;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::mpsc::channel;

    fn header() -> Header {
        let (themes, _) = Themes::new("dark", std::collections::BTreeMap::new(), Depth::TrueColor);
        let app = App::new(State::new(Settings::default()), Keymap::default(), themes, &UNICODE);
        Header::new(Now::default(), (80, 24), app.beginning())
    }

    fn notice(words: &str) -> Msg {
        Msg::Notice(Notice { text: words.into(), is_bad: false })
    }

    /// Takes so many bytes, and then none.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_ends_the_recording_with_one_word_about_it() {
        let mut recorder =
            Recorder::start(Box::new(Full(50_000)), &header(), Clock::start(), LONGEST).unwrap();
        let mut words = None;
        for _ in 0..2000 {
            recorder.message(&notice("something"));
            words = words.or_else(|| recorder.trouble());
            // At the pace of an operator, so that it is the disk that ends it.
            std::thread::yield_now();
        }
        while words.is_none() {
            words = recorder.trouble();
            std::thread::yield_now();
        }
        let words = words.unwrap();
        assert!(words.contains("the recording ends after ") && words.contains("storage"), "{words}");
        recorder.message(&notice("something"));
        assert_eq!(recorder.trouble(), None, "it is said once");
        assert!(!recorder.is_running());
    }

    /// Blocks until somebody lets it go.
    struct Stuck(Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_disk_that_hangs_costs_the_loop_no_time_and_the_program_no_memory() {
        let (go_on, wait) = channel();
        go_on.send(()).unwrap();
        let mut recorder =
            Recorder::start(Box::new(Stuck(wait)), &header(), Clock::start(), LONGEST).unwrap();
        let mut given = 0;
        while recorder.is_running() {
            recorder.message(&notice(&"x".repeat(4096)));
            given += 1;
            assert!(given < WAITING * 2, "what waits is bounded");
        }
        let words = recorder.trouble().unwrap();
        assert!(words.contains("the disk does not keep up"), "{words}");
        drop(go_on);
    }

    #[test]
    fn a_file_that_is_there_is_never_written_over_and_a_new_one_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/a.jsonl");
        drop(Recorder::create(&path, &header(), Clock::start()).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let before = std::fs::read(&path).unwrap();
        let refused = Recorder::create(&path, &header(), Clock::start()).err().unwrap();
        assert!(refused.contains("is there already: name a new file"), "{refused}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        let link = folder.path().join("link.jsonl");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &link).unwrap();
        assert!(Recorder::create(&link, &header(), Clock::start()).is_err());
    }

    #[test]
    fn what_could_be_secret_does_not_reach_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        let mut recorder = Recorder::create(&path, &header(), Clock::start()).unwrap();
        let id = ObjectId { kind: Kind::Deployment, key: ObjectKey::new("ml", "web") };
        let object = serde_json::json!({"metadata": {"annotations": {"x": "canary"}},
            "spec": {"replicas": 3, "template": {"spec": {"containers": [{"env": [{"name": "A", "value": "canary"}]}]}}}});
        for message in [
            Msg::Paste("canary".into()),
            Msg::Answer(Answer::Object { cluster: ClusterId(0), id, outcome: Ok(Box::new(object)) }),
            Msg::Answer(Answer::Lines {
                stream: 1,
                lines: vec![LogLine { pod: "web".into(), text: "canary".into() }],
            }),
            Msg::Answer(Answer::ProgramLog(Ok(vec!["canary".into()]))),
            notice("dial https://me:canary@proxy failed, Authorization: Bearer canary.canary"),
            notice("GET https://bucket/model?X-Amz-Credential=canary&X-Amz-Signature=canary"),
        ] {
            recorder.message(&message);
        }
        drop(recorder);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("canary"), "{text}");
        assert_eq!(text.lines().count(), 7, "{text}");
        assert!(text.contains("\"replicas\":3") && text.contains("{\"pasted\":6}"), "{text}");
    }
}
