//! The loop's pure half: everything that happens is a message, everything that is to be done an effect.
//!
//! [`update()`] folds a message into the [`App`] and says what the shell must do; [`view()`] draws the app. No clock,
//! no terminal, no network is in reach here, so the same messages always make the same screens.

mod beginning;
pub mod change;
mod configuration;
pub mod help;
pub mod inspect;
pub mod layers;
mod mouse;
pub mod msg;
pub mod palette;
pub mod prefs;
mod replay;
pub mod program_log;
pub mod scope;
pub mod themes;
mod typing;
pub mod update;
pub mod view;

use ratatui::layout::Rect;

pub use beginning::Beginning;
pub use configuration::Configuration;
pub use layers::Layer;
pub use msg::{Answer, Effect, Looked, Mouse, MouseKind, Msg, Notice};
pub use prefs::Prefs;
pub use replay::CHANGES_NOTHING;
pub use themes::Themes;
pub use update::update;
pub use view::view;

use crate::fleet::{Clean, Mono, Now};
use crate::gate::Desk;
use crate::input::{Key, Keymap};
use crate::panels::{self, Panel, PanelId, Scene};
use crate::state::State;
use crate::state::select::totals::{Totals, totals};
use crate::ui::{Glyphs, Meaning, frame};

/// Everything that the screen is made of.
pub struct App {
    pub state: State,
    /// What is being changed, what was, and what may be.
    pub desk: Desk,
    pub fleet_name: Option<Clean>,
    panels: Vec<Box<dyn Panel>>,
    focus: usize,
    /// What lies on top of the panel, the innermost last.
    layers: Vec<Layer>,
    keymap: Keymap,
    /// Keys of a chord that has begun.
    pressed: Vec<Key>,
    pub themes: Themes,
    pub glyphs: &'static Glyphs,
    notice: Option<Shown>,
    screen: Rect,
    /// The picture is held still as of then.
    frozen: Option<Now>,
    mouse: bool,
    totals: Totals,
    /// What the picture shows is not what is known any more.
    outdated: bool,
    /// Something must be drawn, outdated or not.
    dirty: bool,
    /// Numbers streams of logs, so that lines of one that was left are dropped.
    next_stream: u64,
    /// Numbers looks, so that an answer finds the dialog that asked.
    next_ticket: u64,
    looking: Option<change::Looking>,
    /// The journal was heard once.
    journal_read: bool,
    /// Operations that were on their way when last looked at.
    moving: std::collections::BTreeSet<crate::fleet::ChangeId>,
    /// Quitting was asked for while a change was on its way.
    quit_asked: Option<Mono>,
    /// A recording is shown instead of the world.
    replay: Option<replay::Shown>,
}

/// A notice and when it goes.
struct Shown {
    text: Clean,
    meaning: Meaning,
    until: Mono,
}

/// How long a notice stays.
const NOTICE_SECS: u64 = 8;
/// One that says what went wrong behind the operator's back.
const BAD_NOTICE_SECS: u64 = 60;

impl App {
    pub fn new(state: State, keymap: Keymap, themes: Themes, glyphs: &'static Glyphs) -> Self {
        Self {
            state,
            desk: Desk::default(),
            fleet_name: None,
            panels: panels::all(),
            focus: 0,
            layers: Vec::new(),
            keymap,
            pressed: Vec::new(),
            themes,
            glyphs,
            notice: None,
            screen: Rect::default(),
            frozen: None,
            mouse: true,
            totals: Totals::default(),
            outdated: true,
            dirty: true,
            next_stream: 0,
            next_ticket: 0,
            looking: None,
            journal_read: false,
            moving: std::collections::BTreeSet::new(),
            quit_asked: None,
            replay: None,
        }
    }

    /// Whether a frame would show something else than the last one; asking brings the picture up to date.
    pub fn needs_frame(&mut self) -> bool {
        if std::mem::take(&mut self.outdated) && self.frozen.is_none() {
            self.refresh();
            self.dirty = true;
        }
        let dirty = std::mem::take(&mut self.dirty);
        if dirty && let Some(areas) = frame::areas(self.screen, self.notice.is_some()) {
            for layer in &mut self.layers {
                match layer {
                    Layer::Inspect(inspect) => inspect.resize(areas.body),
                    Layer::ProgramLog(log) => log.resize(areas.body),
                    _ => {}
                }
            }
        }
        dirty
    }

    pub fn set_screen(&mut self, width: u16, height: u16) {
        self.screen = Rect { x: 0, y: 0, width, height };
        self.outdated = true;
        self.dirty = true;
        // A frozen picture must fit the new screen too.
        if self.frozen.is_some() {
            self.refresh_panel();
        }
    }

    pub fn go_to(&mut self, id: PanelId) {
        if let Some(at) = self.panels.iter().position(|panel| panel.id() == id) {
            self.focus = at;
            self.refresh_panel();
        }
    }

    pub fn panel_id(&self) -> PanelId {
        self.panels[self.focus].id()
    }

    pub fn set_mouse(&mut self, mouse: bool) {
        self.mouse = mouse;
    }

    pub fn notify(&mut self, text: impl Into<Clean>, meaning: Meaning) {
        self.show(text.into(), meaning, NOTICE_SECS);
    }

    fn told(&mut self, notice: Notice) {
        if notice.is_bad {
            self.show(notice.text, Meaning::Bad, BAD_NOTICE_SECS);
        } else {
            self.show(notice.text, Meaning::Notice, NOTICE_SECS);
        }
    }

    fn show(&mut self, text: Clean, meaning: Meaning, secs: u64) {
        let until = self.state.now.mono.plus_secs(secs);
        self.notice = Some(Shown { text, meaning, until });
        self.dirty = true;
    }

    /// The time of the picture: that of the moment, or of the freeze.
    fn now(&self) -> Now {
        self.frozen.unwrap_or(self.state.now)
    }

    fn panel(&mut self) -> &mut dyn Panel {
        self.panels[self.focus].as_mut()
    }

    fn refresh(&mut self) {
        self.totals = totals(&self.state);
        self.refresh_panel();
        for layer in &mut self.layers {
            if let Layer::Inspect(inspect) = layer {
                inspect.refresh(&self.state);
            }
        }
    }

    fn refresh_panel(&mut self) {
        if let Some(areas) = frame::areas(self.screen, self.notice.is_some()) {
            let scene = Scene { state: &self.state, desk: &self.desk };
            self.panels[self.focus].refresh(scene, areas.body);
        }
        self.dirty = true;
    }
}
