//! `--replay` on a terminal: the loop of the console with a recording in the place of the world.
//!
//! It opens no connection, reads none of the files that lead to clusters, and writes nothing. What was pressed then is
//! pressed again until somebody presses a key of their own: from then on the picture is theirs to look around in.

use std::io;
use std::time::Duration;

use crossterm::event::EventStream;
use futures::StreamExt;
use tokio::time::{Instant, sleep_until};

use super::record::read::{Broken, Recording};
use super::replay::Replay;
use super::signals::{self, Asked, Signals};
use super::terminal::Terminal;
use super::{keys, panic};
use crate::app::{Answer, CHANGES_NOTHING, Effect, Msg, Notice, update, view};
use crate::effects::desk;
use crate::fleet::{Age, Clean, Fault, FaultKind, Step};
use crate::input::Action;

/// At most one frame in so long.
const FRAME: Duration = Duration::from_millis(33);
/// Lines that are folded before keys are looked at again.
const LINES_AT_ONCE: usize = 256;
const SLOWEST: f64 = 1.0 / 16.0;
const FASTEST: f64 = 1024.0;

/// How it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub at: Duration,
    pub speed: f64,
    pub is_held: bool,
}

struct Player {
    replay: Replay,
    terminal: Terminal,
    size: (u16, u16),
    length: Age,
    is_torn: bool,
    speed: f64,
    is_held: bool,
    /// What was folded last, for whoever goes step by step.
    told: Option<String>,
    /// A moment of the clock, and of the recording at that moment.
    anchor: (Instant, u64),
    badge: String,
    is_new: bool,
    is_over: bool,
    ended: Option<u8>,
    broken: Option<Broken>,
}

/// Runs until the one who looks or a signal ends it; gives the exit code, or what is wrong with the recording.
pub async fn run(recording: &Recording, replay: Replay, pace: Pace) -> io::Result<Result<u8, Broken>> {
    let mouse = recording.header.beginning.mouse;
    let terminal = Terminal::enter(mouse)?;
    panic::on_screen(true);
    let mut player = Player {
        replay,
        terminal,
        size: Terminal::size(),
        length: recording.length(),
        is_torn: recording.is_torn,
        speed: pace.speed,
        is_held: pace.is_held,
        told: None,
        anchor: (Instant::now(), 0),
        badge: String::new(),
        is_new: true,
        is_over: false,
        ended: None,
        broken: None,
    };
    let (width, height) = player.size;
    player.replay.shown_on(width, height);
    player.go_on_to(pace.at.as_millis() as u64);
    player.run().await
}

impl Player {
    async fn run(mut self) -> io::Result<Result<u8, Broken>> {
        let mut events = EventStream::new();
        let mut signals = Signals::listen()?;
        let mut next_frame = Instant::now();
        loop {
            self.tell();
            let due = Instant::now() >= next_frame && self.terminal.writer().is_idle();
            if due && std::mem::take(&mut self.is_new) {
                self.draw()?;
                next_frame = Instant::now() + FRAME;
            }
            let next_line = self.due();
            tokio::select! {
                biased;
                event = events.next() => match event {
                    Some(Ok(event)) => {
                        if let Some(message) = keys::message(event) {
                            self.take(message)?;
                        }
                    }
                    Some(Err(_)) | None => self.ended = Some(0),
                },
                asked = signals.next() => self.signalled(asked).await?,
                () = sleep_until(next_line.unwrap_or(next_frame)), if next_line.is_some() => self.fold_due(),
                () = sleep_until(next_frame), if self.is_new && !due => {}
                () = self.terminal.writer().idle(), if !self.terminal.writer().is_idle() => {}
            }
            if self.terminal.writer().is_broken() {
                self.ended = Some(1);
            }
            if let Some(broken) = self.broken.take() {
                return Ok(Err(broken));
            }
            if let Some(code) = self.ended {
                self.terminal.writer().drain().await;
                return Ok(Ok(code));
            }
        }
    }

    /// When the next line is to be folded; `None` while it is held, and at the end.
    fn due(&self) -> Option<Instant> {
        let at = self.replay.next_at().filter(|_| !self.is_held)?;
        let wait = at.saturating_sub(self.anchor.1) as f64 / self.speed;
        Some(self.anchor.0 + Duration::from_micros((wait * 1000.0) as u64))
    }

    fn fold_due(&mut self) {
        for _ in 0..LINES_AT_ONCE {
            if self.due().is_none_or(|due| due > Instant::now()) {
                break;
            }
            self.step();
        }
    }

    /// Folds one line; says whether something happened in it.
    fn step(&mut self) -> bool {
        match self.replay.step() {
            Ok(Some(step)) => {
                self.is_new |= step.is_new;
                if !step.is_aside {
                    self.told = Some(step.words);
                }
                !step.is_aside
            }
            Ok(None) => true,
            Err(broken) => {
                self.broken = Some(broken);
                true
            }
        }
    }

    /// Goes on at once to a moment of the recording.
    fn go_on_to(&mut self, at: u64) {
        while self.replay.next_at().is_some_and(|next| next <= at) && self.broken.is_none() {
            self.step();
        }
        self.replay.position = self.replay.position.max(at.min(self.length.0 * 1000));
        self.look_anew();
    }

    /// From here on, at this pace.
    fn look_anew(&mut self) {
        self.anchor = (Instant::now(), self.replay.position);
        self.is_new |= self.replay.app.needs_frame();
    }

    fn take(&mut self, message: Msg) -> io::Result<()> {
        match message {
            Msg::Key(key) => {
                if let Some(action) = self.replay.app.replay_action(key) {
                    self.control(action);
                    return Ok(());
                }
                self.replay.is_taken_over = true;
            }
            Msg::Mouse(_) | Msg::Paste(_) => self.replay.is_taken_over = true,
            Msg::Resize(width, height) => {
                self.size = (width, height);
                self.replay.shown_on(width, height);
                self.is_new |= self.replay.app.needs_frame();
                return Ok(());
            }
            _ => {}
        }
        self.fold_own(message)
    }

    /// What somebody does who looks: it moves about, and changes nothing.
    fn fold_own(&mut self, message: Msg) -> io::Result<()> {
        let mut messages = vec![message];
        while let Some(message) = messages.pop() {
            self.replay.app.own_keys(true);
            let effects = update(&mut self.replay.app, message);
            self.replay.app.own_keys(false);
            for effect in effects {
                messages.extend(self.perform(effect)?);
            }
        }
        self.is_new |= self.replay.app.needs_frame();
        Ok(())
    }

    /// Does what concerns this terminal; answers for everything else that there is nobody to ask.
    fn perform(&mut self, effect: Effect) -> io::Result<Option<Msg>> {
        let nobody = |step| Fault::new(step, FaultKind::Unreachable, "a replay asks nobody");
        let answer = match effect {
            Effect::Quit => {
                self.ended = Some(0);
                return Ok(None);
            }
            Effect::Suspend => {
                signals::stop_all();
                return Ok(None);
            }
            Effect::Redraw => {
                self.terminal.forget();
                return Ok(None);
            }
            Effect::CaptureMouse(capture) => {
                self.terminal.capture_mouse(capture)?;
                return Ok(None);
            }
            Effect::Copy(text) => {
                self.terminal.send(&desk::clipboard_sequence(&text));
                return Ok(None);
            }
            Effect::CopyLines(lines) => {
                let lines: Vec<_> = lines.iter().map(Clean::as_str).collect();
                self.terminal.send(&desk::clipboard_sequence(&lines.join("\n")));
                return Ok(None);
            }
            Effect::Remember(_) | Effect::StopLogs => return Ok(None),
            Effect::Fetch { cluster, id } => Answer::Object { cluster, id, outcome: Err(nobody(Step::Get)) },
            Effect::ReadLogs { stream, .. } => Answer::LogsEnded { stream, outcome: Err(nobody(Step::Logs)) },
            Effect::ReadProgramLog => Answer::ProgramLog(Err("a replay has no log of its own".into())),
            Effect::ReadTimeline(id) => {
                Answer::Timeline { id, outcome: Err("a replay reads no journal".into()) }
            }
            Effect::Reconnect
            | Effect::LogIn(_)
            | Effect::Look { .. }
            | Effect::Export(_)
            | Effect::Gate(_) => {
                return Ok(Some(Msg::Notice(Notice { text: CHANGES_NOTHING.into(), is_bad: false })));
            }
        };
        Ok(Some(Msg::Answer(answer)))
    }

    /// What is asked of the recording itself.
    fn control(&mut self, action: Action) {
        match action {
            Action::ReplayHold => self.is_held = !self.is_held,
            Action::ReplayStep => {
                self.is_held = true;
                while !self.step() {}
            }
            Action::ReplaySecond => self.go_on_to(self.now() + 1000),
            Action::ReplayTen => self.go_on_to(self.now() + 10_000),
            Action::ReplayFaster => self.speed = (self.speed * 2.0).min(FASTEST),
            Action::ReplaySlower => self.speed = (self.speed / 2.0).max(SLOWEST),
            _ => {}
        }
        self.replay.position = self.replay.position.max(self.anchor.1);
        self.look_anew();
    }

    /// Where in the recording it is.
    fn now(&self) -> u64 {
        self.replay.position.max(self.anchor.1)
    }

    /// Says in the header where it stands, and at the end that this is the end.
    fn tell(&mut self) {
        let is_over = self.replay.next_at().is_none();
        if is_over && !std::mem::replace(&mut self.is_over, true) {
            let torn = if self.is_torn { "; its last line was cut off and is left out" } else { "" };
            let text = Clean::from(format!("the recording ends here{torn}"));
            update(&mut self.replay.app, Msg::Notice(Notice { text, is_bad: false }));
            self.is_new |= self.replay.app.needs_frame();
        }
        let pace = match (is_over, self.is_held, &self.told) {
            (true, ..) => "end".to_owned(),
            (false, true, Some(told)) => format!("held: {told}"),
            (false, true, None) => "held".to_owned(),
            (false, false, _) => format!("x{}", self.speed),
        };
        let badge = format!("REPLAY {} of {} {pace}", Age(self.now() / 1000), self.length);
        if badge != self.badge {
            self.replay.app.shows_recording(badge.as_str());
            self.badge = badge;
            self.is_new = true;
        }
    }

    async fn signalled(&mut self, asked: Asked) -> io::Result<()> {
        match asked {
            Asked::End(code) => self.ended = Some(code),
            Asked::Stop => {
                self.terminal.stop().await;
                self.come_back()?;
            }
            Asked::Continue => self.come_back()?,
        }
        Ok(())
    }

    fn come_back(&mut self) -> io::Result<()> {
        self.terminal.enter_again()?;
        self.size = Terminal::size();
        self.replay.shown_on(self.size.0, self.size.1);
        self.look_anew();
        self.is_new = true;
        Ok(())
    }

    fn draw(&mut self) -> io::Result<()> {
        let (width, height) = self.size;
        let app = &self.replay.app;
        self.terminal.draw(width, height, |buffer| view(app, buffer))
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.terminal.leave();
        panic::on_screen(false);
    }
}
