//! The one place where an answer can be held back, cut or replaced.
//!
//! Every request and every piece of every open stream passes here, outside of everything that knows
//! Kubernetes. A paused server is a stopped process as its clients see it: connections are accepted and
//! read, nothing is answered, open watches and logs fall silent; and it goes on where it stopped. Failures are
//! for tests: the demo fleet itself only falls silent.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use futures::{Stream, StreamExt, stream};
use serde_json::json;
use tokio::sync::watch;

#[derive(Debug)]
pub struct Seam {
    paused: watch::Sender<bool>,
    /// Counts up when every open stream is cut.
    cuts: watch::Sender<u64>,
    planned: Mutex<Vec<Planned>>,
    asked: Mutex<Vec<String>>,
}

/// What a request gets instead of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// A `metav1.Status` with this code.
    Status(u16),
    /// The same, with a wish when to come back, in seconds.
    RetryAfter(u16, u32),
    /// The head, a piece of the body, and then the connection is broken off.
    Cut,
    /// A body that is no JSON.
    Garbage,
}

#[derive(Debug)]
struct Planned {
    part: String,
    left: usize,
    failure: Failure,
}

impl Default for Seam {
    fn default() -> Seam {
        Seam {
            paused: watch::Sender::new(false),
            cuts: watch::Sender::new(0),
            planned: Mutex::default(),
            asked: Mutex::default(),
        }
    }
}

impl Seam {
    /// From now on: silence.
    pub fn pause(&self) {
        self.paused.send_replace(true);
    }

    /// Everything that waited goes on.
    pub fn resume(&self) {
        self.paused.send_replace(false);
    }

    pub fn is_paused(&self) -> bool {
        *self.paused.borrow()
    }

    /// Breaks off every watch and log that is open now.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// The next so many requests whose path and query have this part fail.
    pub fn fail(&self, part: &str, times: usize, failure: Failure) {
        let planned = Planned { part: part.to_owned(), left: times, failure };
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).push(planned);
    }

    /// Nothing fails any more.
    pub fn mend(&self) {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many requests since the last `forget` had this part in their path and query.
    pub fn asked(&self, part: &str) -> usize {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|path| path.contains(part)).count()
    }

    pub fn forget(&self) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Waits until the server is not paused.
    async fn awake(&self) {
        // The sender lives as long as `self`, so the wait cannot end for another reason.
        let _ = self.paused.subscribe().wait_for(|paused| !paused).await;
    }

    fn failure(&self, path: &str) -> Option<Failure> {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        let next = planned.iter_mut().find(|it| it.left > 0 && path.contains(&it.part))?;
        next.left -= 1;
        Some(next.failure)
    }

    fn note(&self, path: &str) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.len() < MOST_NOTED {
            asked.push(path.to_owned());
        }
    }
}

/// Requests that are remembered for those who count.
const MOST_NOTED: usize = 100_000;

/// The middleware.
pub async fn pass(State(seam): State<Arc<Seam>>, request: Request, next: Next) -> Response {
    seam.awake().await;
    let path = request.uri().path_and_query().map_or("/", |it| it.as_str()).to_owned();
    seam.note(&path);
    let response = match seam.failure(&path) {
        None => next.run(request).await,
        Some(Failure::Cut) => cut(next.run(request).await),
        Some(failure) => instead(failure),
    };
    seam.awake().await;
    if response.body().size_hint().exact().is_some() {
        return response;
    }
    response.map(|body| Body::from_stream(while_it_lasts(seam, body)))
}

/// The pieces of a stream, held back by a pause and ended by a cut.
fn while_it_lasts(seam: Arc<Seam>, body: Body) -> impl Stream<Item = Result<Bytes, io::Error>> {
    let cuts = seam.cuts.subscribe();
    stream::unfold((seam, cuts, body.into_data_stream()), |(seam, mut cuts, mut pieces)| async move {
        let piece = tokio::select! {
            biased;
            _ = cuts.changed() => Some(Err(broken())),
            piece = pieces.next() => piece.map(|piece| piece.map_err(io::Error::other)),
        }?;
        seam.awake().await;
        Some((piece, (seam, cuts, pieces)))
    })
}

fn cut(response: Response) -> Response {
    response.map(|body| {
        let begin = body
            .into_data_stream()
            .take(1)
            .map(|piece| piece.map(|bytes| bytes.slice(..bytes.len() / 2)).map_err(io::Error::other));
        Body::from_stream(begin.chain(stream::iter([Err(broken())])))
    })
}

fn broken() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionReset)
}

fn instead(failure: Failure) -> Response {
    let (code, body) = match failure {
        Failure::Status(code) | Failure::RetryAfter(code, _) => (code, status(code)),
        Failure::Cut | Failure::Garbage => (200, "<html>a proxy's page</html>".to_owned()),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = code.try_into().unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    if let Failure::RetryAfter(_, seconds) = failure {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn status(code: u16) -> String {
    let reason = match code {
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        410 => "Expired",
        429 => "TooManyRequests",
        504 => "Timeout",
        _ => "InternalError",
    };
    let message = format!("{reason}: a failure that was asked for");
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message})
        .to_string()
}
