//! The one place where an answer can be held back, cut or replaced.
//!
//! Every request and every piece of every open stream passes here, outside of everything that knows
//! Kubernetes. A paused server is a stopped process as its clients see it: connections are accepted and
//! read, nothing is answered, open watches and logs fall silent; and it goes on where it stopped.

use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures::StreamExt;
use tokio::sync::watch;

#[derive(Debug)]
pub struct Seam {
    paused: watch::Sender<bool>,
}

impl Default for Seam {
    fn default() -> Seam {
        Seam { paused: watch::Sender::new(false) }
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

    /// Waits until the server is not paused.
    async fn awake(&self) {
        // The sender lives as long as `self`, so the wait cannot end for another reason.
        let _ = self.paused.subscribe().wait_for(|paused| !paused).await;
    }
}

/// The middleware.
pub async fn pass(State(seam): State<Arc<Seam>>, request: Request, next: Next) -> Response {
    seam.awake().await;
    let response = next.run(request).await;
    seam.awake().await;
    if response.body().size_hint().exact().is_some() {
        return response;
    }
    response.map(|body| {
        let pieces = body.into_data_stream().then(move |piece| {
            let seam = seam.clone();
            async move {
                seam.awake().await;
                piece
            }
        });
        Body::from_stream(pieces)
    })
}
