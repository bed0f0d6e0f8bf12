//! What a text from outside may do to a terminal: nothing. The list is Unicode's and not the program's own, so that a
//! hole in one is seen by the other.

use skydeck::fleet::Clean;
use skydeck::fleet::text::Interner;

/// Controls; what reorders (Bidi_Control, UAX 9); what shows nothing (Default_Ignorable_Code_Point); what ends a line;
/// what only a private font knows.
const HARMFUL: [(u32, u32); 30] = [
    (0x00, 0x1f),
    (0x7f, 0x9f),
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x61c, 0x61c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200d),
    (0x200e, 0x200f),
    (0x2028, 0x2029),
    (0x202a, 0x202e),
    (0x2060, 0x2064),
    (0x2065, 0x2065),
    (0x2066, 0x2069),
    (0x206a, 0x206f),
    (0x3164, 0x3164),
    (0xe000, 0xf8ff),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfff8),
    (0xfff9, 0xfffb),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0xe0000, 0xe0000),
    (0xe0001, 0xe007f),
    (0xe0080, 0xe0fff),
    (0xf_0000, 0xf_ffff),
    (0x10_0000, 0x10_ffff),
];

pub fn is_harmless(character: char) -> bool {
    let code = u32::from(character);
    !HARMFUL.iter().any(|(first, last)| (*first..=*last).contains(&code))
}

#[test]
fn no_character_that_steers_or_hides_gets_into_a_text_by_any_way() {
    let mut interner = Interner::default();
    // Of the planes for private use every so-many-th.
    let codes = HARMFUL.iter().flat_map(|(first, last)| {
        let step = if last - first > 10_000 { 997 } else { 1 };
        (*first..=*last).step_by(step).chain([*last])
    });
    let all = codes.filter_map(char::from_u32);
    for character in all {
        // Alone, behind something that it could hide in, and where nothing else is special.
        for raw in [character.to_string(), format!("a{character}b"), format!("日本{character}")] {
            let json = serde_json::to_string(&raw).unwrap();
            for (way, text) in [
                ("made of a text", Clean::new(&raw)),
                ("made of a text of its own", Clean::from(raw.clone())),
                ("shared", interner.intern(&raw)),
                ("read from a file", serde_json::from_str(&json).unwrap()),
            ] {
                assert!(text.chars().all(is_harmless), "{way}: {raw:?} became {:?}", text.as_str());
            }
        }
    }
}

#[test]
fn marks_upon_marks_do_not_paint_over_other_lines() {
    let tall = Clean::from(format!("a{}b", "\u{301}".repeat(50)));
    assert!(tall.chars().count() <= 4, "{tall:?}");
}
