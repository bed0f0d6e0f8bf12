//! Ctrl-C and its like, from the moment on where something could be left half done.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

pub struct Interrupts([Signal; 3]);

impl Interrupts {
    pub fn listen() -> io::Result<Self> {
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    pub async fn next(&mut self) {
        let Self([interrupt, terminate, hang_up]) = self;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
}
