//! The loop: take messages, then draw.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::EventStream;
use futures::StreamExt;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::clock::Clocks;
use super::perform::Asker;
use super::record::Recorder;
use super::reload::{self, Outcome, Setup};
use super::session::Session;
use super::signals::{self, Asked, Signals};
use super::terminal::Terminal;
use super::{keys, login, panic};
use crate::app::{Answer, App, Effect, Msg, Notice, update, view};
use crate::config::Config;
use crate::effects::desk;
use crate::effects::hand::{Hand, Told};
use crate::effects::journal::{Clerk, News};
use crate::fleet::{Clean, ClusterId, Fact, SourceFact, SourceState};
use crate::sources::Clock;

/// At most one frame in so long.
const FRAME: Duration = Duration::from_millis(33);
/// The same while watches tell of objects and nothing else happens: those come by the hundred, and nobody reads faster.
const CALM_FRAME: Duration = Duration::from_millis(200);
const TICK: Duration = Duration::from_millis(500);
/// Batches of facts that are folded before keys are looked at again.
const BATCHES_AT_ONCE: usize = 32;

/// What the loop runs with.
pub struct Console {
    pub app: App,
    pub session: Session,
    pub facts: Receiver<Vec<Fact>>,
    pub clock: Clock,
    pub mouse: bool,
    /// Where habits are remembered.
    pub state_file: Option<PathBuf>,
    /// The program's own log.
    pub log_file: Option<PathBuf>,
    pub config: Config,
    /// The files that say what is watched, read again when they changed.
    pub setups: Receiver<Outcome>,
    /// Where changes are written down.
    pub journal: Option<PathBuf>,
    /// What is said first.
    pub notices: Vec<Notice>,
    pub recorder: Option<Recorder>,
}

struct Running {
    app: App,
    session: Session,
    facts: Receiver<Vec<Fact>>,
    clocks: Clocks,
    terminal: Terminal,
    asker: Asker,
    answers: Receiver<Answer>,
    hand: Hand,
    told: Receiver<Told>,
    news: Receiver<News>,
    journal: Option<PathBuf>,
    state_file: Option<PathBuf>,
    config: Config,
    setups: Receiver<Outcome>,
    size: (u16, u16),
    /// Something waits for the screen that somebody waits for.
    is_urgent: bool,
    ended: Option<u8>,
    /// The plugin of this cluster waits for the terminal.
    login: Option<ClusterId>,
    log_file: Option<PathBuf>,
    recorder: Option<Recorder>,
}

/// What the loop woke up for.
enum Woke {
    Messages(Vec<Msg>),
    Signal(Asked),
    Setup(Outcome),
    /// Only to draw.
    Nothing,
    /// The keyboard is gone.
    Closed,
}

/// Runs until the operator or a signal ends it; gives the exit code.
pub async fn run(console: Console) -> io::Result<u8> {
    let (asker, answers) = Asker::new(console.session.details.clone());
    let (clerk, news) = Clerk::start(console.journal.clone());
    let (hand, told) = Hand::new(console.session.details.clone(), clerk, console.app.desk.actor.clone());
    let terminal = Terminal::enter(console.mouse)?;
    panic::on_screen(true);
    let running = Running {
        app: console.app,
        session: console.session,
        facts: console.facts,
        clocks: Clocks::new(console.clock),
        terminal,
        asker,
        answers,
        hand,
        told,
        news,
        journal: console.journal,
        state_file: console.state_file,
        config: console.config,
        setups: console.setups,
        size: Terminal::size(),
        is_urgent: true,
        ended: None,
        login: None,
        log_file: console.log_file,
        recorder: console.recorder,
    };
    running.run(console.notices).await
}

impl Running {
    async fn run(mut self, notices: Vec<Notice>) -> io::Result<u8> {
        let mut events = EventStream::new();
        let mut signals = Signals::listen()?;
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        self.tick();
        let size = Msg::Resize(self.size.0, self.size.1);
        self.take(std::iter::once(size).chain(notices.into_iter().map(Msg::Notice)).collect())?;
        let mut last_frame: Option<Instant> = None;
        loop {
            // The draw phase: only if something changed, the last frame was taken, and not too often.
            let pace = if self.is_urgent { FRAME } else { CALM_FRAME };
            let next_frame = last_frame.map_or_else(Instant::now, |at| at + pace);
            let due = Instant::now() >= next_frame && self.terminal.writer().is_idle();
            if due && self.app.needs_frame() {
                self.recorder.iter_mut().for_each(Recorder::frame);
                self.draw()?;
                (last_frame, self.is_urgent) = (Some(Instant::now()), false);
            }
            // The message phase: keys first, facts batched.
            let woke = tokio::select! {
                biased;
                event = events.next() => Self::woke_by_event(event),
                asked = signals.next() => Woke::Signal(asked),
                Some(answer) = self.answers.recv() => Woke::Messages(vec![Msg::Answer(answer)]),
                Some((id, event)) = self.told.recv() => {
                    Woke::Messages(vec![Msg::Answer(Answer::Gate(id, event))])
                }
                Some(news) = self.news.recv() => Woke::Messages(vec![news_of(news)]),
                Some(facts) = self.facts.recv() => Woke::Messages(self.batch(facts)),
                Some(setup) = self.setups.recv() => Woke::Setup(setup),
                fact = self.session.ended() => Woke::Messages(vec![Msg::Facts(vec![fact])]),
                _ = tick.tick() => Woke::Messages(vec![self.clocks.read().tick()]),
                () = sleep_until(next_frame), if !due => Woke::Nothing,
                () = self.terminal.writer().idle(), if !self.terminal.writer().is_idle() => Woke::Nothing,
            };
            match woke {
                Woke::Messages(messages) => self.take(messages)?,
                Woke::Signal(asked) => self.signalled(asked).await?,
                Woke::Setup(setup) => {
                    let messages = self.set_up(setup);
                    self.take(messages)?;
                }
                Woke::Nothing => {}
                Woke::Closed => self.ended = Some(0),
            }
            if let Some(cluster) = self.login.take() {
                // Whoever reads keys would take those of the plugin.
                drop(events);
                self.log_in(cluster, &mut signals).await?;
                events = EventStream::new();
            }
            if self.terminal.writer().is_broken() {
                self.ended = Some(1);
            }
            if let Some(code) = self.ended {
                self.terminal.writer().drain().await;
                return Ok(code);
            }
        }
    }

    fn woke_by_event(event: Option<io::Result<crossterm::event::Event>>) -> Woke {
        match event {
            Some(Ok(event)) => Woke::Messages(keys::message(event).into_iter().collect()),
            Some(Err(_)) | None => Woke::Closed,
        }
    }

    /// Facts that are there already are folded together.
    fn batch(&mut self, first: Vec<Fact>) -> Vec<Msg> {
        let mut messages = vec![Msg::Facts(first)];
        while messages.len() < BATCHES_AT_ONCE
            && let Ok(facts) = self.facts.try_recv()
        {
            messages.push(Msg::Facts(facts));
        }
        messages
    }

    fn tick(&mut self) {
        let message = self.clocks.read().tick();
        self.recorder.iter_mut().for_each(|it| it.message(&message));
        update(&mut self.app, message);
    }

    fn take(&mut self, messages: Vec<Msg>) -> io::Result<()> {
        let moment = self.clocks.read().moment();
        let trouble = self.recorder.as_mut().and_then(Recorder::trouble);
        let trouble = trouble.map(|text| Msg::Notice(Notice { text, is_bad: true }));
        for message in std::iter::once(moment).chain(trouble).chain(messages) {
            if let Msg::Resize(width, height) = message {
                self.size = (width, height);
            }
            self.is_urgent |= is_urgent(&message);
            self.recorder.iter_mut().for_each(|it| it.message(&message));
            for effect in update(&mut self.app, message) {
                self.perform(effect)?;
            }
        }
        Ok(())
    }

    fn perform(&mut self, effect: Effect) -> io::Result<()> {
        match effect {
            Effect::Quit => self.ended = Some(0),
            Effect::Suspend => signals::stop_all(),
            Effect::Redraw => self.terminal.forget(),
            Effect::CaptureMouse(capture) => self.terminal.capture_mouse(capture)?,
            Effect::Copy(text) => self.terminal.send(&desk::clipboard_sequence(&text)),
            Effect::CopyLines(lines) => {
                let lines: Vec<_> = lines.iter().map(Clean::as_str).collect();
                self.terminal.send(&desk::clipboard_sequence(&lines.join("\n")));
            }
            Effect::Look { ticket, places } => {
                let now = self.app.state.now;
                self.asker.look(ticket, self.hand.look(places, now.mono), now);
            }
            Effect::Gate(command) => self.hand.take(command),
            Effect::Export(id) => {
                if let Some(operation) = self.app.desk.operation(&id) {
                    self.asker.export(self.journal.clone(), operation.clone());
                }
            }
            Effect::ReadTimeline(id) => self.asker.read_timeline(self.journal.clone(), id),
            Effect::Remember(prefs) => {
                if let Some(file) = &self.state_file {
                    // Habits that cannot be kept are no reason to disturb anybody.
                    let _ = desk::remember(file, &prefs);
                }
            }
            Effect::Reconnect => self.session.reconnect(None),
            Effect::Fetch { cluster, id } => self.asker.fetch(cluster, id),
            Effect::ReadLogs { stream, cluster, request } => {
                self.asker.read_logs(stream, cluster, request);
            }
            Effect::StopLogs => self.asker.stop_logs(),
            Effect::LogIn(cluster) => self.login = Some(cluster),
            Effect::ReadProgramLog => self.asker.read_program_log(self.log_file.clone()),
        }
        Ok(())
    }

    fn set_up(&mut self, setup: Outcome) -> Vec<Msg> {
        let notice = |text: String, is_bad| Msg::Notice(Notice { text: text.into(), is_bad });
        match setup {
            Err(reason) => {
                tracing::warn!("the files changed and are not taken: {reason}");
                vec![notice(format!("not taken, what was goes on: {reason}"), true)]
            }
            Ok(setup) => {
                let Setup { config, inventory, .. } = *setup;
                let configuration = reload::to_app(&self.config, &config);
                let changed = self.session.rewatch(&config, inventory, &mut self.app.state);
                self.recorder.iter_mut().for_each(|it| it.clusters(&self.app.state));
                self.config = config;
                let words = format!("configuration read again{changed}");
                tracing::info!("{words}");
                vec![Msg::Configuration(Box::new(configuration)), notice(words, false)]
            }
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

    /// Gives the terminal to a credential plugin until it ends. What is heard meanwhile is folded.
    async fn log_in(&mut self, cluster: ClusterId, signals: &mut Signals) -> io::Result<()> {
        let Some((plugin, name)) = self.session.plugin(cluster) else {
            let text = Clean::from("its credential does not come from a plugin");
            return self.take(vec![Msg::Notice(Notice { text, is_bad: true })]);
        };
        self.terminal.lend().await;
        let front = login::in_front(self.terminal.tty(), plugin, name.clone());
        tokio::pin!(front);
        let outcome = loop {
            tokio::select! {
                outcome = &mut front => break Some(outcome),
                Some(facts) = self.facts.recv() => {
                    let messages = self.batch(facts);
                    self.take(messages)?;
                }
                asked = signals.next() => match asked {
                    // Ctrl-C and its like are meant for the plugin.
                    Asked::End(code) if code == signals::INTERRUPTED || code == signals::ASKED_TO_QUIT => {}
                    Asked::End(code) => {
                        self.ended = Some(code);
                        break None;
                    }
                    Asked::Stop => signals::stop_here(),
                    Asked::Continue => {}
                },
            }
        };
        let Some(outcome) = outcome else { return Ok(()) };
        panic::on_screen(true);
        Terminal::forget_keys();
        self.come_back()?;
        let notice = match outcome {
            Ok(()) => Notice { text: Clean::from(format!("logged in for {name}")), is_bad: false },
            Err(fault) => Notice { text: Clean::from(fault.to_string()), is_bad: true },
        };
        if !notice.is_bad {
            self.session.reconnect(None);
        }
        self.take(vec![Msg::Notice(notice)])
    }

    fn come_back(&mut self) -> io::Result<()> {
        self.terminal.enter_again()?;
        let (width, height) = Terminal::size();
        self.take(vec![Msg::Resize(width, height)])?;
        self.tick();
        Ok(())
    }

    fn draw(&mut self) -> io::Result<()> {
        let (width, height) = self.size;
        let app = &self.app;
        self.terminal.draw(width, height, |buffer| view(app, buffer))
    }
}

/// Whether somebody may wait for it: what watches tell of objects, and the time, is no answer.
fn is_urgent(message: &Msg) -> bool {
    use SourceFact::{Begin, Gone, Heard, Item, State};
    let is_calm = |fact: &Fact| match fact {
        Fact::Source(_, _, fact) => {
            matches!(fact, Item(_) | Gone(_) | Begin | Heard | State(SourceState::Watching))
        }
        Fact::Cluster(..) => false,
    };
    match message {
        Msg::Facts(facts) => !facts.iter().all(is_calm),
        Msg::Tick { slept, .. } => *slept,
        Msg::Moment(_) => false,
        _ => true,
    }
}

/// What the journal tells.
fn news_of(news: News) -> Msg {
    Msg::Answer(Answer::Journal { operations: news.operations, notes: news.notes })
}

impl Drop for Running {
    fn drop(&mut self) {
        self.terminal.leave();
        panic::on_screen(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{ClusterFact, Fault, FaultKind, Kind, Mono, ObjectKey, Slot, SourceId, Step};

    fn told(facts: impl IntoIterator<Item = SourceFact>) -> Msg {
        let source = SourceId { cluster: ClusterId(0), kind: Kind::Pod, slot: Slot(0) };
        Msg::Facts(facts.into_iter().map(|fact| Fact::Source(source, Mono(0), fact)).collect())
    }

    #[test]
    fn objects_that_watches_tell_of_wait_for_their_like_and_nothing_else_waits() {
        let gone = || SourceFact::Gone(ObjectKey::new("ml", "x"));
        let fault = Fault::new(Step::Watch, FaultKind::Cut, "");
        let lost = SourceFact::State(SourceState::Retrying { fault, attempt: 1, next_ms: 500 });
        assert!(!is_urgent(&told([gone(), gone()])));
        assert!(!is_urgent(&told([SourceFact::State(SourceState::Watching), SourceFact::Heard])));
        assert!(is_urgent(&told([gone(), SourceFact::Complete])), "a list is whole");
        assert!(is_urgent(&told([gone(), lost])), "a source is lost");
        let identified = ClusterFact::Identity(None);
        assert!(is_urgent(&Msg::Facts(vec![Fact::Cluster(ClusterId(0), Mono(0), identified)])));
        assert!(is_urgent(&Msg::Resize(80, 24)));
    }
}
