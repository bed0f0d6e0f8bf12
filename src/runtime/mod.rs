//! The loop's impure half: clocks, tasks, the terminal.

pub mod clock;
pub mod headless;
pub mod session;
