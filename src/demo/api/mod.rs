//! One Kubernetes API server over one store: HTTP in, `metav1` out.
//!
//! It is generic: the table of resources says what there is, the store says what is true, and these files
//! say how Kubernetes words it. Built-in kinds are read in protobuf or JSON, as they are asked for; what is
//! written comes and goes as JSON. It refuses to decide anything about the cluster: that is the scenario's.

mod accept;
mod admission;
mod asked;
mod body;
mod discovery;
mod failure;
mod line;
mod list;
mod logs;
mod mangle;
mod openapi;
mod options;
mod patch;
mod remove;
mod review;
mod route;
mod scale;
mod seam;
mod watch;
mod write;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware;
use axum::response::Response;
use serde_json::json;

use super::refusal::{Outcome, Refusal};
use super::resource::{Kind, Verbs};
use super::store::Store;
use accept::Wish;
use route::{Call, Route, Sub};

pub use asked::{Asked, Nature, Which};
pub use failure::{Failure, Mangled};
pub use seam::Seam;

/// What a server says of itself, and whom it lets in.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// `v1.33.5-eks-3025e55`
    pub git_version: String,
    /// The bearer token of the account that may do everything.
    pub token: String,
}

pub struct Server {
    store: Arc<Store>,
    seam: Arc<Seam>,
    identity: Identity,
    expired_as_http: AtomicBool,
    deletes_of_old: AtomicBool,
}

impl Server {
    pub fn new(store: Arc<Store>, identity: Identity) -> Arc<Server> {
        let seam = Arc::new(Seam::default());
        let (expired_as_http, deletes_of_old) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Server { store, seam, identity, expired_as_http, deletes_of_old })
    }

    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    pub fn seam(&self) -> &Arc<Seam> {
        &self.seam
    }

    /// A watch from a version that is too old gets an ERROR event inside a 200, or HTTP status 410.
    pub fn answer_expired_watches_with_http_410(&self, yes: bool) {
        self.expired_as_http.store(yes, Ordering::Relaxed);
    }

    /// A watch tells of deleted objects as they were, with the version of their last change and not that of their
    /// end: as old servers do, and some of what only looks like one.
    pub fn tell_deletes_with_old_versions(&self, yes: bool) {
        self.deletes_of_old.store(yes, Ordering::Relaxed);
    }

    /// Serves until the future is dropped.
    pub async fn serve(self: Arc<Self>, listener: std::net::TcpListener) -> std::io::Result<()> {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let entrance = line::Entrance { listener, lines: self.seam.lines().clone() };
        let seam = middleware::from_fn_with_state(self.seam.clone(), seam::pass);
        let router = Router::new().fallback(handle).with_state(self).layer(seam);
        axum::serve(entrance, router.into_make_service_with_connect_info::<line::Line>()).await
    }
}

async fn handle(State(server): State<Arc<Server>>, request: Request) -> Response {
    let encoding = accept::of_errors(request.headers());
    answer(&server, request).await.unwrap_or_else(|refusal| body::refusal(&refusal, encoding))
}

async fn answer(server: &Arc<Server>, request: Request) -> Outcome<Response> {
    let route = Route::parse(request.uri().path());
    if !matches!(route, Route::Health | Route::Version) {
        server.identity.user(&request)?;
    }
    match route {
        Route::Resource(call) => resource(server, call, request).await,
        Route::Nowhere => Ok(body::text(404, "404 page not found\n")),
        _ if request.method() != Method::GET => Err(Refusal::method_not_allowed()),
        Route::Health => Ok(body::text(200, "ok")),
        Route::Version => Ok(body::json(200, &version(&server.identity.git_version))),
        Route::OpenApi(group_version) => Ok(openapi::answer(group_version.as_deref())),
        Route::Discovery(topic) => Ok(discovery::answer(&topic, request.headers())),
    }
}

async fn resource(server: &Arc<Server>, call: Call, request: Request) -> Outcome<Response> {
    let params = route::Params::of(request.uri())?;
    let wish = Wish::of(request.headers(), call.kind)?;
    review::authorize(server, &call, &request)?;
    if call.kind.row().verbs == Verbs::Review {
        return review::answer(server, &call, request).await;
    }
    match (request.method().as_str(), &call.name, call.sub) {
        ("GET", None, Sub::None) if params.flag("watch") => watch::open(server, &call, &params, wish),
        ("GET", None, Sub::None) => list::answer(server, &call, &params, wish),
        ("GET", Some(_), Sub::None | Sub::Status) => list::one(server, &call, wish),
        ("GET", Some(_), Sub::Log) => logs::answer(server, &call, &params),
        ("GET", Some(_), Sub::Scale) => scale::get(server, &call),
        ("POST", None, Sub::None) => write::create(server, &call, &params, request).await,
        ("PUT" | "PATCH", Some(_), Sub::Scale) => scale::change(server, &call, &params, request).await,
        ("PUT" | "PATCH", Some(_), Sub::None | Sub::Status) => {
            write::change(server, &call, &params, request).await
        }
        ("DELETE", Some(_), Sub::None) => remove::one(server, &call, &params, request).await,
        ("DELETE", None, Sub::None) => remove::all(server, &call, &params, request).await,
        _ => Err(Refusal::method_not_allowed()),
    }
}

fn version(git_version: &str) -> serde_json::Value {
    let mut numbers = git_version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or("1"), numbers.next().unwrap_or("0"));
    json!({
        "major": major, "minor": minor, "gitVersion": git_version,
        "gitCommit": "0000000000000000000000000000000000000000", "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z", "goVersion": "go1.24.6", "compiler": "gc", "platform": "linux/amd64",
    })
}

impl Call {
    /// The kind must be namespaced for a name to need a namespace.
    fn key(&self) -> super::store::Key {
        super::store::Key::new(
            self.namespace.as_deref().unwrap_or_default(),
            self.name.as_deref().unwrap_or_default(),
        )
    }

    fn kind(&self) -> Kind {
        self.kind
    }
}
