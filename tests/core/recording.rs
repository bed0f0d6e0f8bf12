//! Recordings: the same messages make the same screens again, whatever happened; what is wrong with a file is said.
//!
//! `recordings/v1.jsonl` is one that stays: whoever changes a message finds out here. If no program with the old form was
//! ever given to anybody, `SKYDECK_WRITE_RECORDING=1 cargo test --test core recording` writes it anew; else
//! `record::line::VERSION` goes up.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;
use skydeck::app::{Answer, App, Beginning, Looked, Mouse, MouseKind, Msg, Notice, Themes, update};
use skydeck::fleet::{ChangeId, ClusterId, Fact, Kind, Mono, Now, ObjectId, ObjectKey, Unix};
use skydeck::gate::machine::Event;
use skydeck::gate::{Place, Seen};
use skydeck::input::{Chord, Key, Keymap};
use skydeck::runtime::record::line::{Entry, Header, Line, VERSION};
use skydeck::runtime::record::read::Recording;
use skydeck::runtime::record::redact::redact;
use skydeck::runtime::replay::Replay;
use skydeck::state::{Settings, State};
use skydeck::ui::glyphs::UNICODE;
use skydeck::ui::theme::Depth;

use crate::world::{
    NOW, Screen, crashing, deployment, failed, fleet, hpa, job, namespace, node, pod, warning,
};

fn themes() -> Themes {
    Themes::new("dark", BTreeMap::new(), Depth::TrueColor).0
}

fn now(ms: u64) -> Now {
    Now { mono: Mono(NOW.mono.0 + ms), unix: Unix(NOW.unix.0 + (ms / 1000) as i64) }
}

/// What the console of the fleet begins with.
fn beginning() -> Beginning {
    let mut app = App::new(State::new(Settings::default()), Keymap::default(), themes(), &UNICODE);
    app.fleet_name = Some("acme-ml".into());
    app.watch(fleet().state.clusters().map(|it| (it.id, it.spec.clone())).collect());
    app.beginning()
}

/// A console that is recorded, as the loop does it.
struct Taped {
    screen: Screen,
    header: Header,
    lines: Vec<Line>,
    /// The picture at each frame.
    frames: Vec<String>,
}

impl Taped {
    fn new(size: (u16, u16)) -> Self {
        let mut app = App::begun(beginning(), themes(), &UNICODE);
        let header = Header::new(now(0), size, app.beginning());
        app.set_screen(size.0, size.1);
        let screen = Screen { app, size, effects: Vec::new() };
        Self { screen, header, lines: Vec::new(), frames: Vec::new() }
    }

    fn send(&mut self, at: u64, message: &Msg) {
        let entry = Entry::of(message);
        if let Msg::Resize(width, height) = message {
            self.screen.size = (*width, *height);
        }
        let message = entry.clone().into_message().unwrap();
        self.lines.push(Line { at, is: entry });
        update(&mut self.screen.app, message);
    }

    fn frame(&mut self, at: u64) {
        if self.screen.app.needs_frame() {
            self.lines.push(Line { at, is: Entry::Frame });
            self.frames.push(self.screen.text());
        }
    }

    fn keys(&mut self, at: u64, chords: &str) {
        for key in chords.parse::<Chord>().unwrap().0 {
            self.send(at, &Msg::Key(key));
        }
        self.frame(at);
    }

    fn text(&self) -> String {
        let lines = self.lines.iter().map(|line| serde_json::to_string(line).unwrap());
        let lines = std::iter::once(serde_json::to_string(&self.header).unwrap()).chain(lines);
        lines.fold(String::new(), |text, line| text + &line + "\n")
    }
}

/// A session of some seconds.
fn session() -> Taped {
    let mut taped = Taped::new((100, 30));
    taped.send(0, &Msg::Tick { now: now(0), slept: false });
    taped.frame(0);
    taped.send(200, &Msg::Moment(now(200)));
    for facts in fleet().told.chunks(40) {
        taped.send(200, &Msg::Facts(facts.to_vec()));
    }
    taped.frame(210);
    taped.send(1000, &Msg::Tick { now: now(1000), slept: false });
    taped.frame(1000);
    taped.keys(1500, "5 j j enter");
    taped.keys(2500, "esc 4 / f a i l enter");
    taped.send(3000, &Msg::Tick { now: now(3000), slept: false });
    taped.send(3000, &Msg::Resize(80, 24));
    taped.frame(3000);
    taped.send(62_000, &Msg::Tick { now: now(62_000), slept: false });
    taped.frame(62_000);
    taped.keys(62_500, "1");
    taped
}

fn write(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("a.jsonl");
    std::fs::write(&path, text).unwrap();
    path
}

fn text_of(replay: Replay) -> String {
    let (size, app) = (replay.size, replay.app);
    Screen { app, size, effects: Vec::new() }.text()
}

/// The picture of every frame, folded from a file.
fn frames(path: &Path) -> Vec<String> {
    let recording = Recording::open(path).unwrap();
    let moments: Vec<_> = recording.frames().collect();
    let picture = |(line, _): (usize, u64)| {
        let mut replay = Replay::start(&recording, themes(), &UNICODE).unwrap();
        replay.up_to_line(line).unwrap();
        text_of(replay)
    };
    moments.into_iter().map(picture).collect()
}

#[test]
fn a_session_is_shown_again_frame_by_frame() {
    let folder = tempfile::tempdir().unwrap();
    let taped = session();
    let path = write(folder.path(), &taped.text());
    assert_eq!(frames(&path), taped.frames);
    assert!(taped.frames.len() >= 7, "{}", taped.frames.len());
    let recording = Recording::open(&path).unwrap();
    assert_eq!((recording.length().to_string().as_str(), recording.is_torn), ("1m2s", false));
    // A moment between two frames shows the one before.
    assert_eq!(recording.frame_at(2499), recording.frame_at(1500));
    assert_ne!(recording.frame_at(2500), recording.frame_at(1500));
}

/// Two folds of the same messages are the same screens, also where many things are alike: no order is left to chance.
#[test]
fn what_is_alike_stands_in_the_same_order_whenever_it_is_folded() {
    let mut world = fleet();
    let mut objects = vec![namespace("ml-training"), node("n-0", "aws", "us-east-1", 8, true)];
    for at in 0..40 {
        let name = format!("ml-training/alike-{at}");
        objects.push(job(&name, &failed()));
        objects.push(deployment(&name, 1, 2, "1.0", 1));
        objects.push(crashing(pod("ml-training/alike-0", &format!("{at}"), "n-0", 0)));
        objects.push(warning(
            "Pod",
            &format!("ml-training/alike-0-6b7f9-{at}"),
            "BackOff",
            "Back-off restarting",
        ));
        objects.push(hpa(&name, 1, 3));
    }
    world.cluster("aws-west", "v1.33.5", 1, &objects);
    let clusters: Vec<_> = world.state.clusters().map(|it| (it.id, it.spec.clone())).collect();
    let screens = || {
        let mut app = App::begun(beginning(), themes(), &UNICODE);
        app.watch(clusters.clone());
        app.set_screen(120, 60);
        let mut screen = Screen { app, size: (120, 60), effects: Vec::new() };
        screen.send(Msg::Tick { now: now(0), slept: false });
        screen.send(Msg::Facts(world.told.clone()));
        screen.send(Msg::Tick { now: now(70_000), slept: false });
        let mut texts = Vec::new();
        for keys in [
            "1",
            "2",
            "4",
            "O",
            "o o",
            "5",
            "o",
            "6",
            "0",
            "4 enter",
            "tab",
            "tab",
            "tab",
            "esc 5 / \"alike-0\" enter enter",
            "tab",
            "tab",
            "tab",
            "tab",
            "esc 2 G enter",
            "tab",
            "tab",
            "esc c",
            "esc :",
            "esc 1 G enter",
        ] {
            texts.push((keys, screen.keys(keys).text()));
        }
        texts
    };
    let first = screens();
    for _ in 0..4 {
        for ((keys, one), (_, other)) in first.iter().zip(screens()) {
            assert_eq!(*one, other, "after {keys}");
        }
    }
}

#[test]
fn every_fact_of_the_fleet_comes_back_as_it_was() {
    let told = fleet().told;
    let text = serde_json::to_string(&told).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Fact>>(&text).unwrap(), told);
}

#[test]
fn the_recording_that_stays_is_written_and_read_as_ever() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/core/recordings/v1.jsonl");
    let taped = session();
    if std::env::var_os("SKYDECK_WRITE_RECORDING").is_some() {
        std::fs::write(&path, taped.text()).unwrap();
    }
    assert_eq!(frames(&path), taped.frames, "a recording of form {VERSION} shows something else now");
    let kept = std::fs::read_to_string(&path).unwrap();
    for (at, (kept, new)) in kept.lines().zip(taped.text().lines()).enumerate().skip(1) {
        assert_eq!(kept, new, "line {} has another form: see the first lines of this file", at + 1);
    }
}

/// Whole objects come from servers by three ways: to be looked at, to be planned with, to be read back.
#[test]
fn an_object_is_recorded_without_its_secrets_by_whichever_way_it_came() {
    let mut object = deployment("ml/web", 3, 3, "1.0", 0);
    object["metadata"]["annotations"] = json!({"vault.example.com/role": "canary"});
    let container = &mut object["spec"]["template"]["spec"]["containers"][0];
    container["env"] = json!([{"name": "PASSWORD", "value": "canary"}]);
    container["args"] = json!(["--token", "canary"]);
    let cluster = ClusterId(0);
    let id = ObjectId { kind: Kind::Deployment, key: ObjectKey::new("ml", "web") };
    let place = Place { cluster, object: id.clone() };
    let (change, shared) = (ChangeId::new(1, 0), Arc::new(object.clone()));
    let seen = Seen { place, value: Arc::clone(&shared), at: Mono(0) };
    for answer in [
        Answer::Object { cluster, id, outcome: Ok(Box::new(object)) },
        Answer::Looked(Looked { ticket: 1, id: change.clone(), outcome: vec![Ok(seen)] }),
        Answer::Gate(change, Event::Read { step: 0, object: Ok(Some(shared)) }),
    ] {
        let mut entry = Entry::of(&Msg::Answer(answer));
        redact(&mut entry);
        let text = serde_json::to_string(&entry).unwrap();
        assert!(!text.contains("canary"), "{text}");
        assert!(text.contains("\"replicas\":3"), "{text}");
    }
}

#[test]
fn another_size_and_another_hand_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &session().text());
    let recording = Recording::open(&path).unwrap();
    let mut replay = Replay::start(&recording, themes(), &UNICODE).unwrap();
    replay.up_to(1000).unwrap();
    replay.shown_on(200, 60);
    replay.is_taken_over = true;
    replay.up_to(u64::MAX).unwrap();
    replay.app.needs_frame();
    let text = Screen { app: replay.app, size: (200, 60), effects: Vec::new() }.text();
    assert!(text.contains("Needs attention"), "keys of then are not pressed any more: {text}");
    assert_eq!(replay.size, (80, 24), "the terminal of then");
}

/// What whoever looks may do: move about, and nothing else.
#[test]
fn a_replay_changes_nothing_and_says_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &session().text());
    let recording = Recording::open(&path).unwrap();
    for keys in ["2 u", "5 s", "5 j j s", "5 j j R", "6 e", "6 d", "6 r", "0 U", "0 x", "ctrl-r"] {
        let mut replay = Replay::start(&recording, themes(), &UNICODE).unwrap();
        replay.up_to(1000).unwrap();
        replay.app.shows_recording("REPLAY 1s of 1m2s x1");
        replay.app.own_keys(true);
        let mut screen = Screen { app: replay.app, size: replay.size, effects: Vec::new() };
        screen.keys(keys);
        let text = screen.text();
        let first = text.lines().next().unwrap();
        assert!(first.contains(" REPLAY 1s of 1m2s x1 ") && !first.contains("READ-ONLY"), "{first}");
        let nothing_there = text.contains("the journal is being read");
        assert!(text.contains("a replay changes nothing") || nothing_there, "{keys}: {text}");
        let moves = |effect: &skydeck::app::Effect| matches!(effect, skydeck::app::Effect::Remember(_));
        assert!(screen.effects.iter().all(moves), "{keys}: {:?}", screen.effects);
    }
}

#[test]
fn keys_of_the_recording_itself_are_told_apart_from_those_of_a_list_or_a_line() {
    use skydeck::input::Action::{ReplayHold, ReplayStep};
    let mut screen = Screen::new(fleet(), (100, 30));
    assert_eq!(screen.app.replay_action(Key::char(' ')), None, "there is no recording");
    screen.app.shows_recording("REPLAY");
    assert_eq!(screen.app.replay_action(Key::char(' ')), Some(ReplayHold));
    assert_eq!(screen.app.replay_action(Key::char('.')), Some(ReplayStep));
    assert_eq!(screen.app.replay_action(Key::char('j')), None);
    screen.keys("c");
    assert_eq!(screen.app.replay_action(Key::char(' ')), None, "a list to choose from keeps its keys");
    screen.keys("esc /");
    assert_eq!(screen.app.replay_action(Key::char('.')), None, "it is typed");
    screen.keys("esc ?");
    assert!(screen.text().contains("Hold the recording, or let it run"), "{}", screen.text());
}

#[test]
fn a_tail_that_was_cut_off_is_left_out_wherever_it_was_cut() {
    let folder = tempfile::tempdir().unwrap();
    let text = session().text();
    let header = text.find('\n').unwrap() + 1;
    for cut in (header..text.len()).step_by(977).chain([header, header + 1, text.len() - 1]) {
        let path = write(folder.path(), &text[..cut]);
        let recording = Recording::open(&path).unwrap();
        assert_eq!(recording.is_torn, !text[..cut].ends_with('\n'), "{cut}");
        let mut replay = Replay::start(&recording, themes(), &UNICODE).unwrap();
        replay.up_to(u64::MAX).unwrap();
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let text = session().text();
    let lines: Vec<&str> = text.lines().collect();
    let with = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines[at] = line;
        lines.join("\n") + "\n"
    };
    let newer = lines[0].replacen("\"skydeckRecording\":1", "\"skydeckRecording\":7", 1);
    let newer =
        newer.replacen(&format!("\"program\":\"{}\"", env!("CARGO_PKG_VERSION")), "\"program\":\"9.9.9\"", 1);
    for (text, said) in [
        (String::new(), "line 1: it is empty, or cut off in its first line"),
        (lines[0][..80].to_owned(), "line 1: it is empty, or cut off in its first line"),
        (
            "{\"kind\":\"Pod\"}\n".to_owned(),
            "line 1: it is no recording of skydeck\n  `skydeck --record FILE` makes one",
        ),
        ("\u{1b}[2J\n".to_owned(), "line 1: it is no recording of skydeck"),
        (with(0, &newer), "line 1: it is of form 7, written by skydeck 9.9.9; this program, "),
        (with(0, "{\"skydeckRecording\":1}"), "line 1: is not understood: missing field `program`"),
        (with(2, "{\"at\":31,\"is\":\"fra"), "line 3: is not understood: EOF"),
        (with(2, "{\"at\":31,\"is\":{\"dance\":1}}"), "line 3: is not understood: unknown variant `dance`"),
        (with(4, ""), "`head -n 4 FILE > BEFORE`, then `--replay BEFORE`"),
    ] {
        let path = write(folder.path(), &text);
        let broken = Recording::open(&path).unwrap_err().to_string();
        assert!(broken.contains(said), "{said}: {broken}");
        assert!(broken.starts_with(&path.display().to_string()), "{broken}");
    }
    let nowhere = Recording::open(&folder.path().join("nowhere")).unwrap_err().to_string();
    assert!(nowhere.contains("nowhere cannot be read: No such file"), "{nowhere}");
    assert!(Recording::open(folder.path()).unwrap_err().to_string().contains("is a folder"));
}

/// Somebody who sends a recording may be hostile too.
#[test]
fn a_forged_recording_draws_nothing_that_a_terminal_obeys() {
    let folder = tempfile::tempdir().unwrap();
    let text = session()
        .text()
        .replace("ml-inference", "ml\\u001b[2J\\u202einference")
        .replace("acme-ml", "a\\u0007c");
    let path = write(folder.path(), &text);
    for frame in frames(&path) {
        assert!(!frame.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{frame}");
    }
}

#[derive(Debug, Clone)]
enum Did {
    Keys(&'static str),
    Waits(u64),
    Resize(u16, u16),
    Facts(usize, usize),
    Click(u16, u16),
    Paste(String),
    Told(String),
    Clusters(usize),
    Frame,
}

fn did() -> impl Strategy<Value = Did> {
    let keys = [
        "1", "2", "4", "5", "6", "0", "j", "k", "G", "g g", "enter", "esc", "tab", "o", "O", "space", "?",
        "c space", ": i n f", "/ a w s", "u", "a", "s", "T j", "y", "L", "ctrl-x", "h", "l",
    ];
    prop_oneof![
        6 => proptest::sample::select(keys.to_vec()).prop_map(Did::Keys),
        3 => (1u64..30_000).prop_map(Did::Waits),
        1 => (1u16..130, 1u16..50).prop_map(|(width, height)| Did::Resize(width, height)),
        3 => (0usize..200, 1usize..60).prop_map(|(from, count)| Did::Facts(from, count)),
        1 => (0u16..100, 0u16..30).prop_map(|(x, y)| Did::Click(x, y)),
        1 => ".{0,8}".prop_map(Did::Paste),
        1 => ".{0,80}".prop_map(Did::Told),
        1 => (0usize..4).prop_map(Did::Clusters),
        6 => Just(Did::Frame),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happened_is_shown_again(script in proptest::collection::vec(did(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let (told, mut taped, mut at) = (fleet().told, Taped::new((100, 30)), 0);
        let all = taped.header.beginning.clusters.clone();
        for did in script {
            match did {
                Did::Keys(keys) => keys.parse::<Chord>().unwrap().0.into_iter().for_each(|key| taped.send(at, &Msg::Key(key))),
                Did::Waits(ms) => {
                    at += ms;
                    taped.send(at, &Msg::Tick { now: now(at), slept: ms > 29_000 });
                }
                Did::Resize(width, height) => taped.send(at, &Msg::Resize(width, height)),
                Did::Facts(from, count) => {
                    let facts = told.iter().skip(from).take(count).cloned().collect();
                    taped.send(at, &Msg::Moment(now(at)));
                    taped.send(at, &Msg::Facts(facts));
                }
                Did::Click(x, y) => taped.send(at, &Msg::Mouse(Mouse { kind: MouseKind::Click, x, y })),
                Did::Paste(text) => taped.send(at, &Msg::Paste(text)),
                Did::Told(text) => taped.send(at, &Msg::Notice(Notice { text: text.into(), is_bad: false })),
                Did::Clusters(count) => {
                    let clusters: Vec<_> = all.iter().take(count).cloned().collect();
                    taped.screen.app.watch(clusters.clone());
                    taped.lines.push(Line { at, is: Entry::Clusters(clusters) });
                }
                Did::Frame => taped.frame(at),
            }
        }
        taped.frame(at);
        let path = write(folder.path(), &taped.text());
        prop_assert_eq!(frames(&path), taped.frames);
    }
}
