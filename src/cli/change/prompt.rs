//! Asking on the terminal itself, whatever standard input and output lead to. What was typed ahead is thrown away, a paste
//! never confirms, and everything but the right words is a no.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};

use rustix::termios::{QueueSelector, tcflush};

use crate::gate::{Confirm, Strength};

const TERMINAL: &str = "/dev/tty";
/// Terminals that know it wrap what is pasted, so that it cannot be the words.
const MARK_PASTES: &[u8] = b"\x1b[?2004h";
const LEAVE_PASTES: &[u8] = b"\x1b[?2004l";
const PASTED: &str = "\x1b[200~";
/// Longer than any phrase.
const LONGEST: u64 = 4096;

/// The terminal of whoever started this.
pub struct Prompt {
    terminal: File,
}

impl Prompt {
    /// Nothing when there is nobody to ask.
    pub fn open() -> Option<Self> {
        let terminal = OpenOptions::new().read(true).write(true).open(TERMINAL).ok()?;
        Some(Self { terminal })
    }

    /// Asks, and waits for a line: the words, or nothing for a no.
    pub fn ask(mut self, confirm: &Confirm) -> Option<String> {
        let _ = tcflush(&self.terminal, QueueSelector::IFlush);
        let _ = self.terminal.write_all(&[question(confirm).as_bytes(), MARK_PASTES].concat());
        let line = line(&self.terminal);
        // Whatever was typed behind the line is for nobody.
        let _ = tcflush(&self.terminal, QueueSelector::IFlush);
        let _ = self.terminal.write_all(LEAVE_PASTES);
        words(confirm, &String::from_utf8_lossy(&line?))
    }
}

/// The question is not waited for any more; whoever reads on gets nothing out of it.
pub fn give_up() {
    if let Ok(mut terminal) = OpenOptions::new().write(true).open(TERMINAL) {
        let _ = terminal.write_all(&[b"\n", LEAVE_PASTES].concat());
    }
}

/// What the machine must be told; nothing for a no.
fn words(confirm: &Confirm, line: &str) -> Option<String> {
    let line = line.trim();
    if line.contains(PASTED) {
        return None;
    }
    match confirm.strength {
        Strength::Key => matches!(line, "y" | "Y" | "yes").then(String::new),
        Strength::Name | Strength::Full => (line == confirm.phrase.as_str()).then(|| line.to_owned()),
    }
}

fn question(confirm: &Confirm) -> String {
    let because = confirm.because.join(", ");
    let because = if because.is_empty() { because } else { format!("{because}: ") };
    match confirm.strength {
        Strength::Key => format!("{because}y applies, anything else changes nothing: "),
        Strength::Name | Strength::Full => {
            format!("{because}type  {}  to apply, anything else changes nothing: ", confirm.phrase)
        }
    }
}

/// Nothing when the terminal is gone, or the line was not ended.
fn line(terminal: &File) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(terminal.take(LONGEST)).read_until(b'\n', &mut line).ok()?;
    line.ends_with(b"\n").then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::confirm::Reasons;

    #[test]
    fn only_the_right_words_are_a_yes() {
        let mut reasons = Reasons::default();
        let key = reasons.clone().confirm("aws", "web", "6", &[]);
        assert_eq!(words(&key, "y\n"), Some(String::new()));
        for no in ["", "\n", "n", "yy", "\x1b[200~y\x1b[201~"] {
            assert_eq!(words(&key, no), None, "{no:?}");
        }
        reasons.production("aws is production");
        let name = reasons.confirm("aws", "web", "6", &[]);
        assert_eq!(words(&name, "web\n"), Some("web".into()));
        for no in ["y", "Web", "web 6", "", "\x1b[200~web\x1b[201~\n"] {
            assert_eq!(words(&name, no), None, "{no:?}");
        }
        assert!(question(&name).starts_with("aws is production: type  web  to apply"));
    }
}
