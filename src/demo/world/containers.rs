//! The life of one container as a function of time: pulled, started, ready, ended, started again after a
//! back-off. Pure, so that a pod of three hours ago is as easy as one of three seconds ago.

use crate::demo::clock::seconds;
use crate::demo::programs::{End, Program};

/// The longest back-off between restarts.
const LONGEST_BACKOFF: i64 = seconds(300);
const FIRST_BACKOFF: i64 = seconds(10);

/// What is known when the container is placed on a node.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub program: Program,
    /// The tick at which the pod was bound to its node.
    pub bound: i64,
    /// Extra ticks of pulling, for variety.
    pub jitter: i64,
    pub pullable: bool,
    pub restart: Restart,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    Always,
    OnFailure,
    Never,
}

/// What the container is doing at a tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    pub state: State,
    pub ready: bool,
    pub restarts: i64,
    /// The run before this one: start and end.
    pub last: Option<(i64, i64)>,
    /// The tick of the last change of `ready`.
    pub ready_since: i64,
    /// When it will be different; `None`: it stays like this.
    pub next: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum State {
    Creating,
    PullError,
    PullBackOff,
    Running { start: i64 },
    BackOff { delay: i64 },
    Ended { start: i64, end: i64 },
}

impl Plan {
    /// When the image is there, but for the jitter.
    pub fn pulled(&self) -> i64 {
        self.bound + seconds(1) + seconds(self.program.pull_seconds) / 2
    }
}

/// The state at a tick.
pub fn at(plan: &Plan, now: i64) -> Moment {
    let asked = plan.bound + seconds(1);
    if !plan.pullable {
        return unpullable(asked, now);
    }
    let first = plan.pulled() + plan.jitter;
    if now < first {
        return Moment { next: Some(first), ..waiting(State::Creating, plan.bound) };
    }
    let End::After { seconds: length, exit_code, .. } = plan.program.end else {
        return running(plan, first, Past::default(), now);
    };
    let again = match plan.restart {
        Restart::Always => true,
        Restart::OnFailure => exit_code != 0,
        Restart::Never => false,
    };
    let length = seconds(length).max(1);
    let (mut start, mut past, mut backoff) = (first, Past::default(), FIRST_BACKOFF);
    loop {
        let end = start + length;
        if now < end {
            return Moment { next: Some(end), ..running(plan, start, past, now) }.sooner(plan, start, now);
        }
        if !again {
            let state = State::Ended { start, end };
            return Moment { next: None, restarts: past.restarts, last: past.last, ..waiting(state, end) };
        }
        past.last = Some((start, end));
        start = end + backoff;
        if now < start {
            let state = State::BackOff { delay: backoff };
            let next = Some(start);
            return Moment { next, restarts: past.restarts, last: past.last, ..waiting(state, end) };
        }
        past.restarts += 1;
        backoff = (backoff * 2).min(LONGEST_BACKOFF);
        if backoff == LONGEST_BACKOFF {
            // From here on all rounds are alike: the whole ones that are over are taken at once.
            let rounds = (now - start) / (length + backoff);
            if rounds > 0 {
                past.restarts += rounds;
                start += rounds * (length + backoff);
                past.last = Some((start - backoff - length, start - backoff));
            }
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Past {
    restarts: i64,
    last: Option<(i64, i64)>,
}

impl Moment {
    /// The change of readiness may come before the end.
    fn sooner(self, plan: &Plan, start: i64, now: i64) -> Moment {
        let ready_at = start + seconds(plan.program.ready_seconds);
        let next = self.next.map(|next| if now < ready_at { next.min(ready_at) } else { next });
        Moment { next, ..self }
    }
}

fn running(plan: &Plan, start: i64, past: Past, now: i64) -> Moment {
    let ready_at = start + seconds(plan.program.ready_seconds);
    let ready = now >= ready_at;
    Moment {
        state: State::Running { start },
        ready,
        restarts: past.restarts,
        last: past.last,
        ready_since: if ready { ready_at } else { past.last.map_or(plan.bound, |(_, end)| end) },
        next: (!ready).then_some(ready_at),
    }
}

fn waiting(state: State, since: i64) -> Moment {
    Moment { state, ready: false, restarts: 0, last: None, ready_since: since, next: None }
}

/// `ErrImagePull` for a moment, then `ImagePullBackOff`, over and over.
fn unpullable(asked: i64, now: i64) -> Moment {
    let failed = asked + seconds(1);
    if now < failed {
        return Moment { next: Some(failed), ..waiting(State::Creating, asked) };
    }
    let (mut tried, mut backoff) = (failed, FIRST_BACKOFF);
    loop {
        let waits = tried + seconds(2);
        if now < waits {
            return Moment { next: Some(waits), ..waiting(State::PullError, asked) };
        }
        let again = waits + backoff;
        if now < again {
            return Moment { next: Some(again), ..waiting(State::PullBackOff, asked) };
        }
        tried = again;
        backoff = (backoff * 2).min(LONGEST_BACKOFF);
        if backoff == LONGEST_BACKOFF {
            let round = seconds(2) + backoff;
            tried += (now - tried) / round * round;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::programs::Voice;

    fn plan(end: End, restart: Restart) -> Plan {
        let program = Program { voice: Voice::Agent, pull_seconds: 2, ready_seconds: 3, end };
        Plan { program, bound: 0, jitter: 0, pullable: true, restart }
    }

    /// All states by following `next`, as the kubelet does.
    fn follow(plan: &Plan, until: i64) -> Vec<Moment> {
        let mut seen = vec![at(plan, 0)];
        while let Some(next) = seen.last().and_then(|moment| moment.next).filter(|next| *next <= until) {
            seen.push(at(plan, next));
        }
        seen
    }

    #[test]
    fn a_server_starts_and_becomes_ready() {
        let states = follow(&plan(End::Never, Restart::Always), seconds(60));
        assert_eq!(states.len(), 3);
        assert_eq!(states[0].state, State::Creating);
        assert!(matches!(states[1].state, State::Running { .. }) && !states[1].ready);
        assert!(states[2].ready && states[2].next.is_none());
    }

    #[test]
    fn a_crashing_container_backs_off_up_to_five_minutes() {
        let crash = End::After { seconds: 1, exit_code: 1, reason: "Error" };
        let plan = plan(crash, Restart::Always);
        let states = follow(&plan, seconds(3 * 3_600));
        assert!(states.iter().any(|moment| matches!(moment.state, State::BackOff { .. })));
        let last = states.last().unwrap();
        assert!((36..44).contains(&last.restarts), "{last:?}");
        assert_eq!(at(&plan, seconds(3 * 3_600)).restarts, last.restarts);
        assert!(states.windows(2).all(|pair| pair[0].restarts <= pair[1].restarts));
        assert!(at(&plan, seconds(3_600 * 24 * 365 * 2_000)).restarts > 100_000_000);
    }

    #[test]
    fn a_task_ends_once() {
        let done = End::After { seconds: 5, exit_code: 0, reason: "Completed" };
        for restart in [Restart::Never, Restart::OnFailure] {
            let last = *follow(&plan(done, restart), seconds(600)).last().unwrap();
            assert!(matches!(last.state, State::Ended { .. }) && last.next.is_none());
        }
        let failed = End::After { seconds: 5, exit_code: 1, reason: "Error" };
        assert!(matches!(at(&plan(failed, Restart::Never), seconds(60)).state, State::Ended { .. }));
        assert!(at(&plan(failed, Restart::OnFailure), seconds(60)).restarts > 0);
    }

    #[test]
    fn an_image_that_is_not_there_is_tried_again_and_again() {
        let plan = Plan { pullable: false, ..plan(End::Never, Restart::Always) };
        let states = follow(&plan, seconds(120));
        assert!(states.iter().any(|moment| moment.state == State::PullError));
        assert_eq!(at(&plan, seconds(3_600)).restarts, 0);
        assert!(states.iter().all(|moment| !moment.ready));
    }
}
