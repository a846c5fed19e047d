//! The values of every date, 8 bytes each; over a limit they go to the disk as sorted runs (actions.md 10, 12).
//! What comes out does not depend on whether that happened, nor on the order in which they came.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;

/// Bytes of values held before they are written to the disk: half of an action's 512 MB.
pub(super) const DEFAULT_LIMIT: usize = 256 << 20;

/// Values of a run that are read at a time.
const READ_AHEAD: usize = 4096;

#[derive(Debug, Clone, Copy)]
struct Run {
    offset: u64,
    values: u64,
}

#[derive(Debug, Default)]
struct Group {
    held: Vec<f64>,
    runs: Vec<Run>,
}

/// Values in groups.
pub(super) struct Pool<'a> {
    groups: Vec<Group>,
    held: usize,
    limit: usize,
    disk: Option<File>,
    written: u64,
    /// Makes the file for the runs, when it is needed.
    make: Box<dyn FnMut() -> io::Result<File> + 'a>,
}

impl<'a> Pool<'a> {
    pub(super) fn new(limit: usize, make: impl FnMut() -> io::Result<File> + 'a) -> Self {
        Self { groups: Vec::new(), held: 0, limit, disk: None, written: 0, make: Box::new(make) }
    }

    /// Starts a group and gives its number.
    pub(super) fn group(&mut self) -> usize {
        self.groups.push(Group::default());
        self.groups.len() - 1
    }

    pub(super) fn groups(&self) -> usize {
        self.groups.len()
    }

    pub(super) fn push(&mut self, group: usize, value: f64) -> io::Result<()> {
        let Some(group) = self.groups.get_mut(group) else { return Ok(()) };
        if group.held.len() == group.held.capacity() {
            // Growing by an eighth keeps what is set aside near what is used.
            group.held.reserve_exact((group.held.len() / 8).max(8));
        }
        group.held.push(value);
        self.held += size_of::<f64>();
        if self.held >= self.limit { self.spill() } else { Ok(()) }
    }

    /// How many values a group has.
    pub(super) fn count(&self, group: usize) -> u64 {
        let Some(group) = self.groups.get(group) else { return 0 };
        group.held.len() as u64 + group.runs.iter().map(|run| run.values).sum::<u64>()
    }

    fn spill(&mut self) -> io::Result<()> {
        let disk = match &mut self.disk {
            Some(disk) => disk,
            none => none.insert((self.make)()?),
        };
        let mut out = BufWriter::with_capacity(1 << 18, &*disk);
        for group in self.groups.iter_mut().filter(|group| !group.held.is_empty()) {
            let mut held = std::mem::take(&mut group.held);
            held.sort_unstable_by(f64::total_cmp);
            for value in &held {
                out.write_all(&value.to_le_bytes())?;
            }
            let values = held.len() as u64;
            group.runs.push(Run { offset: self.written, values });
            self.written += values * 8;
        }
        out.flush()?;
        self.held = 0;
        Ok(())
    }

    /// The values at some ranks of a group, which must be ascending and below its count. The group is empty after it.
    pub(super) fn take_ranks(&mut self, group: usize, ranks: &[u64]) -> io::Result<Vec<f64>> {
        let Some(group) = self.groups.get_mut(group) else { return Ok(Vec::new()) };
        let Group { mut held, runs } = std::mem::take(group);
        self.held -= held.len() * size_of::<f64>();
        held.sort_unstable_by(f64::total_cmp);
        match &self.disk {
            Some(disk) if !runs.is_empty() => merge(disk, &runs, held, ranks),
            _ => Ok(ranks.iter().filter_map(|rank| held.get(usize::try_from(*rank).ok()?).copied()).collect()),
        }
    }
}

/// One sorted sequence of a merge, some values read ahead.
struct Stream {
    /// The next value is the last here.
    ahead: Vec<f64>,
    left: Run,
}

impl Stream {
    fn peek(&mut self, disk: &File) -> io::Result<Option<f64>> {
        if self.ahead.is_empty() && self.left.values > 0 {
            let take = self.left.values.min(READ_AHEAD as u64);
            let mut bytes = vec![0; usize::try_from(take).unwrap_or(READ_AHEAD) * 8];
            disk.read_exact_at(&mut bytes, self.left.offset)?;
            let (values, _) = bytes.as_chunks::<8>();
            self.ahead.extend(values.iter().rev().map(|bytes| f64::from_le_bytes(*bytes)));
            self.left = Run { offset: self.left.offset + take * 8, values: self.left.values - take };
        }
        Ok(self.ahead.last().copied())
    }
}

fn merge(disk: &File, runs: &[Run], mut held: Vec<f64>, ranks: &[u64]) -> io::Result<Vec<f64>> {
    held.reverse();
    let mut streams: Vec<Stream> = runs.iter().map(|run| Stream { ahead: Vec::new(), left: *run }).collect();
    streams.push(Stream { ahead: held, left: Run { offset: 0, values: 0 } });
    let mut found = Vec::with_capacity(ranks.len());
    let mut rank = 0;
    for wanted in ranks {
        loop {
            let mut least: Option<(usize, f64)> = None;
            for (at, stream) in streams.iter_mut().enumerate() {
                if let Some(value) = stream.peek(disk)?
                    && least.is_none_or(|(_, best)| value.total_cmp(&best).is_lt())
                {
                    least = Some((at, value));
                }
            }
            let Some((at, value)) = least else { return Ok(found) };
            if rank == *wanted {
                found.push(value);
                break;
            }
            streams[at].ahead.pop();
            rank += 1;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// Three groups, a limit of a few values: every rank is that of a plain sort.
        #[test]
        fn ranks_are_those_of_a_plain_sort(rows in prop::collection::vec((0_usize..3, -9_i8..9), 0..200), limit in 8_usize..400) {
            let mut pool = Pool::new(limit, tempfile::tempfile);
            let groups = [pool.group(), pool.group(), pool.group()];
            let mut naive: [Vec<f64>; 3] = Default::default();
            for (group, value) in &rows {
                pool.push(groups[*group], f64::from(*value)).unwrap();
                naive[*group].push(f64::from(*value));
            }
            for (group, mut values) in groups.into_iter().zip(naive) {
                values.sort_by(f64::total_cmp);
                prop_assert_eq!(pool.count(group), values.len() as u64);
                let ranks: Vec<u64> = (0..values.len() as u64).collect();
                prop_assert_eq!(pool.take_ranks(group, &ranks).unwrap(), values);
            }
        }
    }

    #[test]
    fn long_runs_are_read_in_parts() {
        let mut pool = Pool::new(8 * 30_000, tempfile::tempfile);
        let group = pool.group();
        for i in 0..100_000_u32 {
            pool.push(group, f64::from(i.wrapping_mul(7919) % 100_000)).unwrap();
        }
        let ranks = [0, 1, 4095, 4096, 50_000, 99_999];
        assert_eq!(pool.take_ranks(group, &ranks).unwrap(), ranks.map(|rank| rank as f64));
    }
}
