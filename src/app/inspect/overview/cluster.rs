//! A cluster as a whole: whether it is there, how much of it there is, how it is reached and what that costs.

use super::Page;
use crate::fleet::Clean;
use crate::state::cluster::Identity;
use crate::state::select::clusters::{self, Liveness};
use crate::state::usage::{PodCounts, Usage};
use crate::state::{Cluster, Freshness};
use crate::ui::{Meaning, text};

impl Page<'_> {
    /// What was counted; what is not known is not told as a number.
    fn numbers(&mut self, name: &str, numbers: String, of: &Freshness) {
        match of {
            of if of.is_whole() => self.field(name, numbers),
            of if of.is_known() => self.field(name, last_known(&numbers)),
            other => self.toned(name, format!("? ({})", other.word()), Meaning::Unknown),
        }
    }

    pub(super) fn cluster(&mut self, cluster: &Cluster) {
        let row = clusters::row(self.state, cluster);
        let meaning = if row.liveness.is_live() { Meaning::Good } else { Meaning::Bad };
        self.toned("state", row.liveness.word(), meaning);
        self.toned("problem", row.problem.clone(), Meaning::Warning);
        if let Liveness::Silent(Some(age)) | Liveness::Stale(age) = row.liveness {
            self.toned("silent", format!("for {age}"), Meaning::Bad);
        }
        self.field("cloud", row.cloud.as_ref().map_or("not known", |it| it.name()));
        self.field("region", row.region.clone().unwrap_or_else(|| "not known".into()));
        self.field("environment", row.environment.clone().unwrap_or_default());
        self.field(
            "version",
            format!("{} ({})", row.version, cluster.api.git_version.as_deref().unwrap_or("not known")),
        );
        let Usage { pods, gpus_waiting, .. } = &cluster.objects.usage;
        self.numbers("nodes", format!("{} ready of {}", row.nodes_ready, row.nodes_total), &row.nodes);
        let (requested, allocatable) = (row.gpus_requested, row.gpus_allocatable);
        let gpus = format!("{requested} requested of {allocatable} allocatable, {gpus_waiting} waiting");
        self.numbers("GPUs", gpus, &row.gpus());
        let PodCounts { total, ready, pending, ended, .. } = pods;
        self.numbers("pods", format!("{total} ({ready} ready, {pending} pending, {ended} ended)"), &row.pods);
        self.connection(cluster, &row.liveness);
        let identity = match &cluster.identity {
            Identity::Uid(uid) => uid.clone(),
            Identity::Withheld => "the account may not read it".into(),
            Identity::Unknown => "not known yet".into(),
        };
        self.field("identity", identity);
        self.since("replaced", cluster.replaced.as_ref().map(|(at, _)| *at));
        let all = format!("{} requests, {} read", row.requests, text::bytes(row.received_bytes));
        let now = row.load.map(|load| {
            format!("; now {:.1} requests/s, {}/s", load.requests, text::bytes(load.received_bytes as u64))
        });
        self.field("cost", all + &now.unwrap_or_default());
        let namespaces = cluster.namespaces_read.iter().map(Clean::as_str).collect::<Vec<_>>().join(", ");
        self.toned(
            "only",
            if namespaces.is_empty() { String::new() } else { format!("namespace {namespaces}") },
            Meaning::Warning,
        );
        self.field("writing", if cluster.spec.read_only { "never" } else { "only while it is unlocked" });
    }

    fn connection(&mut self, cluster: &Cluster, liveness: &Liveness) {
        let Some(connection) = &cluster.connection else { return };
        self.field("server", connection.server.clone());
        self.field("context", connection.context.clone());
        self.field("credential", connection.credential.clone());
        self.field("proxy", connection.proxy.clone().unwrap_or_default());
        if connection.insecure {
            self.toned("certificate", "not checked (insecure-skip-tls-verify)", Meaning::BadBadge);
        }
        if let Some(round_trip) = cluster.api.round_trip_ms {
            let told = format!("{round_trip} ms");
            let silent = matches!(liveness, Liveness::Silent(_));
            self.field("round trip", if silent { last_known(&told) } else { told });
        }
        for (name, at) in [
            ("server cert", cluster.certificates.server_expires),
            ("client cert", cluster.certificates.client_expires),
        ] {
            if let Some(at) = at {
                self.field(name, format!("expires {}", at.rfc3339()));
            }
        }
    }
}

fn last_known(words: &str) -> String {
    format!("? (last known: {words})")
}
