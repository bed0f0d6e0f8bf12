//! Running a credential plugin: without a terminal, without an end to its words, but with an end.
//!
//! It gets a session of its own, so that `/dev/tty` is nothing to it; its input is empty, its output is kept
//! from everybody. At the deadline everything in its session's group is ended. What it leaves behind on purpose
//! (a daemon with a session of its own) is not ours to find; that such a one keeps the output open does not
//! make us wait.

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessSession};
use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::zeroize::Zeroizing;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

use super::exec::Exec;
use crate::fleet::{Fault, FaultKind};

/// A credential is a few kilobytes.
const LONGEST_OUTPUT: usize = 1 << 20;
/// What is looked at of the words for people.
const LONGEST_TAIL: usize = 16 << 10;
/// What it is told of its cluster is read within this time, or the file system hangs.
const READING: Duration = Duration::from_secs(10);
/// What was written before the end may arrive a little after it.
const LATE: Duration = Duration::from_millis(300);

/// What a plugin did.
pub struct Ran {
    pub status: ExitStatus,
    /// Everything that it printed.
    pub output: Zeroizing<Vec<u8>>,
    /// The last of what it said to people; never passed on.
    pub words: Zeroizing<Vec<u8>>,
}

pub enum Trouble {
    /// What it is to be told cannot be had.
    Untold(Fault),
    /// It could not be started.
    Start(std::io::Error),
    /// It did not end, and was ended.
    Hung,
    /// It printed more than any credential is long, and was ended.
    Flood,
}

/// Runs it where nobody sees it.
pub async fn behind(exec: &Arc<Exec>, patience: Duration) -> Result<Ran, Trouble> {
    let mut command = command(exec, false).await?;
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    let mut command = CommandWrap::from(command);
    let child = command.wrap(ProcessSession).spawn().map_err(Trouble::Start)?;
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    // The leader alone is waited for: others of its group may stay.
    let mut child = child.into_inner();
    let ran = timeout(patience, listen(&mut *child)).await;
    let trouble = match ran {
        Ok(Ok(ran)) => return Ok(ran),
        Ok(Err(trouble)) => trouble,
        Err(_) => Trouble::Hung,
    };
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    // One that the kernel does not let go is not waited for.
    let _ = timeout(LATE, child.wait()).await;
    Err(trouble)
}

/// Runs it before the operator's eyes, with the terminal: only what it prints as credential is kept back.
pub async fn in_front(exec: &Arc<Exec>) -> Result<Ran, Trouble> {
    let child = command(exec, true).await?.stdin(Stdio::inherit()).stderr(Stdio::inherit()).spawn();
    let mut child: Box<dyn ChildWrapper> = Box::new(child.map_err(Trouble::Start)?);
    listen(&mut *child).await
}

async fn command(exec: &Arc<Exec>, interactive: bool) -> Result<Command, Trouble> {
    let info = info(exec, interactive).await.map_err(Trouble::Untold)?;
    let mut command = Command::new(&exec.command);
    command.args(&exec.args).envs(exec.env.iter().map(|(name, value)| (name, value)));
    command.env("KUBERNETES_EXEC_INFO", info);
    command.stdout(Stdio::piped()).kill_on_drop(true);
    Ok(command)
}

/// Reads a file, so it is done off the async threads and has a deadline.
async fn info(exec: &Arc<Exec>, interactive: bool) -> Result<String, Fault> {
    let reader = Arc::clone(exec);
    let reading = tokio::task::spawn_blocking(move || reader.info(interactive));
    match timeout(READING, reading).await {
        Ok(Ok(info)) => info,
        Ok(Err(_)) => Err(exec.fault(FaultKind::Panic, "could not be told of its cluster")),
        Err(_) => {
            let words = "is not run: the certificate authority cannot be read within 10s";
            Err(exec.fault(FaultKind::Credential, words))
        }
    }
}

/// Takes what it prints until it ends.
async fn listen(child: &mut dyn ChildWrapper) -> Result<Ran, Trouble> {
    let (stdout, stderr) = (child.stdout().take(), child.stderr().take());
    let (mut output, mut words) = (Zeroizing::new(Vec::new()), Zeroizing::new(Vec::new()));
    let status = {
        let reading = async { tokio::join!(whole(stdout, &mut output), tail(stderr, &mut words)).0 };
        tokio::pin!(reading);
        tokio::select! {
            biased;
            fits = &mut reading => {
                if !fits {
                    return Err(Trouble::Flood);
                }
                child.wait().await
            }
            status = child.wait() => {
                // Somebody who inherited the output may keep it open for ever.
                if let Ok(false) = timeout(LATE, reading).await {
                    return Err(Trouble::Flood);
                }
                status
            }
        }
    };
    Ok(Ran { status: status.map_err(Trouble::Start)?, output, words })
}

/// False when it is too long.
async fn whole(from: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) -> bool {
    let Some(mut from) = from else { return true };
    let mut piece = Zeroizing::new([0; 4096]);
    while let Ok(count @ 1..) = from.read(&mut *piece).await {
        if into.len() + count > LONGEST_OUTPUT {
            return false;
        }
        into.extend_from_slice(&piece[..count]);
    }
    true
}

async fn tail(from: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) {
    let Some(mut from) = from else { return };
    let mut piece = Zeroizing::new([0; 4096]);
    while let Ok(count @ 1..) = from.read(&mut *piece).await {
        into.extend_from_slice(&piece[..count]);
        let over = into.len().saturating_sub(LONGEST_TAIL);
        into.drain(..over);
    }
}
