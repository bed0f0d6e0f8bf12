//! The console with nobody in front of it: its sources, its app and its frames as always, without a terminal.
//!
//! What it saw is in its recording. It takes no keys and changes nothing; of what the app asks for it does only what
//! belongs to reading.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout_at};

use super::clock::Clocks;
use super::record::Recorder;
use super::session::Session;
use crate::app::{App, Effect, Msg, update, view};
use crate::fleet::{Clean, Fact};
use crate::sources::Clock;

/// Time goes on in the app so often, and its picture is drawn then.
const TICK: Duration = Duration::from_millis(500);

pub struct Unattended {
    pub app: App,
    session: Session,
    facts: Receiver<Vec<Fact>>,
    clocks: Clocks,
    recorder: Option<Recorder>,
    picture: Buffer,
}

impl Unattended {
    /// The app must know its clusters, and the session watch them.
    pub fn new(
        mut app: App,
        (session, facts): (Session, Receiver<Vec<Fact>>),
        (clock, recorder): (Clock, Option<Recorder>),
        (width, height): (u16, u16),
    ) -> Self {
        app.set_screen(width, height);
        let picture = Buffer::empty(Rect { x: 0, y: 0, width, height });
        let mut console = Self { app, session, facts, clocks: Clocks::new(clock), recorder, picture };
        console.take(Msg::Resize(width, height));
        console.tick();
        console
    }

    /// Lives for so long.
    pub async fn live(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            let next = end.min(Instant::now() + TICK);
            while let Ok(facts) = timeout_at(next, self.heard()).await {
                let moment = self.clocks.read().moment();
                self.take(moment);
                self.take(Msg::Facts(facts));
            }
            self.tick();
        }
    }

    /// Why the recording ended before its time.
    pub fn trouble(&mut self) -> Option<Clean> {
        self.recorder.as_mut().and_then(Recorder::trouble)
    }

    async fn heard(&mut self) -> Vec<Fact> {
        tokio::select! {
            Some(facts) = self.facts.recv() => facts,
            fact = self.session.ended() => vec![fact],
        }
    }

    fn tick(&mut self) {
        let tick = self.clocks.read().tick();
        self.take(tick);
        if self.app.needs_frame() {
            self.recorder.iter_mut().for_each(Recorder::frame);
            self.picture.reset();
            view(&self.app, &mut self.picture);
        }
    }

    fn take(&mut self, message: Msg) {
        self.recorder.iter_mut().for_each(|it| it.message(&message));
        for effect in update(&mut self.app, message) {
            if matches!(effect, Effect::Reconnect) {
                self.session.reconnect(None);
            }
        }
    }
}
