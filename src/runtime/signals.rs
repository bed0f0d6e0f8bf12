//! Signals: what ends the program, what stops it, what lets it go on.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// End with this exit code: 128 and the number of the signal.
    End(u8),
    Stop,
    /// The program goes on after it was stopped by whomever.
    Continue,
}

/// The code for Ctrl-C.
pub const INTERRUPTED: u8 = 128 + 2;
/// The code for Ctrl-\\.
pub const ASKED_TO_QUIT: u8 = 128 + 3;

pub struct Signals {
    ends: [(Signal, u8); 4],
    stop: Signal,
    go_on: Signal,
}

impl Signals {
    pub fn listen() -> io::Result<Self> {
        let end = |kind: SignalKind| io::Result::Ok((signal(kind)?, 128 + kind.as_raw_value() as u8));
        Ok(Self {
            ends: [
                end(SignalKind::terminate())?,
                end(SignalKind::hangup())?,
                end(SignalKind::interrupt())?,
                end(SignalKind::quit())?,
            ],
            stop: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            go_on: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    pub async fn next(&mut self) -> Asked {
        let [terminate, hang_up, interrupt, quit] = &mut self.ends;
        tokio::select! {
            _ = terminate.0.recv() => Asked::End(terminate.1),
            _ = hang_up.0.recv() => Asked::End(hang_up.1),
            _ = interrupt.0.recv() => Asked::End(interrupt.1),
            _ = quit.0.recv() => Asked::End(quit.1),
            _ = self.stop.recv() => Asked::Stop,
            _ = self.go_on.recv() => Asked::Continue,
        }
    }
}

/// Asks everybody in the foreground to stop, as the terminal does for Ctrl-Z when it is not in raw mode.
pub fn stop_all() {
    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
}

/// Stops this process, here and now; returns when it goes on.
pub fn stop_here() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
}
