//! From an entry of a kubeconfig to a door.

use std::sync::Arc;
use std::time::Duration;

use kube::client::ClientBuilder;
use kube::config::{AuthInfo, ExecInteractiveMode, KubeConfigOptions, Kubeconfig};

use super::guard::GuardLayer;
use super::{Door, Meter, certificate, faults};
use crate::fleet::fact::Connection;
use crate::fleet::{Clean, Fault, FaultKind, Step, Unix};

/// How long making a client may take; a credential plugin may run in it.
const DEADLINE: Duration = Duration::from_secs(30);

/// What is needed to reach one cluster.
#[derive(Clone)]
pub struct Target {
    pub kubeconfig: Arc<Kubeconfig>,
    pub context: String,
}

impl Target {
    /// Whether both lead to one server with one credential, although they were read at different times.
    pub fn leads_where(&self, other: &Self) -> bool {
        self.way().is_some_and(|way| other.way() == Some(way))
    }

    fn way(&self) -> Option<[serde_json::Value; 3]> {
        let Kubeconfig { contexts, clusters, auth_infos, .. } = &*self.kubeconfig;
        let context = contexts.iter().find(|it| it.name == self.context)?;
        let inner = context.context.as_ref()?;
        let cluster = clusters.iter().find(|it| it.name == inner.cluster);
        let user = auth_infos.iter().find(|it| Some(&it.name) == inner.user.as_ref());
        Some([
            serde_json::to_value(context).ok()?,
            serde_json::to_value(cluster).ok()?,
            serde_json::to_value(user).ok()?,
        ])
    }
}

/// A door and what is to be told about it.
pub struct Connected {
    pub door: Door,
    pub connection: Connection,
    pub client_expires: Option<Unix>,
    pub config: kube::Config,
}

/// Makes a client. May run a credential plugin, so it is done off the async threads and has a deadline.
pub async fn connect(target: Target) -> Result<Connected, Fault> {
    let task = tokio::task::spawn_blocking(move || {
        let handle = tokio::runtime::Handle::current();
        handle.block_on(build(target))
    });
    match tokio::time::timeout(DEADLINE, task).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Fault::new(Step::Connect, FaultKind::Panic, "making a client failed")),
        Err(_) => {
            let words = "the credential plugin did not end";
            Err(Fault::new(Step::Connect, FaultKind::Credential, words))
        }
    }
}

async fn build(target: Target) -> Result<Connected, Fault> {
    let kubeconfig = quiet(&target.kubeconfig);
    let options = KubeConfigOptions { context: Some(target.context.clone()), ..Default::default() };
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| Fault::new(Step::Configure, FaultKind::Configuration, told(&error)))?;
    config.default_retry = false;
    config.connect_timeout = Some(super::PROMPT.headers);
    let connection = describe(&config, &target.context);
    let meter = Arc::new(Meter::default());
    let builder = ClientBuilder::try_from(config.clone()).map_err(|error| unusable(&error))?;
    let client = builder.with_layer(&GuardLayer { meter: Arc::clone(&meter) }).build();
    let client_expires = certificate::of_client(&config.auth_info);
    Ok(Connected { door: Door::new(client, meter), connection, client_expires, config })
}

/// Credential plugins never get this terminal: kube lets them have it unless it is told not to.
fn quiet(kubeconfig: &Kubeconfig) -> Kubeconfig {
    let mut kubeconfig = kubeconfig.clone();
    let users = kubeconfig.auth_infos.iter_mut().filter_map(|user| user.auth_info.as_mut());
    for exec in users.filter_map(|user| user.exec.as_mut()) {
        exec.interactive_mode = Some(ExecInteractiveMode::Never);
    }
    kubeconfig
}

/// A plugin may work the next time; a wrong entry will not.
fn unusable(error: &kube::Error) -> Fault {
    match error {
        kube::Error::Auth(error) => faults::of_auth(Step::Connect, error),
        other => {
            let words = faults::of_kube(Step::Configure, other).detail;
            Fault::new(Step::Configure, FaultKind::Configuration, words)
        }
    }
}

/// Only kinds of mistakes whose texts hold names and paths, never contents.
fn told(error: &kube::config::KubeconfigError) -> String {
    use kube::config::KubeconfigError as E;
    match error {
        E::LoadContext(_) | E::LoadClusterOfContext(_) | E::MissingClusterUrl | E::ParseClusterUrl(_) => {
            error.to_string()
        }
        E::ParseProxyUrl(_) => "the proxy's address cannot be read".into(),
        _ => "the certificate authority or another file cannot be read".into(),
    }
}

fn describe(config: &kube::Config, context: &str) -> Connection {
    let url = &config.cluster_url;
    let scheme = url.scheme_str().unwrap_or("https");
    let host = url.authority().map_or_else(|| "?".to_owned(), without_user);
    Connection {
        server: Clean::from(format!("{scheme}://{host}")),
        context: context.into(),
        credential: credential(&config.auth_info),
        proxy: config
            .proxy_url
            .as_ref()
            .and_then(|proxy| proxy.authority())
            .map(|it| without_user(it).into()),
        insecure: config.accept_invalid_certs,
    }
}

fn without_user(authority: &http::uri::Authority) -> String {
    let text = authority.as_str();
    text.rsplit_once('@').map_or(text, |(_, host)| host).to_owned()
}

fn credential(user: &AuthInfo) -> Clean {
    let words = if let Some(exec) = &user.exec {
        let command = exec.command.as_deref().unwrap_or("?");
        format!("exec {}", command.rsplit('/').next().unwrap_or(command))
    } else if let Some(provider) = &user.auth_provider {
        format!("provider {}", provider.name)
    } else if user.token.is_some() {
        "token".into()
    } else if user.token_file.is_some() {
        "token file".into()
    } else if user.client_certificate.is_some() || user.client_certificate_data.is_some() {
        "client certificate".into()
    } else if user.username.is_some() {
        "password".into()
    } else {
        "none".into()
    };
    words.into()
}
