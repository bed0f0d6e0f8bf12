//! The agreements about the house, as tests: the order of the modules, the purity of the core, the budgets.
//!
//! Sources are read as text, with comments and strings taken out. An agreement that only lived in a document
//! would be broken already.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the sources has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Modules without async, I/O or clock, in their order.
const CORE: [&str; 7] = ["fleet", "state", "gate", "input", "ui", "panels", "app"];
/// Words that have no place in the core.
const IMPURE: [&str; 10] = [
    "tokio",
    "async fn",
    "kube::",
    "object_store",
    "prometheus_http_query",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::env",
];
const MOST_LINES: usize = 400;
const MOST_FUNCTION_LINES: usize = 70;
const NOT_A_NAME: [&str; 4] = ["utils", "helpers", "common", "misc"];

#[test]
fn a_module_imports_only_from_those_before_it() {
    let order = modules();
    let rank: BTreeMap<&str, usize> =
        order.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let mut wrong = Vec::new();
    for file in sources() {
        let Some(own) = file.module() else { continue };
        for imported in file.imports() {
            let (Some(from), Some(to)) = (rank.get(own.as_str()), rank.get(imported.as_str())) else {
                continue;
            };
            if to > from {
                wrong.push(format!(
                    "{}: `{own}` imports `{imported}`, which stands after it in src/lib.rs",
                    file.name()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_demo_fleet_knows_nothing_of_the_console() {
    let wrong: Vec<_> = sources()
        .into_iter()
        .filter(|file| file.module().as_deref() == Some("demo"))
        .flat_map(|file| {
            file.imports().into_iter().map(move |imported| format!("{}: {imported}", file.name()))
        })
        .filter(|import| !import.ends_with(": demo") && !import.ends_with(": fleet"))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_core_is_pure() {
    let order = modules();
    assert_eq!(order[..CORE.len()], CORE, "the pure modules stand first in src/lib.rs");
    let mut wrong = Vec::new();
    for file in sources().into_iter().filter(|file| file.module().is_some_and(|it| CORE.contains(&&*it))) {
        for word in IMPURE {
            if file.code.contains(word) {
                wrong.push(format!("{}: `{word}` has no place in the core", file.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn files_and_functions_stay_small() {
    let mut wrong = Vec::new();
    for file in sources() {
        let lines = file.code.lines().count();
        if lines > MOST_LINES {
            wrong.push(format!("{}: {lines} lines, at most {MOST_LINES} without tests", file.name()));
        }
        for (name, lines) in file.functions() {
            if lines > MOST_FUNCTION_LINES {
                wrong.push(format!(
                    "{}: fn {name} has {lines} lines, at most {MOST_FUNCTION_LINES}",
                    file.name()
                ));
            }
        }
        let stem = file.path.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
        if NOT_A_NAME.contains(&stem) {
            wrong.push(format!("{}: `{stem}` says nothing; name it for what it holds", file.name()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_file_says_why_it_exists() {
    let silent: Vec<_> =
        sources().into_iter().filter(|file| !file.text.starts_with("//!")).map(|file| file.name()).collect();
    assert!(silent.is_empty(), "without a module comment: {silent:?}");
}

/// Only `effects` may make a request that changes something; the door to a cluster has no other verb than GET.
/// The one POST beside it asks what the account may do, which the server answers and keeps nowhere: its file
/// knows no other path.
#[test]
fn nothing_but_effects_writes_to_a_cluster() {
    let verbs = [
        "Request::post(",
        "Request::put(",
        "Request::patch(",
        "Request::delete(",
        "Method::POST",
        "Method::PUT",
        "Method::PATCH",
        "Method::DELETE",
    ];
    let mut wrong = Vec::new();
    for file in sources() {
        let module = file.module().unwrap_or_default();
        if ["effects", "demo"].contains(&&*module) {
            continue;
        }
        if file.name().ends_with("clients/kube/access.rs") {
            let asks = "Request::post(PATH)";
            assert!(file.code.contains(asks) && file.text.contains("/selfsubjectaccessreviews\";"));
            assert_eq!(verbs.iter().map(|verb| file.code.matches(verb).count()).sum::<usize>(), 1);
            continue;
        }
        wrong.extend(
            verbs
                .iter()
                .filter(|verb| file.code.contains(*verb))
                .map(|verb| format!("{}: {verb}", file.name())),
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The modules of src/lib.rs in their order.
fn modules() -> Vec<String> {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    lines.map(str::to_owned).collect()
}

struct Source {
    path: PathBuf,
    text: String,
    /// Without comments, strings and test modules.
    code: String,
}

impl Source {
    fn name(&self) -> String {
        self.path.strip_prefix(root()).unwrap().display().to_string()
    }

    /// The top module that a file belongs to; none for main.rs and lib.rs.
    fn module(&self) -> Option<String> {
        let inside = self.path.strip_prefix(root().join("src")).unwrap();
        let first = inside.components().next()?.as_os_str().to_str()?;
        match first.strip_suffix(".rs") {
            Some("main" | "lib") => None,
            Some(name) => Some(name.to_owned()),
            None => Some(first.to_owned()),
        }
    }

    /// Top modules named in `crate::x` paths.
    fn imports(&self) -> Vec<String> {
        let parts = self.code.split("crate::").skip(1);
        parts.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()).collect()
    }

    /// Names and lengths of functions, by their braces.
    fn functions(&self) -> Vec<(String, usize)> {
        let lines: Vec<&str> = self.code.lines().collect();
        let mut functions = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let Some(place) = words.iter().position(|word| *word == "fn") else { continue };
            let Some(name) = words.get(place + 1) else { continue };
            let name: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let (mut depth, mut opened) = (0i32, false);
            for (length, line) in lines[at..].iter().enumerate() {
                for character in line.chars() {
                    match character {
                        '{' => (depth, opened) = (depth + 1, true),
                        '}' => depth -= 1,
                        ';' if !opened && depth == 0 => (depth, opened) = (0, true),
                        _ => {}
                    }
                }
                if opened && depth <= 0 {
                    functions.push((name.clone(), length + 1));
                    break;
                }
            }
        }
        functions
    }
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    walk(&root().join("src"), &mut files);
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let code = without_tests(&plain(&text));
            Source { path, text, code }
        })
        .collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The code with comments, strings and characters emptied; lines stay where they are.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let characters: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < characters.len() {
        let rest = &characters[at..];
        if rest.starts_with(&['/', '/']) {
            at += rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
        } else if let Some(length) = raw_string(rest).or_else(|| string(rest)) {
            out.extend(rest[..length].iter().filter(|c| **c == '\n'));
            at += length;
        } else if let Some(length) = character(rest) {
            at += length;
        } else {
            out.push(characters[at]);
            at += 1;
        }
    }
    out
}

fn string(rest: &[char]) -> Option<usize> {
    if rest.first() != Some(&'"') {
        return None;
    }
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return Some(at + 1),
            _ => at += 1,
        }
    }
    Some(rest.len())
}

fn raw_string(rest: &[char]) -> Option<usize> {
    let hashes = rest.get(1..)?.iter().take_while(|c| **c == '#').count();
    if rest[0] != 'r' || rest.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let body = &rest[2 + hashes..];
    let length = body.windows(end.len()).position(|window| window == end)?;
    Some(2 + hashes + length + end.len())
}

fn character(rest: &[char]) -> Option<usize> {
    match rest {
        ['\'', '\\', ..] => rest.iter().skip(2).position(|c| *c == '\'').map(|at| at + 3),
        ['\'', _, '\'', ..] => Some(3),
        _ => None,
    }
}

/// Cuts from the first test module on; tests stand at the end of a file.
fn without_tests(code: &str) -> String {
    let lines: Vec<&str> = code.lines().collect();
    let end = lines.iter().position(|line| line.trim() == "#[cfg(test)]");
    lines[..end.unwrap_or(lines.len())].join("\n")
}
