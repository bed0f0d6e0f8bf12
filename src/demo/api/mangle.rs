//! Bodies that are not what they should be: cut, silent, without an end, without sense, told twice.
//!
//! What is told here is what servers, load balancers and gateways have been seen to send. Nothing here knows what
//! is true in the cluster; a body is changed as the bytes that it is.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::header::{self, HeaderValue};
use axum::response::Response;
use futures::{Stream, StreamExt, stream};
use serde_json::json;
use tokio::sync::watch;

use super::accept::Encoding;
use super::body;
use super::failure::Mangled;
use super::seam::broken;
use crate::demo::protobuf;

/// More than any reader of the API keeps of one answer.
const HUGE: usize = 80;
const MEBIBYTE: usize = 1 << 20;

/// So many bytes at a time: no length, no name and no line is whole in one piece.
const CRUMB: usize = 3;

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
    head.headers.remove(header::CONTENT_LENGTH);
    let media = head.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let is_binary = media.starts_with(protobuf::MEDIA.as_bytes());
    let encoding = if is_binary { Encoding::Protobuf } else { Encoding::Json };
    let pieces = body.into_data_stream().map(|piece| piece.map_err(io::Error::other));
    let body = match how {
        Mangled::Silent => Body::from_stream(silence(mended)),
        Mangled::SilentMidway => Body::from_stream(pieces.take(1).map(half).chain(silence(mended))),
        Mangled::Truncated => Body::from_stream(pieces.take(1).map(half)),
        Mangled::Expired => Body::from(expired(encoding)),
        Mangled::Odd => Body::from_stream(first(odd(encoding)).chain(pieces)),
        Mangled::Rewound => Body::from_stream(first(rewound(encoding)).chain(pieces)),
        Mangled::GivesUp => {
            let told = move |bytes: Bytes| [&bytes, &gives_up(encoding)[..]].concat();
            Body::from_stream(pieces.take(1).map(move |piece| piece.map(told)))
        }
        Mangled::Twice => Body::from_stream(pieces.map(|piece| piece.map(|bytes| bytes.repeat(2)))),
        Mangled::Crumbs => Body::from_stream(pieces.flat_map(crumbs)),
        Mangled::Without(kind) => {
            Body::from_stream(pieces.map(move |piece| piece.map(|bytes| without(kind, encoding, &bytes))))
        }
    };
    Response::from_parts(head, body)
}

/// Nothing at all, for very long.
pub fn endless(encoding: Encoding) -> Response {
    let (media, begin, fill) = match encoding {
        Encoding::Json => ("application/json", Vec::new(), b' '),
        Encoding::Protobuf => {
            let of = protobuf::Type { version: "v1", name: "List" };
            (protobuf::MEDIA, protobuf::begin_of_one_item(of, HUGE * MEBIBYTE), 0)
        }
    };
    let fill = std::iter::repeat_n(Bytes::from(vec![fill; MEBIBYTE]), HUGE);
    let pieces = std::iter::once(Bytes::from(begin)).chain(fill).map(Ok::<_, io::Error>);
    body::typed(200, media, Body::from_stream(stream::iter(pieces)))
}

fn status(encoding: Encoding, code: u16, reason: &str, message: &str) -> Vec<u8> {
    let told = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    body::event(encoding, "ERROR", protobuf::STATUS, &told)
}

fn expired(encoding: Encoding) -> Vec<u8> {
    status(encoding, 410, "Expired", "too old resource version")
}

fn gives_up(encoding: Encoding) -> Vec<u8> {
    status(encoding, 500, "InternalError", "etcd has no leader")
}

fn odd(encoding: Encoding) -> Vec<u8> {
    let told = json!({"metadata": {"name": "odd", "namespace": "a", "labels": "none"}});
    body::event(encoding, "ADDED", protobuf::METADATA, &told)
}

fn rewound(encoding: Encoding) -> Vec<u8> {
    let told = json!({"metadata": {"resourceVersion": "1"}});
    body::event(encoding, "BOOKMARK", protobuf::METADATA, &told)
}

fn half(piece: io::Result<Bytes>) -> io::Result<Bytes> {
    piece.map(|bytes| bytes.slice(..bytes.len() / 2))
}

fn first(event: Vec<u8>) -> impl Stream<Item = io::Result<Bytes>> {
    stream::iter([Ok(Bytes::from(event))])
}

fn crumbs(piece: io::Result<Bytes>) -> impl Stream<Item = io::Result<Bytes>> {
    let crumbs: Vec<_> = match piece {
        Ok(bytes) => bytes.chunks(CRUMB).map(|it| Ok(bytes.slice_ref(it))).collect(),
        Err(error) => vec![Err(error)],
    };
    stream::iter(crumbs)
}

/// A piece holds whole events.
fn without(kind: &str, encoding: Encoding, events: &[u8]) -> Bytes {
    match encoding {
        Encoding::Json => {
            let dropped = format!(r#"{{"type":"{kind}""#);
            let kept = events.split_inclusive(|byte| *byte == b'\n');
            kept.filter(|line| !line.starts_with(dropped.as_bytes())).flatten().copied().collect()
        }
        Encoding::Protobuf => {
            let kept = protobuf::frames(events).filter(|(verb, _)| *verb != kind.as_bytes());
            kept.flat_map(|(_, frame)| frame).copied().collect()
        }
    }
}

fn silence(mut mended: watch::Receiver<u64>) -> impl Stream<Item = io::Result<Bytes>> {
    stream::once(async move {
        // The seam outlives its streams; should it not, the end is the same.
        let _ = mended.changed().await;
        Err(broken())
    })
}
