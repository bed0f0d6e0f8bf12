//! A plain HTTP client for the tests: what goes over the wire is what stands here.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use skydeck::demo::api::{Identity, Server};
use skydeck::demo::clock::Clock;
use skydeck::demo::store::Store;

/// Nothing in the tests may take longer.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Client {
    pub address: String,
}

#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    /// The reason and message of a `metav1.Status`.
    pub fn refusal(&self) -> (u16, String) {
        let status = self.json();
        assert_eq!(status["kind"], "Status", "{status}");
        assert_eq!(status["code"], self.code, "{status}");
        (self.code, status["message"].as_str().unwrap_or_default().to_owned())
    }
}

impl Client {
    pub fn new(url: &str) -> Client {
        Client { address: url.trim_start_matches("http://").to_owned() }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[], "")
    }

    pub fn get_as(&self, accept: &str, path: &str) -> Answer {
        self.call("GET", path, &[("Accept", accept)], "")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, &[("Content-Type", "application/json")], &body.to_string())
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.call("PUT", path, &[("Content-Type", "application/json")], &body.to_string())
    }

    pub fn merge(&self, path: &str, patch: &Value) -> Answer {
        let media = "application/merge-patch+json";
        self.call("PATCH", path, &[("Content-Type", media)], &patch.to_string())
    }

    pub fn delete(&self, path: &str, options: Option<&Value>) -> Answer {
        let body = options.map(ToString::to_string).unwrap_or_default();
        self.call("DELETE", path, &[("Content-Type", "application/json")], &body)
    }

    pub fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = self.send(method, path, headers, body);
        let (code, headers) = head(&mut stream);
        let mut answer = Answer { code, headers, body: String::new() };
        if answer.header("transfer-encoding") == "chunked" {
            while let Some(piece) = chunk(&mut stream) {
                answer.body.push_str(&piece);
            }
        } else {
            // Whoever answers without reading the whole question ends the connection with a reset.
            let length = answer.header("content-length").parse().unwrap_or(u64::MAX);
            stream.take(length).read_to_string(&mut answer.body).unwrap();
        }
        answer
    }

    /// A stream of lines: a watch or a log.
    pub fn open(&self, path: &str) -> Lines {
        self.open_as("application/json", path)
    }

    pub fn open_as(&self, accept: &str, path: &str) -> Lines {
        let mut stream = self.send("GET", path, &[("Accept", accept)], "");
        let (code, _) = head(&mut stream);
        assert_eq!(code, 200, "{path}");
        Lines { stream, text: String::new() }
    }

    /// Sends a request and does not wait for the answer.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> BufReader<TcpStream> {
        self.send_as("HTTP/1.1", (method, path), headers, body)
    }

    /// The same in another version of HTTP.
    pub fn send_as(
        &self,
        version: &str,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: &str,
    ) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut request = format!("{method} {path} {version}\r\nHost: demo\r\nConnection: close\r\n");
        for (name, value) in headers {
            request.extend([*name, ": ", *value, "\r\n"]);
        }
        write!(stream, "{request}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        BufReader::new(stream)
    }
}

pub struct Lines {
    stream: BufReader<TcpStream>,
    text: String,
}

impl Lines {
    /// The next line; `None` at the end of the stream.
    pub fn line(&mut self) -> Option<String> {
        loop {
            if let Some((line, rest)) = self.text.split_once('\n') {
                let line = line.to_owned();
                self.text = rest.to_owned();
                return Some(line);
            }
            self.text.push_str(&chunk(&mut self.stream)?);
        }
    }

    /// The next watch event: its type and its object.
    pub fn event(&mut self) -> Option<(String, Value)> {
        let mut event: Value = serde_json::from_str(&self.line()?).unwrap();
        Some((event["type"].as_str().unwrap().to_owned(), event["object"].take()))
    }

    /// Type and name of the next event.
    pub fn told(&mut self) -> (String, String) {
        let (kind, object) = self.event().expect("the watch goes on");
        (kind, object["metadata"]["name"].as_str().unwrap_or_default().to_owned())
    }

    /// Was the connection reset, not ended?
    pub fn is_broken(&mut self) -> bool {
        self.stream.fill_buf().is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset)
    }

    /// Is nothing said for so long?
    pub fn is_silent(&mut self, time: Duration) -> bool {
        self.stream.get_ref().set_read_timeout(Some(time)).unwrap();
        let silent = self.stream.fill_buf().is_err();
        self.stream.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
        silent
    }
}

pub fn head(stream: &mut BufReader<TcpStream>) -> (u16, Vec<(String, String)>) {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let code =
        line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("{line:?}"));
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { return (code, headers) };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
}

fn chunk(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut size = String::new();
    stream.read_line(&mut size).unwrap();
    let size = usize::from_str_radix(size.trim(), 16).ok()?;
    let mut bytes = vec![0; size + 2];
    stream.read_exact(&mut bytes).unwrap();
    bytes.truncate(size);
    (size > 0).then(|| String::from_utf8(bytes).unwrap())
}

/// One API server over a store of its own, without a scenario; ends with the test.
pub struct Alone {
    pub store: Arc<Store>,
    pub server: Arc<Server>,
    pub client: Client,
    _runtime: tokio::runtime::Runtime,
}

impl Alone {
    pub fn new(history: usize) -> Alone {
        let store = Arc::new(Store::with_history(Arc::new(Clock::wall()), 1, history));
        let identity = Identity { git_version: "v1.34.0".to_owned(), token: "secret".to_owned() };
        let server = Server::new(store.clone(), identity);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client { address: listener.local_addr().unwrap().to_string() };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.spawn(server.clone().serve(listener));
        Alone { store, server, client, _runtime: runtime }
    }
}
