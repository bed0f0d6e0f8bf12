//! Credential plugins of every bad habit: scripts that are run as the clouds' are, by the program's own client.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};
use skydeck::clients::kube::Question;
use skydeck::clients::kube::connect::{Connected, Connector, Target};
use skydeck::clients::kube::contexts;
use skydeck::clients::kube::proxies::Proxies;
use skydeck::demo::api::Failure;
use skydeck::fleet::{Fault, FaultKind, Step};
use tokio::time::Instant;

use crate::cluster::{Api, TOKEN};
use crate::day::virtually;

/// Plugins of the tests are ended after so long, that of the console after half a minute.
const PATIENCE: Duration = Duration::from_secs(5);

/// Everything that any library of this process logs, at the finest level.
fn log() -> &'static Arc<Mutex<Vec<u8>>> {
    static LOG: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Arc::<Mutex<Vec<u8>>>::default();
        let sink = Arc::clone(&log);
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_writer(move || Sink(Arc::clone(&sink)))
            .init();
        log
    })
}

struct Sink(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A folder with a plugin, a kubeconfig that names it, and a count of its runs.
pub struct Bench {
    pub folder: tempfile::TempDir,
    connector: Connector,
}

impl Bench {
    /// The script sees `$HERE`, its folder, and has `credential TOKEN [EXPIRY]`, which prints one.
    pub fn new(script: &str) -> Bench {
        Bench::with(script, PATIENCE)
    }

    pub fn with(script: &str, patience: Duration) -> Bench {
        log();
        let folder = tempfile::tempdir().unwrap();
        write_script(&folder.path().join("plugin"), folder.path(), script);
        Bench { folder, connector: Connector::new(Proxies::default(), patience) }
    }

    /// How the kubeconfig runs it; `more` goes over the usual.
    pub fn exec(more: &Value) -> Value {
        let mut exec = json!({
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "./plugin",
            "args": ["canary-argument"],
            "env": [{"name": "CANARY", "value": "canary-variable"}],
            "interactiveMode": "IfAvailable",
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            exec[name] = value.clone();
        }
        exec
    }

    /// One context for each server, all of one user.
    pub fn targets(&self, servers: &[String], user: &Value) -> Vec<Target> {
        let file = self.folder.path().join("kubeconfig");
        let name = |at: usize| format!("c{at}");
        let list = |of: &dyn Fn(usize) -> Value| (0..servers.len()).map(of).collect::<Vec<_>>();
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config",
            "clusters": list(&|at| json!({"name": name(at), "cluster": {"server": servers[at]}})),
            "users": [{"name": "u", "user": user}],
            "contexts": list(&|at| json!({"name": name(at), "context": {"cluster": name(at), "user": "u"}})),
        });
        std::fs::write(&file, kubeconfig.to_string()).unwrap();
        let loaded = contexts::load(&[file]);
        assert!(loaded.broken.is_empty(), "{:?}", loaded.broken);
        let kubeconfig = Arc::new(loaded.kubeconfig);
        (0..servers.len())
            .map(|at| Target { kubeconfig: Arc::clone(&kubeconfig), context: name(at) })
            .collect()
    }

    pub fn connect(&self, target: &Target) -> Result<Connected, Fault> {
        self.connector.connect(target)
    }

    /// A user whose token is in a file.
    fn with_token_file(&self, api: &Api, token: &str) -> Target {
        self.write("token", token);
        let user = json!({"tokenFile": "token"});
        self.targets(&[format!("http://{}", api.address)], &user).remove(0)
    }

    pub fn door(&self, api: &Api, more: &Value) -> Connected {
        let user = json!({"exec": Bench::exec(more)});
        let target = self.targets(&[format!("http://{}", api.address)], &user).remove(0);
        self.connect(&target).unwrap()
    }

    pub fn runs(&self) -> usize {
        self.lines("runs").len()
    }

    pub fn lines(&self, file: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join(file)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub fn write(&self, file: &str, text: &str) {
        std::fs::write(self.folder.path().join(file), text).unwrap();
    }
}

/// A plugin as a script; it notes each run.
pub fn write_script(path: &Path, here: &Path, script: &str) {
    let here = here.display();
    let text = format!(
        "#!/bin/sh\nHERE='{here}'\necho run >> \"$HERE/runs\"\n\
         credential() {{ printf '{{\"apiVersion\":\"%s\",\"kind\":\"ExecCredential\",\"spec\":{{\"interactive\":false}},\
         \"status\":{{\"token\":\"%s\"%s}}}}' \"${{VERSION:-client.authentication.k8s.io/v1}}\" \"$1\" \
         \"${{2:+,\\\"expirationTimestamp\\\":\\\"$2\\\"}}\"; }}\n{script}\n"
    );
    // Written aside and moved: a script that is open for writing cannot be run.
    let mut file = tempfile::NamedTempFile::new_in(here.to_string()).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o755)).unwrap();
    file.into_temp_path().persist(path).unwrap();
}

pub async fn ask(connected: &Connected) -> Result<Value, Fault> {
    connected.door.ask_json(Question::json("/api/v1/namespaces?limit=1", Step::Get)).await
}

/// Nothing that a plugin printed or was given is in what is told, or in the finest log of any library.
pub fn nothing_leaked(told: &str) {
    assert!(!told.contains("canary"), "{told}");
    let listened = log();
    tracing::info!("whether anybody listens");
    let log = String::from_utf8_lossy(&listened.lock().unwrap()).into_owned();
    assert!(!log.is_empty(), "the log is listened to");
    if let Some(line) = log.lines().find(|line| line.contains("canary")) {
        panic!("in the log: {line}");
    }
}

fn gone(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    // One that nobody waits for stays as a zombie of whoever adopts it.
    stat.is_err() || stat.is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|it| it.starts_with('Z')))
}

async fn until(what: &str, so: impl Fn() -> bool) {
    for _ in 0..200 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("not within 5 s: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_plugins_do_wrong_is_told_in_our_words() {
    let api = Api::start("one", None);
    let cases: &[(&str, FaultKind, &str)] = &[
        ("echo canary >&2; exit 3", FaultKind::Credential, "plugin failed with exit status: 3"),
        ("credential canary-token; exit 1", FaultKind::Credential, "failed with exit status: 1"),
        ("kill -9 $$", FaultKind::Credential, "failed with signal: 9"),
        ("true", FaultKind::Credential, "printed no credential"),
        ("echo 'canary: it is broken'", FaultKind::Credential, "printed no credential"),
        ("printf '\\377\\376canary\\n'", FaultKind::Credential, "printed no credential"),
        ("echo '{\"kind\":\"ExecCredential\",\"canary\":1'", FaultKind::Credential, "printed no credential"),
        (
            "VERSION=client.authentication.k8s.io/v1beta1 credential canary",
            FaultKind::Credential,
            "in another version",
        ),
        ("credential canary 2001-02-03T04:05:06Z", FaultKind::Credential, "expired at 2001-02-03T04:05:06Z"),
        ("credential canary canary-time", FaultKind::Credential, "an expiry that is not a time"),
        ("credential ''", FaultKind::Credential, "neither a token nor a certificate"),
        ("credential 'can\\nary-canary'", FaultKind::Credential, "a token that cannot be sent"),
        (
            "credential canary | sed 's/\"token\"/\"clientKeyData\"/'",
            FaultKind::Credential,
            "half of a certificate",
        ),
        ("head -c 10000000 /dev/zero | tr '\\0' c", FaultKind::Credential, "far more than a credential"),
        (
            "printf 'Password for canary: '; read a && echo $a",
            FaultKind::Login,
            "needs somebody to answer it",
        ),
        ("printf 'Password for canary: ' >&2; read a || exit 1", FaultKind::Login, "needs somebody"),
        ("echo canary > /dev/tty && read a < /dev/tty", FaultKind::Login, "needs somebody"),
        ("echo 'run aws sso login, canary' >&2; exit 255", FaultKind::Login, "needs somebody"),
    ];
    for (script, kind, words) in cases {
        let bench = Bench::new(script);
        let connected = bench.door(&api, &json!({}));
        let fault = ask(&connected).await.unwrap_err();
        assert_eq!(fault.kind, *kind, "{script}: {fault}");
        assert!(fault.to_string().contains(words), "{script}: {fault}");
        assert!(ask(&connected).await.is_err());
        assert_eq!(bench.runs(), 1, "{script}: what failed is not tried again at once");
        nothing_leaked(&format!("{fault} {fault:?} {:?}", connected.connection));
    }
    assert_eq!(api.seam().asked("/"), 0, "without a credential nothing is asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_end_is_ended_with_all_that_it_started() {
    let api = Api::start("one", None);
    let script = "echo $$ > \"$HERE/pids\"; sleep 1000 & echo $! >> \"$HERE/pids\"; echo canary >&2; wait";
    let bench = Bench::with(script, Duration::from_secs(2));
    let connected = bench.door(&api, &json!({}));
    let began = Instant::now();
    let fault = ask(&connected).await.unwrap_err();
    let took = began.elapsed();
    assert_eq!(fault.to_string(), "connect: no credential: plugin did not end within 2s and was ended");
    assert!((2..5).contains(&took.as_secs()), "{took:?}");
    let pids = bench.lines("pids");
    assert_eq!(pids.len(), 2);
    until("both have ended", || pids.iter().all(|pid| gone(pid))).await;
    assert_eq!(bench.runs(), 1);
    nothing_leaked(&fault.to_string());
    assert_eq!(skydeck::clients::kube::credentials::DEADLINE, Duration::from_secs(30));
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_that_are_odd_and_right_are_taken() {
    let api = Api::start("one", None);
    let good = "credential secret 2099-01-01T00:00:00Z";
    let yaml = "cat <<E\napiVersion: client.authentication.k8s.io/v1\nkind: ExecCredential\nstatus:\n  token: secret\nE";
    let beta = json!({"apiVersion": "client.authentication.k8s.io/v1beta1", "interactiveMode": null});
    let cases: Vec<(String, Value)> = vec![
        (good.into(), json!({})),
        (format!("head -c 20000000 /dev/zero >&2; {good}"), json!({})),
        (format!("sleep 60 & echo $! > \"$HERE/daemon\"; {good}"), json!({})),
        (format!("setsid sleep 60 & echo $! > \"$HERE/daemon\"; {good}"), json!({})),
        (format!("echo 'canary, your browser is opened' >&2; {good}"), json!({})),
        (format!("[ \"$CANARY\" = canary-variable ] && [ \"$1\" = canary-argument ] && {good}"), json!({})),
        (format!("[ -t 0 ] || [ -t 1 ] || [ -t 2 ] || {good}"), json!({})),
        (format!("cat > \"$HERE/input\"; [ -s \"$HERE/input\" ] || {good}"), json!({})),
        (yaml.into(), json!({})),
        ("VERSION=client.authentication.k8s.io/v1beta1 credential secret".into(), beta),
    ];
    for (script, more) in cases {
        let bench = Bench::new(&script);
        let connected = bench.door(&api, &more);
        let began = Instant::now();
        let answer = ask(&connected).await;
        assert!(answer.is_ok(), "{script}: {}", answer.unwrap_err());
        assert!(began.elapsed() < PATIENCE, "{script}");
        ask(&connected).await.unwrap();
        assert_eq!(bench.runs(), 1, "{script}");
        for daemon in bench.lines("daemon") {
            assert!(!gone(&daemon), "what it leaves behind on purpose is left");
            let _ = std::process::Command::new("kill").arg(daemon).status();
        }
        nothing_leaked("");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_run_serves_every_cluster_that_shares_it_however_many_ask() {
    let apis: Vec<_> = (0..5).map(|at| Api::start(&format!("c{at}"), None)).collect();
    let servers: Vec<_> = apis.iter().map(|api| format!("http://{}", api.address)).collect();
    for (more, runs) in [(json!({}), 1), (json!({"provideClusterInfo": true}), 5)] {
        let bench = Bench::new(
            "sleep 3; printf '%s\\n' \"$KUBERNETES_EXEC_INFO\" >> \"$HERE/info\"; credential secret",
        );
        let user = json!({"exec": Bench::exec(&more)});
        let doors: Vec<_> =
            bench.targets(&servers, &user).iter().map(|it| bench.connect(it).unwrap()).collect();
        let began = Instant::now();
        // Somebody who asks and goes away does not end the run.
        assert!(tokio::time::timeout(Duration::from_millis(100), ask(&doors[0])).await.is_err());
        let asked = doors.iter().flat_map(|door| std::iter::repeat_n(door, 4)).map(ask);
        for answer in futures::future::join_all(asked).await {
            answer.unwrap();
        }
        assert_eq!(bench.runs(), runs);
        assert!(began.elapsed() < Duration::from_secs(5), "they run side by side: {:?}", began.elapsed());
        for info in bench.lines("info") {
            let info: Value = serde_json::from_str(&info).unwrap();
            assert_eq!(info["apiVersion"], "client.authentication.k8s.io/v1");
            assert_eq!(
                (&info["kind"], &info["spec"]["interactive"]),
                (&json!("ExecCredential"), &json!(false))
            );
            let server = info["spec"]["cluster"]["server"].as_str().map(str::to_owned);
            assert_eq!(server.is_some_and(|it| servers.contains(&it)), runs == 5, "{info}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_made_anew_once_for_all_who_have_it() {
    let api = Api::start("one", None);
    let bench = Bench::new("[ $(wc -l < \"$HERE/runs\") -gt 1 ] && credential secret || credential old");
    let connected = bench.door(&api, &json!({}));
    let asked = futures::future::join_all((0..6).map(|_| ask(&connected))).await;
    assert!(asked.iter().all(Result::is_ok), "{asked:?}");
    assert_eq!(bench.runs(), 2, "one with the old, one for all that were refused");
    // A server that goes on refusing does not make it run for each request.
    api.seam().fail("/", 20, Failure::Status(401));
    for _ in 0..5 {
        assert_eq!(ask(&connected).await.unwrap_err().kind, FaultKind::Unauthorized);
    }
    assert_eq!(bench.runs(), 2);
    api.seam().mend();
    ask(&connected).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_made_anew_before_it_ends_while_the_old_one_serves() {
    let api = Api::start("one", None);
    let script = "[ $(wc -l < \"$HERE/runs\") -gt 1 ] && sleep 2; credential secret $(date -u -d '+16 seconds' +%Y-%m-%dT%H:%M:%SZ)";
    let bench = Bench::new(script);
    let connected = bench.door(&api, &json!({}));
    ask(&connected).await.unwrap();
    // A quarter of its life before the end it is due; nobody waits for the run.
    let began = Instant::now();
    while bench.runs() < 2 {
        let asked = Instant::now();
        ask(&connected).await.unwrap();
        assert!(asked.elapsed() < Duration::from_secs(1), "a request waited for the plugin");
        assert!(began.elapsed() < Duration::from_secs(16), "it was not made anew");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(began.elapsed() > Duration::from_secs(4), "not before its time: {:?}", began.elapsed());
    ask(&connected).await.unwrap();
    assert_eq!(bench.runs(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_always_needs_a_person_is_not_run_behind_their_back() {
    let api = Api::start("one", None);
    let bench = Bench::new("credential secret");
    let connected = bench.door(&api, &json!({"interactiveMode": "Always"}));
    let fault = ask(&connected).await.unwrap_err();
    assert_eq!(fault.to_string(), "connect: needs login: plugin needs somebody to answer it");
    assert_eq!(bench.runs(), 0);
    // In the foreground it is, and then everybody has its credential.
    connected.door.way().credential().plugin().unwrap().log_in().await.unwrap();
    ask(&connected).await.unwrap();
    assert_eq!(bench.runs(), 1);
    let never = bench.door(&api, &json!({"interactiveMode": "Never"}));
    let fault = never.door.way().credential().plugin().unwrap().log_in().await.unwrap_err();
    assert!(fault.to_string().contains("interactiveMode: Never"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_not_there_is_named_with_how_to_get_it() {
    let api = Api::start("one", None);
    let bench = Bench::new("true");
    let hint = "Install it:\n\n  brew install \u{1b}[31mplugin\u{202e}";
    let told = |command: &str| {
        let connected = bench.door(&api, &json!({"command": command, "installHint": hint}));
        async move { ask(&connected).await.unwrap_err().to_string() }
    };
    let missing = told("skydeck-no-such-plugin").await;
    assert!(missing.contains("skydeck-no-such-plugin is not there; Install it: brew install"), "{missing}");
    assert!(!missing.contains(['\u{1b}', '\u{202e}', '\n']), "{missing:?}");
    let relative = told("./bin/none").await;
    let place = bench.folder.path().join("./bin/none").display().to_string();
    assert!(relative.contains(&place), "relative to the kubeconfig: {relative}");
    bench.write("text", "no program");
    assert!(told("./text").await.contains("may not be run"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_spoken_is_a_mistake_of_the_configuration() {
    let bench = Bench::new("credential secret");
    let servers = ["http://127.0.0.1:1".to_owned()];
    let told = |user: Value| {
        let target = bench.targets(&servers, &user).remove(0);
        let fault = bench.connect(&target).err().unwrap();
        assert_eq!(fault.kind, FaultKind::Configuration);
        nothing_leaked(&fault.to_string());
        fault.to_string()
    };
    let old = Bench::exec(&json!({"apiVersion": "client.authentication.k8s.io/v1alpha1"}));
    assert!(told(json!({"exec": old})).contains("v1alpha1"));
    assert!(told(json!({"exec": Bench::exec(&json!({"command": ""}))})).contains("no command"));
    let gcp = json!({"auth-provider": {"name": "gcp", "config": {"access-token": "canary"}}});
    assert!(told(gcp).contains("gcp is gone from Kubernetes"));
    assert!(told(json!({"token": "two\nlines canary"})).contains("cannot be sent"));
    assert_eq!(bench.runs(), 0);
}

/// What each cloud's tools write into a kubeconfig, with a script in the place of their plugin.
#[tokio::test(flavor = "multi_thread")]
async fn the_kubeconfigs_of_the_clouds_work_as_they_are() {
    let api = Api::start("one", None);
    let path = std::env::var("PATH").unwrap();
    let v1beta1 = "client.authentication.k8s.io/v1beta1";
    let shapes: BTreeMap<&str, Value> = BTreeMap::from([
        (
            "aws",
            json!({"apiVersion": v1beta1, "command": "aws", "args": ["--region", "us-east-1", "eks", "get-token",
                "--cluster-name", "ml", "--output", "json"], "env": [{"name": "AWS_PROFILE", "value": "ml"}],
                "interactiveMode": "IfAvailable", "provideClusterInfo": false}),
        ),
        (
            "gke-gcloud-auth-plugin",
            json!({"apiVersion": v1beta1, "command": "gke-gcloud-auth-plugin", "provideClusterInfo": true,
                "installHint": "Install gke-gcloud-auth-plugin for use with kubectl by following https://cloud.google.com/x"}),
        ),
        (
            "kubelogin",
            json!({"apiVersion": v1beta1, "command": "kubelogin", "args": ["get-token", "--environment",
                "AzurePublicCloud", "--server-id", "6dae42f8", "--client-id", "80faf920", "--tenant-id", "t",
                "--login", "azurecli"], "env": null, "provideClusterInfo": false, "interactiveMode": "IfAvailable"}),
        ),
    ]);
    for (name, exec) in shapes {
        let bench = Bench::new("");
        let bin = bench.folder.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        let script = "printf '%s ' \"$@\" > \"$HERE/arguments\"; printf %s \"$AWS_PROFILE\" > \"$HERE/profile\"\n\
                      printf %s \"$KUBERNETES_EXEC_INFO\" > \"$HERE/info\"\n\
                      VERSION=client.authentication.k8s.io/v1beta1 credential secret 2099-01-01T00:00:00Z";
        write_script(&bin.join(name), bench.folder.path(), script);
        let mut exec = exec.clone();
        // Found as the shell finds it.
        let mut env = exec["env"].as_array().cloned().unwrap_or_default();
        env.push(json!({"name": "PATH", "value": format!("{}:{path}", bin.display())}));
        exec["env"] = env.into();
        let target = bench.targets(&[format!("http://{}", api.address)], &json!({"exec": exec})).remove(0);
        let connected = bench.connect(&target).unwrap();
        assert_eq!(connected.connection.credential.as_str(), format!("exec {name}"));
        ask(&connected).await.unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(bench.runs(), 1, "{name}");
        let wanted: Vec<_> =
            exec["args"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        assert_eq!(bench.lines("arguments").join("").trim(), wanted.join(" "), "{name}");
        let info: Value = serde_json::from_str(&bench.lines("info").join("")).unwrap();
        assert_eq!(info["spec"]["cluster"].is_object(), name.starts_with("gke"), "{info}");
        if name == "aws" {
            assert_eq!(bench.lines("profile"), ["ml"]);
        }
    }
}

/// The home folder may lie on a file system that hangs: whoever makes a connection, and whoever draws, does not wait.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_is_told_of_the_authority_is_read_when_it_runs_and_by_nobody_who_must_not_wait() {
    let api = Api::start("one", None);
    let bench = Bench::new("printf %s \"$KUBERNETES_EXEC_INFO\" > \"$HERE/info\"; credential secret");
    let user = json!({"exec": Bench::exec(&json!({"provideClusterInfo": true}))});
    let mut target = bench.targets(&[format!("http://{}", api.address)], &user).remove(0);
    let authority = bench.folder.path().join("ca.pem");
    let mut kubeconfig = (*target.kubeconfig).clone();
    kubeconfig.clusters[0].cluster.as_mut().unwrap().certificate_authority =
        Some(authority.display().to_string());
    target.kubeconfig = Arc::new(kubeconfig);
    // Whoever opens it waits for somebody at the other end.
    assert!(std::process::Command::new("mkfifo").arg(&authority).status().unwrap().success());
    let (done, is_done) = std::sync::mpsc::channel();
    let connector = bench.connector.clone();
    let asked = target.clone();
    std::thread::spawn(move || {
        let connected = connector.connect(&asked).is_ok();
        let _ = done.send(connected && connector.plugin(&asked).is_ok_and(|it| it.is_some()));
    });
    let made = is_done.recv_timeout(Duration::from_secs(3));
    drop(std::fs::File::options().read(true).write(true).open(&authority));
    assert_eq!(made, Ok(true), "it waited for a file");
    // One that is not there for a moment is looked for again.
    std::fs::remove_file(&authority).unwrap();
    let connected = bench.connect(&target).unwrap();
    let fault = connected.door.way().credential().proof().await.err().unwrap();
    assert!(fault.to_string().contains("ca.pem cannot be read: entity not found"), "{fault}");
    assert!(fault.may_pass(), "{fault:?}");
    bench.write("ca.pem", "an authority");
    bench.connector.try_again();
    connected.door.way().credential().proof().await.unwrap();
    let info: Value = serde_json::from_str(&bench.lines("info").join("")).unwrap();
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, "an authority");
    assert_eq!(info["spec"]["cluster"]["certificate-authority-data"], encoded);
    assert_eq!(bench.runs(), 1);
}

/// P14: what is asked again with a newer proof is a request like another.
#[test]
fn what_is_asked_again_after_a_refusal_is_within_the_budget() {
    virtually(1, async {
        let api = Api::start("one", None);
        let bench = Bench::new("");
        let connected = bench.connect(&bench.with_token_file(&api, "0")).unwrap();
        // The start of a session may be quick.
        tokio::time::sleep(Duration::from_mins(2)).await;
        let began = Instant::now();
        for count in 0..30 {
            bench.write("token", &format!("new-{count}"));
            assert_eq!(ask(&connected).await.unwrap_err().kind, FaultKind::Unauthorized);
        }
        let (asked, took) = (api.seam().asked("/"), began.elapsed());
        assert_eq!(asked, 59, "each but the first, which nobody refused before, twice");
        assert!(took >= Duration::from_secs(10), "{asked} requests in {took:?}");
    });
}

/// A token that is replaced without a word: within a minute the new one is sent, and what is half of one is not.
#[test]
fn a_token_file_is_looked_at_again_in_its_time_and_the_last_good_one_serves() {
    virtually(1, async {
        let api = Api::start("one", None);
        let bench = Bench::new("");
        let connected = bench.connect(&bench.with_token_file(&api, TOKEN)).unwrap();
        let header = async || {
            let proof = connected.door.way().credential().proof().await.unwrap();
            proof.header.unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(header().await, "Bearer secret");
        for half in [None, Some(""), Some("two\nlines")] {
            match half {
                None => std::fs::remove_file(bench.folder.path().join("token")).unwrap(),
                Some(text) => bench.write("token", text),
            }
            tokio::time::sleep(Duration::from_secs(31)).await;
            assert_eq!(header().await, "Bearer secret", "{half:?}");
            ask(&connected).await.unwrap();
        }
        bench.write("token", "new");
        assert_eq!(header().await, "Bearer secret", "not before its time");
        tokio::time::sleep(Duration::from_secs(31)).await;
        assert_eq!(header().await, "Bearer new");
        nothing_leaked("");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_file_is_read_again_when_a_server_refuses_it() {
    let api = Api::start("one", None);
    let bench = Bench::new("");
    let target = bench.with_token_file(&api, "canary-old\n");
    let connected = bench.connect(&target).unwrap();
    assert_eq!(ask(&connected).await.unwrap_err().kind, FaultKind::Unauthorized);
    bench.write("token", TOKEN);
    ask(&connected).await.unwrap();
    std::fs::remove_file(bench.folder.path().join("token")).unwrap();
    let fresh = bench.connect(&target).unwrap();
    let fault = ask(&fresh).await.unwrap_err();
    assert!(fault.to_string().contains("token cannot be read: entity not found"), "{fault}");
    bench.write("token", "");
    assert!(ask(&fresh).await.unwrap_err().to_string().contains("is empty"));
    bench.write("token", TOKEN);
    ask(&fresh).await.unwrap();
    nothing_leaked(&fault.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_write_is_not_sent_again() {
    use skydeck::clients::kube::Access;
    let api = Api::start("one", None);
    let bench = Bench::new("credential old");
    let connected = bench.door(&api, &json!({}));
    let access = Access { verb: "list", resource: "pods", ..Access::default() };
    let fault = connected.door.may(&access).await.unwrap_err();
    assert_eq!((fault.kind, api.seam().asked("/")), (FaultKind::Unauthorized, 1));
    assert_eq!(bench.runs(), 2, "but the next one has a new credential");
}
