//! The loop's impure half: clocks, tasks, the terminal.

pub mod clock;
pub mod console;
pub mod headless;
pub mod driver;
mod keys;
pub mod limits;
pub mod log;
mod login;
pub mod panic;
mod perform;
pub mod player;
pub mod record;
pub mod reload;
pub mod replay;
pub mod session;
mod signals;
pub mod terminal;
mod tty;
pub mod unattended;
mod writer;
