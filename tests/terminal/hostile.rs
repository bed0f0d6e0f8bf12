//! What nobody means to type, sizes that nobody wants, terminals that can do little.

use crate::console::{Console, DEAF};

#[test]
fn noise_is_borne() {
    let mut console = Console::start(80, 24);
    console.shows("clusters 2/2 live");
    // Pasted text is text, never keys; what is not text is left out.
    console.press("4/").press("\x1b[200~ml-\x1b[31mtrain\x07ing\r\nq\x1b[201~").shows("ml-");
    console.press("\r").press("\x1b\x1b");
    let mut random = fastrand::Rng::with_seed(7);
    // Any bytes but those that ask for the end or the background: q, Ctrl-C, Ctrl-Z.
    let noise: String =
        (0..20_000).map(|_| char::from(random.u8(0..128))).filter(|it| !"qQ\x03\x1a".contains(*it)).collect();
    console.press(&noise).press("\x1b[999;999;999X\x1b]0;title\x07\x1bP+q\x1b\\");
    // How bytes come together decides what they are: whatever sequence or paste was left open ends here, an answer of the
    // terminal (`\x1b[?`) too; and then every layer of what was opened, each when it hears.
    console.press("m\x1b[201~uc");
    for _ in 0..6 {
        console.still();
        std::thread::sleep(DEAF);
        console.press("\x1b\x1b");
    }
    console.still();
    console.press("2").shows("CLUSTER");
    console.press("\x03");
    assert!(console.ended().success());
    console.is_restored();
}

#[test]
fn any_size_is_borne_and_the_picture_is_whole_again() {
    let console = Console::start(120, 36);
    console.shows("clusters 2/2 live");
    for (columns, lines) in [(1, 1), (10, 3), (39, 9), (80, 24), (200, 60), (300, 100)] {
        console.resize(columns, lines);
        if columns < 40 {
            console.press("45").until("something", |text| !text.trim().is_empty());
            continue;
        }
        console.press("1").shows("Needs attention").until("the hints in the last line", |text| {
            text.lines().count() == usize::from(lines)
                && text.lines().last().is_some_and(|it| it.contains("open"))
        });
    }
}

#[test]
fn terminals_without_colour_or_unicode_show_the_same_words() {
    let console = Console::with(120, 36, &[], &[("NO_COLOR", "1"), ("LANG", "C")]);
    console.shows("clusters 2/2 live").shows("Needs attention");
    let bytes = console.bytes();
    assert!(bytes.is_ascii(), "{}", String::from_utf8_lossy(&bytes));
    let text = String::from_utf8(bytes).unwrap();
    let sequences = text.split("\x1b[").skip(1).filter_map(|rest| rest.split_once('m'));
    let is_codes = |codes: &str| codes.chars().all(|it| it.is_ascii_digit() || it == ';');
    let coloured: Vec<_> = sequences
        .map(|(codes, _)| codes)
        .filter(|codes| is_codes(codes))
        .filter(|codes| codes.split(';').any(|code| matches!(code.parse(), Ok(30..=38 | 40..=48 | 90..=107))))
        .collect();
    assert!(coloured.is_empty(), "colours although NO_COLOR is set: {coloured:?}");
}

#[test]
fn a_terminal_that_cannot_draw_is_told_what_else_there_is() {
    let mut console = Console::with(80, 24, &[], &[("TERM", "dumb")]);
    assert_eq!(console.ended().code(), Some(2));
    console.shows("skydeck status");
}
