//! The way out to the terminal, which may not read (Ctrl-S, a dead connection) and must not block anybody.
//!
//! Opened a second time and without waiting, because a thread that waits inside a write keeps every other one
//! out, also the one that restores the terminal.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, fcntl_dupfd_cloexec, write};
use rustix::stdio::stdout;
use rustix::termios::{QueueSelector, tcflush, ttyname};

/// A terminal that takes nothing is asked again so often.
const AGAIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// So long somebody who wants to leave waits for a terminal that does not read.
pub const MOMENT: Duration = Duration::from_millis(300);
const ASKED_IN_A_MOMENT: u32 = 6;

pub struct Tty {
    out: OwnedFd,
}

impl Tty {
    pub fn open() -> io::Result<Self> {
        let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let again = ttyname(stdout(), Vec::new()).and_then(|name| open(&*name, flags, Mode::empty()));
        // Where the device may not be opened again, a terminal that does not read blocks its writer.
        Ok(Self { out: again.or_else(|_| fcntl_dupfd_cloexec(stdout(), 0))? })
    }

    /// Writes everything, unless it is told to give up while the terminal takes nothing.
    pub fn write(&self, mut bytes: &[u8], gives_up: impl Fn() -> bool) -> io::Result<()> {
        while !bytes.is_empty() && !gives_up() {
            match write(&self.out, bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::AGAIN) => self.wait()?,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Writes what restores the terminal. What a terminal that does not read was still to show is thrown away
    /// for it.
    pub fn write_at_last(&self, bytes: &[u8]) {
        for last in [false, true] {
            let mut left = bytes;
            for _ in 0..ASKED_IN_A_MOMENT {
                match write(&self.out, left) {
                    Ok(written) => left = &left[written..],
                    Err(Errno::AGAIN) => drop(self.wait()),
                    Err(_) => {}
                }
                if left.is_empty() {
                    return;
                }
            }
            if !last {
                let _ = tcflush(&self.out, QueueSelector::OFlush);
            }
        }
    }

    fn wait(&self) -> io::Result<()> {
        match poll(&mut [PollFd::new(&self.out, PollFlags::OUT)], Some(&AGAIN)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
