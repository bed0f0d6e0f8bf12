//! When certificates expire.

use std::sync::Arc;
use std::time::Duration;

use kube::client::ConfigExt;
use rustls::pki_types::ServerName;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use x509_cert::Certificate;
use x509_cert::der::{Decode, DecodePem};

use super::faults;
use super::material::Material;
use crate::fleet::{Fault, FaultKind, Step, Unix};

const DEADLINE: Duration = Duration::from_secs(10);
const MOMENT: Duration = Duration::from_millis(200);

/// The end of the server's certificate, from a handshake of its own: kube does not show the one it got.
///
/// `None` when it is not known: plain HTTP, or behind a proxy.
pub async fn of_server(config: &kube::Config) -> Result<Option<Unix>, Fault> {
    let url = &config.cluster_url;
    if url.scheme_str() != Some("https") || config.proxy_url.is_some() {
        return Ok(None);
    }
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_u16().unwrap_or(443);
    let wrong = |words: String| Fault::new(Step::Configure, FaultKind::Configuration, words);
    let name = config.tls_server_name.clone().unwrap_or_else(|| host.clone());
    let name =
        ServerName::try_from(name.clone()).map_err(|_| wrong(format!("{name} is no server's name")))?;
    let tls = config.rustls_client_config().map_err(|error| faults::of_kube(Step::Configure, &error))?;
    let connector = TlsConnector::from(Arc::new(tls));
    let of_io = |error: std::io::Error| faults::of_io(Step::Connect, &error);
    let handshake = async {
        let stream = TcpStream::connect((host, port)).await.map_err(of_io)?;
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

/// The end of the certificate that the kubeconfig gives to the user.
pub fn of_client(material: &Material) -> Option<Unix> {
    expiry(Certificate::from_pem(material.certificate()?).ok()?)
}

#[expect(clippy::needless_pass_by_value, reason = "reads as the end of a chain")]
fn expiry(certificate: Certificate) -> Option<Unix> {
    let end = certificate.tbs_certificate().validity().not_after.to_unix_duration();
    i64::try_from(end.as_secs()).ok().map(Unix)
}
