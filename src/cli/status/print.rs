//! One document in the wanted form.

use color_eyre::eyre::Result;
use serde::Serialize;
use serde_json::Value;

use super::document::{self, Document};
use super::table::Table;
use crate::config::args::{Format, Subject};
use crate::fleet::Age;
use crate::state::State;

/// What is printed, and the same without what every second changes.
pub struct Printed {
    pub text: String,
    pub essence: Value,
}

pub fn print(what: Subject, output: Format, one_line: bool, state: &State) -> Result<Printed> {
    let form = Form { output, one_line };
    match what {
        Subject::Clusters => form.print(&document::clusters(state), document::clusters::table),
        Subject::Replicas => form.print(&document::replicas(state), document::replicas::table),
        Subject::Jobs => form.print(&document::jobs(state), document::jobs::table),
        Subject::Traffic => form.print(&document::traffic(state), document::traffic::table),
        Subject::Attention => form.print(&document::attention(state), document::attention::table),
    }
}

pub struct Form {
    pub output: Format,
    /// JSON without line breaks, so that a stream of documents can be read line by line.
    pub one_line: bool,
}

impl Form {
    pub fn print<T: Serialize>(
        &self,
        document: &Document<T>,
        table: fn(&Document<T>) -> Table,
    ) -> Result<Printed> {
        let text = match self.output {
            Format::Json if self.one_line => format!("{}\n", serde_json::to_string(document)?),
            Format::Json => format!("{}\n", serde_json::to_string_pretty(document)?),
            Format::Yaml if self.one_line => format!("---\n{}", serde_saphyr::to_string(document)?),
            Format::Yaml => serde_saphyr::to_string(document)?,
            Format::Table => format!("{}{}", table(document).text(), worth(document, "")),
            Format::Markdown => format!("{}{}", table(document).markdown(), worth(document, "- ")),
        };
        let mut essence = serde_json::to_value(document)?;
        forget_the_clock(&mut essence);
        Ok(Printed { text, essence })
    }
}

/// A line for each cluster whose part of the table is missing or old; its own table says so in every row.
fn worth<T>(document: &Document<T>, bullet: &str) -> String {
    if document.kind == document::CLUSTER_LIST {
        return String::new();
    }
    let mut lines = String::new();
    for cluster in document.clusters.iter().filter(|cluster| cluster.state != "live") {
        let age = cluster.age_seconds.map(|age| format!(" {}", Age(age))).unwrap_or_default();
        let problem = cluster.problem.as_ref().map(|it| format!(": {it}")).unwrap_or_default();
        lines.push_str(&format!("{bullet}{} is {}{age}{problem}\n", cluster.name, cluster.state));
    }
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

/// Fields that change although nothing has happened.
const CLOCKWORK: [&str; 7] = [
    "generatedAt",
    "ageSeconds",
    "durationSeconds",
    "roundTripMs",
    "requests",
    "receivedBytes",
    "requestsPerSecond",
];

fn forget_the_clock(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !CLOCKWORK.contains(&name.as_str()));
            fields.values_mut().for_each(forget_the_clock);
        }
        Value::Array(entries) => entries.iter_mut().for_each(forget_the_clock),
        _ => {}
    }
}
