//! A good guest: how many requests a cluster gets from this console.
//!
//! The first minute of a session may ask for every kind at once. After that the rate holds, also when
//! everything reconnects together; what waits, waits in order.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

/// Requests a second, once the start is over.
pub const RATE: f64 = 5.0;
/// Requests that may go out together.
const BURST: f64 = 5.0;
/// Requests of the start: two for every kind, discovery, identity.
const START: u32 = 110;
const LISTS_AT_ONCE: usize = 4;

#[derive(Debug)]
pub struct Budget {
    bucket: Mutex<Bucket>,
    lists: Arc<Semaphore>,
}

#[derive(Debug)]
struct Bucket {
    start_left: u32,
    tokens: f64,
    at: Instant,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            bucket: Mutex::new(Bucket { start_left: START, tokens: BURST, at: Instant::now() }),
            lists: Arc::new(Semaphore::new(LISTS_AT_ONCE)),
        }
    }
}

impl Budget {
    /// Returns when one request may be sent.
    pub async fn admit(&self) {
        let mut bucket = self.bucket.lock().await;
        if bucket.start_left > 0 {
            bucket.start_left -= 1;
            return;
        }
        let now = Instant::now();
        let earned = now.duration_since(bucket.at).as_secs_f64() * RATE;
        bucket.tokens = (bucket.tokens + earned).min(BURST) - 1.0;
        bucket.at = now;
        if bucket.tokens < 0.0 {
            // Holding the lock keeps the order.
            let due = now + Duration::from_secs_f64(-bucket.tokens / RATE);
            sleep_until(due).await;
            bucket.tokens = 0.0;
            bucket.at = due;
        }
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
}
