//! What can happen to a server, drawn by dice: changes of its objects, and everything that can go wrong.

use std::time::Duration;

use skydeck::demo::api::{Failure, Mangled};

use crate::day::Day;
use crate::proxy::Mode;

const PARTS: [&str; 7] = ["/", "watch=", "/deployments?", "/nodes?", "limit=", "kube-system", "/version"];
const ANSWERS: [Failure; 24] = [
    Failure::Status(400),
    Failure::Status(401),
    Failure::Status(403),
    Failure::Status(404),
    Failure::Status(409),
    Failure::Status(410),
    Failure::Status(429),
    Failure::Status(500),
    Failure::Status(502),
    Failure::Status(503),
    Failure::Status(504),
    Failure::StatusAfter(504),
    Failure::RetryAfter(429, 2),
    Failure::RetryAfter(503, 4),
    Failure::Cut,
    Failure::Garbage,
    Failure::WrongTypes,
    Failure::Blank,
    Failure::Reset,
    Failure::ResetAfter,
    Failure::Hang,
    Failure::Body(Mangled::Silent),
    Failure::Body(Mangled::SilentMidway),
    Failure::Body(Mangled::Truncated),
];
const WATCHES: [Mangled; 5] =
    [Mangled::Expired, Mangled::Odd, Mangled::Twice, Mangled::Without("BOOKMARK"), Mangled::Rewound];

/// What happens in any cluster.
pub fn change(day: &mut Day, random: &mut fastrand::Rng) -> String {
    let number = random.u8(0..8);
    match random.u8(0..6) {
        0..3 => day.deployment(number, random.u32(0..9)),
        3 => day.delete(number),
        4 => day.node(number),
        _ => day.delete_node(number),
    }
    "a change".into()
}

/// From now on events are dropped within watches, for some time or until they are mended.
pub fn drop_events(day: &mut Day, random: &mut fastrand::Rng) -> String {
    let kind = ["ADDED", "MODIFIED", "DELETED"][random.usize(0..3)];
    let part = ["watch=", "/deployments?watch=", "/nodes?watch="][random.usize(0..3)];
    let times = if random.u8(0..4) == 0 { usize::MAX } else { random.usize(1..12) };
    day.api.seam().fail(part, times, Failure::Body(Mangled::Without(kind)));
    if random.bool() {
        day.api.seam().cut();
    }
    format!("{times} times no {kind} at {part}")
}

/// Something goes wrong, or is mended; gives what it was.
pub fn mishap(day: &mut Day, random: &mut fastrand::Rng) -> String {
    match random.u8(0..20) {
        0..7 => return answers(day, random),
        7..11 => return wire(day, random),
        11 => day.api.seam().pause(),
        12 | 13 => day.api.seam().resume(),
        14 => day.api.seam().mend(),
        15 => day.api.seam().cut(),
        16 => {
            day.api.server.answer_expired_watches_with_http_410(random.bool());
            day.api.store.compact();
            day.api.seam().cut();
        }
        17 => day.console.session.clocks.set_by([3_600, -3_600, 40, -40][random.usize(0..4)]),
        18 => day.replace(random.u64(0..600)),
        _ => day.restore(),
    }
    "something of the server's life".into()
}

fn answers(day: &mut Day, random: &mut fastrand::Rng) -> String {
    let times = if random.u8(0..4) == 0 { usize::MAX } else { random.usize(1..12) };
    let (part, failure) = match random.u8(0..40) {
        0..8 => ("watch=", Failure::Body(WATCHES[random.usize(0..WATCHES.len())])),
        // It is heavy, so it is rare.
        8 => ("/deployments?", Failure::Huge),
        _ => (PARTS[random.usize(0..PARTS.len())], ANSWERS[random.usize(0..ANSWERS.len())]),
    };
    let times = if failure == Failure::Huge { 1 } else { times };
    day.api.seam().fail(part, times, failure);
    if random.bool() {
        day.api.seam().cut();
    }
    format!("{times} times {failure:?} at {part}")
}

fn wire(day: &mut Day, random: &mut fastrand::Rng) -> String {
    let mode = match random.u8(0..12) {
        0 => {
            day.swallow();
            return "a black hole".into();
        }
        1 => Mode::Refuse,
        2 => Mode::Throttle(random.usize(1_000..9_000)),
        3 => Mode::Late(Duration::from_millis(random.u64(0..15_000))),
        4 => Mode::CutAfter(random.usize(0..3_000)),
        5 => {
            day.proxy.half_close();
            return "closed by half".into();
        }
        6 | 7 => {
            day.proxy.reset();
            return "reset".into();
        }
        _ => Mode::Pass,
    };
    day.proxy.set(mode);
    format!("{mode:?}")
}
