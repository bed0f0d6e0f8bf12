//! The list: newest first, one line a change.

use std::collections::BTreeMap;

use color_eyre::eyre::Result;

use super::document;
use crate::cli::status::table::{Table, given};
use crate::config::args::Format;
use crate::config::args::journal::List;
use crate::fleet::{Age, ChangeId, Unix};
use crate::gate::Operation;

/// Characters of an id that are always shown: its time.
const SHORTEST_ID: usize = 10;

pub fn print(operations: &BTreeMap<ChangeId, Operation>, args: &List, now: Unix) -> Result<String> {
    let chosen: Vec<&Operation> = operations.values().rev().filter(|it| passes(it, args, now)).collect();
    let document = || document::list(chosen.iter().copied(), now);
    Ok(match args.output {
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&document())?),
        Format::Yaml => serde_saphyr::to_string(&document())?,
        Format::Table => table(&chosen, operations).text(),
        Format::Markdown => table(&chosen, operations).markdown(),
    })
}

fn passes(operation: &Operation, args: &List, now: Unix) -> bool {
    let plan = &operation.plan;
    let recent = |since: Age| operation.opened.is_some_and(|at| at.until(now) <= since);
    let in_one =
        |names: &[String]| plan.clusters().iter().any(|it| names.iter().any(|name| *it.name == **name));
    (!args.open || operation.is_open())
        && (args.clusters.is_empty() || in_one(&args.clusters))
        && (args.verbs.is_empty() || args.verbs.iter().any(|verb| verb.is(plan.verb)))
        && args.since.is_none_or(recent)
}

fn table(chosen: &[&Operation], all: &BTreeMap<ChangeId, Operation>) -> Table {
    let headings = ["ID", "CONFIRMED", "STATE", "VERB", "WHAT", "CLUSTERS", "WHO", "REASON"];
    let mut table = Table::new(&headings, "no changes");
    let digits = digits(all);
    for operation in chosen {
        let plan = &operation.plan;
        let clusters: Vec<_> = plan.clusters().iter().map(|it| it.name.to_string()).collect();
        table.rows.push(vec![
            plan.id.as_clean().part(0..digits).to_string(),
            given(operation.opened.map(Unix::rfc3339)),
            operation.words(),
            plan.verb.name().to_owned(),
            plan.title.to_string(),
            clusters.join(","),
            format!("{}@{}", operation.actor.user, operation.actor.host),
            plan.reason.to_string(),
        ]);
    }
    table
}

/// So many characters that each of these ids can be told from every other.
fn digits(all: &BTreeMap<ChangeId, Operation>) -> usize {
    let ids: Vec<&str> = all.keys().map(|id| id.as_clean().as_str()).collect();
    let alike = |two: &[&str]| two[0].bytes().zip(two[1].bytes()).take_while(|(a, b)| a == b).count() + 1;
    ids.windows(2).map(alike).fold(SHORTEST_ID, usize::max)
}
