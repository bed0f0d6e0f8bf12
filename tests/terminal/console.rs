//! A console in a pseudo-terminal, and somebody who looks at it.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::Duration;

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use skydeck::demo::{Fleet, Options};

/// Nothing in the tests may take longer (a lost answer is unknown for more than a minute); looked at so often.
const PATIENCE: Duration = Duration::from_secs(100);
/// Dialogs are deaf for 300 ms, so that keys typed ahead decide nothing; an operator reads that long anyway.
pub const DEAF: Duration = Duration::from_millis(450);
const LOOK: Duration = Duration::from_millis(20);

/// The clusters of all tests; they end with the process.
fn fleet() -> &'static Fleet {
    static FLEET: OnceLock<Fleet> = OnceLock::new();
    let options = Options { clusters: 2, outages: false, ..Options::default() };
    FLEET.get_or_init(|| Fleet::start(&options).unwrap())
}

/// A home that holds nothing but the way to the fleet.
pub fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".kube")).unwrap();
    std::fs::write(home.path().join(".kube/config"), fleet().kubeconfig()).unwrap();
    home
}

/// What arrived at the terminal. While nobody reads, whoever writes to it is blocked in the end.
#[derive(Default)]
struct Reading {
    held: Mutex<bool>,
    goes_on: Condvar,
}

struct Seen {
    screen: vt100::Parser,
    bytes: Vec<u8>,
}

pub struct Console {
    pty: Arc<Pty>,
    child: Child,
    seen: Arc<Mutex<Seen>>,
    reading: Arc<Reading>,
    modes_before: LocalModes,
    home: tempfile::TempDir,
}

impl Console {
    pub fn start(columns: u16, lines: u16) -> Console {
        Console::with(columns, lines, &[], &[])
    }

    pub fn with(columns: u16, lines: u16, arguments: &[&str], variables: &[(&str, &str)]) -> Console {
        let program = Path::new(env!("CARGO_BIN_EXE_skydeck"));
        Console::of(program, (columns, lines), arguments, variables)
    }

    /// With a home of one's own.
    pub fn at(home: tempfile::TempDir, size: (u16, u16)) -> Console {
        Console::in_home(home, Path::new(env!("CARGO_BIN_EXE_skydeck")), size, (&[], &[]))
    }

    pub fn of(program: &Path, size: (u16, u16), arguments: &[&str], variables: &[(&str, &str)]) -> Console {
        Console::in_home(home(), program, size, (arguments, variables))
    }

    /// With a home that somebody has prepared.
    pub fn in_home(
        home: tempfile::TempDir,
        program: &Path,
        (columns, lines): (u16, u16),
        (arguments, variables): (&[&str], &[(&str, &str)]),
    ) -> Console {
        let (pty, pts) = open().unwrap();
        pty.resize(Size::new(lines, columns)).unwrap();
        let modes_before = tcgetattr(&pty).unwrap().local_modes;
        let command = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", "/usr/bin:/bin")
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8")
            .envs(variables.iter().copied());
        let child = command.spawn(pts).unwrap();
        let pty = Arc::new(pty);
        let seen = Seen { screen: vt100::Parser::new(cells(lines), cells(columns), 0), bytes: Vec::new() };
        let seen = Arc::new(Mutex::new(seen));
        let reading = Arc::new(Reading::default());
        let console = Console { pty, child, seen, reading, modes_before, home };
        console.read();
        console
    }

    fn read(&self) {
        let (pty, seen, reading) = (Arc::clone(&self.pty), Arc::clone(&self.seen), Arc::clone(&self.reading));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The end of the last process that has the terminal is an error here.
            while let Ok(count) = (&*pty).read(&mut bytes) {
                let held = reading.goes_on.wait_while(reading.held.lock().unwrap(), |held| *held);
                drop(held.unwrap());
                let mut seen = seen.lock().unwrap();
                seen.screen.process(&bytes[..count]);
                seen.bytes.extend_from_slice(&bytes[..count]);
            }
        });
    }

    /// Nobody reads the terminal any more, or somebody does again.
    pub fn hold(&self, held: bool) {
        *self.reading.held.lock().unwrap() = held;
        self.reading.goes_on.notify_all();
    }

    /// Lets whole screens be drawn that nobody reads, far more than a terminal holds. There is at most one
    /// frame in 33 ms, so the keys are paced.
    pub fn block(&self) {
        self.hold(true);
        for _ in 0..60 {
            self.press("\x0c");
            std::thread::sleep(LOOK * 2);
        }
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn state_file(&self) -> PathBuf {
        self.home.path().join(".local/state/skydeck/state.json")
    }

    pub fn press(&self, keys: &str) -> &Console {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
        self
    }

    pub fn resize(&self, columns: u16, lines: u16) {
        let mut seen = self.seen.lock().unwrap();
        // A new terminal that has seen the same; the modes count, the picture is drawn anew.
        seen.screen = vt100::Parser::new(cells(lines), cells(columns), 0);
        let seen = &mut *seen;
        seen.screen.process(&seen.bytes);
        self.pty.resize(Size::new(lines, columns)).unwrap();
    }

    /// What the system lets the process have, as it tells it.
    pub fn limits(&self) -> String {
        std::fs::read_to_string(format!("/proc/{}/limits", self.child.id())).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub fn text(&self) -> String {
        self.seen.lock().unwrap().screen.screen().contents()
    }

    /// Everything that was ever written to the terminal.
    pub fn bytes(&self) -> Vec<u8> {
        self.seen.lock().unwrap().bytes.clone()
    }

    /// The screen when nothing moves on it, without what is empty at the ends of lines and of the screen.
    pub fn still(&self) -> String {
        self.wait("a screen that stands still", || {
            let text = self.text();
            std::thread::sleep(LOOK * 5);
            (text == self.text()).then(|| trimmed(&text))
        })
    }

    /// Waits until the screen shows it.
    pub fn until(&self, what: &str, so: impl Fn(&str) -> bool) -> &Console {
        self.wait(what, || so(&self.text()).then_some(()));
        self
    }

    pub fn shows(&self, words: &str) -> &Console {
        self.until(&format!("`{words}` on the screen"), |text| text.contains(words))
    }

    /// Prints the screen, so that the log tells what was seen.
    pub fn show(&self, what: &str) {
        println!("--- {what}");
        for line in self.text().lines().map(str::trim_end).filter(|line| !line.is_empty()) {
            println!("{line}");
        }
    }

    /// Types what a plan wants to be typed.
    pub fn confirm(&self) {
        self.shows("  to apply");
        let text = self.text();
        let (_, rest) = text.rsplit_once("type  ").unwrap();
        let (phrase, _) = rest.split_once("  to apply").unwrap();
        std::thread::sleep(DEAF);
        self.press(phrase).press("\r");
    }

    pub fn hides(&self, words: &str) -> &Console {
        self.until(&format!("no `{words}` on the screen"), |text| !text.contains(words))
    }

    fn wait<T>(&self, what: &str, so: impl Fn() -> Option<T>) -> T {
        for _ in 0..PATIENCE.as_millis() / LOOK.as_millis() {
            if let Some(found) = so() {
                return found;
            }
            std::thread::sleep(LOOK);
        }
        panic!("not within {PATIENCE:?}: {what}\n{}", self.text());
    }

    /// Waits for the program's end; its exit code.
    pub fn ended(&mut self) -> ExitStatus {
        for _ in 0..PATIENCE.as_millis() / LOOK.as_millis() {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(LOOK);
        }
        panic!("it does not end\n{}", self.text());
    }

    /// Whether the process is stopped, as the shell's `fg` would find it.
    pub fn is_stopped(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        stat.rsplit(") ").next().unwrap().starts_with('T')
    }

    pub fn stops(&self) {
        self.wait("the process stops", || self.is_stopped().then_some(()));
    }

    /// Everything that was switched on is off again, and the terminal's modes are as before.
    pub fn is_restored(&self) {
        self.wait("the terminal is as it was", || {
            let seen = self.seen.lock().unwrap();
            let screen = seen.screen.screen();
            let off = !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste();
            let mouse = screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None;
            let modes = tcgetattr(&*self.pty).map(|it| it.local_modes);
            (off && mouse && modes.is_ok_and(|modes| modes == self.modes_before)).then_some(())
        });
    }

    /// Somebody else has the terminal meanwhile, and leaves its modes as a shell has them.
    pub fn is_taken_by_a_shell(&self) {
        let mut modes = tcgetattr(&*self.pty).unwrap();
        modes.local_modes = self.modes_before;
        tcsetattr(&*self.pty, OptionalActions::Now, &modes).unwrap();
    }

    /// Whether it has the terminal: alternate screen, raw mode.
    pub fn is_entered(&self) {
        self.wait("the console has the terminal", || {
            let alternate = self.seen.lock().unwrap().screen.screen().alternate_screen();
            let modes = tcgetattr(&*self.pty).unwrap().local_modes;
            let raw = !modes.intersects(LocalModes::ICANON | LocalModes::ECHO);
            (alternate && raw).then_some(())
        });
    }

    /// Where on the screen some words begin: column and line from 1, as a mouse tells it.
    pub fn place(&self, words: &str) -> (usize, usize) {
        self.wait(&format!("`{words}` on the screen"), || {
            let text = self.text();
            let (line, at) = text.lines().enumerate().find_map(|(line, it)| Some((line, it.find(words)?)))?;
            Some((text.lines().nth(line)?[..at].chars().count() + 1, line + 1))
        })
    }

    pub fn click(&self, words: &str) -> &Console {
        let (column, line) = self.place(words);
        let mut click = String::new();
        write!(click, "\x1b[<0;{column};{line}M\x1b[<0;{column};{line}m").unwrap();
        self.press(&click)
    }
}

/// Lines without their ends, up to the last that says something.
pub fn trimmed(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}

impl Drop for Console {
    fn drop(&mut self) {
        self.hold(false);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
