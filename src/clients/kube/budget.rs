//! A good guest: how many requests a cluster gets from this console.
//!
//! The first minute of a session may ask for every kind at once. After that the rate holds, also when
//! everything reconnects together; what waits, waits in order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

/// Requests in any one second, once the start is over.
const RATE: usize = 5;
/// A little longer than a second: on their way, requests may come closer together.
const SECOND: Duration = Duration::from_millis(1_050);
/// Requests of the start: two for every kind, discovery, identity.
const START: u32 = 110;
const LISTS_AT_ONCE: usize = 4;

/// How long the start may last; what it did not use is not saved for later.
const START_LASTS: Duration = Duration::from_mins(1);

/// How much later than the first of them the last cluster comes back when all are lost at one moment.
const LONGEST_LAG: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Budget {
    /// Whose turn it is.
    order: tokio::sync::Mutex<()>,
    spent: Mutex<Spent>,
    lists: Arc<Semaphore>,
    lag: Duration,
}

#[derive(Debug)]
struct Spent {
    start_left: u32,
    start_ends: Instant,
    /// The requests of the last second, the oldest in front.
    recent: VecDeque<Instant>,
    /// How many that are urgent wait for a place.
    urgent: usize,
}

/// One that is urgent and waits, until it has its place or gives up.
struct Urgent<'a>(&'a Budget);

impl<'a> Urgent<'a> {
    fn new(budget: &'a Budget) -> Self {
        budget.spent().urgent += 1;
        Self(budget)
    }
}

impl Drop for Urgent<'_> {
    fn drop(&mut self) {
        self.0.spent().urgent -= 1;
    }
}

impl Default for Budget {
    fn default() -> Self {
        let start_ends = Instant::now() + START_LASTS;
        Self {
            order: tokio::sync::Mutex::default(),
            spent: Mutex::new(Spent { start_left: START, start_ends, recent: VecDeque::new(), urgent: 0 }),
            lists: Arc::new(Semaphore::new(LISTS_AT_ONCE)),
            lag: LONGEST_LAG.mul_f64(fastrand::f64()),
        }
    }
}

impl Budget {
    /// Returns when one request may be sent, in the order of those who asked.
    pub async fn admit(&self) {
        let _turn = self.order.lock().await;
        while let Some(wait) = self.take(false) {
            sleep(wait).await;
        }
    }

    /// The same for a request that an answer already waits for: the next place is its own.
    pub async fn admit_urgent(&self) {
        let _first = Urgent::new(self);
        while let Some(wait) = self.take(true) {
            sleep(wait).await;
        }
    }

    fn take(&self, is_urgent: bool) -> Option<Duration> {
        self.spent().take(is_urgent)
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long this cluster waits before it comes back, so that a hundred do not come back in step through one network.
    pub fn lag(&self) -> Duration {
        self.lag
    }

    /// A place among the lists that may run at once; given back when dropped.
    pub async fn list_permit(&self) -> OwnedSemaphorePermit {
        let lists = Arc::clone(&self.lists);
        loop {
            // The semaphore is never closed, so this asks once.
            if let Ok(permit) = Arc::clone(&lists).acquire_owned().await {
                return permit;
            }
        }
    }
}

impl Spent {
    /// Takes a place, or says how long until there may be one.
    fn take(&mut self, is_urgent: bool) -> Option<Duration> {
        let now = Instant::now();
        let most = if is_urgent { RATE } else { RATE.saturating_sub(self.urgent).max(1) };
        while self.recent.front().is_some_and(|oldest| now.duration_since(*oldest) >= SECOND) {
            self.recent.pop_front();
        }
        if self.start_left > 0 && now < self.start_ends {
            self.start_left -= 1;
        } else if let Some(blocking) = self.recent.len().checked_sub(most) {
            return Some(SECOND.saturating_sub(now.duration_since(self.recent[blocking])));
        }
        self.recent.push_back(now);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn after_the_start_the_rate_holds_even_after_a_long_pause() {
        let budget = Budget::default();
        let began = Instant::now();
        for _ in 0..START {
            budget.admit().await;
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
        tokio::time::sleep(Duration::from_hours(1)).await;
        let again = Instant::now();
        for _ in 0..55 {
            budget.admit().await;
        }
        let seconds = again.elapsed().as_secs_f64();
        assert!((10.4..10.6).contains(&seconds), "55 requests took {seconds} s");
    }

    #[tokio::test(start_paused = true)]
    async fn no_second_has_more_wherever_it_begins() {
        let budget = Budget::default();
        let mut moments = Vec::new();
        for at in 0..400_u64 {
            if at % 3 == 0 {
                budget.admit_urgent().await;
            } else {
                budget.admit().await;
            }
            moments.push(Instant::now());
            // Now in a row, now with pauses of any length.
            tokio::time::sleep(Duration::from_millis(if at % 9 < 6 { 0 } else { at * 37 % 1_300 })).await;
        }
        let later = &moments[START as usize..];
        for window in later.windows(RATE + 1) {
            assert!(window[RATE] - window[0] >= SECOND, "{:?}", window[RATE] - window[0]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_start_did_not_use_is_not_saved() {
        let budget = Budget::default();
        budget.admit().await;
        tokio::time::sleep(START_LASTS).await;
        let again = Instant::now();
        for _ in 0..25 {
            budget.admit().await;
        }
        let seconds = again.elapsed().as_secs_f64();
        assert!((4.1..4.3).contains(&seconds), "25 requests took {seconds} s");
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_place_is_that_of_what_is_urgent_and_who_gives_up_pays_nothing() {
        let budget = Budget::default();
        budget.spent().start_left = 0;
        let began = Instant::now();
        let waiting: Vec<_> = (0..40).map(|_| Box::pin(budget.admit())).collect();
        let all = futures::future::join_all(waiting);
        tokio::select! {
            biased;
            _ = all => unreachable!("that would be eight seconds"),
            () = budget.admit_urgent() => {}
        }
        assert_eq!(began.elapsed(), SECOND, "it is the sixth");
        assert_eq!(budget.spent().urgent, 0);
        for _ in 0..5 {
            budget.admit().await;
        }
        assert_eq!(began.elapsed(), SECOND * 2, "nobody waits for those who gave up");
    }
}
