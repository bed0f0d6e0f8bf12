//! The real binary in a pseudo-terminal: keys in, screen out, signals, and how the terminal is left.
//! Its clusters are a demo fleet in the test's own process, reached over loopback as any other.
#![cfg(test)]

mod changes;
mod bugreport;
mod console;
mod hostile;
mod keys;
mod leaving;
mod limits;
mod login;
mod printed;
mod replay;
mod silent;
