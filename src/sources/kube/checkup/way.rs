//! The way to a server: its name, its port, its certificate, and the credential.

use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};

use super::{Checkup, Circumstances, Verdict, expiry};
use crate::clients::kube::certificate;
use crate::clients::kube::connect::Connected;
use crate::fleet::{Clean, Fault, FaultKind};

/// A name and a port have so long to be found.
const PATIENCE: Duration = Duration::from_secs(10);
const ADDRESSES_TOLD: usize = 3;

/// Whether the server is reached.
pub(super) async fn look(checkup: &mut Checkup, connected: &Connected, with: &Circumstances) -> bool {
    let server = connected.door.way().server();
    let (url, proxy) = (&server.url, server.proxy.as_ref());
    let to = proxy.unwrap_or(url);
    let host = to.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = to.port_u16().unwrap_or(match to.scheme_str() {
        Some("http") => 80,
        Some("socks5") => 1080,
        _ => 443,
    });
    let whose = if proxy.is_some() { "the proxy " } else { "" };
    let Some(addresses) = resolve(checkup, whose, &host, port).await else { return false };
    if !connect(checkup, whose, &format!("{host}:{port}"), &addresses).await {
        return false;
    }
    encryption(checkup, connected, with).await
}

async fn resolve(
    checkup: &mut Checkup,
    whose: &str,
    host: &str,
    port: u16,
) -> Option<Vec<std::net::SocketAddr>> {
    const NAME: &str = "resolve";
    let hint = "check the server's name, DNS and VPN";
    let addresses: Vec<_> = match timeout(PATIENCE, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(_)) => {
            checkup.add(NAME, Verdict::Broken, format!("{whose}{host} does not resolve"), hint);
            return None;
        }
        Err(_) => {
            checkup.add(NAME, Verdict::Broken, format!("{whose}{host} is not resolved within 10s"), hint);
            return None;
        }
    };
    if host.parse::<std::net::IpAddr>().is_ok() {
        checkup.good(NAME, format!("{whose}{host} is an address"));
    } else {
        let mut told: Vec<_> = addresses.iter().map(|it| it.ip().to_string()).collect();
        let more = told.len().saturating_sub(ADDRESSES_TOLD);
        told.truncate(ADDRESSES_TOLD);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        checkup.good(NAME, format!("{whose}{host} is {}{more}", told.join(", ")));
    }
    Some(addresses)
}

async fn connect(checkup: &mut Checkup, whose: &str, place: &str, to: &[std::net::SocketAddr]) -> bool {
    const NAME: &str = "connect";
    let began = Instant::now();
    let (words, hint) = match timeout(PATIENCE, TcpStream::connect(to)).await {
        Ok(Ok(_)) => {
            let millis = began.elapsed().as_millis();
            checkup.good(NAME, format!("{whose}{place} within {millis} ms"));
            return true;
        }
        Ok(Err(error)) => {
            let hint = if whose.is_empty() {
                "is the API server up, and the port right?"
            } else {
                "is the proxy up? It is named by proxy-url, HTTPS_PROXY or HTTP_PROXY"
            };
            (format!("{whose}{place}: {}", error.kind()), hint)
        }
        Err(_) => {
            (format!("{whose}{place} takes no connection within 10s"), "check network, VPN and firewall")
        }
    };
    checkup.add(NAME, Verdict::Broken, words, hint);
    false
}

/// False when the handshake fails.
async fn encryption(checkup: &mut Checkup, connected: &Connected, with: &Circumstances) -> bool {
    const NAME: &str = "encryption";
    let server = connected.door.way().server();
    let on_this_machine = matches!(server.url.host(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if server.url.scheme_str() == Some("http") {
        if on_this_machine {
            checkup.good(NAME, "none, and none is needed: it is on this machine");
        } else {
            checkup.add(NAME, Verdict::Warning, "none: plain HTTP", "use https in the kubeconfig");
        }
        return true;
    }
    let config = match connected.door.way().config().await {
        Ok(config) => config,
        Err(fault) => {
            checkup.broken(NAME, &fault);
            return false;
        }
    };
    let end = match certificate::of_server(&config).await {
        Ok(end) => end,
        // Without a plugin's certificate the handshake may be refused; the answer will tell.
        Err(fault)
            if fault.kind == FaultKind::Credential
                && connected.door.way().credential().plugin().is_some() =>
        {
            None
        }
        Err(fault) => {
            checkup.broken(NAME, &fault);
            return false;
        }
    };
    if server.insecure {
        let hint = "give the certificate authority instead of insecure-skip-tls-verify";
        checkup.add(NAME, Verdict::Warning, "INSECURE: the server's certificate is not checked", hint);
    }
    match end {
        Some(end) if server.insecure => expiry(checkup, NAME, "the server's certificate", end, with),
        Some(end) => expiry(checkup, NAME, "the server's certificate is accepted", end, with),
        None => checkup.good(NAME, "TLS; when the server's certificate expires is not known"),
    }
    true
}

/// False when there is none, although there should be.
pub(super) async fn credential(checkup: &mut Checkup, connected: &Connected, with: &Circumstances) -> bool {
    const NAME: &str = "credential";
    let (way, kind) = (connected.door.way(), &connected.connection.credential);
    if let Err(fault) = way.ready().await {
        checkup.add(NAME, Verdict::Broken, told(&fault), hint(&fault));
        return false;
    }
    if kind.as_str() == "none" {
        let hint = "name a user in the kubeconfig, unless the server asks for none";
        checkup.add(NAME, Verdict::Warning, "none", hint);
        return true;
    }
    let plugin = way.credential().plugin().is_some();
    let material = std::sync::Arc::clone(way.material());
    let certificate = tokio::task::spawn_blocking(move || certificate::of_client(&material)).await;
    match (way.credential().ends(), certificate.ok().flatten()) {
        // It is made anew by itself.
        (Some(end), _) if plugin => {
            let left = with.now.until(end);
            checkup.good(NAME, format!("{kind}, expires in {left} and is then renewed"));
        }
        (Some(end), _) | (None, Some(end)) => expiry(checkup, NAME, kind, end, with),
        (None, None) => checkup.good(NAME, format!("{kind}, without an expiry that it tells")),
    }
    true
}

fn told(fault: &Fault) -> Clean {
    Clean::from(format!("{}: {}", fault.what(), fault.detail))
}

/// What to do here, where no panel is at hand.
fn hint(fault: &Fault) -> &'static str {
    match fault.kind {
        FaultKind::Login => {
            "log in with the tool of your cloud, or press L on it in the Clusters panel of `skydeck`"
        }
        FaultKind::Credential => "run the plugin by hand to see what it says or waits for",
        _ => fault.hint(),
    }
}
