//! The list of faults, one row each. While it lasts nothing stale looks live; when it is over the picture is the
//! server's; and a fault that hides nothing does not disturb.

use std::time::Duration;

use skydeck::demo::api::{Failure, Mangled};

use crate::cluster::Api;
use crate::day::{Day, each, virtually};
use crate::proxy::{Mode, Proxy};

const FOR_EVER: usize = usize::MAX;
/// Longer than anything may look live that is not heard of.
const LASTS: Duration = Duration::from_secs(70);

struct Row {
    name: String,
    begin: Box<dyn Fn(&mut Day) + Sync>,
    /// What the console sees goes on being true.
    harmless: bool,
    /// Behind a gateway that knows only JSON.
    in_json: bool,
}

fn row(name: impl Into<String>, begin: impl Fn(&mut Day) + Sync + 'static) -> Row {
    Row { name: name.into(), begin: Box::new(begin), harmless: false, in_json: false }
}

fn harmless(name: impl Into<String>, begin: impl Fn(&mut Day) + Sync + 'static) -> Row {
    Row { harmless: true, ..row(name, begin) }
}

/// These answers fail from now on, and what is open is broken off.
fn failing(part: &'static str, failure: Failure) -> Row {
    row(format!("{failure:?} at {part}"), move |day| {
        day.api.seam().fail(part, FOR_EVER, failure);
        day.api.seam().cut();
    })
}

/// Lists fail that are read anew, because what was watched is forgotten.
fn lists(failure: Failure) -> Row {
    row(format!("{failure:?} at lists that are read anew"), move |day| {
        for part in ["/deployments?resourceVersion", "/deployments?limit"] {
            day.api.seam().fail(part, FOR_EVER, failure);
        }
        day.api.seam().pause();
        day.delete(1);
        day.api.store.compact();
        day.api.seam().cut();
        day.api.seam().resume();
    })
}

fn answers() -> Vec<Row> {
    let everywhere = [
        Failure::Cut,
        Failure::Garbage,
        Failure::WrongTypes,
        Failure::Blank,
        Failure::Reset,
        Failure::Hang,
        Failure::RetryAfter(429, 3),
        Failure::RetryAfter(503, 3),
        Failure::Body(Mangled::Silent),
        Failure::Body(Mangled::SilentMidway),
        Failure::Body(Mangled::Truncated),
    ];
    let codes = [400, 401, 403, 404, 409, 410, 429, 500, 502, 503, 504].map(Failure::Status);
    let mut rows = Vec::new();
    for failure in everywhere.into_iter().chain(codes) {
        rows.extend(["/", "/deployments?"].map(|part| failing(part, failure)));
    }
    let bodies = [Mangled::Silent, Mangled::SilentMidway, Mangled::Truncated].map(Failure::Body);
    let bodies = bodies.into_iter().chain([Failure::Cut, Failure::Blank, Failure::WrongTypes, Failure::Huge]);
    rows.extend(bodies.map(lists));
    rows.push(Row { harmless: true, ..lists(Failure::Body(Mangled::Crumbs)) });
    // What is listed anew because of it is a picture too.
    rows.extend(everywhere.map(|failure| failing("watch=", failure)));
    rows.extend(codes.map(|failure| failing("watch=", failure)));
    rows.push(failing("watch=", Failure::Huge));
    rows.push(failing("watch=", Failure::Body(Mangled::Expired)));
    rows.push(failing("watch=", Failure::Body(Mangled::Rewound)));
    rows.push(failing("watch=", Failure::Body(Mangled::GivesUp)));
    rows.push(failing("/deployments?", Failure::Huge));
    for how in [Mangled::Odd, Mangled::Twice, Mangled::Crumbs, Mangled::Without("BOOKMARK")] {
        rows.push(Row { harmless: true, ..failing("watch=", Failure::Body(how)) });
    }
    rows.push(Row { harmless: true, ..failing("/", Failure::Body(Mangled::Crumbs)) });
    rows
}

/// Those whose bytes differ by what they are written in, once more.
fn in_json() -> Vec<Row> {
    let bodies = ["Body(", "Garbage", "WrongTypes", "Blank", "Huge"];
    let rows = answers().into_iter().filter(|row| bodies.iter().any(|word| row.name.starts_with(word)));
    rows.map(|row| Row { name: format!("{} in JSON", row.name), in_json: true, ..row }).collect()
}

fn wires() -> Vec<Row> {
    vec![
        row("a server that stands still", |day| day.api.seam().pause()),
        row("a black hole", Day::swallow),
        row("a black hole of a moment, that only open connections feel", |day| {
            day.swallow();
        }),
        row("no connection", |day| {
            day.proxy.set(Mode::Refuse);
            day.proxy.reset();
        }),
        harmless("every connection is reset", |day| day.proxy.reset()),
        harmless("every connection is closed by half", |day| day.proxy.half_close()),
        harmless("two thousand bytes a second", |day| day.proxy.set(Mode::Throttle(2_000))),
        harmless("connections that come late", |day| {
            day.proxy.set(Mode::Late(Duration::from_secs(2)));
            day.proxy.reset();
        }),
        row("connections that come too late", |day| {
            day.proxy.set(Mode::Late(Duration::from_secs(15)));
            day.proxy.reset();
        }),
        row("answers that are cut in their heads", |day| {
            day.proxy.set(Mode::CutAfter(60));
            day.proxy.reset();
        }),
        row("answers that are cut in their bodies", |day| {
            day.proxy.set(Mode::CutAfter(700));
            day.proxy.reset();
        }),
    ]
}

fn lives() -> Vec<Row> {
    let compacted = |as_http: bool| {
        harmless(format!("deletes that nobody heard of, told as HTTP: {as_http}"), move |day| {
            day.api.server.answer_expired_watches_with_http_410(as_http);
            day.api.seam().pause();
            day.delete(1);
            day.api.store.compact();
            day.api.seam().cut();
            day.api.seam().resume();
        })
    };
    // A watch that is opened anew where such an event stands is told once more of what was deleted since.
    let deleted_as_of_old = |bookmarks: bool| {
        harmless(format!("deletes with the versions of before, with bookmarks: {bookmarks}"), move |day| {
            day.api.server.tell_deletes_with_old_versions(true);
            if !bookmarks {
                day.api.seam().fail("watch=", FOR_EVER, Failure::Body(Mangled::Without("BOOKMARK")));
            }
            day.deployment(4, 8);
            day.delete(4);
            day.delete(3);
            day.api.seam().cut();
        })
    };
    vec![
        deleted_as_of_old(true),
        deleted_as_of_old(false),
        compacted(false),
        compacted(true),
        harmless("a copy of some time ago", Day::restore),
        harmless("another cluster that is younger", |day| day.replace(5)),
        harmless("another cluster that is older", |day| day.replace(600)),
        harmless("a clock that is set forward", |day| day.console.session.clocks.set_by(3_600)),
        harmless("a clock that is set back", |day| day.console.session.clocks.set_by(-3_600)),
    ]
}

#[test]
fn whatever_fails_nothing_stale_looks_live_and_the_picture_comes_back() {
    let only = std::env::var("SKYDECK_FAULT").unwrap_or_default();
    let rows = answers().into_iter().chain(in_json()).chain(wires()).chain(lives());
    let rows: Vec<Row> = rows.filter(|row| row.name.contains(&only)).collect();
    each(&rows, |row| row.name.clone(), |row| virtually(1, in_the_middle(row)));
}

async fn in_the_middle(row: &Row) {
    let mut day = if row.in_json { Day::in_json().await } else { Day::start(|_, _| {}).await };
    day.pass(Duration::from_secs(15)).await;
    assert!(day.equals(), "at the beginning: {}", day.told());
    (row.begin)(&mut day);
    let moment = row.name.contains("of a moment");
    for second in 0..LASTS.as_secs() {
        match second {
            2 => day.deployment(0, 7),
            4 => day.delete(2),
            5 => day.node(5),
            6 if moment => day.proxy.set(Mode::Pass),
            8 => day.deployment(6, 1),
            30 => day.deployment(0, 8),
            _ => {}
        }
        day.pass(Duration::from_secs(1)).await;
    }
    assert!(!row.harmless || day.equals(), "while it lasts: {}", day.told());
    day.recover().await;
    day.pass(Duration::from_secs(45)).await;
    day.deployment(0, 9);
    day.pass(Duration::from_secs(2)).await;
    assert!(day.equals(), "a minute later: {}", day.told());
}

/// Those that were open when nothing went through stay silent for ever, also those that waited for their next request.
#[test]
fn connections_that_died_without_a_word_are_found() {
    let seeds: Vec<u64> = (1..=12).collect();
    let dies = |seed: &u64| {
        virtually(*seed, async {
            let mut day = Day::start(|_, _| {}).await;
            day.pass(Duration::from_secs(3 + seed * 4)).await;
            day.swallow();
            day.pass(Duration::from_secs(1)).await;
            day.recover().await;
        });
    };
    each(&seeds, u64::to_string, dies);
}

/// The server thinks that it has nothing to tell, and nothing is ever mended: whoever listens must give up by itself.
#[test]
fn a_watch_that_says_nothing_for_ever_is_opened_anew() {
    virtually(1, async {
        let mut day = Day::start(|_, _| {}).await;
        day.pass(Duration::from_mins(1)).await;
        assert!(day.equals(), "at the beginning: {}", day.told());
        // Each watch ends in good order in its time, and the next of each kind is silent.
        let kinds = day.console.cluster().sources.len();
        day.api.seam().fail("watch=", kinds, Failure::Body(Mangled::Silent));
        day.deployment(0, 7);
        day.pass(Duration::from_mins(1)).await;
        day.deployment(0, 8);
        day.pass(Duration::from_secs(80)).await;
        assert!(day.equals(), "two minutes later: {}", day.told());
    });
}

/// Who answers cannot be known at first, and lists wait for nobody then: what they told is not mixed with what another
/// cluster tells that has taken the place before the question is answered.
#[test]
fn another_cluster_in_the_place_of_one_that_was_never_known_is_not_mixed_with_it() {
    let part = |hidden: &'static str| {
        virtually(1, async {
            let hide = |api: &Api, _: &Proxy| api.seam().fail(hidden, FOR_EVER, Failure::Blank);
            let mut day = Day::start(hide).await;
            day.pass(Duration::from_secs(12)).await;
            assert!(day.console.shows(&day.api), "listed on credit: {}", day.told());
            day.replace(5);
            // Some watches break off and are begun anew, others hear of it only when they are cut.
            for _ in 0..3 {
                day.pass(Duration::from_secs(7)).await;
                day.api.seam().cut();
            }
            day.recover().await;
        });
    };
    each(&["kube-system", "/version"], |hidden| (*hidden).to_owned(), |hidden| part(hidden));
}

/// The console is started when it is too late.
#[test]
fn what_fails_from_the_beginning_is_never_shown_as_live() {
    let at_all = |failure: Failure| {
        let begin = move |api: &Api, _: &Proxy| api.seam().fail("/", FOR_EVER, failure);
        (format!("{failure:?}"), Box::new(begin) as Box<dyn Fn(&Api, &Proxy) + Sync>)
    };
    let wire = |mode: Mode| {
        let begin = move |_: &Api, proxy: &Proxy| proxy.set(mode);
        (format!("{mode:?}"), Box::new(begin) as Box<dyn Fn(&Api, &Proxy) + Sync>)
    };
    let mut rows = vec![
        wire(Mode::Swallow),
        wire(Mode::Refuse),
        wire(Mode::Late(Duration::from_secs(15))),
        wire(Mode::CutAfter(60)),
    ];
    rows.extend([401, 403, 404, 410, 500].map(Failure::Status).map(at_all));
    rows.extend([Failure::Cut, Failure::Garbage, Failure::WrongTypes, Failure::Blank].map(at_all));
    rows.extend([Mangled::Silent, Mangled::SilentMidway, Mangled::Truncated].map(Failure::Body).map(at_all));
    each(
        &rows,
        |(name, _)| name.clone(),
        |(_, begin)| {
            virtually(1, async {
                let mut day = Day::start(begin).await;
                for _ in 0..70 {
                    day.pass(Duration::from_secs(1)).await;
                    assert!(!day.console.liveness().is_live(), "live: {}", day.told());
                }
                day.recover().await;
            });
        },
    );
}
