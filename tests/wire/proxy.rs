//! What lies between the console and a server: a wire that can be swallowed, reset, closed by half, slowed down, cut
//! in the middle of an answer, and laid to another server without the console knowing.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

/// What becomes of what is sent from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Pass,
    /// Connections are accepted and their bytes lost. What was lost once stays silent for ever, as a connection does
    /// that a load balancer has forgotten.
    Swallow,
    /// No connection: each is reset as soon as it comes.
    Refuse,
    /// So many bytes a second for each connection.
    Throttle(usize),
    /// A new connection leads to the server only after so long.
    Late(Duration),
    /// A new connection is reset after so many bytes of its answers.
    CutAfter(usize),
}

/// What happens to every connection that is open now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Reset,
    /// The server's half ends in good order, wherever it was; the other stays.
    HalfClose,
}

pub struct Proxy {
    pub address: SocketAddr,
    wire: Arc<Wire>,
    accepting: tokio::task::JoinHandle<()>,
}

struct Wire {
    to: Mutex<SocketAddr>,
    mode: Mutex<Mode>,
    acts: watch::Sender<Option<Act>>,
}

impl Proxy {
    pub async fn start(to: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let wire = Arc::new(Wire {
            to: Mutex::new(to),
            mode: Mutex::new(Mode::Pass),
            acts: watch::Sender::new(None),
        });
        let carried = Arc::clone(&wire);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(Arc::clone(&carried), client));
            }
        });
        Proxy { address, wire, accepting }
    }

    pub fn set(&self, mode: Mode) {
        *self.wire.mode.lock().unwrap() = mode;
    }

    /// Every connection that is open now is reset.
    pub fn reset(&self) {
        self.wire.acts.send_replace(Some(Act::Reset));
    }

    /// Every connection that is open now is ended by the server's side alone.
    pub fn half_close(&self) {
        self.wire.acts.send_replace(Some(Act::HalfClose));
    }

    /// From now on another server stands at this address; what was open to the one before is reset.
    pub fn lead_to(&self, to: SocketAddr) {
        *self.wire.to.lock().unwrap() = to;
        self.reset();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.reset();
    }
}

impl Wire {
    fn mode(&self) -> Mode {
        *self.mode.lock().unwrap()
    }
}

/// One connection, from its beginning to its end.
async fn carry(wire: Arc<Wire>, client: TcpStream) {
    let mut acts = wire.acts.subscribe();
    let mode = wire.mode();
    if mode == Mode::Refuse {
        return reset(client);
    }
    if let Mode::Late(delay) = mode {
        sleep(delay).await;
    }
    let to = *wire.to.lock().unwrap();
    let Ok(server) = TcpStream::connect(to).await else { return reset(client) };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut both = Both { wire, from_client, to_client, from_server, to_server, lost: false, told: 0 };
    let ended = tokio::select! {
        ended = both.run(mode) => ended,
        Ok(()) = acts.changed() => (*acts.borrow()).unwrap_or(Act::Reset),
    };
    let Both { from_client, mut to_client, .. } = both;
    if ended == Act::HalfClose {
        let _ = to_client.shutdown().await;
        // The other half stays until the client has had enough.
        let mut from_client = from_client;
        let _ = tokio::io::copy(&mut from_client, &mut tokio::io::sink()).await;
        return;
    }
    if let Ok(client) = from_client.reunite(to_client) {
        reset(client);
    }
}

fn reset(client: TcpStream) {
    let _ = client.set_zero_linger();
    drop(client);
}

struct Both {
    wire: Arc<Wire>,
    from_client: OwnedReadHalf,
    to_client: OwnedWriteHalf,
    from_server: OwnedReadHalf,
    to_server: OwnedWriteHalf,
    /// Bytes were swallowed: nothing passes any more.
    lost: bool,
    /// Bytes of answers so far.
    told: usize,
}

impl Both {
    async fn run(&mut self, begun_as: Mode) -> Act {
        let (mut asked, mut answered) = (vec![0; 16 << 10], vec![0; 16 << 10]);
        loop {
            tokio::select! {
                read = self.from_client.read(&mut asked) => {
                    let Some(count) = read.ok().filter(|count| *count > 0) else { return Act::Reset };
                    self.lost |= self.wire.mode() == Mode::Swallow;
                    if !self.lost && self.to_server.write_all(&asked[..count]).await.is_err() {
                        return Act::Reset;
                    }
                }
                read = self.from_server.read(&mut answered), if !self.lost => {
                    self.lost |= self.wire.mode() == Mode::Swallow;
                    if self.lost {
                        continue;
                    }
                    match read {
                        Ok(0) => return Act::HalfClose,
                        Ok(count) if self.tell(&answered[..count], begun_as).await => {}
                        _ => return Act::Reset,
                    }
                }
            }
        }
    }

    /// Whether the connection goes on.
    async fn tell(&mut self, bytes: &[u8], begun_as: Mode) -> bool {
        if let Mode::CutAfter(most) = begun_as {
            let left = most.saturating_sub(self.told).min(bytes.len());
            self.told += left;
            return self.to_client.write_all(&bytes[..left]).await.is_ok() && left == bytes.len();
        }
        let Mode::Throttle(rate) = self.wire.mode() else {
            return self.to_client.write_all(bytes).await.is_ok();
        };
        for piece in bytes.chunks((rate / 10).max(1)) {
            if self.to_client.write_all(piece).await.is_err() {
                return false;
            }
            sleep(Duration::from_millis(100)).await;
        }
        true
    }
}
