//! One look at everything between the console and a cluster, in the order in which it is needed: what is
//! broken, what is only missing, and what to do about it.
//!
//! Nothing is kept and nothing is followed. The first check that fails ends the look, since all behind it
//! would fail for the same reason.

use std::time::Duration;

use http::{HeaderMap, header};
use serde::Serialize;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};

use super::discovery::Discovery;
use super::kinds::{self, Resource};
use crate::clients::kube::connect::{Connected, Target, connect};
use crate::clients::kube::wire::Encoding;
use crate::clients::kube::{ACCEPT_BOTH, Access, Door, Question, certificate};
use crate::config::JobKind;
use crate::fleet::{Age, Clean, Fault, FaultKind, Kind, Step, Support, Unix};
use crate::sources::inventory::Member;

/// A name and a port have so long to be found.
const PATIENCE: Duration = Duration::from_secs(10);
/// Clocks that differ by so much make credentials and ages wrong.
const SKEW: Age = Age(30);
/// The end of support is told of so long before.
const SUPPORT_WARNING: Age = Age(90 * Age::DAY.0);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Good,
    /// It works, but not as it should, or not for long.
    Warning,
    Broken,
}

impl Verdict {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Broken => "BROKEN",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub verdict: Verdict,
    pub detail: Clean,
    /// What to do about it; empty when nothing is to be done.
    pub hint: Clean,
}

/// What was found on the way to one cluster.
#[derive(Debug, Clone, Serialize)]
pub struct Checkup {
    pub cluster: Clean,
    pub checks: Vec<Check>,
}

/// What the looks need besides their cluster.
#[derive(Debug, Clone)]
pub struct Circumstances {
    pub job_kinds: Vec<JobKind>,
    pub certificate_warning: Age,
    /// The wall clock when the look begins.
    pub now: Unix,
}

impl Checkup {
    pub fn worst(&self) -> Verdict {
        self.checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Good)
    }

    /// The look itself failed, which only a bug does.
    pub fn failed(cluster: Clean) -> Self {
        let mut checkup = Self { cluster, checks: Vec::new() };
        checkup.broken("doctor", &Fault::new(Step::Connect, FaultKind::Panic, ""));
        checkup
    }

    fn add(
        &mut self,
        name: &'static str,
        verdict: Verdict,
        detail: impl Into<Clean>,
        hint: impl Into<Clean>,
    ) {
        self.checks.push(Check { name, verdict, detail: detail.into(), hint: hint.into() });
    }

    fn good(&mut self, name: &'static str, detail: impl Into<Clean>) {
        self.add(name, Verdict::Good, detail, "");
    }

    fn broken(&mut self, name: &'static str, fault: &Fault) {
        let what = fault.what();
        let detail = if fault.detail.is_empty() { what } else { format!("{what}: {}", fault.detail) };
        self.add(name, Verdict::Broken, detail, fault.hint());
    }
}

/// Looks at one cluster. Takes no longer than its deadlines allow.
pub async fn look(member: Member, with: Circumstances) -> Checkup {
    let mut checkup = Checkup { cluster: member.spec.name.clone(), checks: Vec::new() };
    let namespaces = member.namespaces.clone();
    match member.target {
        Ok(target) => {
            checkup.good("configuration", format!("context {}", target.context));
            let _ = path(&mut checkup, target, &namespaces, &with).await;
        }
        Err(fault) => checkup.broken("configuration", &fault),
    }
    checkup
}

/// From the credential to the last permission; `None` when something on the way is broken.
async fn path(
    checkup: &mut Checkup,
    target: Target,
    namespaces: &[String],
    with: &Circumstances,
) -> Option<()> {
    let connected = match connect(target).await {
        Ok(connected) => connected,
        Err(fault) => {
            checkup.broken("credential", &fault);
            return None;
        }
    };
    credential(checkup, &connected, with);
    network(checkup, &connected).await?;
    encryption(checkup, &connected, with).await;
    answer(checkup, &connected.door, with.now).await?;
    let served = served(checkup, &connected.door, with).await;
    permissions(checkup, &connected.door, &served, namespaces).await;
    encoding(checkup, &connected.door).await;
    Some(())
}

fn credential(checkup: &mut Checkup, connected: &Connected, with: &Circumstances) {
    let kind = &connected.connection.credential;
    match connected.client_expires {
        None if kind.as_str() == "none" => {
            let hint = "name a user in the kubeconfig, unless the server asks for none";
            checkup.add("credential", Verdict::Warning, "none", hint);
        }
        None => checkup.good("credential", kind.clone()),
        Some(end) => expiry(checkup, "credential", kind, end, with),
    }
}

fn expiry(checkup: &mut Checkup, name: &'static str, what: &str, end: Unix, with: &Circumstances) {
    let left = u64::try_from(end.0 - with.now.0).ok().map(Age);
    let date = end.rfc3339();
    match left {
        None => {
            checkup.add(name, Verdict::Broken, format!("{what}, expired at {date}"), "have a new one made");
        }
        Some(left) if left < with.certificate_warning => {
            let detail = format!("{what}, expires in {left}, at {date}");
            checkup.add(name, Verdict::Warning, detail, "have a new one made before that");
        }
        Some(left) => checkup.good(name, format!("{what}, expires in {left}")),
    }
}

/// The name and the port. Behind a proxy they are the proxy's business.
async fn network(checkup: &mut Checkup, connected: &Connected) -> Option<()> {
    if let Some(proxy) = &connected.connection.proxy {
        checkup.good("network", format!("through the proxy {proxy}"));
        return Some(());
    }
    let url = &connected.config.cluster_url;
    let port = url.port_u16().unwrap_or(if url.scheme_str() == Some("http") { 80 } else { 443 });
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let broken = |words: String, hint| (words, hint);
    let began = Instant::now();
    let outcome = match timeout(PATIENCE, lookup_host((host.as_str(), port))).await {
        Err(_) => Err(broken(format!("{host} is not resolved within 10s"), "check DNS and VPN")),
        Ok(Err(_)) => Err(broken(format!("{host} does not resolve"), "check the server's name, DNS and VPN")),
        Ok(Ok(addresses)) => {
            let addresses: Vec<_> = addresses.collect();
            match timeout(PATIENCE, TcpStream::connect(&addresses[..])).await {
                Err(_) => Err(broken(
                    format!("{host}:{port} takes no connection within 10s"),
                    "check network, VPN and firewall",
                )),
                Ok(Err(error)) => Err(broken(
                    format!("{host}:{port}: {}", error.kind()),
                    "is the API server up, and the port right?",
                )),
                Ok(Ok(_)) => Ok(began.elapsed().as_millis()),
            }
        }
    };
    match outcome {
        Ok(millis) => {
            checkup.good("network", format!("{host}:{port} connects within {millis} ms"));
            Some(())
        }
        Err((words, hint)) => {
            checkup.add("network", Verdict::Broken, words, hint);
            None
        }
    }
}

async fn encryption(checkup: &mut Checkup, connected: &Connected, with: &Circumstances) {
    let url = &connected.config.cluster_url;
    let on_this_machine = matches!(url.host(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme_str() == Some("http") {
        if on_this_machine {
            checkup.good("encryption", "none, and none is needed: it is on this machine");
        } else {
            checkup.add("encryption", Verdict::Warning, "none: plain HTTP", "use https in the kubeconfig");
        }
        return;
    }
    if connected.connection.insecure {
        let hint = "give the certificate authority instead of insecure-skip-tls-verify";
        checkup.add("encryption", Verdict::Warning, "the server's certificate is not checked", hint);
        return;
    }
    // A handshake that fails is told with its reason by the answer that does not come.
    if let Some(end) = certificate::of_server(&connected.config).await {
        expiry(checkup, "encryption", "the server's certificate is accepted", end, with);
    }
}

async fn answer(checkup: &mut Checkup, door: &Door, now: Unix) -> Option<()> {
    let began = Instant::now();
    let answered = async {
        let answer = door.ask(Question::json("/version", Step::Ping)).await?;
        let headers = answer.headers.clone();
        Ok((headers, began.elapsed(), answer.whole().await?))
    };
    let (headers, round_trip, body) = match answered.await {
        Ok(answered) => answered,
        Err(fault) => {
            checkup.broken("answer", &fault);
            return None;
        }
    };
    checkup.good("answer", format!("within {} ms", round_trip.as_millis()));
    clock(checkup, &headers, Unix(now.0 + began.elapsed().as_secs() as i64));
    let version: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    support(checkup, version["gitVersion"].as_str().unwrap_or_default(), now);
    Some(())
}

fn clock(checkup: &mut Checkup, headers: &HeaderMap, now: Unix) {
    let date = headers.get(header::DATE).and_then(|date| date.to_str().ok()).and_then(Unix::parse_http);
    let Some(date) = date else { return };
    let skew = Age(date.0.abs_diff(now.0));
    if skew > SKEW {
        let direction = if date.0 > now.0 { "ahead of" } else { "behind" };
        let hint = "set the clock of this machine or of the server: credentials and ages depend on it";
        checkup.add(
            "clock",
            Verdict::Warning,
            format!("the server's is {skew} {direction} this machine's"),
            hint,
        );
    } else {
        checkup.good("clock", "as on this machine");
    }
}

fn support(checkup: &mut Checkup, version: &str, now: Unix) {
    match Support::of(version) {
        Support::Until(end) if end.0 <= now.0 => {
            let detail = format!("{version}: upstream support ended at {}", end.date());
            let hint = "upgrade it, unless your cloud supports it for longer";
            checkup.add("version", Verdict::Warning, detail, hint);
        }
        Support::Until(end) if now.until(end) < SUPPORT_WARNING => {
            let detail = format!("{version}: upstream support ends at {}", end.date());
            checkup.add("version", Verdict::Warning, detail, "plan its upgrade");
        }
        Support::Until(end) => checkup.good("version", format!("{version}, supported until {}", end.date())),
        Support::TooOld => {
            let detail = format!("{version}: no longer supported upstream");
            checkup.add(
                "version",
                Verdict::Warning,
                detail,
                "upgrade it, unless your cloud supports it for longer",
            );
        }
        Support::NotKnown => checkup.good("version", version),
    }
}

/// Everything that is read from this cluster.
async fn served(checkup: &mut Checkup, door: &Door, with: &Circumstances) -> Vec<Resource> {
    let mut resources = kinds::built_in();
    match Discovery::default().find(door, &kinds::custom(&with.job_kinds)).await {
        Ok(found) => {
            let names: Vec<_> = found.iter().map(|it| format!("{}.{}", it.plural, it.group)).collect();
            let words = if names.is_empty() { "none that are known".into() } else { names.join(", ") };
            checkup.good("custom resources", words);
            resources.extend(found);
        }
        Err(fault) => checkup.broken("custom resources", &fault),
    }
    resources
}

async fn permissions(checkup: &mut Checkup, door: &Door, served: &[Resource], namespaces: &[String]) {
    let mut denied: Vec<(Kind, String)> = Vec::new();
    let mut asked = 0;
    for resource in served {
        let within: Vec<Option<&str>> = match namespaces {
            [_, ..] if resource.kind.namespaced() => namespaces.iter().map(|it| Some(it.as_str())).collect(),
            _ => vec![None],
        };
        for namespace in within {
            let access = |verb| Access {
                verb,
                group: &resource.group,
                resource: &resource.plural,
                namespace,
                ..Access::default()
            };
            let mut missing = Vec::new();
            for verb in ["list", "watch"] {
                asked += 1;
                match door.may(&access(verb)).await {
                    Ok(true) => {}
                    Ok(false) => missing.push(verb),
                    Err(fault) => return checkup.broken("permissions", &fault),
                }
            }
            if !missing.is_empty() {
                denied.push((resource.kind, format!("{} {}", missing.join("+"), access(""))));
            }
        }
    }
    if denied.is_empty() {
        return checkup.good("permissions", format!("all {asked} that are needed"));
    }
    let words: Vec<_> = denied.iter().map(|(_, words)| words.as_str()).collect();
    let mut lost: Vec<_> = denied.iter().map(|(kind, _)| kind.loss()).collect();
    lost.dedup();
    let detail = format!("may not {}: without it no {}", words.join(", "), lost.join("; "));
    checkup.add("permissions", Verdict::Warning, detail, "have the account allowed to list and watch these");
}

async fn encoding(checkup: &mut Checkup, door: &Door) {
    let question =
        Question { accept: ACCEPT_BOTH, ..Question::json("/api/v1/namespaces?limit=1", Step::List) };
    match door.ask(question).await {
        Ok(answer) if answer.encoding == Encoding::Protobuf => checkup.good("encoding", "protobuf"),
        Ok(_) => {
            let hint = "a proxy between may keep it from protobuf";
            checkup.add("encoding", Verdict::Warning, "JSON only: it costs both sides more", hint);
        }
        // Not to be allowed to list namespaces was told above.
        Err(_) => {}
    }
}
