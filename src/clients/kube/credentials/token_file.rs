//! A token in a file, as the kubelet and vault agents keep them: it changes without a word.
//!
//! It is read again within a minute and when a server refuses it. While it cannot be read, the last good one
//! serves: the file may be being replaced.

use std::path::PathBuf;
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

use super::end_of;
use crate::clients::secret::Secret;
use crate::fleet::{Fault, FaultKind, Step, Unix};

const OLD: Duration = Duration::from_secs(30);

pub struct TokenFile {
    path: PathBuf,
    read: tokio::sync::Mutex<Read>,
    ends: std::sync::Mutex<Option<Unix>>,
}

struct Read {
    header: Option<HeaderValue>,
    at: Option<Instant>,
}

impl TokenFile {
    /// The kubeconfig may hold a token besides, for when the file was never read.
    pub fn new(path: PathBuf, besides: Option<Secret>) -> Self {
        let header = besides.and_then(|token| token.bearer());
        Self {
            path,
            read: tokio::sync::Mutex::new(Read { header, at: None }),
            ends: std::sync::Mutex::default(),
        }
    }

    pub async fn header(&self) -> Result<HeaderValue, Fault> {
        let mut read = self.read.lock().await;
        if read.at.is_none_or(|at| at.elapsed() >= OLD) {
            self.look(&mut read).await?;
        }
        read.header.clone().ok_or_else(|| self.fault("is not a token"))
    }

    /// What it says now.
    pub async fn read_again(&self) -> Option<HeaderValue> {
        let mut read = self.read.lock().await;
        self.look(&mut read).await.ok()?;
        read.header.clone()
    }

    pub fn ends(&self) -> Option<Unix> {
        *self.ends.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn look(&self, read: &mut Read) -> Result<(), Fault> {
        let text = tokio::fs::read_to_string(&self.path).await;
        let token = text.map(|text| Secret::new(text.trim().to_owned()));
        let words = match token {
            Err(error) => format!("cannot be read: {}", error.kind()),
            Ok(token) if token.is_empty() => "is empty".to_owned(),
            Ok(token) => match token.bearer() {
                None => "is not a token".to_owned(),
                Some(header) => {
                    *self.ends.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = end_of(&token);
                    (read.header, read.at) = (Some(header), Some(Instant::now()));
                    return Ok(());
                }
            },
        };
        if read.header.is_none() {
            return Err(self.fault(&words));
        }
        tracing::warn!("the token file {} {words}: the last one serves", self.path.display());
        read.at = Some(Instant::now());
        Ok(())
    }

    fn fault(&self, words: &str) -> Fault {
        let words = format!("the token file {} {words}", self.path.display());
        Fault::new(Step::Connect, FaultKind::Credential, words)
    }
}
