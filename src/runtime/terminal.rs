//! The terminal: entered once, left whatever happens, drawn by difference.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode, size,
};
use crossterm::{cursor, queue, style};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustix::stdio::stdin;
use rustix::termios::{OptionalActions, QueueSelector, tcflush, tcgetattr, tcsetattr};

use super::tty::Tty;
use super::writer::Writer;
use super::{panic, signals};

/// Raw mode and the alternate screen, until dropped.
pub struct Terminal {
    tty: Arc<Tty>,
    writer: Writer,
    backend: CrosstermBackend<Bytes>,
    bytes: Bytes,
    shown: Buffer,
    /// What goes out with the next frame and is not part of the picture.
    beside: Vec<u8>,
    mouse: bool,
    entered: bool,
}

/// Collects what the backend writes.
#[derive(Clone, Default)]
struct Bytes(Arc<Mutex<Vec<u8>>>);

impl Bytes {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Terminal {
    pub fn enter(mouse: bool) -> io::Result<Self> {
        let bytes = Bytes::default();
        let tty = Arc::new(Tty::open()?);
        let mut terminal = Self {
            writer: Writer::start(Arc::clone(&tty))?,
            tty,
            backend: CrosstermBackend::new(bytes.clone()),
            bytes,
            shown: Buffer::default(),
            beside: Vec::new(),
            mouse,
            entered: false,
        };
        terminal.enter_again()?;
        Ok(terminal)
    }

    /// After the program was stopped and goes on: whoever had the terminal may have left it in any state.
    pub fn enter_again(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        make_raw()?;
        self.entered = true;
        let mut bytes = Vec::new();
        queue!(bytes, EnterAlternateScreen, cursor::Hide, EnableBracketedPaste)?;
        if self.mouse {
            queue!(bytes, EnableMouseCapture)?;
        }
        self.tty.write(&bytes, || false)?;
        self.writer.close(false);
        self.forget();
        Ok(())
    }

    /// Gives the terminal to somebody else for a while, after what was drawn last.
    pub async fn lend(&mut self) {
        self.writer.drain().await;
        self.leave();
        panic::on_screen(false);
    }

    /// Stops the program as the shell's Ctrl-Z does; returns when it goes on.
    pub async fn stop(&mut self) {
        self.lend().await;
        signals::stop_here();
        panic::on_screen(true);
    }

    /// Gives the terminal back as it was. Undoes everything that could have been switched on.
    pub fn leave(&mut self) {
        if !std::mem::take(&mut self.entered) {
            return;
        }
        let mut bytes = Vec::new();
        let _ = queue!(
            bytes,
            EndSynchronizedUpdate,
            style::ResetColor,
            style::SetAttribute(style::Attribute::Reset),
            DisableMouseCapture,
            DisableBracketedPaste,
            cursor::Show,
            LeaveAlternateScreen
        );
        self.writer.close(true);
        self.tty.write_at_last(&bytes);
        let _ = disable_raw_mode();
    }

    pub fn size() -> (u16, u16) {
        size().unwrap_or((80, 24))
    }

    /// Draws the difference to what is shown; only when the writer is idle.
    pub fn draw(&mut self, width: u16, height: u16, view: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        let area = Rect { x: 0, y: 0, width, height };
        let mut bytes = std::mem::take(&mut self.beside);
        if self.shown.area != area {
            self.shown = Buffer::empty(area);
            queue!(bytes, crossterm::terminal::Clear(crossterm::terminal::ClearType::All))?;
        }
        let mut next = Buffer::empty(area);
        view(&mut next);
        self.backend.draw(self.shown.diff_iter(&next))?;
        let drawn = self.bytes.take();
        self.shown = next;
        if drawn.is_empty() && bytes.is_empty() {
            return Ok(());
        }
        let mut frame = Vec::with_capacity(drawn.len() + 32);
        queue!(frame, BeginSynchronizedUpdate)?;
        frame.extend(bytes);
        frame.extend(drawn);
        queue!(frame, EndSynchronizedUpdate)?;
        self.writer.send(frame);
        Ok(())
    }

    /// The next frame draws everything.
    pub fn forget(&mut self) {
        self.shown = Buffer::default();
    }

    pub fn capture_mouse(&mut self, capture: bool) -> io::Result<()> {
        self.mouse = capture;
        if capture {
            queue!(self.beside, EnableMouseCapture)
        } else {
            queue!(self.beside, DisableMouseCapture)
        }
    }

    /// Sends something that is not a picture, such as a text for the clipboard, with the next frame.
    pub fn send(&mut self, bytes: &[u8]) {
        self.beside.extend_from_slice(bytes);
    }

    /// The way to the terminal itself, for what is said while it is left.
    pub(super) fn tty(&self) -> Arc<Tty> {
        Arc::clone(&self.tty)
    }

    /// Keys that were pressed for somebody else are nobody's.
    pub fn forget_keys() {
        let _ = tcflush(stdin(), QueueSelector::IFlush);
    }

    pub fn writer(&self) -> &Writer {
        &self.writer
    }
}

/// crossterm believes what it did last, and does nothing twice. Who was stopped without a word (SIGSTOP) finds the modes
/// of whoever had the terminal meanwhile.
fn make_raw() -> io::Result<()> {
    let mut modes = tcgetattr(stdin())?;
    modes.make_raw();
    Ok(tcsetattr(stdin(), OptionalActions::Now, &modes)?)
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.leave();
    }
}
