//! Bodies: reading a request's, and writing objects, lists and errors in the form that was asked for.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, Utc};
use futures::stream;
use serde_json::{Value, json};

use super::accept::{Encoding, Form, Wish};
use crate::demo::{
    protobuf,
    refusal::{Outcome, Refusal},
    resource::Kind,
    store::Object,
};

/// The largest request body, as in Kubernetes.
const LARGEST: usize = 3 * 1024 * 1024;
/// Lists leave in pieces of about this size, made while the client reads.
const PIECE: usize = 64 * 1024;

/// The media type of a request without its parameters, and its body.
pub async fn read(request: Request) -> Outcome<(String, Bytes)> {
    let media = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = media.and_then(|text| text.split(';').next()).unwrap_or_default().trim().to_owned();
    let bytes = to_bytes(request.into_body(), LARGEST).await.map_err(|_| Refusal::too_large(LARGEST))?;
    Ok((media, bytes))
}

pub fn json(code: u16, value: &Value) -> Response {
    bytes(code, value.to_string().into())
}

pub fn bytes(code: u16, bytes: Bytes) -> Response {
    typed(code, "application/json", Body::from(bytes))
}

pub fn text(code: u16, text: &str) -> Response {
    typed(code, "text/plain; charset=utf-8", Body::from(text.to_owned()))
}

pub fn typed(code: u16, media: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

/// An object that is kept nowhere, such as an error, in its envelope.
pub fn binary(code: u16, of: protobuf::Type<'_>, value: &Value) -> Response {
    typed(code, protobuf::MEDIA, Body::from(protobuf::object(of, value)))
}

/// A `metav1.Status`, with a code that need not be its own.
pub fn status(code: u16, refusal: &Refusal, encoding: Encoding) -> Response {
    match encoding {
        Encoding::Json => json(code, &refusal.body()),
        Encoding::Protobuf => binary(code, protobuf::STATUS, &refusal.body()),
    }
}

pub fn refusal(refusal: &Refusal, encoding: Encoding) -> Response {
    let mut response = status(refusal.code, refusal, encoding);
    if refusal.code == 504 {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// One object in the form that was asked for.
pub fn object(code: u16, object: &Object, wish: Wish, now: DateTime<Utc>) -> Response {
    match (wish.form, wish.encoding) {
        (Form::Table, _) => json(code, &table_of(object, true, IncludeObject::Metadata, now)),
        (form, Encoding::Protobuf) => with_type(object.kind, form, |of| binary(code, of, &object.value())),
        (Form::Object, Encoding::Json) => bytes(code, object.body()),
        (Form::Metadata, Encoding::Json) => json(code, &metadata(&object.value())),
    }
}

/// The message that an object of this kind is, in this form.
pub fn with_type<T>(kind: Kind, form: Form, then: impl FnOnce(protobuf::Type<'_>) -> T) -> T {
    let (row, version) = (kind.row(), kind.row().api_version());
    then(match form {
        Form::Object | Form::Table => protobuf::Type { version: &version, name: row.kind },
        Form::Metadata => protobuf::METADATA,
    })
}

/// `PartialObjectMetadata`
pub fn metadata(value: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": value["metadata"]})
}

/// One event of a watch.
pub fn event(encoding: Encoding, verb: &str, of: protobuf::Type<'_>, object: &Value) -> Vec<u8> {
    match encoding {
        Encoding::Json => format!("{{\"type\":\"{verb}\",\"object\":{object}}}\n").into_bytes(),
        Encoding::Protobuf => protobuf::event(verb, of, object),
    }
}

/// What the rows of a Table carry beside their cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncludeObject {
    None,
    Metadata,
    Object,
}

impl IncludeObject {
    pub fn parse(text: &str) -> Outcome<IncludeObject> {
        match text {
            "" | "Metadata" => Ok(IncludeObject::Metadata),
            "None" => Ok(IncludeObject::None),
            "Object" => Ok(IncludeObject::Object),
            other => Err(Refusal::bad_request(format!("unrecognized includeObject value: {other:?}"))),
        }
    }
}

/// A Table of one row, as watches and gets have it.
pub fn table_of(object: &Object, definitions: bool, include: IncludeObject, now: DateTime<Utc>) -> Value {
    let columns = definitions.then(|| object.kind.row().printer.definitions());
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": object.version.to_string()},
        "columnDefinitions": columns,
        "rows": [row(object, include, now)],
    })
}

fn row(object: &Object, include: IncludeObject, now: DateTime<Utc>) -> Value {
    let value = object.value();
    let cells = object.kind.row().printer.cells(&value, now);
    let carried = match include {
        IncludeObject::None => Value::Null,
        IncludeObject::Metadata => metadata(&value),
        IncludeObject::Object => value,
    };
    json!({"cells": cells, "object": carried})
}

/// A list in the form that was asked for; `meta` is its ListMeta.
pub struct Listing {
    pub kind: Kind,
    pub meta: Value,
    pub objects: Vec<Arc<Object>>,
    pub wish: Wish,
    pub include: IncludeObject,
    pub now: DateTime<Utc>,
}

pub fn list(listing: Listing) -> Response {
    match listing.wish.encoding {
        Encoding::Json => json_list(listing),
        Encoding::Protobuf => binary_list(&listing),
    }
}

/// Every length stands before what it is the length of: it is made whole.
fn binary_list(listing: &Listing) -> Response {
    let values: Vec<Value> = listing.objects.iter().map(|object| object.value()).collect();
    let whole: Bytes = with_type(listing.kind, listing.wish.form, |of| {
        protobuf::list(of, &listing.meta, values.iter()).into()
    });
    let pieces = (0..whole.len()).step_by(PIECE).map(move |at| whole.slice(at..whole.len().min(at + PIECE)));
    typed(200, protobuf::MEDIA, Body::from_stream(stream::iter(pieces.map(Ok::<_, std::io::Error>))))
}

fn json_list(listing: Listing) -> Response {
    let head = head(&listing);
    let state = (listing, head, 0);
    let pieces = stream::unfold(state, |(listing, mut piece, mut next)| async move {
        if next > listing.objects.len() {
            return None;
        }
        while piece.len() < PIECE && next < listing.objects.len() {
            if next > 0 {
                piece.push(b',');
            }
            item(&listing, &listing.objects[next], &mut piece);
            next += 1;
        }
        if next == listing.objects.len() && piece.len() < PIECE {
            piece.extend_from_slice(b"]}\n");
            next += 1;
        }
        Some((Ok::<_, std::io::Error>(Bytes::from(piece)), (listing, Vec::with_capacity(PIECE), next)))
    });
    typed(200, "application/json", Body::from_stream(pieces))
}

fn head(listing: &Listing) -> Vec<u8> {
    let row = listing.kind.row();
    let (kind, version) = match listing.wish.form {
        Form::Object => (format!("{}List", row.kind), row.api_version()),
        Form::Metadata => ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1".to_owned()),
        Form::Table => ("Table".to_owned(), "meta.k8s.io/v1".to_owned()),
    };
    let items = match listing.wish.form {
        Form::Table => {
            format!(r#""columnDefinitions":{},"rows":["#, Value::from(row.printer.definitions()))
        }
        Form::Object | Form::Metadata => r#""items":["#.to_owned(),
    };
    format!(r#"{{"kind":"{kind}","apiVersion":"{version}","metadata":{},{items}"#, listing.meta).into_bytes()
}

fn item(listing: &Listing, object: &Object, piece: &mut Vec<u8>) {
    match listing.wish.form {
        Form::Object => {
            let (start, rest) = object.item();
            piece.extend_from_slice(start.as_bytes());
            piece.extend_from_slice(&rest);
        }
        Form::Metadata => piece.extend_from_slice(metadata(&object.value()).to_string().as_bytes()),
        Form::Table => {
            piece.extend_from_slice(row(object, listing.include, listing.now).to_string().as_bytes());
        }
    }
}
