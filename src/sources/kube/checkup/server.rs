//! What a server that is reached says of itself, and what it lets this account do.

use std::time::Duration;

use http::{HeaderMap, header};
use tokio::time::Instant;

use super::rights::{self, Right};
use super::{Checkup, Circumstances, Reach, Verdict, changes};
use crate::clients::kube::wire::Encoding;
use crate::clients::kube::{ACCEPT_BOTH, Access, Door, Question};
use crate::fleet::{Age, Fault, Kind, Step, Support, Unix};
use crate::sources::kube::discovery::Discovery;
use crate::sources::kube::kinds::{self, Resource};

/// Clocks that differ by so much make credentials and ages wrong.
const SKEW: Age = Age(30);
/// The end of support is told of so long before.
const SUPPORT_WARNING: Age = Age(90 * Age::DAY.0);
/// Questions on a connection that is there; the quickest is the round trip.
const ROUND_TRIPS: usize = 3;
/// Slower than this is felt.
const SLOW: Duration = Duration::from_secs(1);
const YAML: &str = "YAML";
/// By its UID a cluster is known. It is asked for as an object of its own namespace.
const WHO: Access<'static> = Access {
    verb: "get",
    group: "",
    resource: "namespaces",
    subresource: "",
    name: "kube-system",
    namespace: Some("kube-system"),
};

pub(super) async fn look(checkup: &mut Checkup, door: &Door, reach: &Reach, with: &Circumstances) {
    if !answer(checkup, door, with.now).await {
        return;
    }
    let served = served(checkup, door, with).await;
    permissions(checkup, door, &served, reach).await;
    changes::look(checkup, door, &served, reach).await;
    encoding(checkup, door).await;
}

async fn answer(checkup: &mut Checkup, door: &Door, now: Unix) -> bool {
    let began = Instant::now();
    let (headers, version) = match version(door).await {
        Ok(answer) => answer,
        Err(fault) => {
            checkup.broken("answer", &fault);
            return false;
        }
    };
    let first = began.elapsed();
    clock(checkup, &headers, Unix(now.0 + first.as_secs() as i64));
    let mut quickest = first;
    for _ in 0..ROUND_TRIPS {
        let began = Instant::now();
        if self::version(door).await.is_ok() {
            quickest = quickest.min(began.elapsed());
        }
    }
    let words = format!("within {} ms, the first {} ms", quickest.as_millis(), first.as_millis());
    if quickest > SLOW {
        checkup.add("answer", Verdict::Warning, words, "check network, VPN and proxy, or the server's load");
    } else {
        checkup.good("answer", words);
    }
    support(checkup, &version, now);
    true
}

async fn version(door: &Door) -> Result<(HeaderMap, String), Fault> {
    let answer = door.ask(Question::json("/version", Step::Ping)).await?;
    let headers = answer.headers.clone();
    let version: serde_json::Value = serde_json::from_slice(&answer.whole().await?).unwrap_or_default();
    Ok((headers, version["gitVersion"].as_str().unwrap_or_default().to_owned()))
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

/// Each permission by itself, and what is lost without it.
async fn permissions(checkup: &mut Checkup, door: &Door, served: &[Resource], reach: &Reach) {
    let mut needed = vec![Right { access: WHO, loss: "word of another cluster that stands at this address" }];
    for resource in served {
        let within = if resource.kind.namespaced() { reach.within() } else { vec![None] };
        for namespace in within {
            let access =
                Access { group: &resource.group, resource: &resource.plural, namespace, ..Access::default() };
            let mut need = |verb, subresource, loss| {
                needed.push(Right { access: Access { verb, subresource, ..access }, loss });
            };
            need("list", "", resource.kind.loss());
            need("watch", "", resource.kind.loss());
            if is_inspected(resource.kind) {
                need("get", "", YAML);
            }
            if resource.kind == Kind::Pod {
                need("get", "log", "logs");
            }
        }
    }
    let mut answers = rights::ask(door, needed).await;
    answers.tell(checkup, "permissions");
    // Nobody comes to the YAML of what is not listed.
    let unlisted: Vec<_> =
        answers.denied.iter().filter(|it| it.access.verb == "list").map(|it| it.access.to_string()).collect();
    answers.denied.retain(|it| it.loss != YAML || !unlisted.contains(&it.access.to_string()));
    answers.tell_denied(checkup, "permission", "");
}

/// Whether its objects can be opened, with their YAML.
const fn is_inspected(kind: Kind) -> bool {
    kind.is_workload()
        || kind.is_route()
        || matches!(kind, Kind::Node | Kind::Namespace | Kind::Pod | Kind::Job | Kind::CustomJob(_))
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
