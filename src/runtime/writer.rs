//! Writing to the terminal from a thread of its own.
//!
//! A terminal that does not read (Ctrl-S, a dead connection) blocks whoever writes to it. That must never be
//! the loop: facts go on being folded, and the next frame waits until the last one was taken.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use tokio::sync::Notify;

use super::tty::{MOMENT, Tty};

/// A way to the writing thread.
pub struct Writer {
    frames: SyncSender<Vec<u8>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    busy: AtomicBool,
    /// The terminal was given back: what is left of a frame must not be drawn on what others show.
    closed: AtomicBool,
    broken: AtomicBool,
    idle: Notify,
}

impl Writer {
    pub fn start(tty: Arc<Tty>) -> io::Result<Self> {
        let (frames, receiver) = sync_channel::<Vec<u8>>(1);
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        std::thread::Builder::new().name("terminal-writer".into()).spawn(move || {
            while let Ok(bytes) = receiver.recv() {
                let closed = || of_thread.closed.load(Ordering::Acquire);
                if tty.write(&bytes, closed).is_err() {
                    of_thread.broken.store(true, Ordering::Release);
                }
                of_thread.busy.store(false, Ordering::Release);
                of_thread.idle.notify_one();
            }
        })?;
        Ok(Self { frames, shared })
    }

    /// Frames are dropped from now on, or drawn again.
    pub fn close(&self, closed: bool) {
        self.shared.closed.store(closed, Ordering::Release);
    }

    pub fn is_idle(&self) -> bool {
        !self.shared.busy.load(Ordering::Acquire)
    }

    /// The terminal is gone.
    pub fn is_broken(&self) -> bool {
        self.shared.broken.load(Ordering::Acquire)
    }

    /// Returns when the last frame was taken.
    pub async fn idle(&self) {
        while !self.is_idle() {
            self.shared.idle.notified().await;
        }
    }

    /// Hands over a frame; only when idle.
    pub fn send(&self, bytes: Vec<u8>) {
        self.shared.busy.store(true, Ordering::Release);
        if self.frames.try_send(bytes).is_err() {
            // The thread is gone, which only a bug does; nothing will be drawn any more.
            self.shared.broken.store(true, Ordering::Release);
            self.shared.busy.store(false, Ordering::Release);
        }
    }

    /// Waits a moment for what is being written, so that it does not mix with what comes next.
    pub async fn drain(&self) {
        let _ = tokio::time::timeout(MOMENT, self.idle()).await;
    }
}
