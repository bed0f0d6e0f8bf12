//! A cluster of the test bed for as long as a test needs it, kubectl, and the console's own binary.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Whether the servers are there; says so when not.
pub fn is_there() -> bool {
    let folder = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
    let missing = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "kubectl"]
        .into_iter()
        .find(|name| !folder.as_ref().is_some_and(|folder| folder.join(name).exists()));
    if let Some(name) = missing {
        println!(
            "skipped: {name} is not installed (tests/testbed/setup kubernetes kwok, then . tests/testbed/paths)"
        );
    }
    missing.is_none()
}

/// One cluster; it goes with the value.
pub struct Cluster {
    pub name: String,
    pub kubeconfig: Value,
}

fn script() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/cluster")
}

fn succeeded(output: &Output, what: &str) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

impl Cluster {
    /// Options as `tests/testbed/cluster up` takes them.
    pub fn up(name: &str, options: &[&str]) -> Cluster {
        let mut cluster = Cluster { name: format!("{name}-{}", std::process::id()), kubeconfig: Value::Null };
        cluster.call("up", options);
        cluster.kubeconfig = cluster.kubectl_json(&["config", "view", "--raw"]);
        cluster
    }

    /// `pause`, `resume`, `restart`.
    pub fn call(&self, verb: &str, options: &[&str]) {
        let output = Command::new(script()).arg(verb).arg(&self.name).args(options).output().unwrap();
        succeeded(&output, verb);
    }

    pub fn kubectl_command(&self, arguments: &[&str]) -> Command {
        let folder = PathBuf::from(std::env::var_os("KUBEBUILDER_ASSETS").unwrap());
        let run = folder.parent().unwrap().join("run").join(&self.name).join("kubeconfig");
        let mut kubectl = Command::new(folder.join("kubectl"));
        kubectl.arg("--kubeconfig").arg(run).args(arguments);
        kubectl
    }

    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let mut kubectl = self.kubectl_command(arguments);
        succeeded(&kubectl.output().unwrap(), &format!("kubectl {}", arguments.join(" ")))
    }

    pub fn kubectl_json(&self, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["-o", "json"]].concat();
        serde_json::from_str(&self.kubectl(&arguments)).unwrap()
    }

    /// Objects of a kind in all namespaces.
    pub fn objects(&self, resource: &str) -> Vec<Value> {
        let list = self.kubectl_json(&["get", resource, "-A"]);
        list["items"].as_array().unwrap().clone()
    }

    /// A file beside this one.
    pub fn apply(&self, file: &str) {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/real").join(file);
        self.kubectl(&["apply", "-f", path.to_str().unwrap()]);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = Command::new(script()).arg("down").arg(&self.name).output();
    }
}

/// The console's binary with one kubeconfig for several clusters, and a home of its own.
pub struct Console {
    folder: tempfile::TempDir,
}

impl Console {
    pub fn new(clusters: &[&Cluster], elsewhere: &[(&str, &str)]) -> Console {
        let console = Console { folder: tempfile::tempdir().unwrap() };
        let mut merged =
            json!({"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []});
        for cluster in clusters {
            for part in ["clusters", "users", "contexts"] {
                let entries = cluster.kubeconfig[part].as_array().unwrap().iter();
                let own = entries.filter(|entry| !entry["name"].as_str().unwrap().ends_with("-viewer"));
                merged[part].as_array_mut().unwrap().extend(own.cloned());
            }
        }
        for (name, server) in elsewhere {
            let push = |list: &mut Value, entry| list.as_array_mut().unwrap().push(entry);
            push(&mut merged["clusters"], json!({"name": name, "cluster": {"server": server}}));
            push(
                &mut merged["contexts"],
                json!({"name": name, "context": {"cluster": name, "user": "nobody"}}),
            );
        }
        std::fs::write(console.kubeconfig(), merged.to_string()).unwrap();
        console
    }

    /// With the account that has the role `view` and nothing more.
    pub fn of_viewer(cluster: &Cluster) -> Console {
        let console = Console { folder: tempfile::tempdir().unwrap() };
        let mut kubeconfig = cluster.kubeconfig.clone();
        let contexts = kubeconfig["contexts"].as_array_mut().unwrap();
        contexts.retain(|it| it["name"].as_str().unwrap().ends_with("-viewer"));
        std::fs::write(console.kubeconfig(), kubeconfig.to_string()).unwrap();
        console
    }

    /// The kubeconfig as text.
    pub fn merged(&self) -> String {
        std::fs::read_to_string(self.kubeconfig()).unwrap()
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skydeck"));
        command.args(arguments).env("KUBECONFIG", self.kubeconfig()).env("HOME", self.folder.path());
        for variable in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "SKYDECK_CONFIG"] {
            command.env_remove(variable);
        }
        command
    }

    /// A document of `status -o json`.
    pub fn status(&self, what: &str) -> Value {
        let output = self.command(&["status", what, "-o", "json"]).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{:?}: {error}", output.status))
    }

    /// The documents of `status --watch -o json`, one whenever something changed.
    pub fn watch(&self, what: &str) -> Documents {
        let mut command = self.command(&["status", what, "-o", "json", "--watch"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, received) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send(serde_json::from_str(&line).unwrap()).is_err() {
                    return;
                }
            }
        });
        Documents { child, lines: received, last: Value::Null }
    }
}

pub struct Documents {
    child: Child,
    lines: Receiver<Value>,
    last: Value,
}

impl Documents {
    /// Reads until something is so; gives how long that took.
    pub fn until(&mut self, what: &str, at_most: Duration, so: impl Fn(&Value) -> bool) -> Duration {
        let began = Instant::now();
        while !so(&self.last) {
            match self.lines.recv_timeout(at_most.saturating_sub(began.elapsed())) {
                Ok(document) => self.last = document,
                Err(RecvTimeoutError::Timeout) => panic!("not {what} within {at_most:?}: {:#}", self.last),
                Err(RecvTimeoutError::Disconnected) => panic!("the program ended before {what}"),
            }
        }
        println!("{what}: {:.1} s", began.elapsed().as_secs_f64());
        began.elapsed()
    }
}

impl Drop for Documents {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that takes connections and never says a word, as long as the value lives.
pub fn swallowing() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
}

/// An address that refuses: it was bound, and is closed again.
pub fn refusing() -> String {
    let (listener, address) = swallowing();
    drop(listener);
    address
}
