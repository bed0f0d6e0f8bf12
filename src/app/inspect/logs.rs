//! The lines of a log, and how they are asked for.

use std::collections::VecDeque;

use crate::fleet::{Age, Clean, Fault, LogLine, LogRequest, LogTarget};
use crate::input::Action;

/// Lines that are kept; older ones go.
const MOST_LINES: usize = 20_000;

/// How far back a log can begin; `None` is the last few hundred lines.
const SINCE: [Option<Age>; 5] =
    [None, Some(Age(5 * 60)), Some(Age(3600)), Some(Age(6 * 3600)), Some(Age(24 * 3600))];

#[derive(Debug)]
pub struct Logs {
    stream: u64,
    lines: VecDeque<LogLine>,
    follow: bool,
    previous: bool,
    since: usize,
    container: Option<Clean>,
    /// Several pods: each line says whose it is.
    many: bool,
    /// The view runs along with the end.
    pub pinned: bool,
    end: End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    NoPods,
    Reading,
    Ended,
    Failed(Fault),
}

impl Logs {
    /// `stream` numbers the first stream; each new one has a number of its own.
    pub fn new(stream: u64) -> Self {
        Self {
            stream,
            lines: VecDeque::new(),
            follow: true,
            previous: false,
            since: 0,
            container: None,
            many: false,
            pinned: true,
            end: End::NoPods,
        }
    }

    /// Changes what is asked for.
    pub fn change(&mut self, action: Action, containers: Vec<Clean>) {
        match action {
            Action::Follow => self.follow = !self.follow,
            Action::PreviousRun => {
                self.previous = !self.previous;
                self.follow = !self.previous;
            }
            Action::Since => self.since = (self.since + 1) % SINCE.len(),
            Action::PreviousContainer if !containers.is_empty() => {
                let here =
                    self.container.as_ref().and_then(|name| containers.iter().position(|it| it == name));
                self.container = containers.into_iter().nth(here.map_or(1, |at| at + 1));
            }
            _ => {}
        }
    }

    /// Begins a new stream over these pods; `None` when there are none.
    pub fn begin(&mut self, pods: Vec<LogTarget>) -> Option<LogRequest> {
        self.stream += 1;
        self.lines.clear();
        self.pinned = true;
        self.many = pods.len() > 1;
        if pods.is_empty() {
            self.end = End::NoPods;
            return None;
        }
        self.end = End::Reading;
        Some(LogRequest { pods, follow: self.follow, previous: self.previous, since: SINCE[self.since] })
    }

    pub fn take(&mut self, lines: Vec<LogLine>) {
        self.lines.extend(lines);
        let surplus = self.lines.len().saturating_sub(MOST_LINES);
        self.lines.drain(..surplus);
    }

    pub fn ended(&mut self, outcome: Result<(), Fault>) {
        self.end = outcome.map_or_else(End::Failed, |()| End::Ended);
    }

    pub fn stream(&self) -> u64 {
        self.stream
    }

    pub fn container(&self) -> Option<Clean> {
        self.container.clone()
    }

    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// A line as it is shown.
    pub fn text(&self, at: usize) -> Option<Clean> {
        let line = self.lines.get(at)?;
        Some(if self.many { Clean::from(format!("{}  {}", line.pod, line.text)) } else { line.text.clone() })
    }

    pub fn line(&self, at: usize) -> Option<(&LogLine, bool)> {
        Some((self.lines.get(at)?, self.many))
    }

    /// What is being shown, for the title: `follow, last 500 lines, container server`.
    pub fn status(&self) -> String {
        let mut words = Vec::new();
        words.push(match (&self.end, self.follow) {
            (End::NoPods, _) => "no pods".to_owned(),
            (End::Failed(_), _) => "failed".to_owned(),
            (End::Reading, true) => "following".to_owned(),
            (End::Reading, false) => "reading".to_owned(),
            (End::Ended, _) => "ended".to_owned(),
        });
        if self.previous {
            words.push("previous run".into());
        }
        words.push(SINCE[self.since].map_or_else(|| "last 500 lines".into(), |age| format!("last {age}")));
        if let Some(container) = &self.container {
            words.push(format!("container {container}"));
        }
        if !self.pinned {
            words.push("held".into());
        }
        words.join(", ")
    }

    /// What to say when there is no line.
    pub fn nothing(&self) -> String {
        match &self.end {
            End::NoPods => "there are no pods to read logs of".into(),
            End::Reading => "no line yet".into(),
            End::Ended => "the log is empty".into(),
            End::Failed(fault) => fault.to_string(),
        }
    }

    pub fn fault(&self) -> Option<&Fault> {
        match &self.end {
            End::Failed(fault) => Some(fault),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::ObjectKey;

    fn target() -> LogTarget {
        LogTarget { pod: ObjectKey::new("ml", "p"), container: None }
    }

    fn line(text: &str) -> LogLine {
        LogLine { pod: "p".into(), text: text.into() }
    }

    #[test]
    fn every_beginning_is_a_new_stream_without_the_old_lines() {
        let mut logs = Logs::new(7);
        logs.begin(vec![target()]);
        logs.take(vec![line("one")]);
        let first = logs.stream();
        logs.begin(vec![target()]);
        assert_ne!(logs.stream(), first);
        assert_eq!((logs.len(), logs.status().as_str()), (0, "following, last 500 lines"));
        logs.ended(Ok(()));
        assert_eq!(logs.nothing(), "the log is empty");
    }

    #[test]
    fn old_lines_go_when_there_are_too_many() {
        let mut logs = Logs::new(0);
        logs.begin(vec![target()]);
        for number in 0..3 {
            logs.take(vec![line(&number.to_string()); MOST_LINES / 2]);
        }
        assert_eq!(logs.len(), MOST_LINES);
        assert_eq!(logs.text(0), Some("1".into()));
    }

    #[test]
    fn what_is_asked_for_follows_the_keys() {
        let mut logs = Logs::new(0);
        logs.change(Action::PreviousRun, Vec::new());
        logs.change(Action::Since, Vec::new());
        let request = logs.begin(vec![target()]).unwrap();
        assert_eq!((request.previous, request.follow, request.since), (true, false, Some(Age(300))));
        let containers = || vec!["a".into(), "b".into()];
        logs.change(Action::PreviousContainer, containers());
        assert_eq!(logs.container(), Some("b".into()));
        logs.change(Action::PreviousContainer, containers());
        assert_eq!(logs.container(), None, "back to the default");
        assert!(logs.begin(Vec::new()).is_none());
    }
}
