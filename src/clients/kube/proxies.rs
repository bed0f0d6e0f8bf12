//! Through which proxy a server is reached, as kubectl finds it: the kubeconfig's `proxy-url`, else the
//! environment's variables with the exceptions that Go makes.
//!
//! kube compares `NO_PROXY` with the proxy instead of the server, and applies it to `proxy-url` too, so this is
//! found out here.

use std::net::IpAddr;

use http::Uri;
use ipnet::IpNet;

use crate::fleet::{Fault, FaultKind, Step};

/// The environment's say, read once.
#[derive(Clone, Default)]
pub struct Proxies {
    pub https: Option<String>,
    pub http: Option<String>,
    pub not_for: String,
}

impl Proxies {
    pub fn of_environment() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    fn of(variables: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |names: [&str; 2]| {
            names.iter().filter_map(|name| variables(name)).find(|value| !value.is_empty())
        };
        Self {
            https: variable(["HTTPS_PROXY", "https_proxy"]),
            http: variable(["HTTP_PROXY", "http_proxy"]),
            not_for: variable(["NO_PROXY", "no_proxy"]).unwrap_or_default(),
        }
    }

    /// The proxy for a server. One that the kubeconfig names is not excepted from.
    pub fn to(&self, server: &Uri, of_kubeconfig: Option<&str>) -> Result<Option<Uri>, Fault> {
        if let Some(proxy) = of_kubeconfig.filter(|proxy| !proxy.is_empty()) {
            return address(proxy).map(Some);
        }
        let plain = server.scheme_str() == Some("http");
        let proxy = if plain { &self.http } else { &self.https };
        let Some(proxy) = proxy else { return Ok(None) };
        let host = server.host().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
        let port = server.port_u16().unwrap_or(if plain { 80 } else { 443 });
        if self.excepts(&host, port) { Ok(None) } else { address(proxy).map(Some) }
    }

    fn excepts(&self, host: &str, port: u16) -> bool {
        let ip: Option<IpAddr> = host.parse().ok();
        // Never for this machine, whatever the variables say.
        if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
            return true;
        }
        let entries = self.not_for.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(str::to_ascii_lowercase).any(|entry| matches(&entry, host, ip, port))
    }
}

/// `*`, `10.0.0.0/8`, `10.0.0.1`, `host`, `.suffix`, `*.suffix`, each but the first two with `:port` or without.
fn matches(entry: &str, host: &str, ip: Option<IpAddr>, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    if let Ok(net) = entry.parse::<IpNet>() {
        return ip.is_some_and(|ip| net.contains(&ip));
    }
    let (name, wanted_port) = split_port(entry);
    if wanted_port.is_some_and(|wanted| wanted != port.to_string()) {
        return false;
    }
    if let Ok(wanted) = name.parse::<IpAddr>() {
        return ip == Some(wanted);
    }
    let suffix = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
    match suffix.strip_prefix('.') {
        // Only what lies below it.
        Some(bare) => !bare.is_empty() && host.strip_suffix(bare).is_some_and(|rest| rest.ends_with('.')),
        None => {
            !name.is_empty()
                && (host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')))
        }
    }
}

fn split_port(entry: &str) -> (&str, Option<&str>) {
    if let Some(rest) = entry.strip_prefix('[') {
        let (name, rest) = rest.split_once(']').unwrap_or((rest, ""));
        return (name, rest.strip_prefix(':'));
    }
    match entry.rsplit_once(':') {
        // More than one colon is an address of version 6.
        Some((name, port)) if !name.contains(':') => (name, Some(port)),
        _ => (entry, None),
    }
}

/// A proxy without a scheme speaks HTTP. The words never hold the address: there may be a password in it.
fn address(proxy: &str) -> Result<Uri, Fault> {
    let wrong = |words: &str| Fault::new(Step::Configure, FaultKind::Configuration, words);
    let text = if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
    // Names are looked up by the proxy in both.
    let text = text.strip_prefix("socks5h://").map_or(text.clone(), |rest| format!("socks5://{rest}"));
    let uri: Uri = text.parse().map_err(|_| wrong("the proxy's address cannot be read"))?;
    let with_user = uri.authority().is_some_and(|it| it.as_str().contains('@'));
    match uri.scheme_str() {
        Some("socks5") if with_user => Err(wrong(
            "a socks5 proxy that wants a user is not supported: name an http proxy, or one on this machine that leads there",
        )),
        Some("http" | "https" | "socks5") if uri.host().is_some_and(|host| !host.is_empty()) => Ok(uri),
        _ => Err(wrong("the proxy is none of http, https and socks5")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(not_for: &str, server: &str) -> bool {
        let proxies = Proxies {
            https: Some("proxy:3128".into()),
            http: Some("http://plain:80".into()),
            not_for: not_for.into(),
        };
        proxies.to(&server.parse().unwrap(), None).unwrap().is_some()
    }

    /// As kubectl reads them: the upper case first, and an empty one is none.
    #[test]
    fn the_variables_of_the_environment_are_those_of_kubectl() {
        for (variables, server, wanted) in [
            (
                &[("HTTPS_PROXY", "up:1"), ("https_proxy", "low:2")][..],
                "https://api.example.com",
                Some("http://up:1/"),
            ),
            (
                &[("HTTPS_PROXY", ""), ("https_proxy", "low:2")],
                "https://api.example.com",
                Some("http://low:2/"),
            ),
            (&[("https_proxy", "socks5://low:2")], "https://10.0.0.1", Some("socks5://low:2/")),
            (&[("HTTP_PROXY", "up:1")], "https://api.example.com", None),
            (&[("HTTP_PROXY", "up:1")], "http://api.example.com", Some("http://up:1/")),
            (&[("http_proxy", "low:2")], "http://api.example.com", Some("http://low:2/")),
            (&[("ALL_PROXY", "up:1"), ("https-proxy", "x")], "https://api.example.com", None),
            (&[("HTTPS_PROXY", "up:1"), ("NO_PROXY", "10.0.0.0/8,.corp")], "https://10.1.2.3:6443", None),
            (&[("HTTPS_PROXY", "up:1"), ("NO_PROXY", "10.0.0.0/8,.corp")], "https://api.corp", None),
            (
                &[("HTTPS_PROXY", "up:1"), ("NO_PROXY", "10.0.0.0/8,.corp")],
                "https://11.1.2.3",
                Some("http://up:1/"),
            ),
            (&[("HTTPS_PROXY", "up:1"), ("no_proxy", "*")], "https://11.1.2.3", None),
            (
                &[("HTTPS_PROXY", "up:1"), ("NO_PROXY", "x"), ("no_proxy", "*")],
                "https://11.1.2.3",
                Some("http://up:1/"),
            ),
        ] {
            let value =
                |name: &str| variables.iter().find(|(own, _)| *own == name).map(|(_, it)| (*it).to_owned());
            let found = Proxies::of(value).to(&server.parse().unwrap(), None).unwrap();
            assert_eq!(found.map(|it| it.to_string()).as_deref(), wanted, "{variables:?} {server}");
        }
    }

    /// The cases of Go's `httpproxy`, which kubectl uses.
    #[test]
    fn exceptions_are_those_of_go() {
        for (not_for, server, proxied) in [
            ("", "https://example.com", true),
            ("", "https://localhost:6443", false),
            ("", "https://127.0.0.1:6443", false),
            ("", "https://127.99.1.1", false),
            ("", "https://[::1]:6443", false),
            ("*", "https://example.com", false),
            (" * ", "https://10.0.0.1", false),
            ("example.com", "https://example.com", false),
            ("example.com", "https://api.example.com", false),
            ("example.com", "https://notexample.com", true),
            (".example.com", "https://example.com", true),
            (".example.com", "https://api.example.com", false),
            ("*.example.com", "https://api.example.com", false),
            ("*.example.com", "https://example.com", true),
            ("EXAMPLE.com", "https://API.example.COM", false),
            ("example.com:6443", "https://example.com:6443", false),
            ("example.com:6443", "https://example.com", true),
            ("example.com:443", "https://example.com", false),
            ("example.com:80", "http://example.com", false),
            ("10.0.0.0/8", "https://10.9.8.7:6443", false),
            ("10.0.0.0/8", "https://11.0.0.1", true),
            ("10.0.0.0/8", "https://ten.example.com", true),
            ("fd00::/8", "https://[fd00::1]:6443", false),
            ("192.168.1.1", "https://192.168.1.1:6443", false),
            ("192.168.1.1:443", "https://192.168.1.1:6443", true),
            ("[fd00::1]:6443", "https://[fd00::1]:6443", false),
            ("fd00::1", "https://[fd00::1]:6443", false),
            ("a, ,b.c ,", "https://b.c", false),
            ("proxy", "https://example.com", true),
        ] {
            assert_eq!(through(not_for, server), proxied, "NO_PROXY={not_for} {server}");
        }
    }

    #[test]
    fn the_kubeconfig_is_not_excepted_from_and_comes_first() {
        let proxies = Proxies { https: Some("http://env:1".into()), http: None, not_for: "*".into() };
        let server: Uri = "https://10.0.0.1".parse().unwrap();
        let to = |named: &str| proxies.to(&server, Some(named)).unwrap().unwrap().to_string();
        assert_eq!(to("socks5h://s:1080"), "socks5://s:1080/");
        assert_eq!(to("corp:3128"), "http://corp:3128/");
        assert!(proxies.to(&server, Some("")).unwrap().is_none());
        assert!(proxies.to(&"http://10.0.0.1".parse().unwrap(), None).unwrap().is_none());
        for wrong in ["ftp://x", "socks5://me:canary@s:1", "http://me:canary@ /"] {
            let told = proxies.to(&server, Some(wrong)).unwrap_err().to_string();
            assert!(!told.contains("canary"), "{told}");
            assert_eq!(
                told.contains("name an http proxy"),
                wrong.starts_with("socks5"),
                "what to do: {told}"
            );
        }
    }
}
