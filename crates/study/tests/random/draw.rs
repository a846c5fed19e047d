//! Draws: a small generator (splitmix64), so that a seed gives the same study on every machine.

pub struct Draw {
    pub seed: u64,
    state: u64,
}

impl Draw {
    pub fn new(seed: u64) -> Self {
        // neighbouring seeds begin far apart in the one sequence that all of them walk
        let mut draw = Self { seed, state: seed };
        draw.state = draw.next().rotate_left(17) ^ seed;
        draw
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(n).unwrap()).unwrap()
    }

    pub fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    /// With a chance of so many in a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn shuffled(&mut self, n: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (1..=n).collect();
        for at in (1..n).rev() {
            let other = self.below(at + 1);
            all.swap(at, other);
        }
        all
    }
}
