//! `AttentionList`: one item a finding, the most severe first.

use serde::Serialize;

use super::{Document, document, some};
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

fn attention_item(state: &State, finding: &Finding) -> AttentionItem {
    let cluster = finding.cluster.and_then(|id| state.cluster(id));
    let (kind, key) = match &finding.subject {
        Subject::Cluster => ("Cluster".into(), None),
        Subject::Node(name) => ("Node".into(), Some((Clean::default(), name.clone()))),
        Subject::Namespace(name) => ("Namespace".into(), Some((Clean::default(), name.clone()))),
        Subject::Pod(key) => ("Pod".into(), Some((key.namespace.clone(), key.name.clone()))),
        Subject::Workload(id) | Subject::Job(id) => {
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
