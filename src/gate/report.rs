//! An operation as a page of Markdown, for the post-mortem: what, who, when, before and after, what happened, and how it
//! would be taken back.

use super::operation::Operation;
use super::plan::shown;
use super::record::Record;
use super::timeline::moments;
use crate::fleet::Unix;

/// The whole page. Times are UTC; of what is not written down nothing is said.
pub fn markdown(operation: &Operation, records: &[Record]) -> String {
    let plan = &operation.plan;
    let mut page = format!("# {}\n\n{}", escaped(&plan.title), summary(operation));
    page.push_str("\n## Before and after\n\n");
    page.push_str(&row(&["step", "cluster", "object", "field", "before", "after", "state"]));
    page.push_str(&row(&["---"; 7]));
    for (number, (step, progress)) in plan.steps.iter().zip(&operation.steps).enumerate() {
        for change in step.changes.iter().filter(|change| change.before != change.after) {
            let (before, after) = (shown(&change.before), shown(&change.after));
            let words = if progress.words.is_empty() { "" } else { ": " };
            let state = format!("{}{words}{}", progress.state.name(), progress.words);
            let (number, object) = ((number + 1).to_string(), step.object.to_string());
            page.push_str(&row(&[
                &number,
                &step.cluster.name,
                &object,
                &change.label,
                &before,
                &after,
                &state,
            ]));
        }
    }
    page.push_str("\n## Timeline\n\n");
    for moment in moments(plan, records) {
        page.push_str(&format!("- {} {}\n", moment.at.rfc3339(), escaped(&moment.line.text)));
    }
    if !plan.notes.is_empty() {
        page.push_str("\n## Said before it was confirmed\n\n");
        for note in &plan.notes {
            let warning = if note.is_warning { "warning: " } else { "" };
            page.push_str(&format!("- {warning}{}\n", escaped(&note.text)));
        }
    }
    page.push_str(&format!("\n## Way back\n\n{}\n", escaped(&plan.way_back)));
    page
}

fn summary(operation: &Operation) -> String {
    let plan = &operation.plan;
    let time = |at: Option<Unix>| at.map_or_else(|| "?".to_owned(), Unix::rfc3339);
    let clusters: Vec<_> = plan.clusters().iter().map(|it| it.name.as_str()).collect();
    let set_aside: Vec<_> = plan.overrides.iter().map(|rule| rule.name()).collect();
    let ended = match (operation.opened, operation.ended) {
        (Some(opened), Some(ended)) => format!("{}, after {}", ended.rfc3339(), opened.until(ended)),
        (_, None) => "still open".into(),
        (None, ended) => time(ended),
    };
    let mut rows = vec![
        ("change", plan.id.to_string()),
        ("outcome", operation.words()),
        ("confirmed", format!("{} by {}", time(operation.opened), operation.actor)),
        ("ended", ended),
        ("clusters", clusters.join(", ")),
        ("reason", if plan.reason.is_empty() { "none given".into() } else { plan.reason.to_string() }),
    ];
    if let Some(undone) = &plan.undoes {
        rows.push(("takes back", undone.to_string()));
    }
    if !set_aside.is_empty() {
        rows.push(("rules set aside", set_aside.join(", ")));
    }
    let rows = rows.iter().map(|(name, value)| row(&[name, value])).collect::<String>();
    format!("{}{}{rows}", row(&["", ""]), row(&["---", "---"]))
}

fn row(cells: &[&str]) -> String {
    let cells = cells.iter().map(|cell| if *cell == "---" { (*cell).to_owned() } else { escaped(cell) });
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

/// Names must not become links, headings or the end of a cell.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '|' | '#' | '~') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}
