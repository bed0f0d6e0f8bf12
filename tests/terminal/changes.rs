//! Changes with a fleet of three clusters: two consoles at one target, a console that is killed in the middle of a ramp.

use std::path::Path;
use std::sync::OnceLock;

use skydeck::demo::{Fleet, Options};

use crate::console::{Console, DEAF};

const CONFIG: &str = "[change]\nbake = \"1s\"\nstep_every = \"15s\"\n";

fn fleet() -> &'static Fleet {
    static FLEET: OnceLock<Fleet> = OnceLock::new();
    let options = Options { clusters: 3, outages: false, ..Options::default() };
    FLEET.get_or_init(|| Fleet::start(&options).unwrap())
}

fn prepare(home: &Path) {
    std::fs::create_dir_all(home.join(".kube")).unwrap();
    std::fs::write(home.join(".kube/config"), fleet().kubeconfig()).unwrap();
    std::fs::create_dir_all(home.join(".config/skydeck")).unwrap();
    std::fs::write(home.join(".config/skydeck/config.toml"), CONFIG).unwrap();
}

fn start(state: &Path) -> Console {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    let state = state.to_str().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_skydeck"));
    Console::in_home(home, program, (120, 36), (&["--panel", "traffic"], &[("XDG_STATE_HOME", state)]))
}

/// The editor for the rule of `ml-inference-multicloud` that has several destinations.
fn editor(console: &Console) {
    console.shows("clusters 3/3 live").press("/ml-inference-multicloud\r").shows("ml-inference-aws");
    console.press("G").press("e").shows("Unlock for changes");
    std::thread::sleep(DEAF);
    console.press("a").shows("writes to");
    std::thread::sleep(DEAF);
}

#[test]
fn a_ramp_whose_console_is_killed_is_paused_and_goes_on_when_somebody_says_so() {
    let state = tempfile::tempdir().unwrap();
    let mut console = start(state.path());
    editor(&console);
    // Ten percent from the destination under the cursor, in steps of five.
    console.press("rr").shows("ramp: 5% every 15s").press("[[");
    console.press("\r").shows("waits for you");
    console.show("a ramp over three clusters, asked of every server");
    console.confirm();
    // It is killed between two stages. At a boundary of a step it would be too, and be unknown for a minute; that is
    // another test's.
    console.until("the first stage is verified", |text| text.matches("verified").count() == 3);

    let second = tempfile::tempdir().unwrap();
    let other = start(second.path());
    editor(&other);
    other.press("[\r").shows("drives it now");
    other.show("a second console: the target is held, by whom and since when");
    drop(other);

    console.signal(rustix::process::Signal::KILL);
    console.ended();
    drop(console);

    let console = start(state.path());
    console.shows("stands still since an earlier session").shows("5 Replicas");
    console.until("the journal is first", |text| text.contains("STATE") && text.contains("shift traffic"));
    console.until("every step is known", |text| !text.contains("UNKNOWN"));
    console.shows("clusters 3/3 live");
    console.show("the next start: what stands still is first");
    console.press("\r").shows("╭ Plan shift traffic");
    console.show("opened: what each step came to");
    std::thread::sleep(DEAF);
    console.press("c").shows("Unlock for changes");
    std::thread::sleep(DEAF);
    console.press("a").until("it can go on", |text| text.contains("continue"));
    std::thread::sleep(DEAF);
    console.press("c").shows("CHANGE running");
    console.until("the end", |text| text.contains(" done ╮"));
    console.show("continued to its end");
}
