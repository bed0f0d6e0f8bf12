//! `skydeck doctor`: every cluster looked at, all at once, whatever the others do.

use std::io::Write;

use color_eyre::eyre::Result;
use futures::future::join_all;
use serde::Serialize;

use super::complain;
use super::status::document::API_VERSION;
use super::status::table::Table;
use crate::clients::kube::connect::Connector;
use crate::config::args::Format;
use crate::fleet::{Clean, Unix};
use crate::runtime::clock::Clocks;
use crate::runtime::reload::Setup;
use crate::sources::Clock;
use crate::sources::kube::checkup::{Check, Checkup, Circumstances, Verdict, look};

/// What `-o json` prints.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    api_version: &'static str,
    kind: &'static str,
    generated_at: String,
    /// Kubeconfigs that cannot be read, and why.
    broken_files: Vec<String>,
    pub items: Vec<Item>,
}

#[derive(Debug, Serialize)]
pub struct Item {
    pub cluster: Clean,
    pub verdict: Verdict,
    pub checks: Vec<Check>,
}

pub async fn run(output: Format, setup: Setup) -> Result<u8> {
    let now = Clocks::new(Clock::start()).read().now.unix;
    let report = examine(setup, now).await;
    for reason in &report.broken_files {
        complain(reason);
    }
    let text = match output {
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&report)?),
        Format::Yaml => serde_saphyr::to_string(&report)?,
        Format::Table => text(&report),
        Format::Markdown => table(&report).markdown(),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(report.exit_code())
}

pub async fn examine(setup: Setup, now: Unix) -> Report {
    examine_with(Connector::of_environment(), setup, now).await
}

/// Whose connector says how long a plugin may take, and through which proxies the ways lead.
pub async fn examine_with(connector: Connector, setup: Setup, now: Unix) -> Report {
    let circumstances = Circumstances {
        connector,
        job_kinds: setup.config.job_kinds.clone(),
        certificate_warning: setup.config.settings.certificate_warning,
        now,
    };
    let looks = setup.inventory.members.into_iter().map(|member| {
        let name = member.spec.name.clone();
        (name, tokio::spawn(look(member, circumstances.clone())))
    });
    let looks = looks.map(async |(name, look)| look.await.unwrap_or_else(|_| Checkup::failed(name)));
    let items = join_all(looks.collect::<Vec<_>>()).await.into_iter().map(|checkup| Item {
        verdict: checkup.worst(),
        cluster: checkup.cluster,
        checks: checkup.checks,
    });
    Report {
        api_version: API_VERSION,
        kind: "DoctorReport",
        generated_at: now.rfc3339(),
        broken_files: setup.inventory.broken,
        items: items.collect(),
    }
}

impl Report {
    /// 0 when nothing is broken, 5 when something is, 1 when every cluster is.
    pub fn exit_code(&self) -> u8 {
        let broken = self.items.iter().filter(|item| item.verdict == Verdict::Broken).count();
        match broken {
            0 if self.broken_files.is_empty() => 0,
            all if all == self.items.len() => 1,
            _ => 5,
        }
    }
}

/// ```text
/// aws-east: warning
///   good     connect           10.0.0.1:443 within 12 ms
///   warning  version           v1.33.5: upstream support ended at 2026-06-28
///                              → upgrade it, unless your cloud supports it for longer
/// ```
pub fn text(report: &Report) -> String {
    let mut text = String::new();
    for item in &report.items {
        text.push_str(&format!("{}: {}\n", item.cluster, item.verdict.word()));
        for check in &item.checks {
            text.push_str(&format!("  {:<8} {:<17} {}\n", check.verdict.word(), check.name, check.detail));
            if !check.hint.is_empty() {
                text.push_str(&format!("{:29}→ {}\n", "", check.hint));
            }
        }
        text.push('\n');
    }
    text
}

fn table(report: &Report) -> Table {
    let mut table = Table::new(&["CLUSTER", "CHECK", "VERDICT", "WHAT", "WHAT TO DO"], "no clusters");
    for item in &report.items {
        table.rows.extend(item.checks.iter().map(|check| {
            let Check { name, verdict, detail, hint } = check;
            let cells = [item.cluster.as_str(), name, verdict.word(), detail, hint];
            cells.map(str::to_owned).to_vec()
        }));
    }
    table
}
