//! Tasks that begin again when a bug has ended them: one that fails once is a gap of seconds, not of the session.
//!
//! A bug that strikes again at once must not cost the server a list each second: pauses grow, and nobody is begun
//! again sooner than after the shortest.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::fleet::{Fault, FaultKind, Step};

/// The first pause; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_secs(4);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// A nudge ends a pause, but not before this.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// Who has lived so long has nothing to do with the failures before.
const LONG: Duration = Duration::from_mins(10);

/// Runs what `begin` gives, which is told how often it failed in a row, and anew whenever it panics. Each panic is told.
pub async fn after_panics<F, T>(
    mut begin: impl FnMut(u32) -> F,
    mut tell: impl FnMut(Fault) -> T,
    mut nudges: watch::Receiver<u64>,
) where
    F: Future<Output = ()>,
    T: Future<Output = ()>,
{
    let mut in_a_row = 0;
    loop {
        let began = Instant::now();
        let ended = AssertUnwindSafe(begin(in_a_row)).catch_unwind().await;
        let Err(payload) = ended else { return };
        in_a_row = if began.elapsed() >= LONG { 1 } else { in_a_row + 1 };
        tell(Fault::new(Step::Watch, FaultKind::Panic, words(&*payload))).await;
        sleep(SHORTEST_PAUSE).await;
        tokio::select! {
            () = sleep(pause(in_a_row).saturating_sub(SHORTEST_PAUSE)) => {}
            Ok(()) = nudges.changed() => {}
        }
    }
}

fn pause(in_a_row: u32) -> Duration {
    LONGEST_PAUSE.min(PAUSE.saturating_mul(1 << in_a_row.saturating_sub(1).min(8)))
}

fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tokio::time::timeout;

    use super::*;
    use crate::sources::kube::Nudge;

    /// When it began, in seconds, within so long.
    async fn begun(lives: Duration, for_so_long: Duration, nudge: &Nudge) -> (Vec<u64>, Vec<String>) {
        let (start, begun, told) = (Instant::now(), RefCell::default(), RefCell::default());
        let begin = |_| {
            let began = start.elapsed().as_secs();
            RefCell::<Vec<u64>>::borrow_mut(&begun).push(began);
            async move {
                sleep(lives).await;
                panic!("at {began}");
            }
        };
        let tell = |fault: Fault| {
            RefCell::<Vec<String>>::borrow_mut(&told).push(fault.to_string());
            std::future::ready(())
        };
        let _ = timeout(for_so_long, after_panics(begin, tell, nudge.listen())).await;
        (begun.into_inner(), told.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_and_who_lived_long_begins_with_a_short_one() {
        let nudge = Nudge::default();
        let (often, told) = begun(Duration::ZERO, Duration::from_mins(20), &nudge).await;
        assert_eq!(often, [0, 4, 12, 28, 60, 124, 252, 508, 808, 1108]);
        assert_eq!(told[1], "watch: this console's own task failed (a bug): at 4");
        let (seldom, _) = begun(LONG, Duration::from_mins(35), &nudge).await;
        assert_eq!(seldom, [0, 604, 1208, 1812]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_nudge_ends_a_pause_and_no_number_of_them_makes_it_shorter_than_the_shortest() {
        let nudge = Nudge::default();
        let nudging = async {
            loop {
                sleep(Duration::from_millis(10)).await;
                nudge.nudge();
            }
        };
        let begun = begun(Duration::ZERO, Duration::from_secs(10), &nudge);
        let (begun, _) = tokio::select! { begun = begun => begun, () = nudging => unreachable!() };
        assert!((9..=11).contains(&begun.len()), "{begun:?}");
    }
}
