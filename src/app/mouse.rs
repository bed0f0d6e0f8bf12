//! The mouse: tabs, rows, the wheel.

use ratatui::layout::{Position, Rect};

use super::msg::{Effect, Mouse, MouseKind};
use super::{App, view};
use crate::input::Action;
use crate::panels::ALL;
use crate::ui::frame;

pub(super) fn act(app: &mut App, mouse: Mouse) -> Vec<Effect> {
    app.dirty = true;
    match mouse.kind {
        MouseKind::WheelUp => wheel(app, Action::Up),
        MouseKind::WheelDown => wheel(app, Action::Down),
        MouseKind::Click => click(app, Position { x: mouse.x, y: mouse.y }),
    }
}

fn wheel(app: &mut App, action: Action) -> Vec<Effect> {
    let takes_text = app.layers.last().is_some_and(|layer| layer.takes_text(&app.desk));
    if takes_text { Vec::new() } else { (0..3).flat_map(|_| app.act(action)).collect() }
}

fn click(app: &mut App, at: Position) -> Vec<Effect> {
    let Some(areas) = frame::areas(app.screen, app.notice.is_some()) else { return Vec::new() };
    if areas.tabs.contains(at) {
        let tab = view::tab_places(areas.tabs).into_iter().zip(&ALL).find(|(place, _)| place.contains(at));
        return tab.map_or_else(Vec::new, |(_, entry)| app.act(entry.go));
    }
    if !app.layers.is_empty() || !areas.body.contains(at) {
        return Vec::new();
    }
    let body: Rect = areas.body;
    if app.panel().click(body, at.x, at.y) { app.act(Action::Open) } else { Vec::new() }
}
