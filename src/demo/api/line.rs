//! The connections of a server, each of which can be broken off at any moment: with a reset, as when a load
//! balancer forgets it. HTTP itself has no way to end a request without an answer; a socket has.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// What breaks one connection; the request that came over it has it at hand.
#[derive(Debug, Clone, Default)]
pub struct Line(Arc<State>);

#[derive(Debug, Default)]
struct State {
    broken: AtomicBool,
    reader: AtomicWaker,
}

impl Line {
    pub fn break_off(&self) {
        self.0.broken.store(true, Ordering::SeqCst);
        self.0.reader.wake();
    }
}

/// All connections of a server.
#[derive(Debug, Default)]
pub struct Lines(Mutex<Vec<Weak<State>>>);

impl Lines {
    fn add(&self, line: &Line) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|line| line.strong_count() > 0);
        lines.push(Arc::downgrade(&line.0));
    }

    pub fn break_all_off(&self) {
        for state in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            if let Some(state) = state.upgrade() {
                Line(state).break_off();
            }
        }
    }
}

/// Accepts connections and keeps their lines.
pub struct Entrance {
    pub listener: TcpListener,
    pub lines: Arc<Lines>,
}

impl Listener for Entrance {
    type Io = Wire;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Wire, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Without it small watch events wait for an acknowledgement; if it cannot be set they only wait.
        let _ = stream.set_nodelay(true);
        let line = Line::default();
        self.lines.add(&line);
        (Wire { stream, line }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Entrance>> for Line {
    fn connect_info(stream: IncomingStream<'_, Entrance>) -> Line {
        stream.io().line.clone()
    }
}

/// One connection.
pub struct Wire {
    stream: TcpStream,
    line: Line,
}

impl Wire {
    /// Fails once the line is broken; the client then gets a reset, not an end.
    fn whole(&self) -> io::Result<()> {
        if !self.line.0.broken.load(Ordering::SeqCst) {
            return Ok(());
        }
        // If it cannot be set, the client sees an end where it should see a reset.
        let _ = self.stream.set_zero_linger();
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.line.0.reader.register(context.waker());
        self.whole()?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
