//! As many open files as the system allows: a hundred clusters need more than a shell hands on.

use std::path::Path;

use crate::console::Console;

#[test]
fn a_low_limit_of_open_files_is_raised_to_what_it_may_be() {
    let low = format!("ulimit -Sn 256; exec '{}'", env!("CARGO_BIN_EXE_skydeck"));
    let console = Console::of(Path::new("/bin/sh"), (80, 24), &["-c", &low], &[]);
    console.shows("clusters 2/2 live");
    let limits = console.limits();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let [current, maximum, _] = files.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{files}") };
    assert_eq!(current, maximum, "{limits}");
    assert_ne!(current, "256");
}
