//! What `skydeck status` prints, in every form.

use skydeck::cli::status::print;
use skydeck::config::args::{Format, Subject};

use crate::world::fleet;

const SUBJECTS: [(&str, Subject); 5] = [
    ("clusters", Subject::Clusters),
    ("replicas", Subject::Replicas),
    ("jobs", Subject::Jobs),
    ("traffic", Subject::Traffic),
    ("attention", Subject::Attention),
];

#[test]
fn every_table_and_every_list_for_a_document() {
    let world = fleet();
    for (name, subject) in SUBJECTS {
        for (form, format) in [("table", Format::Table), ("markdown", Format::Markdown)] {
            let printed = print(subject, format, false, &world.state).unwrap();
            insta::assert_snapshot!(format!("{name}_{form}"), printed.text);
        }
    }
}

#[test]
fn yaml_and_json_say_the_same() {
    let world = fleet();
    for (_, subject) in SUBJECTS {
        let of = |format, one_line| print(subject, format, one_line, &world.state).unwrap().text;
        let json: serde_json::Value = serde_json::from_str(&of(Format::Json, false)).unwrap();
        let yaml: serde_json::Value = serde_saphyr::from_str(&of(Format::Yaml, false)).unwrap();
        assert_eq!(json, yaml);
        let line = of(Format::Json, true);
        assert_eq!(line.lines().count(), 1);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), json);
    }
}

#[test]
fn an_older_clock_alone_is_no_news() {
    let mut world = fleet();
    for (_, subject) in SUBJECTS {
        let before = print(subject, Format::Json, true, &world.state).unwrap();
        world.later(1);
        let after = print(subject, Format::Json, true, &world.state).unwrap();
        assert_ne!(before.text, after.text);
        assert_eq!(before.essence, after.essence);
    }
}
