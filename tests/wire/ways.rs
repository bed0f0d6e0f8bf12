//! The way to a server: certificates that are good, old, early, strange or replaced, and proxies of all kinds.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SanType, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};
use skydeck::clients::kube::connect::{Connector, Target};
use skydeck::clients::kube::contexts;
use skydeck::clients::kube::proxies::Proxies;
use skydeck::clients::kube::{Question, certificate};
use skydeck::config::Config;
use skydeck::fleet::{Fault, FaultKind, Step};
use skydeck::sources::inventory::{self, Places};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::cluster::{Api, TOKEN};
use crate::plugins::nothing_leaked;

pub type Issuer = CertifiedIssuer<'static, KeyPair>;

pub fn issuer(name: &str) -> Issuer {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for a name or an address, between two years.
pub fn issued(by: &Issuer, name: &str, years: (i32, i32)) -> (String, String) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.subject_alt_names = vec![match name.parse() {
        Ok(address) => SanType::IpAddress(address),
        Err(_) => SanType::DnsName(name.try_into().unwrap()),
    }];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    (params.not_before, params.not_after) = (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, by).unwrap().pem(), key.serialize_pem())
}

pub const NOW: (i32, i32) = (2020, 2099);

/// TLS before a server that speaks none. Notes the subject of each client certificate.
pub struct Front {
    pub address: SocketAddr,
    shown: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Front {
    pub async fn start(
        api: &Api,
        (certificate, key): &(String, String),
        clients_of: Option<&Issuer>,
    ) -> Front {
        let chain = CertificateDer::pem_slice_iter(certificate.as_bytes()).map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let builder = ServerConfig::builder();
        let builder = match clients_of {
            None => builder.with_no_client_auth(),
            Some(issuer) => {
                let mut roots = RootCertStore::empty();
                roots.add(issuer.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
                builder.with_client_cert_verifier(verifier)
            }
        };
        let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, to) = (listener.local_addr().unwrap(), api.address);
        let shown = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let notes = Arc::clone(&shown);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, notes) = (acceptor.clone(), Arc::clone(&notes));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    if let Some([first, ..]) = stream.get_ref().1.peer_certificates() {
                        notes.lock().unwrap().push(first.to_vec());
                    }
                    let mut behind = TcpStream::connect(to).await.unwrap();
                    let _ = copy_bidirectional(&mut stream, &mut behind).await;
                });
            }
        });
        Front { address, shown }
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    fn certificates_shown(&self) -> usize {
        let mut shown = self.shown.lock().unwrap().clone();
        shown.sort();
        shown.dedup();
        shown.len()
    }
}

pub fn encoded(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// A target with this cluster and user; the folder is where relative files are.
fn target(folder: &tempfile::TempDir, cluster: &Value, user: &Value) -> Target {
    let file = folder.path().join("kubeconfig");
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}], "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    });
    std::fs::write(&file, kubeconfig.to_string()).unwrap();
    Target { kubeconfig: Arc::new(contexts::load(&[file]).kubeconfig), context: "c".into() }
}

async fn ask(connector: &Connector, target: &Target) -> Result<(), Fault> {
    let door = connector.connect(target)?.door;
    let question = Question::json("/api/v1/namespaces?limit=1", Step::Get);
    door.ask_json::<Value>(question).await.map(drop)
}

fn direct() -> Connector {
    Connector::new(Proxies::default(), Duration::from_secs(5))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_certificate_is_told_in_words() {
    let api = Api::start("one", None);
    let (own, strange) = (issuer("own"), issuer("strange"));
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        (issued(&own, "127.0.0.1", NOW), json!({}), ""),
        (issued(&own, "127.0.0.1", (2001, 2002)), json!({}), "it expired at 2002-01-01T00:00:00Z"),
        (issued(&own, "127.0.0.1", (2098, 2099)), json!({}), "it is not valid before 2098-01-01T00:00:00Z"),
        (issued(&strange, "127.0.0.1", NOW), json!({}), "its authority is not the one in the kubeconfig"),
        (issued(&own, "api.example.com", NOW), json!({}), "it is for api.example.com, and not for 127.0.0.1"),
        (issued(&own, "10.0.0.1", NOW), json!({}), "and not for 127.0.0.1"),
        (issued(&own, "api.example.com", NOW), json!({"tls-server-name": "api.example.com"}), ""),
        (issued(&own, "127.0.0.1", NOW), json!({"tls-server-name": "other"}), "and not for other"),
        (issued(&strange, "elsewhere", (2001, 2002)), json!({"insecure-skip-tls-verify": true}), ""),
    ];
    for (certificate, more, words) in cases {
        let front = Front::start(&api, &certificate, None).await;
        let mut cluster = json!({"server": front.url()});
        if more["insecure-skip-tls-verify"].is_null() {
            cluster["certificate-authority-data"] = encoded(&own.pem()).into();
        }
        for (name, value) in more.as_object().unwrap() {
            cluster[name] = value.clone();
        }
        let target = target(&folder, &cluster, &json!({"token": TOKEN}));
        let connected = direct().connect(&target).unwrap();
        assert_eq!(connected.connection.insecure, more["insecure-skip-tls-verify"] == true);
        let config = connected.door.way().config().await.unwrap();
        let looked = certificate::of_server(&config).await;
        match ask(&direct(), &target).await {
            Ok(()) => {
                assert_eq!(words, "", "{more}");
                assert!(looked.unwrap().is_some(), "its end is known");
            }
            Err(fault) => {
                assert!(!words.is_empty() && fault.to_string().contains(words), "{words}: {fault}");
                assert_eq!(fault.kind, FaultKind::Certificate);
                assert!(looked.unwrap_err().to_string().contains(words));
            }
        }
    }
    let plain =
        target(&folder, &json!({"server": format!("https://{}", api.address)}), &json!({"token": TOKEN}));
    let fault = ask(&direct(), &plain).await.unwrap_err();
    assert!(fault.to_string().contains("does not speak TLS"), "{fault}");
    for (name, value, words) in [
        ("certificate-authority-data", json!("%%"), "the certificate authority is not base64"),
        (
            "certificate-authority-data",
            json!(encoded("canary")),
            "the certificate authority is no certificate",
        ),
        ("certificate-authority", json!("none.pem"), "none.pem cannot be read: entity not found"),
    ] {
        let cluster = json!({"server": "https://127.0.0.1:1", name: value});
        let fault = ask(&direct(), &target(&folder, &cluster, &json!({}))).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Configuration);
        assert!(fault.to_string().contains(words), "{fault}");
        nothing_leaked(&fault.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_replaced_is_taken_and_half_of_one_is_not() {
    let api = Api::start("one", None);
    let (own, clients) = (issuer("own"), issuer("clients"));
    let front = Front::start(&api, &issued(&own, "127.0.0.1", NOW), Some(&clients)).await;
    let folder = tempfile::tempdir().unwrap();
    let write = |(certificate, key): &(String, String)| {
        std::fs::write(folder.path().join("me.pem"), certificate).unwrap();
        std::fs::write(folder.path().join("me.key"), key).unwrap();
    };
    std::fs::write(folder.path().join("ca.pem"), own.pem()).unwrap();
    write(&issued(&clients, "me", NOW));
    // As kind and k3s do, but in files.
    let cluster = json!({"server": front.url(), "certificate-authority": "ca.pem"});
    let user = json!({"client-certificate": "me.pem", "client-key": "me.key", "token": TOKEN});
    let target = target(&folder, &cluster, &user);
    let door = direct().connect(&target).unwrap().door;
    let asked = async || {
        let question = Question::json("/api/v1/namespaces?limit=1", Step::Get);
        door.ask_json::<Value>(question).await
    };
    asked().await.unwrap();
    assert_eq!(front.certificates_shown(), 1);
    std::fs::write(folder.path().join("me.pem"), "-----BEGIN CERT").unwrap();
    tokio::time::sleep(Duration::from_secs(11)).await;
    asked().await.expect("what was goes on");
    write(&issued(&clients, "me", NOW));
    tokio::time::sleep(Duration::from_secs(11)).await;
    asked().await.unwrap();
    assert_eq!(front.certificates_shown(), 2, "the new one is shown");
    let without = self::target(&folder, &cluster, &json!({"token": TOKEN}));
    assert!(ask(&direct(), &without).await.is_err());
    let config = direct().connect(&without).unwrap().door.way().config().await.unwrap();
    let fault = certificate::of_server(&config).await.unwrap_err();
    assert!(fault.to_string().contains("asks for a client certificate"), "{fault}");
}

/// The key as openssl and k3s write it: what PKCS#8 wraps.
fn sec1(key: &str) -> String {
    let PrivateKeyDer::Pkcs8(whole) = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap() else {
        panic!("PKCS#8")
    };
    let whole = whole.secret_pkcs8_der();
    let inner = whole.len() - 0x6d;
    assert_eq!(whole[inner - 2..inner], [0x04, 0x6d], "an octet string that fills the rest");
    let text = base64::engine::general_purpose::STANDARD.encode(&whole[inner..]);
    format!("-----BEGIN EC PRIVATE KEY-----\n{text}\n-----END EC PRIVATE KEY-----\n")
}

/// What kind and k3s write: one name for all, everything embedded, and nothing but a certificate says who asks.
fn embedded(name: &str, server: &str, authority: &str, (certificate, key): (&str, &str)) -> String {
    let [authority, certificate, key] = [authority, certificate, key].map(encoded);
    format!(
        "apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: {authority}
    server: {server}
  name: {name}
contexts:
- context:
    cluster: {name}
    user: {name}
  name: {name}
current-context: {name}
kind: Config
preferences: {{}}
users:
- name: {name}
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
"
    )
}

/// What the console makes of a kubeconfig.
fn found(folder: &tempfile::TempDir, text: &str) -> Target {
    let file = folder.path().join("kubeconfig");
    std::fs::write(&file, text).unwrap();
    let places = Places { kubeconfig_files: vec![file] };
    inventory::find(&Config::default(), &places, &[]).unwrap().members.remove(0).target.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kubeconfigs_of_kind_and_k3s_work_as_they_are() {
    let api = Api::start("one", None);
    let (own, clients) = (issuer("own"), issuer("clients"));
    let front = Front::start(&api, &issued(&own, "127.0.0.1", NOW), Some(&clients)).await;
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = issued(&clients, "system:admin", NOW);
    // With k3s the certificate comes with that of its issuer, and the key in the older form.
    let (chain, older) = (format!("{certificate}{}", clients.pem()), sec1(&key));
    for (name, user) in [("kind-ml", (&*certificate, &*key)), ("default", (&*chain, &*older))] {
        front.shown.lock().unwrap().clear();
        let target = found(&folder, &embedded(name, &front.url(), &own.pem(), user));
        assert_eq!(target.context, name);
        let connected = direct().connect(&target).unwrap();
        assert_eq!(connected.connection.credential.as_str(), "client certificate");
        assert!(!connected.connection.insecure);
        ask(&direct(), &target).await.unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(front.certificates_shown(), 1, "{name}: the certificate is shown");
        let client = certificate::of_client(connected.door.way().material());
        assert!(client.is_some_and(|end| end.rfc3339().starts_with("2099")), "{name}: {client:?}");
        nothing_leaked("");
    }
}

/// It is the embedded authority that is trusted, and the embedded certificate that lets in.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_what_is_embedded_is_told() {
    let api = Api::start("one", None);
    let (own, clients) = (issuer("own"), issuer("clients"));
    let front = Front::start(&api, &issued(&own, "127.0.0.1", NOW), Some(&clients)).await;
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = issued(&clients, "system:admin", NOW);
    let (other, key_of_other) = issued(&own, "system:admin", NOW);
    let told = async |text: &str| ask(&direct(), &found(&folder, text)).await.unwrap_err();
    let right = embedded("kind-ml", &front.url(), &own.pem(), (&certificate, &key));
    let strange = embedded("kind-ml", &front.url(), &issuer("strange").pem(), (&certificate, &key));
    assert_eq!(told(&strange).await.kind, FaultKind::Certificate);
    let fault = told(&embedded("kind-ml", &front.url(), &own.pem(), (&other, &key_of_other))).await;
    assert_ne!(fault.kind, FaultKind::Configuration, "the server refuses it: {fault}");
    let fault = told(&embedded("kind-ml", &front.url(), &own.pem(), (&certificate, &key_of_other))).await;
    assert_eq!(fault.kind, FaultKind::Configuration, "they do not belong together: {fault}");
    for half in ["client-certificate-data", "client-key-data"] {
        let without: Vec<_> = right.lines().filter(|line| !line.contains(half)).collect();
        let fault = told(&without.join("\n")).await;
        assert!(fault.to_string().contains("is missing"), "{half}: {fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_may_give_a_certificate() {
    let api = Api::start("one", None);
    let (own, clients) = (issuer("own"), issuer("clients"));
    let front = Front::start(&api, &issued(&own, "127.0.0.1", NOW), Some(&clients)).await;
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = issued(&clients, "me", NOW);
    let answer = json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status":
        {"token": TOKEN, "clientCertificateData": certificate, "clientKeyData": key}});
    std::fs::write(folder.path().join("answer"), answer.to_string()).unwrap();
    let exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/cat",
        "args": [folder.path().join("answer")], "interactiveMode": "Never"});
    let cluster = json!({"server": front.url(), "certificate-authority-data": encoded(&own.pem())});
    let target = target(&folder, &cluster, &json!({"exec": exec}));
    ask(&direct(), &target).await.unwrap();
    assert_eq!(front.certificates_shown(), 1);
    nothing_leaked("");
}

/// A proxy of one kind; notes what it was asked for.
pub async fn proxy(kind: &'static str, to: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, asked) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<String>>>::default());
    let notes = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let notes = Arc::clone(&notes);
            tokio::spawn(async move {
                let mut head = vec![0; 4096];
                let count = client.read(&mut head).await.unwrap();
                if kind == "http" {
                    notes.lock().unwrap().push(String::from_utf8_lossy(&head[..count]).into_owned());
                    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                } else {
                    client.write_all(&[5, 0]).await.unwrap();
                    let count = client.read(&mut head).await.unwrap();
                    let name = String::from_utf8_lossy(&head[5..count - 2]).into_owned();
                    notes.lock().unwrap().push(name);
                    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
                }
                let mut server = TcpStream::connect(to).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    (address, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_reached_through_the_proxies_that_are_named() {
    let api = Api::start("one", None);
    let own = issuer("own");
    let front = Front::start(&api, &issued(&own, "api.example.com", NOW), None).await;
    let folder = tempfile::tempdir().unwrap();
    // A name that only the proxy knows.
    let named = |proxy: Option<String>| {
        let mut cluster = json!({"server": "https://api.example.com:6443",
            "certificate-authority-data": encoded(&own.pem())});
        if let Some(proxy) = proxy {
            cluster["proxy-url"] = proxy.into();
        }
        target(&folder, &cluster, &json!({"token": TOKEN}))
    };
    let (http, asked) = proxy("http", front.address).await;
    let with_password = named(Some(format!("http://me:canary%40password@{http}")));
    let connected = direct().connect(&with_password).unwrap();
    assert_eq!(connected.connection.proxy.as_ref().unwrap().as_str(), http.to_string());
    ask(&direct(), &with_password).await.unwrap();
    let config = connected.door.way().config().await.unwrap();
    assert!(certificate::of_server(&config).await.unwrap().is_some(), "its end is known behind a proxy too");
    let heads = asked.lock().unwrap().clone();
    assert_eq!(heads.len(), 2);
    assert!(heads.iter().all(|head| head.to_lowercase().contains("basic ")), "{heads:?}");
    let head = asked.lock().unwrap().concat();
    assert!(head.starts_with("CONNECT api.example.com:6443 HTTP/1.1"), "{head}");
    assert!(head.to_lowercase().contains(&format!("basic {}", encoded("me:canary@password")).to_lowercase()));
    let (socks, asked) = proxy("socks5", front.address).await;
    let through_socks = named(Some(format!("socks5h://{socks}")));
    ask(&direct(), &through_socks).await.unwrap();
    let config = direct().connect(&through_socks).unwrap().door.way().config().await.unwrap();
    assert!(certificate::of_server(&config).await.unwrap().is_some());
    assert_eq!(asked.lock().unwrap()[..], ["api.example.com"; 2], "the proxy looks the name up");
    // The environment, and what is excepted from it.
    let (env, asked) = proxy("http", front.address).await;
    let of = |not_for: &str| {
        let proxies = Proxies { https: Some(env.to_string()), not_for: not_for.into(), ..Proxies::default() };
        Connector::new(proxies, Duration::from_secs(5))
    };
    ask(&of("10.0.0.0/8,other"), &named(None)).await.unwrap();
    assert_eq!(asked.lock().unwrap().len(), 1);
    let through = |connector: &Connector| connector.connect(&named(None)).unwrap().connection.proxy;
    assert!(through(&of("x, ,.example.com:6443")).is_none(), "an empty entry is no mistake");
    assert!(through(&of(".example.com:443")).is_some());
    nothing_leaked(&format!("{:?}", connected.connection));
}
