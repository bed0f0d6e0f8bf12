//! What proves to a server who asks: tokens, passwords, certificates, and what credential plugins give.
//!
//! kube would run a plugin three times for one client, on the async threads, with the operator's terminal, and
//! never again when a server refuses its token. So credentials are our own business: kube gets a request that
//! has its header, and a certificate as data.

mod exec;
mod plugin;
mod process;
mod token_file;
mod words;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use base64::Engine;
use http::HeaderValue;
use kube::config::{AuthInfo, Cluster};

use exec::Exec;
pub use exec::Identity;
use plugin::Held;
pub use plugin::Plugin;
use token_file::TokenFile;

use crate::clients::secret::{Secret, basic};
use crate::fleet::{Fault, FaultKind, Step, Unix};

/// A plugin that does not end by itself within so long is ended.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// The plugins that are in use; one for all users whose kubeconfigs run the same.
#[derive(Clone)]
pub struct Plugins {
    known: Arc<Mutex<HashMap<Arc<Exec>, Weak<Plugin>>>>,
    patience: Duration,
}

impl Plugins {
    pub fn new(patience: Duration) -> Self {
        Self { known: Arc::default(), patience }
    }

    fn plugin(&self, exec: Exec) -> Arc<Plugin> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, plugin| plugin.strong_count() > 0);
        if let Some(plugin) = known.get(&exec).and_then(Weak::upgrade) {
            return plugin;
        }
        let exec = Arc::new(exec);
        let plugin = Arc::new(Plugin::new(Arc::clone(&exec), self.patience));
        known.insert(exec, Arc::downgrade(&plugin));
        plugin
    }

    /// What failed may be tried again now.
    pub fn forgive(&self) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().filter_map(Weak::upgrade).for_each(|plugin| plugin.forgive());
    }
}

/// How one user of a kubeconfig proves who they are.
pub struct Credential {
    kind: Kind,
}

enum Kind {
    /// A certificate may still be given with the connection.
    Nothing,
    Fixed(HeaderValue, Option<Unix>),
    File(TokenFile),
    Plugin(Arc<Plugin>),
}

/// What goes with one request.
pub struct Proof {
    pub header: Option<HeaderValue>,
    pub identity: Option<Arc<Identity>>,
    held: Option<Arc<Held>>,
}

impl Credential {
    /// In the order in which kubectl takes them: a password, a token, a provider, a plugin.
    pub fn of(user: &AuthInfo, cluster: &Cluster, plugins: &Plugins) -> Result<Self, Fault> {
        let wrong = |words: &str| Fault::new(Step::Configure, FaultKind::Configuration, words);
        let fixed = |header: Option<HeaderValue>, ends| {
            let header = header.ok_or_else(|| wrong("the token or password cannot be sent"))?;
            Ok(Kind::Fixed(header, ends))
        };
        let kind = if let (Some(name), Some(password)) = (&user.username, &user.password) {
            fixed(basic(name, &Secret::from(password)), None)?
        } else if let Some(file) = &user.token_file {
            Kind::File(TokenFile::new(file.into(), user.token.as_ref().map(Secret::from)))
        } else if let Some(token) = &user.token {
            let token = Secret::from(token);
            fixed(token.bearer(), end_of(&token))?
        } else if let Some(provider) = &user.auth_provider {
            let token = provider.config.get("id-token").filter(|_| provider.name == "oidc");
            let words = format!(
                "the auth provider {} is gone from Kubernetes: let your cloud write the kubeconfig anew",
                provider.name
            );
            let token = Secret::new(token.ok_or_else(|| wrong(&words))?.clone());
            fixed(token.bearer(), end_of(&token))?
        } else if let Some(exec) = &user.exec {
            Kind::Plugin(plugins.plugin(Exec::of(exec, cluster)?))
        } else {
            Kind::Nothing
        };
        Ok(Self { kind })
    }

    pub async fn proof(&self) -> Result<Proof, Fault> {
        let header = match &self.kind {
            Kind::Nothing => None,
            Kind::Fixed(header, _) => Some(header.clone()),
            Kind::File(file) => Some(file.header().await?),
            Kind::Plugin(plugin) => return Ok(Proof::of(plugin.held().await?)),
        };
        Ok(Proof { header, identity: None, held: None })
    }

    /// A server refused it; another one, if there is one.
    pub async fn instead_of(&self, proof: &Proof) -> Option<Proof> {
        match (&self.kind, &proof.held) {
            (Kind::File(file), _) => {
                let header = Some(file.read_again().await?);
                (header != proof.header).then_some(Proof { header, identity: None, held: None })
            }
            (Kind::Plugin(plugin), Some(held)) if plugin.refused(held).await => self.proof().await.ok(),
            _ => None,
        }
    }

    pub fn plugin(&self) -> Option<&Arc<Plugin>> {
        match &self.kind {
            Kind::Plugin(plugin) => Some(plugin),
            _ => None,
        }
    }

    /// What it holds now is good until then; `None` when that is not known, or there is no end.
    pub fn ends(&self) -> Option<Unix> {
        match &self.kind {
            Kind::Nothing => None,
            Kind::Fixed(_, ends) => *ends,
            Kind::File(file) => file.ends(),
            Kind::Plugin(plugin) => plugin.holds()?.expires,
        }
    }
}

impl Proof {
    fn of(held: Arc<Held>) -> Self {
        Self { header: held.header.clone(), identity: held.identity.clone(), held: Some(held) }
    }
}

/// When a token ends, if it is one that says so (a JWT). Nobody's signature is checked: it is told, not believed.
fn end_of(token: &Secret) -> Option<Unix> {
    let payload = token.expose().split('.').nth(1)?;
    let payload =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    claims["exp"].as_i64().map(Unix)
}

/// The wall clock: the ends of credentials are told in its time, also after a sleep of the machine.
#[expect(clippy::disallowed_methods, reason = "a credential's end is a time of the wall clock")]
fn wall() -> Unix {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Unix(since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_says_when_it_ends_is_understood() {
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"exp":1790000000}"#);
        assert_eq!(end_of(&Secret::new(format!("e30.{claims}.c2ln"))), Some(Unix(1_790_000_000)));
        for none in ["", "opaque", "a.b.c", "e30.e30.x"] {
            assert_eq!(end_of(&Secret::new(none.into())), None, "{none}");
        }
    }
}
