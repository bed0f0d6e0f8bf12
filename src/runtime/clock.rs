//! The only place that reads the machine's clocks for the core.

use std::time::SystemTime;

use crate::app::Msg;
use crate::fleet::{Mono, Now, Unix};
use crate::sources::Clock;

/// A wall clock that runs so many seconds away from the console's own has been set, or the machine slept.
const JUMP_SECS: i64 = 30;

/// Both clocks, and whether one of them jumped since they were last read.
#[derive(Debug, Clone)]
pub struct Clocks {
    console: Clock,
    last: Option<Now>,
    /// Seconds that were added to the wall clock.
    set_by: i64,
}

/// What reading the clocks told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    pub now: Now,
    /// The wall clock went on while the console stood still.
    pub slept: bool,
}

impl Reading {
    /// Time goes on.
    pub fn tick(self) -> Msg {
        Msg::Tick { now: self.now, slept: self.slept }
    }

    /// When what is told next was heard; after a sleep that comes first.
    pub fn moment(self) -> Msg {
        if self.slept { self.tick() } else { Msg::Moment(self.now) }
    }
}

impl Clocks {
    pub fn new(console: Clock) -> Self {
        Self { console, last: None, set_by: 0 }
    }

    /// As if somebody had set the machine's clock forward, or back.
    pub fn set_by(&mut self, seconds: i64) {
        self.set_by += seconds;
    }

    #[expect(clippy::disallowed_methods, reason = "this is the place where the wall clock is read")]
    pub fn read(&mut self) -> Reading {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let unix = unix.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
        self.take(Now { mono: self.console.mono(), unix: Unix(unix.saturating_add(self.set_by)) })
    }

    fn take(&mut self, now: Now) -> Reading {
        let slept = self.last.is_some_and(|last| jumped(last, now));
        self.last = Some(now);
        Reading { now, slept }
    }
}

fn jumped(last: Now, now: Now) -> bool {
    let Mono(console) = Mono(now.mono.0.saturating_sub(last.mono.0));
    let wall = now.unix.0 - last.unix.0;
    wall - (console / 1000) as i64 > JUMP_SECS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mono_secs: u64, unix: i64) -> Now {
        Now { mono: Mono(mono_secs * 1000), unix: Unix(unix) }
    }

    #[test]
    fn a_sleeping_laptop_is_noticed_and_a_busy_one_is_not() {
        assert!(jumped(at(10, 1000), at(11, 4600)));
        assert!(!jumped(at(10, 1000), at(70, 1060)), "a slow loop is not a jump");
        assert!(!jumped(at(10, 1000), at(11, 400)), "a clock that was set back makes nothing stale");
        assert!(!jumped(at(10, 1000), at(11, 1025)));
    }
}
