//! When certificates expire.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use kube::client::ConfigExt;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tower::Service;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::faults;
use super::material::Material;
use crate::fleet::{Fault, FaultKind, Step, Unix};

const DEADLINE: Duration = Duration::from_secs(10);
const MOMENT: Duration = Duration::from_millis(200);

/// The end of the server's certificate, from a handshake of its own: kube does not show the one it got.
///
/// `None` when it is not known: plain HTTP, or a certificate that cannot be read.
pub async fn of_server(config: &kube::Config) -> Result<Option<Unix>, Fault> {
    let url = &config.cluster_url;
    if url.scheme_str() != Some("https") {
        return Ok(None);
    }
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let wrong = |words: String| Fault::new(Step::Configure, FaultKind::Configuration, words);
    let name = config.tls_server_name.clone().unwrap_or_else(|| host.clone());
    let name =
        ServerName::try_from(name.clone()).map_err(|_| wrong(format!("{name} is no server's name")))?;
    let tls = config.rustls_client_config().map_err(|error| faults::of_kube(Step::Configure, &error))?;
    let connector = TlsConnector::from(Arc::new(tls));
    let of_io = |error: std::io::Error| faults::of_io(Step::Connect, &error);
    let handshake = async {
        let stream = reach(config).await?;
        let mut stream = connector.connect(name, stream).await.map_err(of_io)?;
        // A server that does not accept the client's certificate says so after the handshake.
        if let Ok(Err(error)) = timeout(MOMENT, stream.read(&mut [0])).await {
            return Err(of_io(error));
        }
        let (_, session) = stream.get_ref();
        let shown = session.peer_certificates().and_then(|shown| shown.first());
        Ok(shown.and_then(|it| expiry(Certificate::from_der(it).ok()?)))
    };
    let silent = Fault::new(Step::Connect, FaultKind::TimedOut(DEADLINE.as_secs() as u32), "");
    timeout(DEADLINE, handshake).await.unwrap_or(Err(silent))
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection to the server, made as kube makes its own: through the proxy if there is one.
async fn reach(config: &kube::Config) -> Result<Box<dyn Stream>, Fault> {
    let mut direct = HttpConnector::new();
    direct.enforce_http(false);
    let to = config.cluster_url.clone();
    let Some(proxy) = config.proxy_url.clone() else {
        let stream = direct.call(to).await.map_err(|error| unreached(&error))?;
        return Ok(Box::new(stream.into_inner()));
    };
    match proxy.scheme_str() {
        Some("socks5") => {
            let stream = SocksV5::new(proxy, direct).call(to).await.map_err(|error| unreached(&error))?;
            Ok(Box::new(stream.into_inner()))
        }
        Some("https") => {
            let encrypted = config.rustls_https_connector_with_connector(direct);
            let encrypted = encrypted.map_err(|error| faults::of_kube(Step::Configure, &error))?;
            let stream = tunnel(proxy, encrypted).call(to).await.map_err(|error| unreached(&error))?;
            Ok(Box::new(TokioIo::new(stream)))
        }
        _ => {
            let stream = tunnel(proxy, direct).call(to).await.map_err(|error| unreached(&error))?;
            Ok(Box::new(stream.into_inner()))
        }
    }
}

/// With the proxy's user and password, if it has any.
fn tunnel<C>(proxy: Uri, connector: C) -> Tunnel<C> {
    let user = proxy.authority().and_then(|it| it.as_str().rsplit_once('@')).map(|(user, _)| user.to_owned());
    let tunnel = Tunnel::new(proxy, connector);
    let Some(user) = user else { return tunnel };
    let user: Vec<u8> = percent_encoding::percent_decode_str(&user).collect();
    let encoded = base64::engine::general_purpose::STANDARD.encode(user);
    match HeaderValue::from_str(&format!("Basic {encoded}")) {
        Ok(header) => tunnel.with_auth(header),
        Err(_) => tunnel,
    }
}

fn unreached(error: &(dyn std::error::Error + 'static)) -> Fault {
    faults::of_error(Step::Connect, error)
}

/// The end of the certificate that the kubeconfig gives to the user: the first, where those of its issuers follow.
pub fn of_client(material: &Material) -> Option<Unix> {
    let pem = material.certificate()?;
    let own = CertificateDer::pem_slice_iter(&pem).next()?.ok()?;
    expiry(Certificate::from_der(&own).ok()?)
}

#[expect(clippy::needless_pass_by_value, reason = "reads as the end of a chain")]
fn expiry(certificate: Certificate) -> Option<Unix> {
    let end = certificate.tbs_certificate().validity().not_after.to_unix_duration();
    i64::try_from(end.as_secs()).ok().map(Unix)
}
