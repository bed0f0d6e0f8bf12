//! From errors of libraries and answers of servers to [`Fault`]s.
//!
//! Of all errors only the innermost cause is passed on.

use std::error::Error;
use std::io;

use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use kube::client::Body;

use super::guard::Silence;
use super::wire::messages::meta::Status;
use super::wire::{Encoding, unwrap_envelope};
use crate::fleet::{Fault, FaultKind, Step, Unix};

/// The body of an error that is read; the rest does not matter.
const LARGEST_STATUS: usize = 64 << 10;
/// Names of a certificate that are told.
const MOST_NAMES: usize = 4;

pub(super) fn of_kube(step: Step, error: &kube::Error) -> Fault {
    of_error(step, error)
}

pub(super) fn of_body(step: Step, error: &(dyn Error + 'static)) -> Fault {
    let mut fault = of_error(step, error);
    if fault.kind == FaultKind::Unreachable {
        fault.kind = FaultKind::Cut;
    }
    fault
}

pub(super) fn of_io(step: Step, error: &io::Error) -> Fault {
    of_error(step, error)
}

pub(super) fn of_error(step: Step, error: &(dyn Error + 'static)) -> Fault {
    let mut innermost = String::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(fault) = known(step, error) {
            return fault;
        }
        innermost = error.to_string();
        cause = error.source();
    }
    // Of an alert that comes after the handshake hyper tells only this.
    if innermost == "connection was not ready" {
        innermost = "the server ends it at once: does it accept your certificate?".into();
    }
    Fault::new(step, FaultKind::Unreachable, innermost)
}

fn known(step: Step, error: &(dyn Error + 'static)) -> Option<Fault> {
    if let Some(Silence(after)) = error.downcast_ref() {
        return Some(Fault::new(step, FaultKind::TimedOut(after.as_secs() as u32), ""));
    }
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(of_tls(step, error));
    }
    let error = error.downcast_ref::<io::Error>()?;
    // An io::Error may only wrap what is more telling.
    if let Some(inner) = error.get_ref()
        && let Some(fault) = known(step, inner)
    {
        return Some(fault);
    }
    let kind = match error.kind() {
        io::ErrorKind::ConnectionRefused => FaultKind::Refused,
        io::ErrorKind::TimedOut => FaultKind::TimedOut(10),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => FaultKind::Cut,
        _ if error.to_string().contains("lookup address") => FaultKind::Unresolved,
        _ => return None,
    };
    Some(Fault::new(step, kind, ""))
}

pub(super) fn of_tls(step: Step, error: &rustls::Error) -> Fault {
    use rustls::AlertDescription as A;
    let words = match error {
        rustls::Error::InvalidCertificate(error) => of_certificate(error),
        rustls::Error::AlertReceived(alert) => {
            // The server speaks of the certificate that it was shown.
            let words = match alert {
                A::CertificateExpired => "it says that your certificate is expired",
                A::UnknownCA => "it does not know who issued your certificate",
                A::CertificateRequired => "it asks for a client certificate",
                A::BadCertificate | A::CertificateUnknown | A::UnsupportedCertificate | A::AccessDenied => {
                    "it does not accept your certificate"
                }
                A::CertificateRevoked => "it says that your certificate is revoked",
                A::UnrecognisedName => "it does not know the name that it was called by",
                _ => {
                    return Fault::new(
                        step,
                        FaultKind::Unreachable,
                        format!("it ended the handshake: {alert:?}"),
                    );
                }
            };
            return Fault::new(step, FaultKind::Credential, words);
        }
        rustls::Error::InvalidMessage(_) => {
            return Fault::new(step, FaultKind::Unreachable, "it does not speak TLS");
        }
        other => other.to_string(),
    };
    Fault::new(step, FaultKind::Certificate, words)
}

fn of_certificate(error: &rustls::CertificateError) -> String {
    use rustls::CertificateError as C;
    let at = |time: rustls::pki_types::UnixTime| Unix(time.as_secs() as i64).rfc3339();
    match error {
        C::Expired => "it is expired".into(),
        C::ExpiredContext { not_after, .. } => format!("it expired at {}", at(*not_after)),
        C::NotValidYet => "it is not valid yet".into(),
        C::NotValidYetContext { not_before, .. } => {
            format!("it is not valid before {}: is the clock right?", at(*not_before))
        }
        C::UnknownIssuer => "its authority is not the one in the kubeconfig".into(),
        C::NotValidForName => "it is for another name".into(),
        C::NotValidForNameContext { expected, presented } => {
            let expected = expected.to_str();
            let names: Vec<_> = presented.iter().take(MOST_NAMES).map(|name| bare(name)).collect();
            let more = if presented.len() > MOST_NAMES { ", …" } else { "" };
            match &names[..] {
                [] => format!("it is for no name, and not for {expected}"),
                names => format!("it is for {}{more}, and not for {expected}", names.join(", ")),
            }
        }
        C::Revoked => "it is revoked".into(),
        C::BadSignature => "it is not signed by the authority in the kubeconfig".into(),
        other => {
            let words = other.to_string();
            if words.contains("CaUsedAsEndEntity") {
                return "it is an authority's own, which may not be a server's".into();
            }
            words
        }
    }
}

/// `DnsName("kubernetes")` is `kubernetes`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').map_or(name, |(_, rest)| rest.trim_end_matches(')'));
    inner.trim_matches('"')
}

/// The server's own words about an answer of 400 and above.
pub(super) async fn of_status(step: Step, code: StatusCode, headers: &HeaderMap, body: Body) -> Fault {
    let told = match Limited::new(body, LARGEST_STATUS).collect().await {
        Ok(body) => status(headers, body.to_bytes()),
        Err(_) => Status::default(),
    };
    let retry_after = headers.get(header::RETRY_AFTER).and_then(|it| it.to_str().ok()?.parse().ok());
    let retry_after = retry_after.or_else(|| {
        let seconds = told.details.as_ref()?.retry_after_seconds;
        u32::try_from(seconds).ok().filter(|seconds| *seconds > 0)
    });
    Fault::new(step, kind_of(code.as_u16(), retry_after), told.message)
}

pub fn kind_of(code: u16, retry_after: Option<u32>) -> FaultKind {
    match code {
        401 => FaultKind::Unauthorized,
        403 => FaultKind::Forbidden,
        404 => FaultKind::NotFound,
        409 => FaultKind::Conflict,
        410 => FaultKind::Expired,
        429 => FaultKind::Throttled(retry_after),
        code => FaultKind::Status(code),
    }
}

fn status(headers: &HeaderMap, body: bytes::Bytes) -> Status {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    match content_type.and_then(Encoding::of_content_type) {
        Some(Encoding::Protobuf) => {
            let raw = unwrap_envelope(body).unwrap_or_default();
            prost::Message::decode(raw).unwrap_or_default()
        }
        Some(Encoding::Json) => serde_json::from_slice(&body).unwrap_or_default(),
        // Pages of proxies and gateways say nothing that helps.
        None => Status::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_found_however_deep_they_are() {
        let refused = io::Error::other(io::Error::from(io::ErrorKind::ConnectionRefused));
        let error = kube::Error::Service(Box::new(refused));
        assert_eq!(of_kube(Step::Connect, &error).kind, FaultKind::Refused);
        let silent = kube::Error::Service(Box::new(Silence(std::time::Duration::from_secs(10))));
        assert_eq!(of_kube(Step::List, &silent).to_string(), "list: no answer within 10s");
        let expired = rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
        let expired = kube::Error::Service(Box::new(io::Error::new(io::ErrorKind::InvalidData, expired)));
        let told = of_kube(Step::Connect, &expired);
        assert_eq!((told.kind, told.detail.as_str()), (FaultKind::Certificate, "it is expired"));
    }

    #[tokio::test]
    async fn the_server_speaks_for_itself() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        let body =
            r#"{"kind":"Status","message":"pods is forbidden: User \"viewer\" cannot list","code":403}"#;
        let fault =
            of_status(Step::List, StatusCode::FORBIDDEN, &headers, Body::from(body.as_bytes().to_vec()))
                .await;
        assert_eq!(fault.kind, FaultKind::Forbidden);
        assert!(fault.to_string().starts_with("list: 403 Forbidden: pods is forbidden"));
        headers.insert(header::RETRY_AFTER, "7".parse().unwrap());
        let fault = of_status(Step::List, StatusCode::TOO_MANY_REQUESTS, &headers, Body::empty()).await;
        assert_eq!(fault.kind, FaultKind::Throttled(Some(7)));
    }
}
