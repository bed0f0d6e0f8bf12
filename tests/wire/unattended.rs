//! A whole console but for its terminal, for tests that want to see what an operator would see.

use std::collections::BTreeMap;
use std::path::Path;

use skydeck::app::{App, Themes};
use skydeck::config::Config;
use skydeck::input::Keymap;
use skydeck::runtime::clock::Clocks;
use skydeck::runtime::record::Recorder;
use skydeck::runtime::record::line::Header;
use skydeck::runtime::session::Session;
use skydeck::runtime::unattended::Unattended;
use skydeck::sources::Clock;
use skydeck::sources::inventory::Inventory;
use skydeck::ui::glyphs::UNICODE;
use skydeck::ui::theme::Depth;

pub const SIZE: (u16, u16) = (120, 60);

pub fn unattended(config: &Config, inventory: Inventory, recording: Option<&Path>) -> Unattended {
    let clock = Clock::start();
    let (session, facts, state) = Session::begin(config, inventory, clock);
    let (themes, _) = Themes::new("dark", BTreeMap::new(), Depth::TrueColor);
    let app = App::new(state, Keymap::default(), themes, &UNICODE);
    let recorder = recording.map(|path| {
        let header = Header::new(Clocks::new(clock).read().now, SIZE, app.beginning());
        Recorder::create(path, &header, clock).unwrap()
    });
    Unattended::new(app, (session, facts), (clock, recorder), SIZE)
}
