//! How long to wait before the next try: 1 s doubling to 60 s, any part of it by chance, or what the site says.
//! Spec protocol.md 7.2.

use std::sync::Arc;
use std::time::Duration;

use super::ground::Ground;

const LONGEST: u64 = 60;
/// Milliseconds.
const LEAST: u64 = 100;

/// Tries in a row that failed.
#[derive(Debug)]
pub(super) struct Backoff {
    ground: Arc<dyn Ground>,
    tries: u32,
}

impl Backoff {
    pub(super) fn new(ground: Arc<dyn Ground>) -> Self {
        Self { ground, tries: 0 }
    }

    pub(super) fn reset(&mut self) {
        self.tries = 0;
    }

    /// Waits for what the site said, or for the next of our own times.
    pub(super) async fn wait(&mut self, said: Option<Duration>) {
        let wait = self.next(said);
        tokio::time::sleep(wait).await;
    }

    fn next(&mut self, said: Option<Duration>) -> Duration {
        let greatest = 1u64.checked_shl(self.tries).unwrap_or(LONGEST).min(LONGEST);
        self.tries = (self.tries + 1).min(32);
        let chance = self.ground.random() % u128::from(greatest * 1000 + 1);
        // Any part of it, but never none: what fails at once must not be tried at once.
        let ours = Duration::from_millis(u64::try_from(chance).unwrap_or(0).max(LEAST));
        // Never before the moment that the site named; spread behind it, so that all do not come at once.
        said.map_or(ours, |said| said + ours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::text::time::Moment;

    #[derive(Debug)]
    struct Fixed(u128);
    impl Ground for Fixed {
        fn now(&self) -> Moment {
            Moment::from_microseconds(0).unwrap()
        }
        fn random(&self) -> u128 {
            self.0
        }
    }

    #[test]
    fn it_doubles_to_a_minute_with_any_part_of_it() {
        let mut least = Backoff::new(Arc::new(Fixed(0)));
        assert!((0..9).all(|_| least.next(None) == Duration::from_millis(100)));
        assert_eq!(least.next(Some(Duration::from_secs(7))), Duration::from_millis(7100));
        // The chance that gives the greatest wait of one step at a time.
        for (tries, seconds) in [(0, 1), (1, 2), (2, 4), (5, 32), (6, 60), (7, 60), (40, 60)] {
            let mut most = Backoff::new(Arc::new(Fixed(seconds * 1000)));
            most.tries = tries;
            assert_eq!(most.next(None), Duration::from_secs(u64::try_from(seconds).unwrap()), "try {tries}");
        }
        let mut back = Backoff::new(Arc::new(Fixed(1000)));
        back.tries = 9;
        back.reset();
        assert_eq!(back.next(None), Duration::from_secs(1));
    }
}
