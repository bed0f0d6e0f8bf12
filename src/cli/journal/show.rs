//! One change with its plan, what became of each step, and when.

use color_eyre::eyre::Result;

use super::document::{self, took};
use crate::config::args::Format;
use crate::fleet::Unix;
use crate::gate::operation::{Operation, Phase};
use crate::gate::timeline::moments;
use crate::gate::{Record, diff, report};

pub fn print(operation: &Operation, records: &[Record], output: Format) -> Result<String> {
    Ok(match output {
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&document::whole(operation, records))?),
        Format::Yaml => serde_saphyr::to_string(&document::whole(operation, records))?,
        Format::Markdown => report::markdown(operation, records),
        Format::Table => text(operation, records),
    })
}

/// ```text
/// 01JD8… · scale ml/web to 6 · 2 steps
/// state      partial 1/2
/// confirmed  2026-03-08T14:02:11Z by ada at ops-1 (process 4711)
/// ended      2026-03-08T14:02:20Z, after 9s
///
/// 1  aws  Deployment ml/web  generation 3
///      spec.replicas  4 → 6
///      verified
/// undo   4 in each
///
/// 2026-03-08T14:02:11Z  confirmed by ada at ops-1 (process 4711)
/// ```
fn text(operation: &Operation, records: &[Record]) -> String {
    let plan = &operation.plan;
    let time = |at: Option<Unix>| at.map_or_else(|| "?".to_owned(), Unix::rfc3339);
    let mut text = format!("{}\n", diff::title(plan));
    let mut head = |name: &str, value: &str| text.push_str(&format!("{name:<9}  {value}\n"));
    head("state", &operation.words());
    if let (Phase::Paused(why), false) = (&operation.phase, operation.is_elsewhere) {
        head("", &why.words(plan));
    }
    head("confirmed", &format!("{} by {}", time(operation.opened), operation.actor));
    if let Some(took) = took(operation) {
        head("ended", &format!("{}, after {took}", time(operation.ended)));
    }
    if let Some(undone) = &plan.undoes {
        head("undoes", &undone.to_string());
    }
    text.push('\n');
    for line in diff::lines(operation) {
        text.push_str(&format!("{}\n", line.text));
    }
    text.push('\n');
    for moment in moments(plan, records) {
        text.push_str(&format!("{}  {}\n", moment.at.rfc3339(), moment.line.text));
    }
    text
}
