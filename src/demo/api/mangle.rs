//! Bodies that are not what they should be: cut, silent, without an end, without sense, told twice.
//!
//! What is told here is what servers, load balancers and gateways have been seen to send. Nothing here knows what
//! is true in the cluster; a body is changed as text.

use std::io;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::{Stream, StreamExt, stream};
use tokio::sync::watch;

use super::failure::Mangled;
use super::seam::broken;

/// An end of everything: more than any reader of the API keeps of one answer.
const HUGE: usize = 80;
const MEBIBYTE: usize = 1 << 20;

const EXPIRED: &str = concat!(
    r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","#,
    r#""message":"too old resource version","reason":"Expired","code":410}}"#,
    "\n"
);
const ODD: &str =
    concat!(r#"{"type":"ADDED","object":{"metadata":{"name":"odd","namespace":"a","labels":"none"}}}"#, "\n");
const GIVES_UP: &str = concat!(
    r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","#,
    r#""message":"etcd has no leader","reason":"InternalError","code":500}}"#,
    "\n"
);
const REWOUND: &str = concat!(r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"1"}}}"#, "\n");

/// The head, half of the first piece, and then the connection is broken off.
pub fn cut(response: Response) -> Response {
    response.map(|body| {
        let begin = body.into_data_stream().take(1).map(|piece| half(piece.map_err(io::Error::other)));
        Body::from_stream(begin.chain(stream::iter([Err(broken())])))
    })
}

/// The answer with another body. What is silent is broken off when everything is mended.
pub fn answer(response: Response, how: Mangled, mended: watch::Receiver<u64>) -> Response {
    let (mut head, body) = response.into_parts();
    head.headers.remove(axum::http::header::CONTENT_LENGTH);
    let pieces = body.into_data_stream().map(|piece| piece.map_err(io::Error::other));
    let body = match how {
        Mangled::Silent => Body::from_stream(silence(mended)),
        Mangled::SilentMidway => Body::from_stream(pieces.take(1).map(half).chain(silence(mended))),
        Mangled::Truncated => Body::from_stream(pieces.take(1).map(half)),
        Mangled::Expired => Body::from(EXPIRED),
        Mangled::Odd => Body::from_stream(first(ODD).chain(pieces)),
        Mangled::Rewound => Body::from_stream(first(REWOUND).chain(pieces)),
        Mangled::GivesUp => {
            let told = |bytes: Bytes| [&bytes, GIVES_UP.as_bytes()].concat();
            Body::from_stream(pieces.take(1).map(move |piece| piece.map(told)))
        }
        Mangled::Twice => Body::from_stream(pieces.map(|piece| piece.map(|bytes| bytes.repeat(2)))),
        Mangled::Without(kind) => {
            Body::from_stream(pieces.map(move |piece| piece.map(|bytes| without(kind, &bytes))))
        }
    };
    Response::from_parts(head, body)
}

pub fn endless() -> Body {
    let piece = Bytes::from(vec![b' '; MEBIBYTE]);
    Body::from_stream(stream::iter(std::iter::repeat_n(piece, HUGE).map(Ok::<_, io::Error>)))
}

fn half(piece: io::Result<Bytes>) -> io::Result<Bytes> {
    piece.map(|bytes| bytes.slice(..bytes.len() / 2))
}

fn first(line: &'static str) -> impl Stream<Item = io::Result<Bytes>> {
    stream::iter([Ok(Bytes::from_static(line.as_bytes()))])
}

/// A piece holds whole lines.
fn without(kind: &str, lines: &[u8]) -> Bytes {
    let dropped = format!(r#"{{"type":"{kind}""#);
    let kept = lines.split_inclusive(|byte| *byte == b'\n');
    kept.filter(|line| !line.starts_with(dropped.as_bytes())).flatten().copied().collect()
}

fn silence(mut mended: watch::Receiver<u64>) -> impl Stream<Item = io::Result<Bytes>> {
    stream::once(async move {
        // The seam outlives its streams; should it not, the end is the same.
        let _ = mended.changed().await;
        Err(broken())
    })
}
