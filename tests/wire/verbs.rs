//! The verbs as they are called: the program itself against servers that fail, every exit code by a real run, and the
//! servers' own count of what was sent.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use process_wrap::tokio::{CommandWrap, ProcessSession};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use skydeck::demo::Standalone;
use skydeck::demo::api::{Failure, Which};
use skydeck::demo::resource::Kind;
use skydeck::demo::store::Key;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_mins(2);
const FOR_EVER: usize = usize::MAX;
/// The end of the object's path.
const WEB: &str = "/deployments/web";

/// Clusters `one`, `two` … that live, each with a Deployment `a/web` of two, and the home of an operator.
pub struct Bed {
    pub clusters: Vec<Standalone>,
    home: tempfile::TempDir,
}

pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Bed {
    pub fn new(names: &[&str], config: &str) -> Bed {
        Self::of(names, names.iter().map(|name| cluster(name)).collect(), config)
    }

    pub fn of(names: &[&str], clusters: Vec<Standalone>, config: &str) -> Bed {
        let home = tempfile::tempdir().unwrap();
        for (name, cluster) in names.iter().zip(&clusters) {
            fs::write(home.path().join(name), cluster.kubeconfig(name)).unwrap();
        }
        let folder = home.path().join(".config/skydeck");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config.toml"), format!("[change]\nbake = \"1s\"\n{config}")).unwrap();
        Bed { clusters, home }
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    fn one(&self) -> &Standalone {
        &self.clusters[0]
    }

    /// In a session of its own: there is no terminal to ask on, whoever runs the tests.
    fn start(&self, line: &str) -> Box<dyn process_wrap::tokio::ChildWrapper> {
        let mut list: Vec<PathBuf> = fs::read_dir(self.home.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .collect();
        list.sort();
        let mut command = Command::new(env!("CARGO_BIN_EXE_skydeck"));
        command
            .args(words(line))
            .env_clear()
            .env("HOME", self.home.path())
            .env("LANG", "C.UTF-8")
            .env("USER", "ada")
            .env("SKYDECK_LOG", "trace")
            .env("KUBECONFIG", std::env::join_paths(list).unwrap())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // What a test leaves behind ends with it.
            .kill_on_drop(true);
        CommandWrap::from(command).wrap(ProcessSession).spawn().unwrap()
    }

    pub async fn run(&self, line: &str) -> Ran {
        let mut child = self.start(line);
        let (mut out, mut err) = (String::new(), String::new());
        let (mut stdout, mut stderr) = (child.stdout().take().unwrap(), child.stderr().take().unwrap());
        let read = async { tokio::join!(stdout.read_to_string(&mut out), stderr.read_to_string(&mut err)) };
        let _ = timeout(PATIENCE, read).await.unwrap();
        let code = child.wait().await.unwrap().code().unwrap();
        Ran { code, out, err }
    }

    pub fn journal(&self) -> String {
        fs::read_to_string(self.home.path().join(".local/state/skydeck/journal.jsonl")).unwrap_or_default()
    }
}

impl Ran {
    pub fn document(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.err))
    }

    /// The exit code is this one; else everything that was said.
    #[track_caller]
    pub fn is(&self, code: i32) {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
    }
}

/// Words with spaces stand in single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn cluster(name: &str) -> Standalone {
    let cluster = Standalone::living(&format!("uid-of-{name}")).unwrap();
    let size = json!({"cpu": "16", "memory": "64Gi", "pods": "110"});
    cluster.store().put(
        Kind::Nodes,
        json!({"metadata": {"name": "n"}, "status": {"capacity": size, "allocatable": size,
            "conditions": [{"type": "Ready", "status": "True"}]}}),
    );
    // Through the door, so that it is made as any object is, with a generation and its defaults.
    create(
        &cluster,
        &json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "c", "image": "i:v1"}]}}}}),
    );
    let begun = tokio::time::Instant::now();
    while web(&cluster)["status"]["readyReplicas"] != 2 {
        assert!(begun.elapsed() < PATIENCE, "{:#}", web(&cluster));
        std::thread::sleep(Duration::from_millis(20));
    }
    cluster.seam().forget();
    cluster
}

fn create(cluster: &Standalone, object: &Value) {
    let body = object.to_string();
    let mut line = TcpStream::connect(cluster.address()).unwrap();
    write!(
        line,
        "POST /apis/apps/v1/namespaces/a/deployments HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer secret\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    line.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

fn web(cluster: &Standalone) -> Value {
    cluster.store().get(Kind::Deployments, &Key::new("a", "web")).unwrap().value().clone()
}

fn replicas(cluster: &Standalone) -> u64 {
    web(cluster)["spec"]["replicas"].as_u64().unwrap()
}

/// Somebody else scales it, behind the console's back.
fn somebody_scales(cluster: &Standalone, to: u32) -> impl FnOnce() + Send + 'static {
    let store = Arc::clone(cluster.store());
    move || {
        let mut object = store.get(Kind::Deployments, &Key::new("a", "web")).unwrap().value().clone();
        object["spec"]["replicas"] = to.into();
        object["metadata"]["generation"] =
            (object["metadata"]["generation"].as_i64().unwrap_or(1) + 1).into();
        store.put(Kind::Deployments, object);
    }
}

/// The writes of one step of a change, as the server counted them.
fn sent(cluster: &Standalone, id: &str, step: usize) -> usize {
    cluster.seam().count(&Which::write().of_change(&format!("{id}-{step}")))
}

pub fn id(document: &Value) -> String {
    document["id"].as_str().unwrap().to_owned()
}

/// The document without what differs in every run.
fn calm(mut document: Value) -> String {
    for name in ["id", "confirmedAt", "endedAt", "undoes"] {
        if document[name].is_string() {
            document[name] = json!(format!("<{name}>"));
        }
    }
    if let Some(title) = document["title"].as_str().filter(|title| title.starts_with("undo ")) {
        document["title"] = json!(format!("undo <id>:{}", title.split_once(':').unwrap().1));
    }
    for note in document["notes"].as_array_mut().unwrap() {
        if note["message"].as_str().unwrap().starts_with("takes back ") {
            note["message"] = json!("takes back <id>, …");
        }
    }
    for step in document["steps"].as_array_mut().unwrap() {
        step["target"]["uid"] = json!("<uid>");
        if step["version"].is_object() {
            step["version"] = json!({"resourceVersion": "<version>", "generation": "<generation>"});
        }
    }
    serde_json::to_string_pretty(&document).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn done_is_0_and_undo_brings_it_back() {
    let bed = Bed::new(&["one"], "");
    let ran = bed.run("scale deploy/web -n a --replicas +1 --yes --reason 'more load' -o json").await;
    ran.is(0);
    assert!(ran.err.contains("one  Deployment a/web  2, +1 → 3"), "{}", ran.err);
    assert!(
        ran.err.contains("step 1/1  one  Deployment a/web  verified") && !ran.err.contains('\x1b'),
        "{}",
        ran.err
    );
    insta::assert_snapshot!("scaled", calm(ran.document()));
    let done = id(&ran.document());
    assert_eq!((replicas(bed.one()), sent(bed.one(), &done, 1)), (3, 1));
    assert!(bed.journal().contains(&done));
    let ran = bed.run(&format!("journal undo {} --yes -o json", &done.to_lowercase()[..24])).await;
    ran.is(0);
    insta::assert_snapshot!("undone", calm(ran.document()));
    assert_eq!(replicas(bed.one()), 2);
    let ran = bed.run("restart web --yes").await;
    ran.is(0);
    assert!(ran.out.contains("restart a/web: done"), "{}", ran.out);
    bed.run(&format!("journal undo {done} --yes")).await.is(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_so_already_is_0_and_nothing_is_written() {
    let bed = Bed::new(&["one"], "");
    let ran = bed.run("scale web --replicas 2 --yes -o json").await;
    ran.is(0);
    let document = ran.document();
    assert_eq!((&document["state"], &document["refusal"]), (&json!("unchanged"), &Value::Null));
    assert_eq!(document["notes"][0]["message"], "nothing to change: it is so already");
    let ran = bed.run("scale web --replicas 2 --yes").await;
    ran.is(0);
    assert_eq!(ran.out, "nothing to change: it is so already\n");
    assert_eq!((bed.one().seam().count(&Which::write()), bed.journal()), (0, String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_asks_the_servers_and_writes_nothing_anywhere() {
    let bed = Bed::new(&["one", "two"], "");
    let ran = bed.run("scale web --cluster one --cluster two --replicas x2 --dry-run -o json").await;
    ran.is(0);
    insta::assert_snapshot!("planned", calm(ran.document()));
    for cluster in &bed.clusters {
        assert_eq!(cluster.seam().count(&Which::dry_run().at("/scale")), 1);
        assert_eq!(cluster.seam().count(&Which::write()), 0, "no lease and no event either");
    }
    let ran = bed.run("scale web --cluster one --replicas 5 --dry-run").await;
    ran.is(0);
    assert!(ran.out.contains("spec.replicas  2 → 5") && ran.out.contains("dry run: accepted"), "{}", ran.out);
    assert_eq!(bed.journal(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_yes_nothing_is_changed_and_it_says_what_to_pass() {
    let bed = Bed::new(
        &["one", "two"],
        "[[cluster]]\nname = \"one\"\nenvironment = \"production\"\n[[cluster]]\nname = \"two\"\n",
    );
    let hint = async |line: &str, option: &str| {
        let ran = bed.run(line).await;
        ran.is(1);
        assert!(ran.out.contains(&format!("then pass {option}\n")), "{}\n{}", ran.out, ran.err);
    };
    hint("scale web --cluster two --replicas 3", "--yes").await;
    hint("scale web --cluster one --replicas 3 --yes", "--confirm web").await;
    hint("scale web --cluster one --cluster two --replicas 3 --yes", "--confirm web").await;
    hint("scale web --cluster two --replicas 0 --yes", "--confirm 'two/web 0'").await;
    for cluster in &bed.clusters {
        assert_eq!((replicas(cluster), cluster.seam().count(&Which::write())), (2, 0));
    }
    let ran = bed.run("scale web --cluster one --cluster two --replicas 3 --yes --confirm web").await;
    ran.is(0);
    assert_eq!((replicas(bed.one()), replicas(&bed.clusters[1])), (3, 3));
    bed.run("scale web --cluster two --replicas 0 --confirm 'two/web 0'").await.is(0);
    assert_eq!(replicas(&bed.clusters[1]), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_is_1_and_a_wrong_command_2() {
    let bed = Bed::new(&["one"], "");
    bed.one().seam().strike(Which::dry_run(), 1, Failure::Webhook(403, "no changes on a Friday"));
    let ran = bed.run("scale web --replicas 3 --yes -o json").await;
    ran.is(1);
    let refusal = ran.document()["refusal"].clone();
    assert!(refusal["message"].as_str().unwrap().contains("no changes on a Friday"), "{refusal}");
    assert_eq!(refusal["conflict"], false);
    bed.one().seam().strike(Which::write().at("/scale"), 1, Failure::Status(403));
    let ran = bed.run("scale web --replicas 3 --yes -o json").await;
    ran.is(1);
    assert_eq!(ran.document()["outcome"], "failed");
    for (line, code) in [
        ("scale nobody --replicas 3 --yes -o json", 1),
        ("scale web --cluster eno --replicas 3 --yes -o json", 2),
        ("scale web --replicas many --yes -o json", 2),
        ("scale pod/web --replicas 3 --yes -o json", 2),
        ("journal undo 01ARYZ6S41 --yes -o json", 1),
    ] {
        let ran = bed.run(line).await;
        ran.is(code);
        assert_eq!(
            (&ran.document()["state"], &ran.document()["id"]),
            (&json!("refused"), &Value::Null),
            "{line}"
        );
    }
    bed.run("scale web --yes").await.is(2);
    assert_eq!(replicas(bed.one()), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_changed_meanwhile_is_3() {
    let bed = Bed::new(&["one"], "");
    let cluster = bed.one();
    cluster.seam().before(Which::dry_run().at("/scale"), somebody_scales(cluster, 7));
    let ran = bed.run("scale web --replicas 3 --yes -o json").await;
    ran.is(3);
    let refusal = ran.document()["refusal"].clone();
    assert_eq!(refusal["conflict"], true);
    let differs = &refusal["differs"][0];
    assert_eq!(*differs, json!({"field": "spec.replicas", "shown": "2", "now": "7"}), "{refusal}");
    cluster.seam().before(Which::write().at("/scale"), somebody_scales(cluster, 8));
    let ran = bed.run("scale web --replicas 3 --yes -o json").await;
    ran.is(3);
    let document = ran.document();
    assert_eq!(
        (&document["outcome"], &document["steps"][0]["state"]),
        (&json!("conflict"), &json!("refused"))
    );
    assert_eq!((replicas(cluster), sent(cluster, &id(&document), 1)), (8, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_read_back_and_what_stays_unknown_is_4() {
    let bed = Bed::new(&["one"], "");
    let cluster = bed.one();
    cluster.seam().strike(Which::write().at("/scale"), 1, Failure::StatusAfter(504));
    let ran = bed.run("scale web --replicas 3 --yes -o json").await;
    ran.is(0);
    assert!(ran.err.contains("unknown"), "{}", ran.err);
    assert_eq!(
        (replicas(cluster), sent(cluster, &id(&ran.document()), 1)),
        (3, 1),
        "sent once, whatever was heard"
    );
    // Applied, the answer is lost, and from then on the object cannot be read.
    cluster.seam().strike(Which::write().at("/scale"), 1, Failure::ResetAfter);
    let seam = Arc::clone(cluster.seam());
    cluster.seam().after(Which::write().at("/scale"), move || {
        seam.strike(Which::any().at(WEB).method("GET"), FOR_EVER, Failure::Status(500));
    });
    let ran = bed.run("scale web --replicas 4 --yes --timeout 3s -o json").await;
    ran.is(4);
    let document = ran.document();
    let unknown = id(&document);
    assert_eq!((&document["state"], &document["outcome"]), (&json!("paused"), &Value::Null));
    assert_eq!(document["steps"][0]["state"], "unknown");
    assert_eq!(sent(cluster, &unknown, 1), 1);
    bed.run(&format!("journal resume {unknown} --yes --timeout 2s")).await.is(4);
    cluster.seam().mend();
    let ran = bed.run(&format!("journal resume {unknown} --yes -o json")).await;
    ran.is(0);
    assert_eq!((&ran.document()["outcome"], sent(cluster, &unknown, 1)), (&json!("done"), 1));
    assert_eq!(replicas(cluster), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_it_is_5() {
    let bed = Bed::new(&["one", "two"], "");
    let [one, two] = &bed.clusters[..] else { panic!("two clusters") };
    two.seam().strike(Which::write().at("/scale"), 1, Failure::Status(403));
    let ran = bed.run("scale web --cluster one --cluster two --replicas 3 --yes -o json").await;
    ran.is(5);
    insta::assert_snapshot!("partial", calm(ran.document()));
    assert_eq!((replicas(one), replicas(two)), (3, 2));
    let ran = bed.run(&format!("journal undo {} --yes", id(&ran.document()))).await;
    ran.is(0);
    assert_eq!((replicas(one), replicas(two)), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_stops_after_the_step_on_the_wire_and_resume_goes_on() {
    let bed = Bed::new(&["one", "two"], "");
    fs::write(bed.home.path().join(".config/skydeck/config.toml"), "[change]\nbake = \"20s\"\n").unwrap();
    let document = stopped_half_way(&bed).await;
    let stopped = id(&document);
    assert_eq!((&document["state"], &document["steps"][1]["state"]), (&json!("paused"), &json!("pending")));
    let [one, two] = &bed.clusters[..] else { panic!("two clusters") };
    assert_eq!((sent(one, &stopped, 1), sent(two, &stopped, 2)), (1, 0));
    let held = Which::any().at("/leases/").method("DELETE");
    assert_eq!((one.seam().count(&held), two.seam().count(&held)), (1, 1), "nobody is kept out by it");
    let ran = bed.run("scale web --cluster two --replicas 9 --dry-run").await;
    assert!(ran.err.contains(&format!("skydeck journal resume {stopped}")), "it is told: {}", ran.err);
    bed.run(&format!("journal resume {stopped}")).await.is(1);
    let ran = bed.run(&format!("journal resume {stopped} --yes -o json")).await;
    ran.is(0);
    assert_eq!((sent(one, &stopped, 1), sent(two, &stopped, 2), replicas(two)), (1, 1, 3));
}

/// The first step is done, and the second waits for its turn.
async fn stopped_half_way(bed: &Bed) -> Value {
    let mut child = bed.start("scale web --cluster one --cluster two --replicas 3 --yes -o json");
    let mut err = BufReader::new(child.stderr().take().unwrap()).lines();
    let waits = async {
        while let Some(line) = err.next_line().await.unwrap() {
            if line.starts_with("step 2/2  two  goes out in ") {
                return;
            }
        }
        panic!("it ended");
    };
    timeout(PATIENCE, waits).await.unwrap();
    kill_process(Pid::from_raw(child.id().unwrap().cast_signed()).unwrap(), Signal::INT).unwrap();
    let mut out = String::new();
    timeout(PATIENCE, child.stdout().take().unwrap().read_to_string(&mut out)).await.unwrap().unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(5), "{out}");
    serde_json::from_str(&out).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_on_without_a_server_is_told_so_and_not_kept_waiting() {
    let mut bed = Bed::new(&["one", "two"], "");
    fs::write(bed.home.path().join(".config/skydeck/config.toml"), "[change]\nbake = \"20s\"\n").unwrap();
    let stopped = id(&stopped_half_way(&bed).await);
    bed.clusters.clear();
    let ran = bed.run(&format!("journal resume {stopped} --yes -o json")).await;
    ran.is(5);
    assert!(ran.err.contains("it goes no further: two"), "{}", ran.err);
    assert_eq!(
        (&ran.document()["outcome"], &ran.document()["steps"][1]["state"]),
        (&json!("partial"), &json!("pending"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_still_can_be_recorded_as_it_is() {
    let bed = Bed::new(&["one"], "");
    let cluster = bed.one();
    let seam = Arc::clone(cluster.seam());
    cluster.seam().strike(Which::write().at("/scale"), 1, Failure::ResetAfter);
    cluster.seam().after(Which::write().at("/scale"), move || {
        seam.strike(Which::any().at(WEB).method("GET"), FOR_EVER, Failure::Status(500));
    });
    let ran = bed.run("scale web --replicas 4 --yes --timeout 2s -o json").await;
    ran.is(4);
    let unknown = id(&ran.document());
    let ran = bed.run(&format!("journal resume {unknown} --leave --timeout 2s -o json")).await;
    ran.is(4);
    assert_eq!((&ran.document()["state"], &ran.document()["outcome"]), (&json!("ended"), &json!("unknown")));
    let ran = bed.run(&format!("journal resume {unknown} --yes")).await;
    ran.is(1);
    assert!(ran.out.contains("is at its end: unknown"), "{}", ran.out);
}
