//! Rules about clusters as a whole: is it there, may we read it, is it the one we think it is.

use super::{Found, finding, kind_name, names};
use crate::fleet::{Age, Clean, Rule, Severity, SourceState, Subject, Unix};
use crate::state::select::clusters::{Liveness, liveness};
use crate::state::{Cluster, State};

/// A server that answered every few seconds may miss one question; two in a row are silence.
pub(super) fn silent(state: &State, cluster: &Cluster, found: &mut Found) {
    let mut it = finding(Rule::SilentCluster, Severity::Critical, cluster, Subject::Cluster);
    match liveness(state, cluster) {
        Liveness::Unusable => {
            let fault = cluster.api.unusable.as_ref();
            it.cause = Clean::from(fault.map_or_else(String::new, ToString::to_string));
        }
        Liveness::Silent(_) => {
            let Some((since, fault)) = &cluster.api.fault else { return };
            it.since = Some(state.now.unix_of(cluster.api.answered.unwrap_or(*since)));
            it.cause = match fault.hint() {
                "" => Clean::from(format!("silent: {fault}")),
                hint => Clean::from(format!("silent: {fault} ({hint})")),
            };
        }
        _ => return,
    }
    found.add(it);
}

/// Kinds that are not heard although the server answers.
pub(super) fn silent_sources(state: &State, cluster: &Cluster, found: &mut Found) {
    if found.has(cluster.id, &Subject::Cluster) {
        return;
    }
    let mut kinds: Vec<Clean> = Vec::new();
    let (mut words, mut since, mut severity) = (None, None::<Unix>, Severity::Warning);
    for ((kind, _), source) in &cluster.sources {
        let told = match &source.state {
            SourceState::Failed(fault) => {
                severity = Severity::Critical;
                fault.to_string()
            }
            SourceState::Retrying { fault, .. } => fault.to_string(),
            SourceState::Listing | SourceState::Watching => {
                let age = state.now.since(source.heard.unwrap_or(source.state_since));
                if age <= state.settings.stale_after {
                    continue;
                }
                format!("nothing heard for {age}")
            }
            SourceState::Denied(_) | SourceState::Absent => continue,
        };
        let name = kind_name(cluster, *kind);
        if kinds.last() != Some(&name) {
            kinds.push(name);
        }
        words.get_or_insert(told);
        let heard = state.now.unix_of(source.heard.unwrap_or(source.state_since));
        since = Some(since.map_or(heard, |since| since.min(heard)));
    }
    let Some(words) = words else { return };
    let mut it = finding(Rule::SilentSource, severity, cluster, Subject::Cluster);
    it.cause = Clean::from(format!("{} not live: {words}", names(kinds.iter().map(Clean::as_str))));
    it.since = since;
    // One failed watch is begun again at once; only what stays is worth a line.
    found.add_after(Age(10), it);
}

pub(super) fn denied(_: &State, cluster: &Cluster, found: &mut Found) {
    let mut kinds = Vec::new();
    for ((kind, _), source) in &cluster.sources {
        if matches!(source.state, SourceState::Denied(_)) && kinds.last() != Some(kind) {
            kinds.push(*kind);
        }
    }
    if kinds.is_empty() {
        return;
    }
    let lost = kinds.iter().map(|kind| kind.loss()).collect::<Vec<_>>().join("; ");
    let kinds: Vec<_> = kinds.iter().map(|kind| kind_name(cluster, *kind)).collect();
    let mut it = finding(Rule::DeniedSource, Severity::Info, cluster, Subject::Cluster);
    it.cause =
        Clean::from(format!("may not read {}: without it no {lost}", names(kinds.iter().map(Clean::as_str))));
    found.add(it);
}

pub(super) fn unknown_objects(_: &State, cluster: &Cluster, found: &mut Found) {
    let strange = cluster.sources.iter().filter(|(_, source)| source.undecodable.count() > 0);
    let count: u32 = strange.clone().map(|(_, source)| source.undecodable.count()).sum();
    let Some(((kind, _), source)) = strange.into_iter().next() else { return };
    let example = match source.undecodable.example() {
        Some((name, why)) => format!(", such as {} {name}: {why}", kind_name(cluster, *kind)),
        None => format!(" among those of kind {}", kind_name(cluster, *kind)),
    };
    let noun = if count == 1 { "object" } else { "objects" };
    let mut it = finding(Rule::UnknownObjects, Severity::Warning, cluster, Subject::Cluster);
    it.cause = Clean::from(format!("{count} {noun} not understood{example}"));
    found.add(it);
}

pub(super) fn same(state: &State, cluster: &Cluster, found: &mut Found) {
    let Some(other) = cluster.same_as.and_then(|id| state.cluster(id)) else { return };
    let mut it = finding(Rule::SameCluster, Severity::Info, cluster, Subject::Cluster);
    it.cause = Clean::from(format!("the same cluster as {}; it is counted once", other.spec.name));
    found.add(it);
}

pub(super) fn replaced(_: &State, cluster: &Cluster, found: &mut Found) {
    let Some((since, old)) = &cluster.replaced else { return };
    let mut it = finding(Rule::ReplacedCluster, Severity::Warning, cluster, Subject::Cluster);
    let old: String = old.chars().take(8).collect();
    it.cause = Clean::from(format!(
        "a different cluster answers at this address (the one before was {old}…); what was known of it is dropped"
    ));
    it.since = Some(*since);
    found.add(it);
}

pub(super) fn certificates(state: &State, cluster: &Cluster, found: &mut Found) {
    let expiries = [
        (cluster.certificates.client_expires, "your client certificate"),
        (cluster.certificates.server_expires, "the API server's certificate"),
    ];
    for (expires, whose) in expiries {
        let Some(expires) = expires else { continue };
        let left = expires.0 - state.now.unix.0;
        let (severity, words) = if left <= 0 {
            let ago = state.now.age_of(expires);
            (Severity::Critical, format!("{whose} expired {ago} ago"))
        } else if left <= state.settings.certificate_warning.0 as i64 {
            (Severity::Warning, format!("{whose} expires in {}", Age(left as u64)))
        } else {
            continue;
        };
        let mut it = finding(Rule::CertificateExpiry, severity, cluster, Subject::Cluster);
        it.cause = Clean::from(format!("{words} ({})", expires.rfc3339()));
        found.add(it);
        return;
    }
}

/// Whoever stands between reads the credential, and may answer in the server's place.
pub(super) fn insecure(_: &State, cluster: &Cluster, found: &mut Found) {
    if !cluster.connection.as_ref().is_some_and(|connection| connection.insecure) {
        return;
    }
    let mut it = finding(Rule::InsecureConnection, Severity::Warning, cluster, Subject::Cluster);
    it.cause = "INSECURE: the server's certificate is not checked (insecure-skip-tls-verify)".into();
    found.add(it);
}

pub(super) fn namespaces(_: &State, cluster: &Cluster, found: &mut Found) {
    for namespace in cluster.objects.namespaces.values() {
        let Some(since) = namespace.terminating_since else { continue };
        let subject = Subject::Namespace(namespace.name.clone());
        let mut it = finding(Rule::NamespaceStuck, Severity::Info, cluster, subject);
        it.cause = "is being deleted but does not go: a finalizer may hold it".into();
        it.since = Some(since);
        found.add_after(Age(10 * 60), it);
    }
}
