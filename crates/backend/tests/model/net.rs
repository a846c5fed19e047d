//! A network that drops, doubles, delays, reorders and cuts. What is under way arrives although its sender is gone.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use backend::line::ground::Ground;
use backend::line::transport::{Answer, Transport, Unreachable};
use bytes::Bytes;
use http::Request;
use protocol::text::time::Moment;

use crate::common::moment;
use crate::site::{Shared, held, serve};

/// Chance of its own, so that a run can be lived again: splitmix64.
#[derive(Debug)]
pub struct Dice(Mutex<u64>);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    pub fn below(&self, n: u64) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// Virtual time: the clocks of both sides, and the chance of the backend.
#[derive(Debug)]
pub struct Virtual {
    begun: tokio::time::Instant,
    pub dice: Dice,
}

impl Virtual {
    pub fn new(seed: u64) -> Self {
        Self { begun: tokio::time::Instant::now(), dice: Dice::new(seed) }
    }
}

impl Ground for Virtual {
    fn now(&self) -> Moment {
        let gone = self.begun.elapsed().as_micros();
        Moment::from_microseconds(moment(0).microseconds() + i64::try_from(gone).unwrap()).unwrap()
    }
    fn random(&self) -> u128 {
        u128::from(self.dice.below(u64::MAX)) << 64 | u128::from(self.dice.below(u64::MAX))
    }
}

/// How the network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    Fine,
    /// One call in so many goes wrong in one of the ways.
    Rough(u64),
    Down,
}

pub struct Net {
    pub site: Shared,
    pub ground: Arc<Virtual>,
    pub weather: Mutex<Weather>,
}

impl std::fmt::Debug for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Net")
    }
}

/// What becomes of one call.
#[derive(Default)]
struct Fate {
    /// Before it arrives.
    up: Duration,
    /// Before the answer arrives.
    down: Duration,
    /// It never arrives, or the answer does not.
    lost: bool,
    cut: bool,
    /// Nothing is heard of it, and not even that.
    silent: bool,
    /// It arrives again so much later.
    twice: Option<Duration>,
}

impl Net {
    fn fate(&self) -> Fate {
        let dice = &self.ground.dice;
        let some = |milliseconds: u64| Duration::from_millis(dice.below(milliseconds));
        let mut fate = Fate { up: some(20), down: some(20), ..Fate::default() };
        match *self.weather.lock().unwrap() {
            Weather::Fine => {}
            Weather::Rough(n) if dice.below(n) != 0 => {}
            Weather::Rough(_) => match dice.below(6) {
                0 => fate.lost = true,
                1 => fate.cut = true,
                2 => (fate.lost, fate.silent) = (true, true),
                3 => (fate.cut, fate.silent) = (true, true),
                4 => fate.twice = Some(some(100_000)),
                _ => (fate.up, fate.down) = (some(40_000), some(40_000)),
            },
            Weather::Down => fate.lost = true,
        }
        fate
    }
}

impl Transport for Net {
    fn call(&self, request: Request<Bytes>) -> Answer<'_> {
        let fate = self.fate();
        let (site, ground) = (self.site.clone(), self.ground.clone());
        let life = held(&site).life;
        let (tell, told) = tokio::sync::oneshot::channel();
        // On its way it does not depend on who sent it.
        tokio::spawn(async move {
            let mut tell = Some(tell);
            tokio::time::sleep(fate.up).await;
            let now = || ground.now();
            let alive = || held(&site).life == life;
            let mut answer = None;
            if !fate.lost && alive() {
                answer = serve(&site, request.clone(), now).await;
            }
            tokio::time::sleep(fate.down).await;
            if let (Some(answer), false, true) = (answer, fate.cut, alive())
                && let Some(tell) = tell.take()
            {
                let _ = tell.send(answer);
            }
            if !fate.silent {
                tell = None;
            }
            if let Some(later) = fate.twice {
                tokio::time::sleep(later).await;
                if alive() {
                    let _ = serve(&site, request, now).await;
                }
            }
            if tell.is_some() {
                // Longer than anybody waits.
                tokio::time::sleep(Duration::from_secs(200)).await;
            }
        });
        Box::pin(async move { told.await.map_err(|_| Unreachable("cut".to_owned())) })
    }
}
