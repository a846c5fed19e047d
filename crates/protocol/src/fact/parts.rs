//! Long answers come in parts that are applied together: a plan of ten thousand jobs is larger than one fact may be.
//! Spec protocol.md 11.

use serde::Serialize;

use super::request::{Accepted, Answer, CancelDone, NothingToDo, Part, Refused};
use crate::limits::FACT_BYTES;
use crate::shape::Broken;
use crate::text::list::List;
use crate::text::names::ActionName;
use crate::text::whole::PartNumber;

/// Room for the envelope of a fact and the fixed fields of its body.
const OVERHEAD: usize = 4 * 1024;

/// One entry alone is larger than a fact may be, or there are too many parts: the request is refused as `too_large`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("one entry of the answer does not fit into a fact; refuse the request as `too_large`")]
pub struct TooLarge;

/// A long fact that can be split and joined.
pub trait Parted: Sized + Clone {
    /// The fact whole, or in parts of at most 256 KiB each.
    ///
    /// # Errors
    /// An entry alone is larger than that.
    fn split(self) -> Result<Vec<Self>, TooLarge> {
        self.split_at(FACT_BYTES)
    }

    /// The same with another limit in bytes.
    ///
    /// # Errors
    /// As for [`split`](Self::split).
    fn split_at(self, bytes: usize) -> Result<Vec<Self>, TooLarge>;

    /// Which part it is; none for a whole.
    fn part(&self) -> Option<Part>;

    /// The whole of all its parts, in order.
    ///
    /// # Errors
    /// They are not the parts of one fact, or together they are too long.
    fn join(parts: Vec<Self>) -> Result<Self, Broken>;
}

/// Puts entries into parts, in order, filling one after the other.
struct Packer {
    limit: usize,
    used: usize,
    part: usize,
}

impl Packer {
    fn new(bytes: usize, first: usize) -> Result<Self, TooLarge> {
        let limit = bytes.saturating_sub(OVERHEAD);
        if first > limit { Err(TooLarge) } else { Ok(Self { limit, used: first, part: 0 }) }
    }

    /// The entries by part. `fits` has a list for each part so far.
    fn pack<T: Serialize>(&mut self, entries: impl IntoIterator<Item = T>) -> Result<Vec<Vec<T>>, TooLarge> {
        let mut parts: Vec<Vec<T>> = Vec::new();
        for entry in entries {
            // The canonical form is never longer than this one: it only orders keys.
            let size = serde_json::to_vec(&entry).map_err(|_| TooLarge)?.len() + 1;
            if size > self.limit {
                return Err(TooLarge);
            }
            if self.used + size > self.limit {
                self.part += 1;
                self.used = 0;
            }
            self.used += size;
            parts.resize_with(self.part + 1, Vec::new);
            if let Some(part) = parts.last_mut() {
                part.push(entry);
            }
        }
        Ok(parts)
    }

    fn numbers(&self) -> Result<Vec<Option<Part>>, TooLarge> {
        if self.part == 0 {
            return Ok(vec![None]);
        }
        let number = |n: usize| PartNumber::try_from(n as u64).map_err(|_| TooLarge);
        let parts = number(self.part + 1)?;
        (1..=self.part + 1).map(|part| Ok(Some(Part { part: number(part)?, parts }))).collect()
    }
}

fn take<T, const MAX: usize>(parts: &mut [Vec<T>], part: usize) -> Result<List<T, 0, MAX>, TooLarge> {
    parts.get_mut(part).map(std::mem::take).unwrap_or_default().try_into().map_err(|_| TooLarge)
}

fn joined<T, const MAX: usize>(all: Vec<List<T, 0, MAX>>) -> Result<List<T, 0, MAX>, Broken> {
    let entries: Vec<T> = all.into_iter().flat_map(List::into_vec).collect();
    entries.try_into().map_err(|_| Broken("the parts together have too many entries"))
}

/// Whether the parts are numbered from 1 to their count.
fn complete(parts: &[Option<Part>]) -> Result<(), Broken> {
    let right = |(i, part): (usize, &Option<Part>)| match part {
        Some(p) => p.part.get() == i as u64 + 1 && p.parts.get() == parts.len() as u64,
        None => parts.len() == 1,
    };
    if !parts.is_empty() && parts.iter().enumerate().all(right) {
        Ok(())
    } else {
        Err(Broken("these are not all the parts of one fact, in order"))
    }
}

impl Answer {
    /// The size of the order without its actions, and the actions.
    fn unpacked(&self) -> Result<(usize, Vec<ActionName>), TooLarge> {
        let order = self.order.as_ref().ok_or(TooLarge)?;
        let whole = serde_json::to_vec(order).map_err(|_| TooLarge)?.len();
        let actions = serde_json::to_vec(&order.requested_actions).map_err(|_| TooLarge)?.len();
        Ok((whole - actions, order.requested_actions.to_vec()))
    }

    fn nth(&self, part: Option<Part>, n: usize, actions: &mut [Vec<ActionName>]) -> Result<Self, TooLarge> {
        let mut answer = Self { part, order: None, more_actions: List::default(), ..self.clone() };
        let here: List<ActionName, 0, 10_000> = take(actions, n)?;
        if n == 0 {
            let mut order = self.order.clone().ok_or(TooLarge)?;
            order.requested_actions = here.into_vec().try_into().map_err(|_| TooLarge)?;
            answer.order = Some(order);
        } else {
            answer.more_actions = here;
        }
        Ok(answer)
    }

    fn join(parts: Vec<Self>) -> Result<Self, Broken> {
        complete(&parts.iter().map(|answer| answer.part).collect::<Vec<_>>())?;
        let mut parts = parts.into_iter();
        let mut whole = parts.next().ok_or(Broken("no parts"))?;
        let order = whole.order.as_mut().ok_or(Broken("the first part has the order"))?;
        let mut actions = order.requested_actions.to_vec();
        for part in parts {
            if (&part.directive, &part.request) != (&whole.directive, &whole.request) {
                return Err(Broken("the parts answer different orders"));
            }
            actions.extend(part.more_actions.into_vec());
        }
        order.requested_actions = actions.try_into().map_err(|_| Broken("the parts have too many actions"))?;
        whole.part = None;
        Ok(whole)
    }
}

/// The parts of an answer with an order: `same` fields must agree, `lists` are dealt out.
macro_rules! parted {
    ($body:ident, same: [$($same:ident),*], lists: [$($list:ident),*]) => {
        impl Parted for $body {
            fn split_at(self, bytes: usize) -> Result<Vec<Self>, TooLarge> {
                let (fixed, actions) = self.answer.unpacked()?;
                let mut packer = Packer::new(bytes, fixed)?;
                let mut actions = packer.pack(actions)?;
                $(let mut $list = packer.pack(self.$list.to_vec())?;)*
                let mut parts = Vec::new();
                for (n, part) in packer.numbers()?.into_iter().enumerate() {
                    parts.push(Self {
                        answer: self.answer.nth(part, n, &mut actions)?,
                        $($same: self.$same.clone(),)*
                        $($list: take(&mut $list, n)?,)*
                    });
                }
                Ok(parts)
            }

            fn part(&self) -> Option<Part> {
                self.answer.part
            }

            fn join(parts: Vec<Self>) -> Result<Self, Broken> {
                $(if parts.windows(2).any(|pair| pair[0].$same != pair[1].$same) {
                    return Err(Broken("the parts differ in what they share"));
                })*
                let Some(first) = parts.first().cloned() else { return Err(Broken("no parts")) };
                Ok(Self {
                    answer: Answer::join(parts.iter().map(|part| part.answer.clone()).collect())?,
                    $($same: first.$same,)*
                    $($list: joined(parts.iter().map(|part| part.$list.clone()).collect())?,)*
                })
            }
        }
    };
}

parted!(Accepted, same: [tree], lists: [jobs, attached, reused, decisions]);
parted!(NothingToDo, same: [reason], lists: [attached, reused]);
parted!(Refused, same: [reason], lists: [faults]);

impl Parted for CancelDone {
    fn split_at(self, bytes: usize) -> Result<Vec<Self>, TooLarge> {
        let mut packer = Packer::new(bytes, 0)?;
        let parts = packer.pack(self.actions.clone())?;
        let numbers = packer.numbers()?;
        Ok(numbers
            .into_iter()
            .zip(parts)
            .map(|(part, actions)| Self { part, actions: actions.into_iter().collect(), ..self.clone() })
            .collect())
    }

    fn part(&self) -> Option<Part> {
        self.part
    }

    fn join(parts: Vec<Self>) -> Result<Self, Broken> {
        complete(&parts.iter().map(|done| done.part).collect::<Vec<_>>())?;
        let mut parts = parts.into_iter();
        let mut whole = Self { part: None, ..parts.next().ok_or(Broken("no parts"))? };
        for part in parts {
            if (&part.directive, &part.request) != (&whole.directive, &whole.request) {
                return Err(Broken("the parts answer different orders"));
            }
            let before = whole.actions.len() + part.actions.len();
            whole.actions.extend(part.actions);
            if whole.actions.len() != before {
                return Err(Broken("an action is answered twice"));
            }
        }
        Ok(whole)
    }
}
