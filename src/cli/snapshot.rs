//! `--snapshot`: one screen to the standard output, of what is there now or of a moment of a recording. The pictures of
//! the README and of bug reports are made so.

use std::io::{self, Write, stdout};

use color_eyre::eyre::{Result, bail};
use crossterm::{queue, style};
use ratatui::backend::IntoCrossterm;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use serde::Serialize;

use super::looks::{self, Looks};
use super::status::document::API_VERSION;
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
    let looks = looks_of(format);
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
    let (width, height) = global.size.unwrap_or((120, 36));
    app.set_screen(width, height);
    app.needs_frame();
    stdout().write_all(print(&app, (width, height), format)?.as_bytes())?;
    Ok(0)
}

/// How it looks: what is read by a program has every colour that there is.
pub fn looks_of(format: SnapshotFormat) -> Looks {
    match format {
        SnapshotFormat::Text => Looks::of_environment(),
        SnapshotFormat::Svg | SnapshotFormat::Json => Looks::PICTURE,
    }
}

/// The screen as it was brought up to date last.
pub fn print(app: &App, size: (u16, u16), format: SnapshotFormat) -> Result<String> {
    let buffer = draw(app, size);
    Ok(match format {
        SnapshotFormat::Text => text(&buffer),
        SnapshotFormat::Svg => svg(&buffer)?,
        SnapshotFormat::Json => format!("{}\n", serde_json::to_string_pretty(&screen(app, &buffer))?),
    })
}

fn draw(app: &App, (width, height): (u16, u16)) -> Buffer {
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
fn cells(buffer: &Buffer, y: u16) -> impl Iterator<Item = (&str, Style)> {
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

/// A screen as data: what stands in each line, and how it is drawn.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Screen {
    api_version: &'static str,
    kind: &'static str,
    generated_at: String,
    panel: String,
    columns: u16,
    lines: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    text: String,
    spans: Vec<Span>,
}

/// Cells beside each other that are drawn alike.
#[derive(Debug, Serialize)]
struct Span {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    foreground: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    background: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<String>,
}

fn screen(app: &App, buffer: &Buffer) -> Screen {
    let lines = text(buffer);
    let lines = lines
        .lines()
        .enumerate()
        .map(|(y, text)| Line { text: text.to_owned(), spans: spans(buffer, y as u16) });
    Screen {
        api_version: API_VERSION,
        kind: "Screen",
        generated_at: app.state.now.unix.rfc3339(),
        panel: app.prefs().panel.unwrap_or_default(),
        columns: buffer.area.width,
        lines: lines.collect(),
    }
}

fn spans(buffer: &Buffer, y: u16) -> Vec<Span> {
    let mut spans: Vec<(Style, String)> = Vec::new();
    for (symbol, style) in cells(buffer, y) {
        match spans.last_mut() {
            Some((last, text)) if *last == style => text.push_str(symbol),
            _ => spans.push((style, symbol.to_owned())),
        }
    }
    let named = |color: Option<ratatui::style::Color>| {
        color.filter(|color| *color != ratatui::style::Color::Reset).map(|color| color.to_string())
    };
    let span = |(style, text): (Style, String)| Span {
        text,
        foreground: named(style.fg),
        background: named(style.bg),
        attributes: style.add_modifier.iter_names().map(|(name, _)| name.to_lowercase()).collect(),
    };
    spans.into_iter().map(span).collect()
}
