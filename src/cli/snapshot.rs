//! `--snapshot`: connect, draw one screen to the standard output and end. The pictures of the README and of
//! bug reports are made so.

use std::io::{self, Write, stdout};

use color_eyre::eyre::{Result, bail};
use crossterm::{queue, style};
use ratatui::backend::IntoCrossterm;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::looks::{self, Looks};
use crate::app::{App, Msg, Prefs, prefs, update, view};
use crate::config::args::{Global, SnapshotFormat};
use crate::fleet::Age;
use crate::runtime::headless::Headless;
use crate::runtime::reload::Setup;

/// A cluster that does not answer is part of the picture, but it must not be waited for for ever.
const AT_MOST: Age = Age(15);

pub async fn run(global: &Global, format: SnapshotFormat, setup: Setup) -> Result<u8> {
    let config = &setup.config;
    let mut session = Headless::start(config, setup.inventory);
    session.settle(AT_MOST).await;
    let looks = match format {
        SnapshotFormat::Text => Looks::of_environment(),
        SnapshotFormat::Svg => Looks::PICTURE,
    };
    let now = session.state.now;
    let (mut app, reason) = looks::app(global, config, session.state, &Prefs::default(), looks);
    if let Some(reason) = reason {
        bail!(reason);
    }
    if let Some(id) = global.panel.as_deref().or(config.ui.panel.as_deref()).and_then(prefs::panel_named) {
        app.go_to(id);
    }
    app.fleet_name.clone_from(&config.fleet_name);
    update(&mut app, Msg::Tick { now, slept: false });
    let buffer = draw(&mut app, global.size);
    let text = match format {
        SnapshotFormat::Text => text(&buffer),
        SnapshotFormat::Svg => svg(&buffer)?,
    };
    stdout().write_all(text.as_bytes())?;
    Ok(0)
}

fn draw(app: &mut App, (width, height): (u16, u16)) -> Buffer {
    app.set_screen(width, height);
    app.needs_frame();
    let mut buffer = Buffer::empty(Rect { x: 0, y: 0, width, height });
    view(app, &mut buffer);
    buffer
}

fn text(buffer: &Buffer) -> String {
    let line = |y| {
        let line: String = cells(buffer, y).map(|(symbol, _)| symbol).collect();
        format!("{}\n", line.trim_end())
    };
    (0..buffer.area.height).map(line).collect()
}

/// The cells of a line with their style; the second half of a wide character is no cell of its own.
fn cells(buffer: &Buffer, y: u16) -> impl Iterator<Item = (&str, ratatui::style::Style)> {
    let mut hidden = 0;
    (0..buffer.area.width).filter_map(move |x| {
        if hidden > 0 {
            hidden -= 1;
            return None;
        }
        let cell = &buffer[(x, y)];
        hidden = crate::ui::text::width(cell.symbol()).saturating_sub(1);
        Some((cell.symbol(), cell.style()))
    })
}

fn svg(buffer: &Buffer) -> io::Result<String> {
    let mut bytes = Vec::new();
    for y in 0..buffer.area.height {
        let mut last = None;
        for (symbol, style) in cells(buffer, y) {
            if last != Some(style) {
                let wanted = style::SetStyle(style.into_crossterm());
                queue!(bytes, style::SetAttribute(style::Attribute::Reset), wanted)?;
                last = Some(style);
            }
            bytes.extend(symbol.as_bytes());
        }
        queue!(bytes, style::SetAttribute(style::Attribute::Reset))?;
        bytes.push(b'\n');
    }
    let ansi = String::from_utf8_lossy(&bytes);
    Ok(anstyle_svg::Term::new().render_svg(ansi.trim_end_matches('\n')))
}
