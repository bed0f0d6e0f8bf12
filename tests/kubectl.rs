//! `kubectl` against the demo fleet: what people will do with it.
#![cfg(test)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use skydeck::demo::{Fleet, Options};
use tempfile::TempDir;

/// A kubectl that knows nothing but the fleet.
struct Kubectl {
    home: TempDir,
}

/// One fleet for all tests; it ends with the process.
fn fleet() -> &'static Fleet {
    static FLEET: OnceLock<Fleet> = OnceLock::new();
    FLEET.get_or_init(|| Fleet::start(&Options { outages: false, ..Options::default() }).unwrap())
}

impl Kubectl {
    /// `None` when kubectl is not installed.
    fn new() -> Option<Kubectl> {
        if Command::new("kubectl").args(["version", "--client"]).output().is_err() {
            println!("skipped: kubectl is not installed");
            return None;
        }
        let home = TempDir::new().unwrap();
        std::fs::write(home.path().join("config"), fleet().kubeconfig()).unwrap();
        Some(Kubectl { home })
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("kubectl");
        command.env("KUBECONFIG", self.home.path().join("config")).env("HOME", self.home.path());
        command.arg("--cache-dir").arg(self.home.path().join("cache")).args(words(line));
        command
    }

    fn run(&self, line: &str) -> Result<String, String> {
        let output = self.command(line).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    fn ok(&self, line: &str) -> String {
        self.run(line).unwrap_or_else(|error| panic!("kubectl {line}: {error}"))
    }

    /// Runs it until its output has that text, or so many lines; it is ended then.
    fn first_lines(&self, line: &str, count: usize) -> Vec<String> {
        let mut child = self.command(line).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines =
            BufReader::new(child.stdout.take().unwrap()).lines().take(count).map(Result::unwrap).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        lines
    }
}

/// Words apart by blanks; what stands in single quotes is one word.
fn words(line: &str) -> Vec<String> {
    line.split('\'')
        .enumerate()
        .flat_map(|(index, part)| {
            if index % 2 == 1 {
                vec![part.to_owned()]
            } else {
                part.split_whitespace().map(str::to_owned).collect()
            }
        })
        .collect()
}

#[test]
fn kubectl_reads() {
    let Some(kubectl) = Kubectl::new() else { return };
    let everything = kubectl.ok("get deploy,pods,jobs -A");
    for part in [
        "READY",
        "UP-TO-DATE",
        "RESTARTS",
        "COMPLETIONS",
        "deployment.apps/ml-inference",
        "llama-lora-3-training",
    ] {
        assert!(everything.contains(part), "{part} is not in\n{everything}");
    }
    assert!(kubectl.ok("--context gcp-central get pods -n ml-platform").contains("CrashLoopBackOff"));
    assert!(kubectl.ok("--context azure-eastus get pods -n ml-platform").contains("ImagePullBackOff"));
    assert!(kubectl.ok("--context azure-eastus get nodes").contains("NotReady"));
    assert!(
        kubectl
            .ok("get tj,so,ro,lws,jobsets,kwl,hpa,pdb,crd -A")
            .contains("trainingjob.ml.example.com/bert-finetune-7")
    );
    assert!(kubectl.ok("get pods -A --chunk-size 7 -o wide").contains("NODE"));
    assert!(kubectl.ok("get deploy -n ml-platform llm-serve -o yaml").contains("kind: Deployment"));
    assert!(kubectl.ok("api-resources").contains("leaderworkersets"));
    assert!(kubectl.ok("get events -A").contains("FailedScheduling"));
    assert_eq!(kubectl.ok("auth can-i delete pods").trim(), "yes");
    assert!(kubectl.ok("version").contains("-eks-"));
    assert!(kubectl.run("get deploy -n ml-platform nope").unwrap_err().contains("NotFound"));
}

#[test]
fn kubectl_describes_and_follows() {
    let Some(kubectl) = Kubectl::new() else { return };
    assert!(kubectl.ok("describe deploy -n ml-platform ml-inference").contains("MinimumReplicasAvailable"));
    assert!(kubectl.ok("describe job -n ml-training llama-lora-3-training").contains("4 Failed"));
    assert!(
        kubectl
            .ok("describe pods -n ml-training -l job-name=dlrm-train-xl")
            .contains("Insufficient nvidia.com/gpu")
    );
    let node =
        kubectl.ok("get nodes -l nvidia.com/gpu.present=true -o name").lines().next().unwrap().to_owned();
    assert!(kubectl.ok(&format!("describe {node}")).contains("nvidia.com/gpu"));
    assert!(kubectl.ok("describe svc -n ml-platform ml-inference").contains("TargetPort"));
    let pod = kubectl
        .ok("get pods -n ml-training -l training-job=bert-finetune-7 -o name")
        .lines()
        .next()
        .unwrap()
        .to_owned();
    assert!(kubectl.ok(&format!("logs -n ml-training {pod} --tail 2 --timestamps")).contains("loss"));
    assert_eq!(kubectl.first_lines(&format!("logs -f -n ml-training {pod} --tail 1"), 2).len(), 2);
    let watched = kubectl.first_lines("get leases -n kube-node-lease -w", 20);
    assert!(watched.len() == 20 && watched[0].contains("HOLDER"), "{watched:?}");
}

#[test]
fn kubectl_writes() {
    let Some(kubectl) = Kubectl::new() else { return };
    kubectl.ok("scale deploy -n ml-platform reranker --replicas 3");
    let done = kubectl.ok("rollout status deploy -n ml-platform reranker --timeout 60s");
    assert!(done.contains("successfully rolled out"), "{done}");
    let racing =
        kubectl.run("scale deploy -n ml-platform reranker --replicas 1 --resource-version 1").unwrap_err();
    assert!(racing.contains("Expected resource version"), "{racing}");
    kubectl.ok(r#"patch deploy -n ml-platform drift-monitor --type merge -p '{"spec":{"replicas":2}}'"#);
    kubectl.ok(
        r#"patch deploy -n ml-platform drift-monitor --type json -p '[{"op":"test","path":"/spec/replicas","value":2},{"op":"replace","path":"/spec/replicas","value":1}]'"#,
    );
    kubectl.ok("annotate deploy -n ml-platform drift-monitor example.com/seen=yes");
    kubectl.ok(
        r#"patch job -n ml-training bert-finetune-7-training --type merge -p '{"spec":{"suspend":true}}'"#,
    );
    kubectl.ok("wait job -n ml-training bert-finetune-7-training --for condition=Suspended --timeout 30s");
    kubectl.ok("delete pod -n ml-platform feature-store-redis-2");
    kubectl.ok("wait pod -n ml-platform feature-store-redis-2 --for create --timeout 30s");
    kubectl.ok("delete job -n ml-training imagenet-shards");
    assert!(!kubectl.ok("get pods -n ml-training").contains("imagenet-shards"));
    let manifest = kubectl.home.path().join("config.json");
    std::fs::write(&manifest, r#"{"apiVersion":"ml.example.com/v1","kind":"TrainingJob","metadata":{"name":"mine","namespace":"ml-training"},"spec":{"framework":"jax","hyperparameters":{"max_steps":"20"}}}"#).unwrap();
    kubectl.ok(&format!("create -f {}", manifest.display()));
    let phase = "wait tj -n ml-training mine --for jsonpath={.status.phase}=Succeeded --timeout 60s";
    kubectl.ok(phase);
    assert!(kubectl.run(&format!("create -f {}", manifest.display())).unwrap_err().contains("AlreadyExists"));
}
