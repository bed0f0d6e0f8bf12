//! What the doctor says of each thing that can be wrong on the way to a cluster, and what it advises.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use skydeck::cli::doctor::{Report, examine_with, text};
use skydeck::clients::kube::connect::Connector;
use skydeck::clients::kube::proxies::Proxies;
use skydeck::config::{Config, job_kind};
use skydeck::demo::api::Failure;
use skydeck::fleet::Unix;
use skydeck::runtime::reload::Setup;
use skydeck::sources::inventory::{self, Places};
use skydeck::sources::kube::kinds;

use crate::cluster::{Api, TOKEN};
use crate::day::virtually;
use crate::plugins::write_script;
use crate::proxy::{Mode, Proxy};
use crate::ways::{self, Front, encoded, issued, issuer};

/// A context with its cluster and its user, as a kubeconfig has them.
struct Entry {
    name: &'static str,
    cluster: Value,
    user: Value,
}

impl Entry {
    fn new(name: &'static str, cluster: Value, user: Value) -> Entry {
        Entry { name, cluster, user }
    }

    /// A server that is asked with the token of the tests.
    fn plain(name: &'static str, server: impl std::fmt::Display) -> Entry {
        Entry::new(name, json!({"server": server.to_string()}), json!({"token": TOKEN}))
    }
}

/// The doctor looks at them; plugins have two seconds.
async fn looked_at(entries: &[Entry], configuration: &str, now: Unix) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    let list = |of: &dyn Fn(&Entry) -> Value| entries.iter().map(of).collect::<Vec<_>>();
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": list(&|it| json!({"name": it.name, "cluster": it.cluster})),
        "users": list(&|it| json!({"name": it.name, "user": it.user})),
        "contexts": list(&|it| json!({"name": it.name, "context": {"cluster": it.name, "user": it.name}})),
    });
    std::fs::write(&file, kubeconfig.to_string()).unwrap();
    let config = Config::parse(&folder.path().join("config.toml"), configuration).unwrap();
    let inventory = inventory::find(&config, &Places { kubeconfig_files: vec![file] }, &[]).unwrap();
    let connector = Connector::new(Proxies::default(), Duration::from_secs(2));
    examine_with(connector, Setup { config, inventory, files: Vec::new() }, now).await
}

/// The report for servers by name; each is asked with the token of the tests, or with another.
async fn report(servers: &[(&'static str, String, &str)]) -> (Value, u8) {
    let entries: Vec<_> = servers
        .iter()
        .map(|&(name, ref server, token)| {
            Entry::new(name, json!({"server": server}), json!({"token": token}))
        })
        .collect();
    let report = looked_at(&entries, "", now()).await;
    (serde_json::to_value(&report).unwrap(), report.exit_code())
}

/// What is said of a cluster: `verdict check: what → what to do`.
fn said(report: &Report, cluster: &str) -> Vec<String> {
    let item = report.items.iter().find(|it| it.cluster == cluster).unwrap();
    let line = |check: &skydeck::sources::kube::checkup::Check| {
        let (verdict, name, detail, hint) = (check.verdict.word(), check.name, &check.detail, &check.hint);
        let hint = if hint.is_empty() { String::new() } else { format!(" → {hint}") };
        format!("{verdict} {name}: {detail}{hint}")
    };
    item.checks.iter().map(line).collect()
}

#[track_caller]
fn says(report: &Report, cluster: &str, words: &str) {
    let said = said(report, cluster);
    assert!(
        said.iter().any(|line| line == words),
        "`{words}` is not said of {cluster}:\n{}",
        said.join("\n")
    );
}

#[expect(clippy::disallowed_methods, reason = "the servers' dates are those of this machine")]
fn now() -> Unix {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Unix(since.as_secs() as i64)
}

fn check<'a>(report: &'a Value, cluster: &str, name: &str) -> &'a Value {
    let item = report["items"].as_array().unwrap().iter().find(|it| it["cluster"] == cluster).unwrap();
    let checks = item["checks"].as_array().unwrap();
    checks.iter().find(|it| it["name"] == name).unwrap_or(&Value::Null)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_cluster_is_looked_at_whatever_the_others_do() {
    let api = Api::start("one", None);
    let url = |api: &Api| format!("http://{}", api.address);
    let refused = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let (report, code) = report(&[
        ("good", url(&api), TOKEN),
        ("refused", refused, TOKEN),
        ("stranger", format!("{}/", url(&Api::start("two", None))), "wrong"),
    ])
    .await;
    assert_eq!(code, 5);
    assert_eq!(check(&report, "good", "permissions")["verdict"], "good", "{report:#}");
    assert_eq!(check(&report, "good", "clock")["verdict"], "good", "{report:#}");
    assert!(
        check(&report, "good", "custom resources")["detail"].as_str().unwrap().contains("trainingjobs.ml.")
    );
    let refused = check(&report, "refused", "connect");
    assert_eq!(refused["verdict"], "broken");
    assert!(refused["detail"].as_str().unwrap().contains("connection refused"), "{refused}");
    assert!(check(&report, "refused", "answer").is_null(), "what lies behind is not looked at");
    let stranger = report["items"].as_array().unwrap().iter().find(|it| it["cluster"] == "stranger").unwrap();
    assert_eq!(stranger["verdict"], "broken", "{stranger:#}");
    assert!(stranger.to_string().contains("401 Unauthorized"), "{stranger:#}");
    assert!(
        !report.to_string().contains(TOKEN) && !report.to_string().contains("wrong\""),
        "no credential is told"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_account_may_change_is_told_and_to_look_only_is_no_fault() {
    let api = Api::start("one", None);
    let url = || format!("http://{}", api.address);
    let viewer = format!("{TOKEN}-viewer");
    let (full, _) = report(&[("all", url(), TOKEN)]).await;
    let all = check(&full, "all", "changes");
    assert!(all["detail"].as_str().unwrap().starts_with("all "), "{all}");
    let (report, code) = report(&[("viewer", url(), &viewer)]).await;
    let viewer = check(&report, "viewer", "changes");
    assert_eq!(
        (&viewer["verdict"], &viewer["detail"]),
        (&json!("good"), &json!("none: the account may only look"))
    );
    assert_eq!(code, 0, "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_is_broken_with_its_words_and_nothing_else_is() {
    let api = Api::start("one", None);
    api.seam().fail("/version", 1, Failure::Status(503));
    let (report, code) = report(&[("away", format!("http://{}", api.address), TOKEN)]).await;
    let answer = check(&report, "away", "answer");
    assert!(answer["detail"].as_str().unwrap().contains("503"), "{answer}");
    assert_eq!(code, 1, "the only cluster is broken");
}

/// What plugins do wrong, told without a word of what they printed.
#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_cannot_be_had_is_told_with_what_to_do() {
    const BY_HAND: &str = "run the plugin by hand to see what it says or waits for";
    const LOG_IN: &str =
        "log in with the tool of your cloud, or press L on it in the Clusters panel of `skydeck`";
    let api = Api::start("one", None);
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        (
            "fails",
            "echo token=canary >&2; exit 3",
            "no credential: plugin failed with exit status: 3",
            BY_HAND,
        ),
        (
            "prompts",
            "printf 'Password: canary: '; read answer; echo $answer",
            "needs login: plugin needs somebody to answer it",
            LOG_IN,
        ),
        ("hangs", "sleep 1000", "no credential: plugin did not end within 2s and was ended", BY_HAND),
        ("prints", "echo canary", "no credential: plugin printed no credential", BY_HAND),
    ];
    let mut entries: Vec<_> = cases
        .iter()
        .map(|&(name, script, ..)| {
            let here = folder.path().join(name);
            std::fs::create_dir(&here).unwrap();
            write_script(&here.join("plugin"), &here, script);
            let exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": here.join("plugin"),
                "interactiveMode": "IfAvailable"});
            let cluster = json!({"server": format!("http://{}/{name}", api.address)});
            Entry::new(name, cluster, json!({"exec": exec}))
        })
        .collect();
    let missing = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "skydeck-no-such-plugin",
        "interactiveMode": "Never"});
    let server = json!({"server": format!("http://{}/missing", api.address)});
    entries.push(Entry::new("missing", server, json!({"exec": missing})));
    let report = looked_at(&entries, "", now()).await;
    for (name, _, words, hint) in cases {
        says(&report, name, &format!("BROKEN credential: {words} → {hint}"));
    }
    let missing = said(&report, "missing").join("\n");
    assert!(
        missing.contains(
            "BROKEN credential: no credential: the credential plugin skydeck-no-such-plugin is not there"
        ),
        "{missing}"
    );
    assert_eq!(report.exit_code(), 1);
    let document = serde_json::to_string(&report).unwrap();
    assert!(!document.contains("canary") && !text(&report).contains("canary"), "{document}");
    assert_eq!(api.seam().asked("/"), 0, "without a credential nothing is asked");
}

/// A moment, from which ends are counted.
fn at(text: &str) -> Unix {
    Unix::parse(text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_encryption_is_told_with_what_to_do() {
    const MEND: &str = "have the server's certificate mended, or the authority in the kubeconfig";
    let api = Api::start("one", None);
    let (own, strange) = (issuer("own"), issuer("strange"));
    let authority = encoded(&own.pem());
    let token = || json!({"token": TOKEN});
    let mut fronts = Vec::new();
    let mut entries = Vec::new();
    for (name, certificate, insecure) in [
        ("good", issued(&own, "127.0.0.1", ways::NOW), false),
        ("past", issued(&own, "127.0.0.1", (2001, 2002)), false),
        ("early", issued(&own, "127.0.0.1", (2098, 2099)), false),
        ("stranger", issued(&strange, "127.0.0.1", ways::NOW), false),
        ("other name", issued(&own, "api.example.com", ways::NOW), false),
        ("insecure", issued(&strange, "elsewhere", ways::NOW), true),
        ("insecure and past", issued(&strange, "elsewhere", (2001, 2002)), true),
    ] {
        let front = Front::start(&api, &certificate, None).await;
        let mut cluster = json!({"server": front.url()});
        if insecure {
            cluster["insecure-skip-tls-verify"] = true.into();
        } else {
            cluster["certificate-authority-data"] = authority.clone().into();
        }
        entries.push(Entry::new(name, cluster, token()));
        fronts.push(front);
    }
    let plain =
        json!({"server": format!("https://{}", api.address), "certificate-authority-data": authority});
    entries.push(Entry::new("no TLS", plain, token()));
    let behind = Front::start(&api, &issued(&own, "api.example.com", ways::NOW), None).await;
    let (http, _) = ways::proxy("http", behind.address).await;
    let proxied = json!({"server": "https://api.example.com", "certificate-authority-data": authority,
        "proxy-url": format!("http://{http}")});
    entries.push(Entry::new("proxied", proxied, token()));

    let now = now();
    let report = looked_at(&entries, "", now).await;
    let left = skydeck::fleet::Age((at("2099-01-01T00:00:00Z").0 - now.0) as u64);
    let accepted = format!("good encryption: the server's certificate is accepted, expires in {left}");
    says(&report, "good", &accepted);
    says(&report, "proxied", &accepted);
    says(&report, "proxied", "good resolve: the proxy 127.0.0.1 is an address");
    let unaccepted =
        |why: &str| format!("BROKEN encryption: the server's certificate is not accepted: {why} → {MEND}");
    says(&report, "past", &unaccepted("it expired at 2002-01-01T00:00:00Z"));
    says(&report, "early", &unaccepted("it is not valid before 2098-01-01T00:00:00Z: is the clock right?"));
    says(&report, "stranger", &unaccepted("its authority is not the one in the kubeconfig"));
    says(&report, "other name", &unaccepted("it is for api.example.com, and not for 127.0.0.1"));
    let insecure = "warning encryption: INSECURE: the server's certificate is not checked → give the certificate \
                    authority instead of insecure-skip-tls-verify";
    says(&report, "insecure", insecure);
    says(&report, "insecure and past", insecure);
    let expired =
        "BROKEN encryption: the server's certificate, expired at 2002-01-01T00:00:00Z → have a new one made";
    says(&report, "insecure and past", expired);
    for broken in ["past", "early", "stranger", "other name", "no TLS"] {
        let said = said(&report, broken).join("\n");
        assert!(!said.contains("answer:"), "nothing behind it is looked at:\n{said}");
    }
    let plain = said(&report, "no TLS").join("\n");
    assert!(plain.contains("BROKEN encryption: ") && plain.contains("does not speak TLS"), "{plain}");
    assert_eq!(report.exit_code(), 5);

    // Ten days before its end, for a console whose clock says so; the server's clock is then told too.
    let report = looked_at(&entries[..1], "", at("2098-12-22T00:00:00Z")).await;
    says(
        &report,
        "good",
        "warning encryption: the server's certificate is accepted, expires in 10d, at \
                           2099-01-01T00:00:00Z → have a new one made before that",
    );
    assert_eq!(report.exit_code(), 0, "a warning is no fault");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_says_when_it_ends() {
    let apis = [(); 3].map(|()| Api::start("one", None));
    let clients = issuer("clients");
    let user = |years| {
        let (certificate, key) = issued(&clients, "me", years);
        json!({"client-certificate-data": encoded(&certificate), "client-key-data": encoded(&key)})
    };
    let server = |at: usize| json!({"server": format!("http://{}", apis[at].address)});
    let entries = [
        Entry::new("past", server(0), user((2001, 2002))),
        Entry::new("good", server(1), user(ways::NOW)),
        Entry::new("nobody", server(2), json!({})),
    ];
    let now = now();
    let report = looked_at(&entries, "", now).await;
    let left = skydeck::fleet::Age((at("2099-01-01T00:00:00Z").0 - now.0) as u64);
    says(&report, "good", &format!("good credential: client certificate, expires in {left}"));
    says(
        &report,
        "past",
        "BROKEN credential: client certificate, expired at 2002-01-01T00:00:00Z → have a new one made",
    );
    says(
        &report,
        "nobody",
        "warning credential: none → name a user in the kubeconfig, unless the server asks for none",
    );
}

/// A server that answers what the doctor asks, as it is told to, and nothing else.
#[derive(Clone, Default)]
struct Answers {
    version: &'static str,
    /// `list pods`, `get namespaces/kube-system in kube-system`: what the account may not.
    denied: Vec<String>,
    /// Reviews of this get no answer that is one.
    failing: Vec<String>,
    protobuf: bool,
    without_custom_resources: bool,
    reviewed: Arc<Mutex<Vec<String>>>,
}

impl Answers {
    fn new() -> Answers {
        Answers { version: "v1.99.0", ..Answers::default() }
    }

    fn denying(denied: &[&str]) -> Answers {
        Answers { denied: denied.iter().map(|it| (*it).to_owned()).collect(), ..Answers::new() }
    }

    /// Where it is served until the test ends.
    fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(self.clone());
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    fn review(&self, review: &Value) -> Response {
        let of = &review["spec"]["resourceAttributes"];
        let part = |name: &str, before: &str| match of[name].as_str() {
            Some(text) if !text.is_empty() => format!("{before}{text}"),
            _ => String::new(),
        };
        let what = format!(
            "{} {}{}{}{}{}",
            part("verb", ""),
            part("resource", ""),
            part("group", "."),
            part("subresource", "/"),
            part("name", "/"),
            part("namespace", " in "),
        );
        self.reviewed.lock().unwrap().push(what.clone());
        if self.failing.contains(&what) {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        told(&json!({"status": {"allowed": !self.denied.contains(&what)}}))
    }
}

fn told(value: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

async fn answer(State(answers): State<Answers>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let body = to_bytes(request.into_body(), 1 << 20).await.unwrap();
    match &*path {
        "/version" => told(&json!({"gitVersion": answers.version})),
        "/apis" => {
            let mut served: BTreeMap<String, BTreeMap<String, Vec<Value>>> = BTreeMap::new();
            let kinds = kinds::custom(&job_kind::built_in());
            for kind in kinds.into_iter().filter(|_| !answers.without_custom_resources) {
                for version in kind.versions {
                    let group = served.entry(kind.group.clone()).or_default();
                    group.entry(version).or_default().push(json!({"resource": kind.plural}));
                }
            }
            let items = served.into_iter().map(|(group, versions)| {
                let versions = versions.into_iter();
                let versions =
                    versions.map(|(version, resources)| json!({"version": version, "resources": resources}));
                json!({"metadata": {"name": group}, "versions": versions.collect::<Vec<_>>()})
            });
            let items: Vec<Value> = items.collect();
            told(&json!({"kind": "APIGroupDiscoveryList", "items": items}))
        }
        "/api/v1/namespaces" if answers.protobuf => {
            ([(CONTENT_TYPE, "application/vnd.kubernetes.protobuf")], &b"k8s\0"[..]).into_response()
        }
        "/api/v1/namespaces" => told(&json!({"kind": "NamespaceList", "items": []})),
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" => {
            answers.review(&serde_json::from_slice(&body).unwrap())
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What is lost when objects of a kind can neither be listed nor watched.
const LOSSES: &[(&str, &str)] = &[
    ("nodes", "node health, GPU capacity, cloud and region"),
    ("namespaces", "the list of namespaces"),
    ("pods", "crash loops, image pulls, GPUs requested"),
    ("deployments.apps", "replicas of Deployments"),
    ("statefulsets.apps", "replicas of StatefulSets"),
    ("replicasets.apps", "revisions, ReplicaSets without a Deployment"),
    ("horizontalpodautoscalers.autoscaling", "autoscaler ranges"),
    ("poddisruptionbudgets.policy", "disruption budgets"),
    ("jobs.batch", "jobs"),
    ("cronjobs.batch", "schedules"),
    ("events", "warnings"),
    ("services", "hosts of routes"),
    ("endpointslices.discovery.k8s.io", "ready endpoints of routes"),
    ("rollouts.argoproj.io", "Argo Rollouts"),
    ("leaderworkersets.leaderworkerset.x-k8s.io", "LeaderWorkerSets"),
    ("scaledobjects.keda.sh", "KEDA scaling"),
    ("workloads.kueue.x-k8s.io", "queue positions"),
    ("clusterqueues.kueue.x-k8s.io", "quota of Kueue"),
    ("localqueues.kueue.x-k8s.io", "quota of Kueue by namespace"),
    ("virtualservices.networking.istio.io", "Istio routes"),
    ("httproutes.gateway.networking.k8s.io", "Gateway API routes"),
    ("grpcroutes.gateway.networking.k8s.io", "gRPC routes"),
    ("dnsendpoints.externaldns.k8s.io", "DNS weights"),
    ("destinationrules.networking.istio.io", "subsets of hosts"),
    ("serviceentries.networking.istio.io", "hosts of other clusters"),
    ("inferenceservices.serving.kserve.io", "KServe scaling"),
    ("canaries.flagger.app", "Flagger's routes"),
    ("applications.argoproj.io", "word of what Argo CD would take back"),
    ("kustomizations.kustomize.toolkit.fluxcd.io", "word of what Flux would take back"),
    ("helmreleases.helm.toolkit.fluxcd.io", "word of what Flux's Helm would take back"),
];

#[test]
fn each_permission_that_is_missing_is_told_with_what_is_lost_without_it() {
    virtually(1, async {
        let mut entries = vec![Entry::plain("all", Answers::new().serve())];
        for (place, _) in LOSSES {
            let denied = [&format!("list {place}"), &format!("watch {place}"), &format!("get {place}")];
            let answers = Answers::denying(&denied.map(String::as_str));
            entries.push(Entry::plain(place, answers.serve()));
        }
        let singly = [
            (
                "list alone",
                "list pods",
                "may not list pods: without it no crash loops, image pulls, GPUs requested",
            ),
            (
                "watch alone",
                "watch nodes",
                "may not watch nodes: without it no node health, GPU capacity, cloud and region",
            ),
            ("logs", "get pods/log", "may not get pods/log: without it no logs"),
            ("YAML", "get jobs.batch", "may not get jobs.batch: without it no YAML"),
            (
                "who",
                "get namespaces/kube-system in kube-system",
                "may not get namespaces/kube-system in kube-system: without it no word of another cluster that stands at this address",
            ),
        ];
        for &(name, denied, _) in &singly {
            entries.push(Entry::plain(name, Answers::denying(&[denied]).serve()));
        }
        let report = looked_at(&entries, "", now()).await;
        let of = |cluster| said(&report, cluster).into_iter().filter(|line| line.contains(" permission: "));
        assert_eq!(of("all").count(), 0);
        let all =
            said(&report, "all").into_iter().find(|line| line.starts_with("good permissions: all ")).unwrap();
        let asked: usize = all.split(' ').nth(3).unwrap().parse().unwrap();
        assert_eq!(
            LOSSES.len() + job_kind::built_in().len(),
            kinds::built_in().len() + kinds::custom(&job_kind::built_in()).len()
        );
        for (place, loss) in LOSSES {
            let what = format!("list and watch {place}");
            let line = format!(
                "warning permission: may not {what}: without it no {loss} → have the account allowed to {what}"
            );
            assert_eq!(of(place).collect::<Vec<_>>(), [line], "{place}");
        }
        for (name, denied, words) in &singly {
            let line = format!("warning permission: {words} → have the account allowed to {denied}");
            assert_eq!(of(name).collect::<Vec<_>>(), [line], "{name}");
            says(&report, name, &format!("good permissions: {} of {asked} that are needed", asked - 1));
        }
        assert_eq!(report.exit_code(), 0, "less is shown, and nothing is broken");
    });
}

#[test]
fn a_review_that_fails_hides_none_that_were_answered() {
    virtually(1, async {
        let mut answers =
            Answers::denying(&["list pods", "watch pods", "list events", "patch deployments.apps"]);
        answers.failing = vec!["list deployments.apps".into(), "update deployments.apps/scale".into()];
        let few = answers.serve();
        // One that answers no review at all is not asked a hundred times.
        let mut silent = Answers::denying(&["list nodes"]);
        silent.failing = ["watch nodes", "get nodes", "list namespaces", "watch namespaces", "list pods"]
            .map(str::to_owned)
            .into();
        let reviewed = Arc::clone(&silent.reviewed);
        let entries = [Entry::plain("few", few), Entry::plain("silent", silent.serve())];
        let report = looked_at(&entries, "", now()).await;
        says(
            &report,
            "few",
            "warning permission: may not list and watch pods: without it no crash loops, image pulls, \
                              GPUs requested → have the account allowed to list and watch pods",
        );
        says(
            &report,
            "few",
            "warning permission: may not list events: without it no warnings → have the account allowed to list events",
        );
        says(
            &report,
            "few",
            "warning change: may not patch deployments.apps: without it no restarts → have the account \
                              allowed to patch deployments.apps, if it is to change anything here",
        );
        let few = said(&report, "few").join("\n");
        assert!(few.contains("BROKEN permissions: 1 of "), "{few}");
        assert!(few.contains(" are not known: status 503"), "{few}");
        assert!(few.contains("BROKEN changes: 1 of "), "{few}");
        let silent = said(&report, "silent").join("\n");
        assert!(silent.contains("may not list nodes: without it no node health"), "{silent}");
        assert!(
            !reviewed.lock().unwrap().iter().any(|it| it == "watch namespaces"),
            "after three it is left alone"
        );
        assert_eq!(report.exit_code(), 1);
    });
}

#[test]
fn the_namespaces_that_are_configured_are_asked_for_one_by_one() {
    virtually(1, async {
        let answers = Answers::denying(&[
            "list pods in b",
            "watch pods in b",
            "get pods in b",
            "get jobs.batch in a",
            "get jobs.batch in b",
        ]);
        let reviewed = Arc::clone(&answers.reviewed);
        let configuration = "[[cluster]]\nname = \"c\"\ncontext = \"c\"\nnamespaces = [\"a\", \"b\"]\n";
        let report = looked_at(&[Entry::plain("c", answers.serve())], configuration, now()).await;
        says(
            &report,
            "c",
            "warning permission: may not list and watch pods in b: without it no crash loops, image \
                            pulls, GPUs requested → have the account allowed to list and watch pods in b",
        );
        says(
            &report,
            "c",
            "warning permission: may not get jobs.batch in a, jobs.batch in b: without it no YAML → have \
                            the account allowed to get jobs.batch in a, jobs.batch in b",
        );
        let reviewed = reviewed.lock().unwrap();
        assert!(
            reviewed.contains(&"list nodes".to_owned()) && !reviewed.contains(&"list pods".to_owned()),
            "{reviewed:?}"
        );
    });
}

#[test]
fn what_a_server_says_of_itself_is_judged() {
    virtually(1, async {
        let with = |version| Answers { version, ..Answers::new() }.serve();
        let protobuf = Answers { protobuf: true, without_custom_resources: true, ..Answers::new() };
        let entries = [
            Entry::plain("supported", with("v1.34.2-eks-1")),
            Entry::plain("old", with("v1.20.0")),
            Entry::plain("new", with("v1.99.0")),
            Entry::plain("protobuf", protobuf.serve()),
        ];
        let cloud = "upgrade it, unless your cloud supports it for longer";
        for (now, words) in [
            ("2026-01-01T00:00:00Z", "good version: v1.34.2-eks-1, supported until 2026-10-27".to_owned()),
            (
                "2026-09-01T00:00:00Z",
                "warning version: v1.34.2-eks-1: upstream support ends at 2026-10-27 → plan its upgrade"
                    .to_owned(),
            ),
            (
                "2026-10-28T00:00:00Z",
                format!("warning version: v1.34.2-eks-1: upstream support ended at 2026-10-27 → {cloud}"),
            ),
        ] {
            let report = looked_at(&entries, "", at(now)).await;
            says(&report, "supported", &words);
            says(
                &report,
                "old",
                &format!("warning version: v1.20.0: no longer supported upstream → {cloud}"),
            );
            says(&report, "new", "good version: v1.99.0");
        }
        let now = now();
        let hint = "set the clock of this machine or of the server: credentials and ages depend on it";
        for (ahead, words) in [(3_600, "behind"), (-3_600, "ahead of")] {
            let report = looked_at(&entries, "", Unix(now.0 + ahead)).await;
            let clock = said(&report, "new").into_iter().find(|it| it.contains(" clock: ")).unwrap();
            assert!(clock.starts_with("warning clock: the server's is "), "{clock}");
            assert!(clock.ends_with(&format!(" {words} this machine's → {hint}")), "{clock}");
        }
        let report = looked_at(&entries, "", now).await;
        says(&report, "new", "good clock: as on this machine");
        says(&report, "protobuf", "good encoding: protobuf");
        says(&report, "protobuf", "good custom resources: none that are known");
        says(
            &report,
            "new",
            "warning encoding: JSON only: it costs both sides more → a proxy between may keep it from protobuf",
        );
        let found =
            said(&report, "new").into_iter().find(|it| it.starts_with("good custom resources: ")).unwrap();
        for (place, _) in &LOSSES[13..] {
            assert!(found.contains(place), "{place} is served: {found}");
        }
    });
}

#[test]
fn a_slow_answer_and_a_lost_way_are_told() {
    virtually(1, async {
        let api = Api::start("one", None);
        let slow = Proxy::start(api.address).await;
        slow.set(Mode::Throttle(200));
        let black_hole = Proxy::start(api.address).await;
        black_hole.set(Mode::Swallow);
        let refused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        // Longer than any name may be, so that nobody is asked for it.
        let name = format!("{}.invalid", "a".repeat(64));
        let entries = [
            Entry::plain("slow", format!("http://{}", slow.address)),
            Entry::plain("silent", format!("http://{}", black_hole.address)),
            Entry::plain("refused", format!("http://{refused}")),
            Entry::plain("lost", format!("https://{name}:6443")),
            Entry::new(
                "no proxy",
                json!({"server": "https://api.example.com", "proxy-url": format!("http://{refused}")}),
                json!({"token": TOKEN}),
            ),
            Entry::new("nowhere", json!({"server": "https://"}), json!({})),
        ];
        let report = looked_at(&entries, "", now()).await;
        let slow = said(&report, "slow").into_iter().find(|it| it.contains(" answer: ")).unwrap();
        assert!(
            slow.starts_with("warning answer: within ")
                && slow.ends_with(" ms → check network, VPN and proxy, or the server's load"),
            "{slow}"
        );
        says(&report, "silent", "BROKEN answer: no answer within 10s → check network, VPN and proxy");
        says(
            &report,
            "refused",
            &format!(
                "BROKEN connect: {refused}: connection refused → is the API server up, and the port right?"
            ),
        );
        says(
            &report,
            "lost",
            &format!("BROKEN resolve: {name} does not resolve → check the server's name, DNS and VPN"),
        );
        says(
            &report,
            "no proxy",
            &format!(
                "BROKEN connect: the proxy {refused}: connection refused → is the proxy up? It is named by proxy-url, HTTPS_PROXY or HTTP_PROXY"
            ),
        );
        let nowhere = said(&report, "nowhere").join("\n");
        assert!(
            nowhere
                .starts_with("BROKEN configuration: the configuration cannot be used: the server's address"),
            "{nowhere}"
        );
        assert!(nowhere.ends_with("→ mend the kubeconfig or the configuration file"), "{nowhere}");
        for broken in ["silent", "refused", "lost", "no proxy"] {
            assert!(
                !said(&report, broken).iter().any(|it| it.contains("permissions")),
                "nothing behind it is asked for"
            );
        }
        assert_eq!(report.exit_code(), 5);
    });
}

#[test]
fn the_text_has_a_line_for_each_check_and_what_to_do_below_it() {
    virtually(1, async {
        let answers = Answers { version: "v1.20.0", denied: vec!["get pods/log".into()], ..Answers::new() };
        let report = looked_at(&[Entry::plain("aws-east", answers.serve())], "", now()).await;
        let text = text(&report);
        assert!(
            text.starts_with("aws-east: warning\n  good     configuration     context aws-east\n"),
            "{text}"
        );
        let lines = "  warning  version           v1.20.0: no longer supported upstream\n                             \
                     → upgrade it, unless your cloud supports it for longer\n";
        assert!(text.contains(lines), "{text}");
        let lines = "  warning  permission        may not get pods/log: without it no logs\n                             \
                     → have the account allowed to get pods/log\n";
        assert!(text.contains(lines), "{text}");
    });
}
