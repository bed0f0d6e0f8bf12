//! The way to one server: kube's client below the guard, made again when a certificate changes, and each request
//! with its proof.
//!
//! A server that refuses a proof is asked again once when there is a newer one, and only if it was asked to read.
//! A write is sent once, whatever comes of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use base64::Engine;
use http::{Method, Request, Response, StatusCode, header};
use kube::client::{Body, ClientBuilder};
use kube::config::AuthInfo;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::connect::Ledger;
use super::credentials::{Credential, Identity, Proof};
use super::faults;
use super::guard::GuardLayer;
use super::material::Material;
use crate::fleet::{Fault, FaultKind, Step};

/// Certificates in files are looked at so often.
const LOOK: Duration = Duration::from_secs(10);
/// Reading them takes no longer, or their file system hangs.
const DEADLINE: Duration = Duration::from_secs(10);

pub struct Way {
    server: Server,
    credential: Credential,
    material: Arc<Material>,
    /// What certificates are read from.
    files: Vec<PathBuf>,
    ledger: Ledger,
    made: Mutex<Option<Made>>,
}

/// Where it leads, and how; without anything secret.
pub struct Server {
    pub context: String,
    pub url: http::Uri,
    pub proxy: Option<http::Uri>,
    pub name: Option<String>,
    pub insecure: bool,
    pub uncompressed: bool,
    /// Only whom to speak for: kube must find no token, and nothing to run.
    pub speaks_for: AuthInfo,
}

/// A client and what it was made of.
struct Made {
    client: kube::Client,
    config: Arc<kube::Config>,
    identity: Option<Arc<Identity>>,
    stamps: Vec<Stamp>,
    looked: Instant,
}

/// What a file looked like; `None` when it is not there.
type Stamp = Option<(Option<SystemTime>, u64)>;

impl Way {
    pub fn new(server: Server, credential: Credential, material: Material, ledger: Ledger) -> Self {
        let files = material.files();
        Self { server, credential, material: Arc::new(material), files, ledger, made: Mutex::default() }
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The PEM of the user's certificate in the kubeconfig, as it is now. May read a file.
    pub fn material(&self) -> &Arc<Material> {
        &self.material
    }

    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Whether a credential can be had, and used.
    pub async fn ready(&self) -> Result<(), Fault> {
        let proof = self.credential.proof().await?;
        self.client(proof.identity.as_ref()).await.map(drop)
    }

    /// How kube connects, with the certificate of the moment if there is one.
    pub async fn config(&self) -> Result<Arc<kube::Config>, Fault> {
        let made = self.made.lock().await;
        match &*made {
            Some(made) => Ok(Arc::clone(&made.config)),
            None => self.configure(None).await.map(Arc::new),
        }
    }

    pub async fn send(&self, step: Step, request: Request<Body>) -> Result<Response<Body>, Fault> {
        let proof = self.credential.proof().await?;
        let again = (request.method() == Method::GET).then(|| without_body(&request));
        let response = self.send_with(step, request, &proof).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        match (self.credential.instead_of(&proof).await, again) {
            (Some(newer), Some(request)) => {
                // What is asked in vain costs a server as much.
                self.ledger.budget.admit_urgent().await;
                self.ledger.meter.requests.fetch_add(1, Ordering::Relaxed);
                self.send_with(step, request, &newer).await
            }
            _ => Ok(response),
        }
    }

    async fn send_with(
        &self,
        step: Step,
        mut request: Request<Body>,
        proof: &Proof,
    ) -> Result<Response<Body>, Fault> {
        if let Some(header) = &proof.header {
            request.headers_mut().insert(header::AUTHORIZATION, header.clone());
        }
        let client = self.client(proof.identity.as_ref()).await?;
        #[expect(clippy::disallowed_methods, reason = "the guard below this client has the deadlines")]
        let response = client.send(request).await;
        response.map_err(|error| faults::of_kube(step, &error))
    }

    async fn client(&self, identity: Option<&Arc<Identity>>) -> Result<kube::Client, Fault> {
        let mut made = self.made.lock().await;
        let mut seen = None;
        if let Some(made) = &mut *made {
            let same = match (&made.identity, identity) {
                (Some(own), Some(new)) => Arc::ptr_eq(own, new),
                (own, new) => own.is_none() && new.is_none(),
            };
            if same && (self.files.is_empty() || made.looked.elapsed() < LOOK) {
                return Ok(made.client.clone());
            }
            let stamps = self.stamps().await;
            made.looked = Instant::now();
            if same && stamps == made.stamps {
                return Ok(made.client.clone());
            }
            seen = Some((stamps, same));
        }
        let (stamps, same) = match seen {
            Some(seen) => seen,
            None => (self.stamps().await, false),
        };
        match (self.make(identity, stamps).await, &*made) {
            (Ok(new), before) => {
                if before.is_some() {
                    tracing::info!(context = self.server.context, "its certificates changed: connected anew");
                }
                Ok(made.insert(new).client.clone())
            }
            // Half of a file that is being replaced: what was goes on.
            (Err(fault), Some(before)) if same => {
                tracing::warn!(
                    context = self.server.context,
                    "its certificates changed and are not taken: {fault}"
                );
                Ok(before.client.clone())
            }
            (Err(fault), _) => Err(fault),
        }
    }

    async fn make(&self, identity: Option<&Arc<Identity>>, stamps: Vec<Stamp>) -> Result<Made, Fault> {
        let config = self.configure(identity).await?;
        let builder = ClientBuilder::try_from(config.clone()).map_err(|error| unusable(&error))?;
        let client = builder.with_layer(&GuardLayer { meter: Arc::clone(&self.ledger.meter) }).build();
        let identity = identity.cloned();
        Ok(Made { client, config: Arc::new(config), identity, stamps, looked: Instant::now() })
    }

    /// Reads files, so it is done off the async threads and has a deadline.
    async fn configure(&self, identity: Option<&Arc<Identity>>) -> Result<kube::Config, Fault> {
        let material = Arc::clone(&self.material);
        let reading = tokio::task::spawn_blocking(move || material.read());
        let read = match timeout(DEADLINE, reading).await {
            Ok(Ok(read)) => read?,
            Ok(Err(_)) => return Err(Fault::new(Step::Configure, FaultKind::Panic, "reading it failed")),
            Err(_) => {
                let words = "a certificate's file cannot be read within 10s";
                return Err(Fault::new(Step::Connect, FaultKind::Credential, words));
            }
        };
        let server = &self.server;
        let mut config = kube::Config::new(server.url.clone());
        config.root_cert = read.authority;
        config.accept_invalid_certs = server.insecure;
        config.tls_server_name.clone_from(&server.name);
        config.disable_compression = server.uncompressed;
        config.proxy_url.clone_from(&server.proxy);
        config.auth_info = server.speaks_for.clone();
        config.default_retry = false;
        config.connect_timeout = Some(super::PROMPT.headers);
        let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let identity = match identity {
            Some(given) => Some((encoded(&given.certificate), encoded(given.key.expose()).into())),
            None => read.identity.map(|(certificate, key)| (certificate, key.expose().to_owned().into())),
        };
        if let Some((certificate, key)) = identity {
            config.auth_info.client_certificate_data = Some(certificate);
            config.auth_info.client_key_data = Some(key);
        }
        Ok(config)
    }

    async fn stamps(&self) -> Vec<Stamp> {
        let mut stamps = Vec::with_capacity(self.files.len());
        for file in &self.files {
            let seen = timeout(DEADLINE, tokio::fs::metadata(file)).await;
            stamps.push(seen.ok().and_then(Result::ok).map(|it| (it.modified().ok(), it.len())));
        }
        stamps
    }
}

/// The same question once more.
fn without_body(request: &Request<Body>) -> Request<Body> {
    let mut again = Request::new(Body::empty());
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    *again.extensions_mut() = request.extensions().clone();
    again
}

fn unusable(error: &kube::Error) -> Fault {
    let words = faults::of_kube(Step::Configure, error).detail;
    Fault::new(Step::Configure, FaultKind::Configuration, words)
}
