//! Everything that was written down: the lines as they stand in the file, with their checksums, or a page for the
//! post-mortem.

use std::collections::BTreeMap;

use color_eyre::eyre::{Result, eyre};

use crate::config::args::journal::ExportFormat;
use crate::effects::journal::Journal;
use crate::fleet::ChangeId;
use crate::gate::{Operation, Record, report};

pub fn print(
    journal: &Journal,
    operations: &BTreeMap<ChangeId, Operation>,
    id: Option<&ChangeId>,
    output: ExportFormat,
) -> Result<String> {
    let mut text = String::new();
    match output {
        ExportFormat::Jsonl => {
            let each = journal.each(&mut |line| {
                if id.is_none_or(|id| *id == line.record.change) {
                    text.push_str(line.text);
                    text.push('\n');
                }
            });
            each.map_err(|words| eyre!("{words}"))?;
        }
        ExportFormat::Markdown => {
            let mut records: BTreeMap<ChangeId, Vec<Record>> = BTreeMap::new();
            let each = journal.each(&mut |line| {
                records.entry(line.record.change.clone()).or_default().push(line.record);
            });
            each.map_err(|words| eyre!("{words}"))?;
            let chosen = operations.values().rev().filter(|it| id.is_none_or(|id| id == it.id()));
            let of = |id: &ChangeId| records.get(id).map(Vec::as_slice).unwrap_or_default();
            let pages: Vec<_> = chosen.map(|it| report::markdown(it, of(it.id()))).collect();
            text = pages.join("\n---\n\n");
        }
    }
    Ok(text)
}
