//! What a kubeconfig says about a credential plugin, and what the plugin answers: the protocol
//! `client.authentication.k8s.io`, v1 and v1beta1.
//!
//! Arguments and variables can hold secrets and answers always do, so nothing here can be printed. Errors are
//! words of our own; none quotes an answer.

use std::path::PathBuf;
use std::time::Duration;

use kube::config::{Cluster, ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;

use crate::clients::secret::Secret;
use crate::fleet::{Clean, Fault, FaultKind, Step, Unix};

const GROUP: &str = "client.authentication.k8s.io/";
/// The name under which a cluster keeps what its plugin wants to know.
const CLUSTER_EXTENSION: &str = "client.authentication.k8s.io/exec";
const AUTHORITY: &str = "certificate-authority-data";
/// Hints of how to install a plugin are cut there.
const LONGEST_HINT: usize = 240;

/// How to run a plugin. Users with an equal one share its runs, in however many clusters.
#[derive(PartialEq, Eq, Hash)]
pub struct Exec {
    api_version: String,
    pub command: String,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    /// What it is told of the cluster; only when it wants to know, for then each cluster is a run.
    cluster: Option<Told>,
    pub asks: Asks,
    hint: Clean,
}

/// A cluster as plugins are told of it.
#[derive(PartialEq, Eq, Hash)]
struct Told {
    /// JSON, without an authority that is in a file.
    parts: String,
    /// Read when the plugin is run: its file system may hang, and the file may change.
    authority: Option<PathBuf>,
}

/// Whether the plugin may ask a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asks {
    Never,
    IfItCan,
    Always,
}

impl Exec {
    pub fn of(config: &ExecConfig, cluster: &Cluster) -> Result<Self, Fault> {
        let wrong = |words: String| Fault::new(Step::Configure, FaultKind::Configuration, words);
        let command = config.command.clone().filter(|command| !command.is_empty());
        let command = command.ok_or_else(|| wrong("the credential plugin has no command".into()))?;
        let api_version = config.api_version.clone().unwrap_or_default();
        if !["v1", "v1beta1"].iter().any(|known| api_version.strip_prefix(GROUP) == Some(known)) {
            let words =
                format!("the credential plugin speaks `{api_version}`: only v1 and v1beta1 are spoken");
            return Err(wrong(words));
        }
        let env = config.env.iter().flatten();
        let env = env.filter_map(|it| Some((it.get("name")?.clone(), it.get("value")?.clone())));
        Ok(Self {
            api_version,
            command,
            args: config.args.clone().unwrap_or_default(),
            env: env.collect(),
            cluster: config.provide_cluster_info.then(|| Told::of(cluster)),
            asks: match config.interactive_mode {
                Some(ExecInteractiveMode::Never) => Asks::Never,
                Some(ExecInteractiveMode::Always) => Asks::Always,
                Some(ExecInteractiveMode::IfAvailable) | None => Asks::IfItCan,
            },
            hint: config.install_hint.as_deref().map(shortened).unwrap_or_default(),
        })
    }

    /// The value of `KUBERNETES_EXEC_INFO`. May read a file.
    pub fn info(&self, interactive: bool) -> Result<String, Fault> {
        let mut spec = json!({"interactive": interactive});
        if let Some(told) = &self.cluster {
            spec["cluster"] = told.json()?;
        }
        Ok(json!({"apiVersion": self.api_version, "kind": "ExecCredential", "spec": spec}).to_string())
    }

    /// The plugin's name, without its folder and its arguments.
    pub fn name(&self) -> Clean {
        Clean::new(self.command.rsplit('/').next().unwrap_or(&self.command))
    }

    pub fn fault(&self, kind: FaultKind, words: &str) -> Fault {
        Fault::new(Step::Connect, kind, format!("{} {words}", self.name()))
    }

    pub fn cannot_start(&self, error: &std::io::Error) -> Fault {
        let what = match error.kind() {
            std::io::ErrorKind::NotFound => "is not there".to_owned(),
            std::io::ErrorKind::PermissionDenied => "may not be run".to_owned(),
            kind => format!("cannot be run: {kind}"),
        };
        // The whole path, when there is one: this is about where it is looked for.
        let place = Clean::new(&self.command);
        let hint = if self.hint.is_empty() { String::new() } else { format!("; {}", self.hint) };
        Fault::new(
            Step::Connect,
            FaultKind::Credential,
            format!("the credential plugin {place} {what}{hint}"),
        )
    }

    pub fn hung(&self, after: Duration) -> Fault {
        let words = format!("did not end within {}s and was ended", after.as_secs());
        self.fault(FaultKind::Credential, &words)
    }
}

fn shortened(hint: &str) -> Clean {
    let words = hint.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(LONGEST_HINT) {
        None => words.into(),
        Some((at, _)) => Clean::from(format!("{}…", &words[..at])),
    }
}

impl Told {
    fn of(cluster: &Cluster) -> Self {
        let data = cluster.certificate_authority_data.clone();
        let file = cluster.certificate_authority.as_ref().filter(|_| data.is_none());
        let extension = cluster.extensions.iter().flatten().find(|it| it.name == CLUSTER_EXTENSION);
        let parts = json!({
            "server": cluster.server,
            "tls-server-name": cluster.tls_server_name,
            "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify.filter(|skip| *skip),
            AUTHORITY: data,
            "proxy-url": cluster.proxy_url,
            "disable-compression": cluster.disable_compression.filter(|disable| *disable),
            "config": extension.map(|it| it.extension.clone()),
        });
        let parts = parts.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        let parts: serde_json::Map<_, _> = parts.map(|(name, value)| (name.clone(), value.clone())).collect();
        Self { parts: serde_json::Value::Object(parts).to_string(), authority: file.map(PathBuf::from) }
    }

    /// The authority is always given as data.
    fn json(&self) -> Result<serde_json::Value, Fault> {
        use base64::Engine;
        let mut json: serde_json::Value = serde_json::from_str(&self.parts).unwrap_or_default();
        if let Some(file) = &self.authority {
            let words = |error: std::io::Error| {
                format!("the certificate authority {} cannot be read: {}", file.display(), error.kind())
            };
            let read = std::fs::read(file)
                .map_err(|error| Fault::new(Step::Connect, FaultKind::Credential, words(error)))?;
            json[AUTHORITY] = base64::engine::general_purpose::STANDARD.encode(read).into();
        }
        Ok(json)
    }
}

/// What a plugin gave: a token, a certificate, or both.
pub struct Given {
    pub token: Option<Secret>,
    pub identity: Option<Identity>,
    pub expires: Option<Unix>,
}

/// A certificate and its key, as PEM.
pub struct Identity {
    pub certificate: String,
    pub key: Secret,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    kind: Option<String>,
    api_version: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

impl Given {
    /// `Err` with what is wrong with the answer.
    pub fn of(exec: &Exec, printed: &[u8]) -> Result<Self, &'static str> {
        const NOTHING: &str = "printed no credential";
        let text = std::str::from_utf8(printed).map_err(|_| NOTHING)?;
        if text.trim().is_empty() {
            return Err(NOTHING);
        }
        let json = serde_json::from_str(text).ok();
        let answer: Answer = json.or_else(|| serde_saphyr::from_str(text).ok()).ok_or(NOTHING)?;
        if answer.kind.as_deref() != Some("ExecCredential") {
            return Err(NOTHING);
        }
        if answer.api_version.as_deref() != Some(&exec.api_version) {
            return Err("answered in another version than it was asked in");
        }
        let status = answer.status.ok_or("printed a credential without a status")?;
        let expires = status.expiration_timestamp.filter(|text| !text.is_empty());
        let expires = match expires {
            None => None,
            Some(text) => Some(Unix::parse(&text).ok_or("printed an expiry that is not a time")?),
        };
        let token = status.token.map(|token| Secret::new(token.trim().to_owned()));
        let token = token.filter(|token| !token.is_empty());
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        let identity = match (some(status.client_certificate_data), some(status.client_key_data)) {
            (Some(certificate), Some(key)) => Some(Identity { certificate, key: Secret::new(key) }),
            (None, None) => None,
            _ => return Err("printed half of a certificate and its key"),
        };
        if token.is_none() && identity.is_none() {
            return Err("printed neither a token nor a certificate");
        }
        Ok(Self { token, identity, expires })
    }
}
