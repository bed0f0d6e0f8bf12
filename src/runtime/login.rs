//! A credential plugin before the operator's eyes: it has the keyboard and the screen, and only what it prints as a
//! credential is kept from both.

use std::sync::Arc;

use crate::clients::kube::credentials::Plugin;
use crate::fleet::{Clean, Fault, FaultKind, Step};

use super::tty::Tty;

/// Runs it, and waits for the operator to read what it said when it failed. The terminal must be left before.
pub async fn in_front(tty: Arc<Tty>, plugin: Arc<Plugin>, cluster: Clean) -> Result<(), Fault> {
    let name = plugin.name();
    say(&tty, &format!("\nskydeck: {name} for {cluster}. Ctrl-C ends it.\n"));
    // A task of its own, so that a panic is an answer too.
    let running = tokio::spawn(async move { plugin.log_in().await });
    let failed = || Fault::new(Step::Connect, FaultKind::Panic, "");
    let outcome = running.await.unwrap_or_else(|_| Err(failed()));
    if let Err(fault) = &outcome {
        say(&tty, &format!("\nskydeck: {fault}\nPress Enter to go back to the console. "));
        let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await;
    }
    outcome
}

fn say(tty: &Tty, words: &str) {
    // Whoever cannot be told is not there.
    let _ = tty.write(words.as_bytes(), || false);
}
