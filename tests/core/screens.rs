//! Golden screens: every panel, every overlay, at three sizes. `INSTA_UPDATE=always cargo test --test core`
//! writes them anew; they are read as text in review.

use proptest::prelude::*;
use ratatui::style::{Color, Modifier};
use serde_json::json;
use skydeck::app::Msg;
use skydeck::fleet::fact::Connection;
use skydeck::fleet::{Age, ClusterFact, ClusterId, FaultKind, ObjectId, ObjectKey};
use skydeck::input::ACTIONS;
use skydeck::panels::ALL;
use skydeck::ui::theme::{BUILT_IN, Depth};

use crate::hostile::is_harmless;
use crate::world::{Screen, World, ago, deployment, destination, fleet, node, pod, service, virtual_service};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (200, 60)];

#[test]
fn every_panel_at_three_sizes() {
    for entry in &ALL {
        for size in SIZES {
            let mut screen = Screen::new(fleet(), size);
            screen.keys(&entry.number.to_string());
            let name = format!("{}_{}x{}", entry.title.to_lowercase(), size.0, size.1);
            insta::assert_snapshot!(name, screen.text());
        }
    }
}

#[test]
fn every_panel_without_anything_and_while_it_loads() {
    for (world, name) in [(World::new(), "nothing"), (loading(), "loading"), (calm(), "calm")] {
        let mut screen = Screen::new(world, (80, 24));
        for entry in &ALL {
            screen.keys(&entry.number.to_string());
            insta::assert_snapshot!(format!("{}_{name}", entry.title.to_lowercase()), screen.text());
        }
    }
}

#[test]
fn every_overlay() {
    for (name, keys) in [
        ("help", "5 ?"),
        ("palette", ": \"inf\""),
        ("scope", "c down space"),
        ("themes", "T down"),
        ("filter", "4 / \"phase:failed\""),
        ("filter_mistake", "4 / \"fase:failed\""),
        ("chord", "4 g"),
        ("inspect_workload", "5 G enter"),
        ("inspect_pods", "5 enter tab"),
        ("inspect_events", "5 enter tab tab tab"),
        ("inspect_job", "4 enter"),
        ("inspect_cluster", "2 enter"),
        ("inspect_sources", "2 enter tab"),
        ("inspect_logs", "5 L"),
        ("frozen", "space"),
    ] {
        let mut screen = Screen::new(fleet(), (100, 30));
        screen.keys(keys);
        insta::assert_snapshot!(name, screen.text());
    }
}

#[test]
fn an_object_as_the_server_gives_it() {
    let mut screen = Screen::new(fleet(), (100, 30));
    screen.keys("5 down down enter");
    let id = ObjectId {
        kind: skydeck::fleet::Kind::Deployment,
        key: ObjectKey::new("ml-platform", "ml-inference"),
    };
    let object = deployment("ml-platform/ml-inference", 6, 6, "1.4.2", 1);
    screen.send(Msg::Answer(skydeck::app::Answer::Object {
        cluster: ClusterId(0),
        id,
        outcome: Ok(Box::new(object)),
    }));
    insta::assert_snapshot!("inspect_room", screen.text());
    screen.keys("tab tab tab tab");
    insta::assert_snapshot!("inspect_yaml", screen.text());
    screen.keys("/ \"version\" enter");
    insta::assert_snapshot!("inspect_yaml_searched", screen.text());
}

#[test]
fn ascii_and_every_theme_show_the_same_words() {
    let mut ascii = Screen::with_theme(fleet(), (120, 36), "plain", Depth::Mono, false);
    for entry in &ALL {
        ascii.keys(&entry.number.to_string());
        let text = ascii.text();
        assert!(text.is_ascii(), "{}: {:?}", entry.title, text.chars().find(|it| !it.is_ascii()));
        insta::assert_snapshot!(format!("{}_ascii", entry.title.to_lowercase()), text);
    }
    let texts =
        BUILT_IN.map(|(name, _)| Screen::with_theme(fleet(), (120, 36), name, Depth::TrueColor, true).text());
    assert!(texts.iter().all(|text| *text == texts[0]), "a theme must not change what is said");
}

/// Every state differs by its words or shapes, not only by its colour.
#[test]
fn states_are_told_apart_without_colour() {
    let mut screen = Screen::with_theme(fleet(), (120, 36), "plain", Depth::Mono, true);
    screen.keys("2");
    let clusters = screen.text();
    assert!(clusters.contains("● live") && clusters.contains("✖ silent"), "{clusters}");
    screen.keys("5");
    let replicas = screen.text();
    assert!(replicas.contains("?/3") && replicas.contains("7/8 ↻") && replicas.contains("–"), "{replicas}");
}

/// A server whose certificate is not checked may be anybody: loud where there are colours, a word where there are none.
#[test]
fn an_insecure_way_is_a_red_badge_and_a_word_without_colour() {
    let way = |name: &str, insecure: bool| {
        let server = format!("https://{name}.example.com").into();
        ClusterFact::Client(Connection { server, context: name.into(), insecure, ..Connection::default() })
    };
    let insecure_world = || {
        let mut world = World::new();
        // The cursor is on the first.
        for (name, insecure) in [("a-checked", false), ("calm", true), ("silent", true)] {
            let cluster = world.cluster(name, "v1.33.5", if name == "silent" { 134 } else { 1 }, &[]);
            world.fact(cluster, ago(1), way(name, insecure));
        }
        world.silent(ClusterId(2), FaultKind::Refused);
        world
    };
    // Red in words of each theme; without colours what is reversed remains.
    let themes = [
        ("dark", Depth::TrueColor, Some(Color::Rgb(0xf7, 0x76, 0x8e))),
        ("light", Depth::TrueColor, Some(Color::Rgb(0xb3, 0x20, 0x3c))),
        ("contrast", Depth::TrueColor, Some(Color::Rgb(0xff, 0x7a, 0x3d))),
        ("plain", Depth::Ansi16, Some(Color::Red)),
        ("dark", Depth::Mono, None),
    ];
    for (theme, depth, red) in themes {
        let mut screen = Screen::with_theme(insecure_world(), (200, 24), theme, depth, depth != Depth::Mono);
        screen.keys("2");
        let (text, buffer) = (screen.text(), screen.buffer());
        for (name, words) in [
            ("calm", "INSECURE the server's certificate is not checked"),
            ("silent", "INSECURE ping: connection refused"),
        ] {
            let (line, shown) = text
                .lines()
                .enumerate()
                .find(|(_, it)| it.contains(words))
                .unwrap_or_else(|| panic!("{words}: {text}"));
            assert!(shown.contains(name), "{text}");
            let begin = shown[..shown.find(words).unwrap()].chars().count();
            for column in begin..begin + "INSECURE".len() {
                let style = buffer[(column as u16, line as u16)].style();
                let reversed = style.add_modifier.contains(Modifier::REVERSED);
                let back = if reversed { style.fg } else { style.bg };
                match red {
                    Some(_) => assert_eq!(back, red, "{theme}: {shown}"),
                    None => assert!(reversed, "{shown}"),
                }
            }
        }
        assert_eq!(text.matches("INSECURE").count(), 2, "{text}");
    }
}

/// The same numbers, and only what goes on is another thing: a colour alone must not tell it.
#[test]
fn what_goes_on_is_told_by_a_shape_beside_the_numbers() {
    let rollout = |name: &str| deployment(&format!("ml/{name}"), 1, 2, "1", 0);
    let (progressing, mut paused, mut stuck) = (rollout("moves"), rollout("waits"), rollout("hangs"));
    paused["spec"]["paused"] = true.into();
    stuck["status"]["conditions"][0] =
        json!({"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"});
    let route = [destination("dry", 60), destination("idle", 0), destination("good", 40)];
    let mut objects =
        vec![progressing, paused, stuck, virtual_service("ml/route", &json!([{"route": route}]))];
    for (name, ready) in [("dry", 0), ("idle", 0), ("good", 2)] {
        objects.extend(service(&format!("ml/{name}"), name, ready, 2));
    }
    let mut world = World::new();
    world.cluster("aws-east", "v1.33.5", 1, &objects);
    world.later(1);
    let mut screen = Screen::with_theme(world, (160, 36), "plain", Depth::Mono, true);
    for (panel, rows) in [
        ("5", &[("moves", "1/2 ↻"), ("waits", "1/2 ‖"), ("hangs", "1/2 ✖")][..]),
        ("6", &[("dry", "0/2 ✖"), ("idle", "0/2"), ("good", "2/2")][..]),
    ] {
        screen.keys(panel);
        let text = screen.text();
        for (name, shown) in rows {
            let line = text.lines().find(|line| line.contains(name)).unwrap();
            assert!(line.contains(shown), "{name}: {shown}: {line}");
            let others = rows.iter().filter(|(other, _)| other != name);
            let longer =
                others.map(|(_, other)| other).find(|it| it.len() > shown.len() && line.contains(**it));
            assert_eq!(longer, None, "{name}: {line}");
        }
    }
}

#[test]
fn a_cut_down_terminal_says_so_and_the_program_goes_on() {
    let mut screen = Screen::new(fleet(), (39, 24));
    assert!(screen.text().contains("too small: 40x10 is needed"));
    screen.send(Msg::Resize(80, 24));
    assert!(screen.text().contains("Needs attention"));
}

#[test]
fn no_size_from_one_by_one_on_makes_it_panic() {
    let scripts = ["1", "2", "4", "5", "5 enter", "4 L", "?", ":", "c", "T", "4 /", "2 enter tab"];
    for script in scripts {
        let mut screen = Screen::new(fleet(), (100, 30));
        screen.keys(script);
        for (width, height) in
            [(1, 1), (2, 200), (5, 3), (39, 9), (40, 10), (41, 11), (60, 12), (300, 100), (300, 1)]
        {
            screen.send(Msg::Resize(width, height));
            screen.buffer();
        }
    }
}

#[test]
fn numbers_of_a_silent_cluster_are_never_added_up() {
    let mut screen = Screen::new(fleet(), (120, 36));
    let header = screen.text().lines().next().unwrap().to_owned();
    assert!(header.contains("clusters 2/3 live") && header.contains("/56+? requested"), "{header}");
    screen.keys("5");
    let row = screen.text().lines().find(|line| line.contains("ml-inference")).unwrap().to_owned();
    assert!(row.contains("10+?/10+?") && row.contains("?/3"), "{row}");
}

/// What a hostile cluster writes reaches the screen only as visible characters.
#[test]
fn hostile_names_do_not_reach_the_terminal() {
    let evil = "evil\u{1b}[2J\u{202e}\u{200b}\u{2067}\u{feff}name";
    let mut world = World::new();
    let objects = [
        node("n", "aws", "us\u{7}east", 8, true),
        deployment(&format!("ml\u{1b}]0;x\u{7}/{evil}"), 0, 3, "\u{9b}2J1.0\u{e0041}", 1),
        pod(&format!("ml/{evil}"), "a", "n", 1),
    ];
    world.cluster("evil\u{1b}cluster", "v1\u{1b}.33", 1, &objects);
    let mut screen = Screen::new(world, (200, 60));
    for keys in ["1", "2", "4", "5", "5 enter", "5 enter tab", "5 enter tab tab tab", ":", "c", "2 enter"] {
        screen.keys("esc esc").keys(keys);
        for cell in &screen.buffer().content {
            assert!(cell.symbol().chars().all(is_harmless), "{keys}: {:?}", cell.symbol());
        }
    }
}

fn any_script() -> impl Strategy<Value = Vec<String>> {
    let keys: Vec<String> = ACTIONS.iter().flat_map(|row| row.keys).map(|key| (*key).to_owned()).collect();
    let typed = ["x", ":", "<", "\"a b\"", "backspace", "esc"].map(str::to_owned);
    let one = proptest::sample::select([keys, typed.to_vec()].concat());
    proptest::collection::vec(one, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_keys_in_any_order_make_it_panic(script in any_script(), width in 1u16..130, height in 1u16..40) {
        let mut screen = Screen::new(fleet(), (100, 30));
        for keys in script {
            screen.keys(&keys);
        }
        screen.send(Msg::Resize(width, height));
        screen.buffer();
    }
}

/// Clusters that were asked and have not told everything.
fn loading() -> World {
    let mut world = World::new();
    world.configured("aws-east");
    let gcp = world.configured("gcp-central");
    let at = world.state.now.mono;
    let answered =
        skydeck::fleet::ClusterFact::Answered { round_trip_ms: 30, git_version: "v1.34.1-gke.1".into() };
    world.fact(gcp, at, answered);
    world.list(gcp, skydeck::fleet::Kind::Node, at, &[node("n", "gce", "us-central1", 8, true)]);
    world.later(1);
    world
}

fn calm() -> World {
    let mut world = World::with(skydeck::state::Settings { stale_after: Age(45), ..Default::default() });
    world.cluster(
        "aws-east",
        "v1.33.5-eks-1",
        1,
        &[node("n", "aws", "us-east-1", 8, true), deployment("ml/a", 2, 2, "1", 0)],
    );
    world.later(1);
    world
}
