//! What goes wrong when it is asked to: the ends a request can have that are none of the API's own.
//!
//! A failure is either instead of the work or after it. To the client both look the same; that is what makes
//! them hard, and why both are here.

use axum::body::Body;
use axum::http::header::{self, HeaderValue};
use axum::response::Response;

use super::accept::Encoding;
use super::asked::Asked;
use super::body;
use super::mangle;
use super::route::Route;
use crate::demo::protobuf::{self, MEDIA};
use crate::demo::refusal::Refusal;

/// What a request gets instead of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// A `metav1.Status` with this code; nothing was done.
    Status(u16),
    /// The same, and it **was** done: a 504 from between the client and a server that went on.
    StatusAfter(u16),
    /// `Status`, with a wish when to come back, in seconds.
    RetryAfter(u16, u32),
    /// An admission webhook refuses: this code, these words, nothing done.
    Webhook(u16, &'static str),
    /// The head, a piece of the body, and then the connection is broken off; it was done.
    Cut,
    /// A body that is not what its type says; nothing was done.
    Garbage,
    /// Of another shape than was asked for; nothing was done.
    WrongTypes,
    /// `{}`, or an envelope: nothing is in it; nothing was done.
    Blank,
    /// More than anybody should keep, of no sense; nothing was done.
    Huge,
    /// The answer, whose body is not what it should be; it was done.
    Body(Mangled),
    /// The request is read, and the connection is reset without an answer; nothing was done.
    Reset,
    /// The same, and it was done.
    ResetAfter,
    /// The request is read and never answered; nothing is ever done. `Seam::mend` resets what hangs.
    Hang,
    /// It is done at once, and never answered.
    HangAfter,
    /// The request hangs until `Seam::mend`, and is done then, whether the client is still there or not.
    Late,
}

/// What becomes of the body of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mangled {
    /// The head, and then silence until `Seam::mend`.
    Silent,
    /// The head and half of the first piece, and then silence until `Seam::mend`.
    SilentMidway,
    /// The half of it, with an end in good order.
    Truncated,
    /// A watch whose history is gone: an `ERROR` with 410 inside, and the end.
    Expired,
    /// A watch that first tells of an object that cannot be understood.
    Odd,
    /// A watch that tells everything twice.
    Twice,
    /// Everything, in pieces of a few bytes.
    Crumbs,
    /// A watch without events of this type.
    Without(&'static str),
    /// A watch that begins with a bookmark of long ago.
    Rewound,
    /// A watch that gives up behind what it tells first, in the same piece: an `ERROR` with 500 inside, and the end.
    GivesUp,
}

impl Failure {
    /// The answer, for those that have one of their own.
    pub(super) fn answer(self, asked: &Asked, encoding: Encoding) -> Response {
        let like = |text: &'static str, bytes: Vec<u8>| match encoding {
            Encoding::Json => body::typed(200, "application/json", Body::from(text)),
            Encoding::Protobuf => body::typed(200, MEDIA, Body::from(bytes)),
        };
        let list = protobuf::Type { version: "v1", name: "List" };
        let mut response = match self {
            Failure::RetryAfter(429, _) => body::text(429, "Too many requests, please try again later.\n"),
            Failure::Status(code) | Failure::StatusAfter(code) | Failure::RetryAfter(code, _) => {
                body::status(code, &status(code, asked), encoding)
            }
            Failure::Webhook(code, why) => body::status(code, &Refusal::by_webhook(code, why), encoding),
            Failure::WrongTypes => {
                let items = protobuf::of_another_type(2);
                let text = r#"{"kind":"List","metadata":{"resourceVersion":"7"},"items":"none"}"#;
                like(text, protobuf::envelope(list, &items))
            }
            Failure::Blank => like("{}", protobuf::envelope(list, b"")),
            Failure::Huge => mangle::endless(encoding),
            _ => like(PAGE, PAGE.into()),
        };
        if let Failure::RetryAfter(_, seconds) = self {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

const PAGE: &str = "<html>a proxy's page</html>";

/// The words Kubernetes has for a code, about the object that the request was about.
fn status(code: u16, asked: &Asked) -> Refusal {
    let Route::Resource(call) = Route::parse(&asked.path) else { return Refusal::failed(code) };
    let name = call.name.as_deref().unwrap_or_default();
    match code {
        401 => Refusal::unauthorized(),
        403 => Refusal::forbidden(&call.place(), "somebody", call.verb(&asked.method, &asked.query)),
        404 => Refusal::not_found(call.kind, name),
        409 => Refusal::modified(call.kind, name),
        410 => Refusal::continue_expired(),
        504 => Refusal::timeout(),
        _ => Refusal::failed(code),
    }
}
