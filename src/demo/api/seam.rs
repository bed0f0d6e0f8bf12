//! The one place where an answer can be held back, cut or replaced.
//!
//! Every request and every piece of every open stream passes here, outside of everything that knows
//! Kubernetes. A paused server is a stopped process as its clients see it: connections are accepted and
//! read, nothing is answered, open watches and logs fall silent; and it goes on where it stopped. Failures,
//! records and interventions are for tests: the demo fleet itself only falls silent.
//!
//! ```text
//! seam.strike(Which::write().at("/scale"), 1, Failure::StatusAfter(504));   // applied, and nobody knows
//! seam.before(Which::write().at("/scale"), move || someone_else_writes());  // while the dialog is open
//! seam.count(&Which::write().of_change(id))                                 // 0 or 1
//! ```

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures::{Stream, StreamExt, stream};
use tokio::sync::watch;

use super::accept;
use super::asked::{Asked, Nature, Which};
use super::failure::Failure;
use super::line::{Line, Lines};
use super::mangle;

#[derive(Debug)]
pub struct Seam {
    paused: watch::Sender<bool>,
    /// Counts up when every open stream is cut.
    cuts: watch::Sender<u64>,
    /// Counts up when everything is mended.
    mended: watch::Sender<u64>,
    planned: Mutex<Vec<Planned>>,
    hooks: Mutex<Vec<Hook>>,
    asked: Mutex<Vec<Asked>>,
    writing: AtomicUsize,
    most_writing: AtomicUsize,
    lines: Arc<Lines>,
    only_json: AtomicBool,
}

#[derive(Debug)]
struct Planned {
    which: Which,
    left: usize,
    failure: Failure,
}

/// Something that happens once, beside a request.
struct Hook {
    which: Which,
    before: bool,
    act: Box<dyn FnOnce() + Send>,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").field("which", &self.which).finish_non_exhaustive()
    }
}

impl Default for Seam {
    fn default() -> Seam {
        Seam {
            paused: watch::Sender::new(false),
            cuts: watch::Sender::new(0),
            mended: watch::Sender::new(0),
            planned: Mutex::default(),
            hooks: Mutex::default(),
            asked: Mutex::default(),
            writing: AtomicUsize::new(0),
            most_writing: AtomicUsize::new(0),
            lines: Arc::default(),
            only_json: AtomicBool::new(false),
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

    /// Resets every connection there is now, idle ones too.
    pub fn hang_up(&self) {
        self.lines.break_all_off();
    }

    /// As behind a gateway that knows only JSON: nobody is heard who asks for anything else.
    pub fn only_json(&self, yes: bool) {
        self.only_json.store(yes, Ordering::Relaxed);
    }

    /// The next so many requests whose path and query have this part fail.
    pub fn fail(&self, part: &str, times: usize, failure: Failure) {
        self.strike(Which::any().at(part), times, failure);
    }

    /// The next so many of these requests fail. What was planned first strikes first.
    pub fn strike(&self, which: Which, times: usize, failure: Failure) {
        lock(&self.planned).push(Planned { which, left: times, failure });
    }

    /// Nothing fails any more; what hangs is let go.
    pub fn mend(&self) {
        lock(&self.planned).clear();
        self.mended.send_modify(|mended| *mended += 1);
    }

    /// Does something once, just before the next of these requests is worked on: what somebody else does
    /// between two requests of one client.
    pub fn before(&self, which: Which, act: impl FnOnce() + Send + 'static) {
        lock(&self.hooks).push(Hook { which, before: true, act: Box::new(act) });
    }

    /// Does something once, after the next of these requests was worked on and before its answer leaves.
    pub fn after(&self, which: Which, act: impl FnOnce() + Send + 'static) {
        lock(&self.hooks).push(Hook { which, before: false, act: Box::new(act) });
    }

    /// How many requests since the last `forget` had this part in their path and query.
    pub fn asked(&self, part: &str) -> usize {
        self.count(&Which::any().at(part))
    }

    /// How many of these requests came since the last `forget`; also those that failed.
    pub fn count(&self, which: &Which) -> usize {
        lock(&self.asked).iter().filter(|asked| which.fits(asked)).count()
    }

    /// These requests since the last `forget`, oldest first.
    pub fn record(&self, which: &Which) -> Vec<Asked> {
        lock(&self.asked).iter().filter(|asked| which.fits(asked)).cloned().collect()
    }

    /// The most writes that were under way at the same time since the last `forget`.
    pub fn most_writes_at_once(&self) -> usize {
        self.most_writing.load(Ordering::SeqCst)
    }

    pub fn forget(&self) {
        lock(&self.asked).clear();
        self.most_writing.store(self.writing.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    pub(super) fn lines(&self) -> &Arc<Lines> {
        &self.lines
    }

    /// Waits until the server is not paused.
    async fn awake(&self) {
        // The sender lives as long as `self`, so the wait cannot end for another reason.
        let _ = self.paused.subscribe().wait_for(|paused| !paused).await;
    }

    fn failure(&self, asked: &Asked) -> Option<Failure> {
        let mut planned = lock(&self.planned);
        let next = planned.iter_mut().find(|it| it.left > 0 && it.which.fits(asked))?;
        next.left -= 1;
        Some(next.failure)
    }

    fn intervene(&self, asked: &Asked, before: bool) {
        let act = {
            let mut hooks = lock(&self.hooks);
            let found = hooks.iter().position(|hook| hook.before == before && hook.which.fits(asked));
            found.map(|index| hooks.remove(index).act)
        };
        if let Some(act) = act {
            act();
        }
    }

    fn note(&self, one: &Asked) {
        let mut asked = lock(&self.asked);
        if asked.len() < MOST_NOTED {
            asked.push(one.clone());
        }
    }

    fn writes(self: &Arc<Self>, asked: &Asked) -> Option<Writing> {
        (asked.nature == Nature::Write).then(|| {
            let now = self.writing.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_writing.fetch_max(now, Ordering::SeqCst);
            Writing(self.clone())
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A write that is under way.
struct Writing(Arc<Seam>);

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.writing.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Requests that are remembered for those who count.
const MOST_NOTED: usize = 100_000;
/// More than any body that the API takes.
const LARGEST: usize = 4 * 1024 * 1024;

/// The middleware.
pub async fn pass(State(seam): State<Arc<Seam>>, mut request: Request, next: Next) -> Response {
    seam.awake().await;
    if seam.only_json.load(Ordering::Relaxed) {
        accept::only_json(request.headers_mut());
    }
    let (asked, request) = look(request).await;
    seam.note(&asked);
    let _writing = seam.writes(&asked);
    let response = match seam.failure(&asked) {
        None => work(&seam, &asked, request, next).await,
        Some(failure) => fail(&seam, &asked, failure, (request, next)).await,
    };
    seam.awake().await;
    if response.body().size_hint().exact().is_some() {
        return response;
    }
    response.map(|body| Body::from_stream(while_it_lasts(seam.clone(), body)))
}

/// What the request is. The options of a DELETE may say in the body that it is a dry run.
async fn look(request: Request) -> (Asked, Request) {
    let mut asked = Asked::of(request.method(), request.uri(), request.headers());
    if asked.method != "DELETE" {
        return (asked, request);
    }
    let request = whole(request).await;
    let (head, body) = request.into_parts();
    let bytes = to_bytes(body, LARGEST).await.unwrap_or_default();
    if !bytes.is_empty() {
        let options: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let tries = options["dryRun"].as_array().is_some_and(|list| !list.is_empty());
        asked.nature = if tries { Nature::DryRun } else { Nature::Write };
    }
    (asked, Request::from_parts(head, Body::from(bytes)))
}

/// The request with its whole body at hand, so that it can be worked on when its client has gone.
async fn whole(request: Request) -> Request {
    let (head, body) = request.into_parts();
    let bytes = to_bytes(body, LARGEST).await.unwrap_or_default();
    Request::from_parts(head, Body::from(bytes))
}

async fn work(seam: &Seam, asked: &Asked, request: Request, next: Next) -> Response {
    seam.intervene(asked, true);
    let response = next.run(request).await;
    seam.intervene(asked, false);
    response
}

async fn fail(
    seam: &Arc<Seam>,
    asked: &Asked,
    failure: Failure,
    (request, next): (Request, Next),
) -> Response {
    let line = request.extensions().get::<ConnectInfo<Line>>().map(|ConnectInfo(line)| line.clone());
    let mut mended = seam.mended.subscribe();
    let encoding = accept::of_errors(request.headers());
    let request = whole(request).await;
    match failure {
        Failure::Cut => return mangle::cut(work(seam, asked, request, next).await),
        Failure::Body(how) => return mangle::answer(work(seam, asked, request, next).await, how, mended),
        Failure::StatusAfter(_) | Failure::ResetAfter | Failure::HangAfter => {
            work(seam, asked, request, next).await;
        }
        Failure::Late => {
            let (seam, asked) = (seam.clone(), asked.clone());
            // On its own: a client that goes away takes only its own half along.
            let done = tokio::spawn(async move {
                let _ = mended.changed().await;
                work(&seam, &asked, request, next).await
            });
            return done.await.unwrap_or_default();
        }
        _ => {}
    }
    if matches!(failure, Failure::Hang | Failure::HangAfter) {
        // The sender lives as long as the seam, which waits here.
        let _ = mended.changed().await;
    }
    if matches!(failure, Failure::Reset | Failure::ResetAfter | Failure::Hang | Failure::HangAfter) {
        if let Some(line) = line {
            line.break_off();
        }
        // It cannot be written any more: the attempt is what closes the connection.
        return Response::default();
    }
    failure.answer(asked, encoding)
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

pub(super) fn broken() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionReset)
}
