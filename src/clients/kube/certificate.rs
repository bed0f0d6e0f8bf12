//! When certificates expire.

use std::sync::Arc;
use std::time::Duration;

use kube::client::ConfigExt;
use kube::config::AuthInfo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use x509_cert::Certificate;
use x509_cert::der::{Decode, DecodePem};

use crate::fleet::Unix;

const DEADLINE: Duration = Duration::from_secs(10);

/// The end of the server's certificate, from a handshake of its own: kube does not show the one it got.
///
/// `None` when it is not known: plain HTTP, behind a proxy, or no connection (which others tell better).
pub async fn of_server(config: &kube::Config) -> Option<Unix> {
    let url = &config.cluster_url;
    if url.scheme_str() != Some("https") || config.proxy_url.is_some() {
        return None;
    }
    let host = url.host()?.trim_matches(['[', ']']).to_owned();
    let port = url.port_u16().unwrap_or(443);
    let name = config.tls_server_name.clone().unwrap_or_else(|| host.clone());
    let name = ServerName::try_from(name).ok()?;
    let connector = TlsConnector::from(Arc::new(config.rustls_client_config().ok()?));
    let handshake = async {
        let stream = TcpStream::connect((host, port)).await.ok()?;
        let stream = connector.connect(name, stream).await.ok()?;
        let (_, session) = stream.get_ref();
        expiry(Certificate::from_der(session.peer_certificates()?.first()?).ok()?)
    };
    timeout(DEADLINE, handshake).await.ok()?
}

/// The end of the certificate that the kubeconfig gives to the user.
pub fn of_client(user: &AuthInfo) -> Option<Unix> {
    use base64::Engine;
    let pem = if let Some(data) = &user.client_certificate_data {
        base64::engine::general_purpose::STANDARD.decode(data.trim()).ok()?
    } else {
        std::fs::read(user.client_certificate.as_ref()?).ok()?
    };
    expiry(Certificate::from_pem(pem).ok()?)
}

#[expect(clippy::needless_pass_by_value, reason = "reads as the end of a chain")]
fn expiry(certificate: Certificate) -> Option<Unix> {
    let end = certificate.tbs_certificate().validity().not_after.to_unix_duration();
    i64::try_from(end.as_secs()).ok().map(Unix)
}
