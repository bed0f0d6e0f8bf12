//! `AttentionList`: one item a finding, the most severe first.

use serde::Serialize;

use super::{Document, document, some};
use crate::cli::status::table::{Table, age, given};
use crate::fleet::{Clean, Finding, Subject, Unix};
use crate::state::State;

/// One finding.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttentionItem {
    pub rule: &'static str,
    /// `critical`, `warning`, `info`.
    pub severity: &'static str,
    /// `null` when it concerns several clusters.
    pub cluster: Option<Clean>,
    pub subject: SubjectItem,
    pub cause: Clean,
    pub since: Option<String>,
    pub age_seconds: Option<u64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectItem {
    pub kind: Clean,
    pub namespace: Option<Clean>,
    pub name: Option<Clean>,
}

pub fn attention(state: &State) -> Document<AttentionItem> {
    let items = state.findings().in_scope(state).map(|finding| attention_item(state, finding));
    document(state, "AttentionList", items.collect())
}

pub fn table(document: &Document<AttentionItem>) -> Table {
    let headings = ["SEVERITY", "CLUSTER", "SUBJECT", "SINCE", "RULE", "CAUSE"];
    let mut table = Table::new(&headings, "nothing needs attention");
    // While a cluster has not told everything, no finding is no news.
    if document.clusters.iter().any(|cluster| cluster.state != "live") {
        table.empty = "no findings so far";
    }
    table.rows.extend(document.items.iter().map(row));
    table
}

fn row(item: &AttentionItem) -> Vec<String> {
    let subject = &item.subject;
    let path = [subject.namespace.as_ref(), subject.name.as_ref()];
    let path: Vec<_> = path.into_iter().flatten().map(ToString::to_string).collect();
    vec![
        item.severity.to_owned(),
        given(item.cluster.as_ref()),
        format!("{} {}", subject.kind, path.join("/")).trim_end().to_owned(),
        age(item.age_seconds),
        item.rule.to_owned(),
        item.cause.to_string(),
    ]
}

fn attention_item(state: &State, finding: &Finding) -> AttentionItem {
    let cluster = finding.cluster.and_then(|id| state.cluster(id));
    let (kind, key) = match &finding.subject {
        Subject::Cluster => ("Cluster".into(), None),
        Subject::Node(name) => ("Node".into(), Some((Clean::default(), name.clone()))),
        Subject::Namespace(name) => ("Namespace".into(), Some((Clean::default(), name.clone()))),
        Subject::Pod(key) => ("Pod".into(), Some((key.namespace.clone(), key.name.clone()))),
        Subject::Workload(id) | Subject::Job(id) | Subject::Route(id) => {
            let name = cluster
                .map_or_else(|| id.kind.name().into(), |it| crate::state::findings::kind_name(it, id.kind));
            (name, Some((id.key.namespace.clone(), id.key.name.clone())))
        }
    };
    let (namespace, name) = key.unzip();
    AttentionItem {
        rule: finding.rule.name(),
        severity: finding.severity.name(),
        cluster: cluster.map(|it| it.spec.name.clone()),
        subject: SubjectItem { kind, namespace: namespace.and_then(some), name },
        cause: finding.cause.clone(),
        since: finding.since.map(Unix::rfc3339),
        age_seconds: finding.since.map(|since| state.now.age_of(since).0),
    }
}
