//! From an entry of a kubeconfig to a door.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kube::config::{AuthInfo, Cluster, Kubeconfig};

use super::address::Address;
use super::budget::Budget;
use super::credentials::{Credential, DEADLINE, Plugin, Plugins};
use super::material::Material;
use super::proxies::Proxies;
use super::way::{Server, Way};
use super::{Door, Meter};
use crate::fleet::fact::Connection;
use crate::fleet::{Clean, Fault, FaultKind, Step};

/// What is needed to reach one cluster.
#[derive(Clone)]
pub struct Target {
    pub kubeconfig: Arc<Kubeconfig>,
    pub context: String,
}

impl Target {
    /// Whether both lead to one server with one credential, although they were read at different times. Which namespace
    /// is at hand, and how the entries are called, changes nothing.
    pub fn leads_where(&self, other: &Self) -> bool {
        self.context == other.context && self.way().is_some_and(|way| other.way() == Some(way))
    }

    /// Whether both lead to one address; the account, the proxy and what is trusted may differ.
    pub fn is_at(&self, other: &Self) -> bool {
        self.address().zip(other.address()).is_some_and(|(own, other)| own.may_be(&other))
    }

    fn way(&self) -> Option<[serde_json::Value; 2]> {
        let (cluster, user) = self.entries().ok()?;
        Some([serde_json::to_value(cluster).ok()?, serde_json::to_value(user).ok()?])
    }

    fn address(&self) -> Option<Address> {
        let (cluster, user) = self.entries().ok()?;
        Address::of(&cluster, Some(&user))
    }

    /// The entries that it is made of. A user who is not there has no credential, as with kubectl.
    fn entries(&self) -> Result<(Cluster, AuthInfo), Fault> {
        let wrong = |words: String| Fault::new(Step::Configure, FaultKind::Configuration, words);
        let Kubeconfig { contexts, clusters, auth_infos, .. } = &*self.kubeconfig;
        let context = contexts.iter().find(|it| it.name == self.context).and_then(|it| it.context.clone());
        let context = context.ok_or_else(|| wrong(format!("there is no context {}", self.context)))?;
        let cluster = clusters.iter().find(|it| it.name == context.cluster).and_then(|it| it.cluster.clone());
        let cluster = cluster.ok_or_else(|| wrong(format!("there is no cluster {}", context.cluster)))?;
        let user = auth_infos.iter().find(|it| Some(&it.name) == context.user.as_ref());
        Ok((cluster, user.and_then(|it| it.auth_info.clone()).unwrap_or_default()))
    }
}

/// A door and what is to be told about it.
pub struct Connected {
    pub door: Door,
    pub connection: Connection,
}

/// Makes doors. What they share is here: plugins that serve several clusters, the environment's proxies, and what each
/// cluster was asked already, so that one who connects anew has no more requests than one who stays.
#[derive(Clone)]
pub struct Connector {
    plugins: Plugins,
    proxies: Arc<Proxies>,
    ledgers: Arc<Mutex<HashMap<Address, Ledger>>>,
}

/// What is left of a server's budget, and what it was asked so far.
#[derive(Clone, Default)]
pub struct Ledger {
    pub budget: Arc<Budget>,
    pub meter: Arc<Meter>,
}

impl Connector {
    pub fn of_environment() -> Self {
        Self::new(Proxies::of_environment(), DEADLINE)
    }

    pub fn new(proxies: Proxies, patience: Duration) -> Self {
        Self { plugins: Plugins::new(patience), proxies: Arc::new(proxies), ledgers: Arc::default() }
    }

    /// A door that asks nobody yet; the first question runs a plugin, if there is one.
    pub fn connect(&self, target: &Target) -> Result<Connected, Fault> {
        let (cluster, user) = target.entries()?;
        let server = cluster.server.as_deref().unwrap_or_default();
        let wrong = |words: &str| Fault::new(Step::Configure, FaultKind::Configuration, words);
        let url: http::Uri = server.parse().map_err(|_| wrong("the server's address cannot be read"))?;
        if url.host().is_none_or(str::is_empty) {
            return Err(wrong("the server's address names no host"));
        }
        let proxy = self.proxies.to(&url, cluster.proxy_url.as_deref())?;
        let credential = Credential::of(&user, &cluster, &self.plugins)?;
        let connection = Connection {
            server: Clean::from(format!(
                "{}://{}",
                url.scheme_str().unwrap_or("https"),
                url.authority().map_or_else(|| "?".to_owned(), without_user)
            )),
            context: target.context.clone().into(),
            credential: kind(&user),
            proxy: proxy.as_ref().and_then(|it| it.authority()).map(|it| without_user(it).into()),
            insecure: cluster.insecure_skip_tls_verify.unwrap_or(false),
        };
        let ledger = self.ledger(Address::of(&cluster, Some(&user)));
        let server = Server {
            context: target.context.clone(),
            url,
            proxy,
            name: cluster.tls_server_name.clone().filter(|name| !name.is_empty()),
            insecure: connection.insecure,
            uncompressed: cluster.disable_compression.unwrap_or(false),
            speaks_for: speaks_for(&user),
        };
        let way = Way::new(server, credential, Material::of(&cluster, &user), ledger.clone());
        Ok(Connected { door: Door { way: Arc::new(way), ledger }, connection })
    }

    fn ledger(&self, address: Option<Address>) -> Ledger {
        let Some(address) = address else { return Ledger::default() };
        let mut ledgers = self.ledgers.lock().unwrap_or_else(PoisonError::into_inner);
        ledgers.entry(address).or_default().clone()
    }

    /// The plugin that a target's credential comes from.
    pub fn plugin(&self, target: &Target) -> Result<Option<Arc<Plugin>>, Fault> {
        let (cluster, user) = target.entries()?;
        Ok(Credential::of(&user, &cluster, &self.plugins)?.plugin().cloned())
    }

    /// Plugins that failed may run again now, and not only when the time has come.
    pub fn try_again(&self) {
        self.plugins.forgive();
    }
}

/// A user who is nobody but the one that is spoken for.
fn speaks_for(user: &AuthInfo) -> AuthInfo {
    AuthInfo {
        impersonate: user.impersonate.clone(),
        impersonate_uid: user.impersonate_uid.clone(),
        impersonate_groups: user.impersonate_groups.clone(),
        impersonate_user_extra: user.impersonate_user_extra.clone(),
        ..AuthInfo::default()
    }
}

fn without_user(authority: &http::uri::Authority) -> String {
    let text = authority.as_str();
    text.rsplit_once('@').map_or(text, |(_, host)| host).to_owned()
}

/// In the order in which they are taken.
fn kind(user: &AuthInfo) -> Clean {
    let words = if user.username.is_some() && user.password.is_some() {
        "password".into()
    } else if user.token_file.is_some() {
        "token file".into()
    } else if user.token.is_some() {
        "token".into()
    } else if let Some(provider) = &user.auth_provider {
        format!("provider {}", provider.name)
    } else if let Some(exec) = &user.exec {
        let command = exec.command.as_deref().unwrap_or("?");
        format!("exec {}", command.rsplit('/').next().unwrap_or(command))
    } else if user.client_certificate.is_some() || user.client_certificate_data.is_some() {
        "client certificate".into()
    } else {
        "none".into()
    };
    words.into()
}
