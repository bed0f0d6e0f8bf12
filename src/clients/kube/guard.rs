//! Deadlines below kube: an answer must begin, and must go on.
//!
//! kube waits for ever for the headers of an answer, and for the bytes of a list. A server that is stopped, a
//! load balancer that dropped the connection, a laptop that changed its network: all of them are silence,
//! and silence must become an error in time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use kube::client::{Body, DynBody};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tower::{BoxError, Layer, Service};

use super::Meter;

/// How long an answer may be silent; travels with the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until the headers are there, connecting included.
    pub headers: Duration,
    /// Between two pieces of the body.
    pub idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        super::PROMPT
    }
}

/// Nothing came within the time allowed.
#[derive(Debug)]
pub struct Silence(pub Duration);

impl std::fmt::Display for Silence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no answer within {} s", self.0.as_secs())
    }
}

impl std::error::Error for Silence {}

#[derive(Debug, Clone)]
pub struct GuardLayer {
    pub meter: Arc<Meter>,
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard { inner, meter: Arc::clone(&self.meter) }
    }
}

#[derive(Debug, Clone)]
pub struct Guard<S> {
    inner: S,
    meter: Arc<Meter>,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Guarded>, BoxError>> + Send>>;

impl<S> Service<Request<Body>> for Guard<S>
where
    S: Service<Request<Body>, Response = Response<Box<DynBody>>, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = Response<Guarded>;
    type Error = BoxError;
    type Future = Answer;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        let patience = request.extensions().get::<Patience>().copied().unwrap_or_default();
        let meter = Arc::clone(&self.meter);
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = timeout(patience.headers, answer)
                .await
                .map_err(|_| Box::new(Silence(patience.headers)) as BoxError)??;
            Ok(response.map(|body| Guarded {
                body,
                idle: patience.idle,
                silence: Box::pin(sleep(patience.idle)),
                meter,
            }))
        })
    }
}

/// A body that ends with [`Silence`] when it does not go on, and counts what it gives.
pub struct Guarded {
    body: Box<DynBody>,
    idle: Duration,
    silence: Pin<Box<Sleep>>,
    meter: Arc<Meter>,
}

impl HttpBody for Guarded {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut *self.body).poll_frame(cx) {
            if let Some(Ok(frame)) = &frame {
                let bytes = frame.data_ref().map_or(0, Bytes::len) as u64;
                self.meter.received_bytes.fetch_add(bytes, Ordering::Relaxed);
            }
            let next = Instant::now() + self.idle;
            self.silence.as_mut().reset(next);
            return Poll::Ready(frame);
        }
        let idle = self.idle;
        self.silence.as_mut().poll(cx).map(|()| Some(Err(Box::new(Silence(idle)) as BoxError)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
