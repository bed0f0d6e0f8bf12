//! A good guest: how many requests a cluster gets from this console.
//!
//! The first minute of a session may ask for every kind at once. After that the rate holds, also when
//! everything reconnects together; what waits, waits in order.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

/// Requests a second, once the start is over.
pub const RATE: f64 = 5.0;
/// Requests that may go out together.
const BURST: f64 = 5.0;
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
    bucket: Mutex<Bucket>,
    lists: Arc<Semaphore>,
    lag: Duration,
}

#[derive(Debug)]
struct Bucket {
    start_left: u32,
    start_ends: Instant,
    /// Below zero when some could not wait.
    tokens: f64,
    at: Instant,
}

impl Default for Budget {
    fn default() -> Self {
        let now = Instant::now();
        let bucket = Bucket { start_left: START, start_ends: now + START_LASTS, tokens: BURST, at: now };
        Self {
            order: tokio::sync::Mutex::default(),
            bucket: Mutex::new(bucket),
            lists: Arc::new(Semaphore::new(LISTS_AT_ONCE)),
            lag: LONGEST_LAG.mul_f64(fastrand::f64()),
        }
    }
}

impl Budget {
    /// Returns when one request may be sent, in the order of those who asked.
    pub async fn admit(&self) {
        let _turn = self.order.lock().await;
        // What could not wait may have taken the place meanwhile.
        while let Some(wait) = self.take() {
            sleep(wait).await;
        }
    }

    /// Counts a request that cannot wait; those after it wait longer.
    pub fn admit_at_once(&self) {
        let mut bucket = self.bucket();
        if bucket.take().is_some() {
            bucket.tokens -= 1.0;
        }
    }

    fn take(&self) -> Option<Duration> {
        self.bucket().take()
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
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

impl Bucket {
    /// Takes one place, or says how long until there is one.
    fn take(&mut self) -> Option<Duration> {
        let now = Instant::now();
        if self.start_left > 0 && now < self.start_ends {
            self.start_left -= 1;
            return None;
        }
        let earned = now.duration_since(self.at).as_secs_f64() * RATE;
        self.tokens = (self.tokens + earned).min(BURST);
        self.at = now;
        // A little less than one: seconds are not exact.
        if self.tokens > 0.999 {
            self.tokens -= 1.0;
            return None;
        }
        Some(Duration::from_secs_f64((1.0 - self.tokens) / RATE))
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
        assert!((9.9..10.1).contains(&seconds), "55 requests took {seconds} s");
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
        assert!((3.9..4.1).contains(&seconds), "25 requests took {seconds} s");
    }

    #[tokio::test(start_paused = true)]
    async fn who_cannot_wait_is_paid_for_by_those_after_and_who_gives_up_pays_nothing() {
        let budget = Budget::default();
        budget.bucket().start_left = 0;
        for _ in 0..10 {
            budget.admit_at_once();
        }
        let began = Instant::now();
        {
            let waiting: Vec<_> = (0..20).map(|_| Box::pin(budget.admit())).collect();
            let all = futures::future::join_all(waiting);
            assert!(tokio::time::timeout(Duration::from_millis(10), all).await.is_err());
        }
        budget.admit().await;
        let seconds = began.elapsed().as_secs_f64();
        assert!((1.1..1.3).contains(&seconds), "the eleventh waited {seconds} s");
    }
}
