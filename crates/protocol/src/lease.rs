//! One writer for each backend: the lease that `hello` takes and every call renews.
//! Spec protocol.md 2. A pure state machine; the moment is handed in.

use crate::limits::LEASE_SECONDS;
use crate::text::ids::Ulid;
use crate::text::list::List;
use crate::text::time::Moment;

/// Who writes for a backend.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lease {
    holder: Option<(Ulid, Moment)>,
    /// Process starts that were ended by another one; the latest few are enough, for each stops at its first answer.
    superseded: List<Ulid, 0, 16>,
}

/// 409: this process may not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotHolder {
    /// Another process of this backend writes.
    #[error("already_connected: another process of this backend is connected; end it, or start with --take-over")]
    AlreadyConnected,
    /// Another process took over: stop starting jobs at once.
    #[error("superseded: another process of this backend took over; this one must not start jobs")]
    Superseded,
    /// No lease, or it ran out: say `hello` first.
    #[error("hello_first: this process holds no lease")]
    HelloFirst,
}

impl Lease {
    /// `hello`. A process start that is earlier than the holder's never gets the lease, whatever it says: its `hello` came
    /// late, and would end the process that followed it.
    ///
    /// # Errors
    /// Another process holds the lease, or held it and started later; or this one was ended by a take-over.
    pub fn hello(&mut self, boot: &Ulid, take_over: bool, now: Moment) -> Result<(), NotHolder> {
        if self.superseded.contains(boot) {
            return Err(NotHolder::Superseded);
        }
        if let Some((holder, until)) = &self.holder
            && holder != boot
        {
            if (*until > now && !take_over) || *holder > *boot {
                return Err(NotHolder::AlreadyConnected);
            }
            let mut ended = self.superseded.to_vec();
            ended.push(holder.clone());
            let from = ended.len().saturating_sub(16);
            self.superseded = ended.split_off(from).try_into().unwrap_or_default();
        }
        self.holder = Some((boot.clone(), now.plus_seconds(LEASE_SECONDS)));
        Ok(())
    }

    /// Any other call of a process. An open poll calls it while it is held.
    ///
    /// # Errors
    /// This process does not hold the lease.
    pub fn call(&mut self, boot: &Ulid, now: Moment) -> Result<(), NotHolder> {
        if self.superseded.contains(boot) {
            return Err(NotHolder::Superseded);
        }
        match &mut self.holder {
            // Late, but nobody else came: it is still the only writer.
            Some((holder, until)) if holder == boot => {
                *until = (*until).max(now.plus_seconds(LEASE_SECONDS));
                Ok(())
            }
            _ => Err(NotHolder::HelloFirst),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writer() {
        let at = |s: i64| Moment::from_microseconds(s * 1_000_000).unwrap();
        let (one, two, three) = (Ulid::from_parts(1, 0), Ulid::from_parts(2, 0), Ulid::from_parts(3, 0));
        let mut lease = Lease::default();
        assert_eq!(lease.call(&one, at(0)), Err(NotHolder::HelloFirst));
        assert_eq!(lease.hello(&one, false, at(0)), Ok(()));
        assert_eq!(lease.hello(&two, false, at(89)), Err(NotHolder::AlreadyConnected));
        assert_eq!(lease.call(&one, at(89)), Ok(()));
        assert_eq!(lease.hello(&two, false, at(100)), Err(NotHolder::AlreadyConnected));
        assert_eq!(lease.hello(&two, true, at(100)), Ok(()));
        assert_eq!(lease.call(&one, at(101)), Err(NotHolder::Superseded));
        assert_eq!(lease.hello(&one, true, at(101)), Err(NotHolder::Superseded));
        assert_eq!(lease.hello(&three, false, at(190)), Ok(()));
        assert_eq!(lease.call(&two, at(191)), Err(NotHolder::Superseded));
        assert_eq!(lease.call(&three, at(1000)), Ok(()));
    }

    /// What a process said before it died may arrive after its successor has begun.
    #[test]
    fn a_late_hello_ends_nobody() {
        let at = |s: i64| Moment::from_microseconds(s * 1_000_000).unwrap();
        let (dead, alive) = (Ulid::from_parts(1, 0), Ulid::from_parts(2, 0));
        let mut lease = Lease::default();
        assert_eq!(lease.hello(&alive, false, at(0)), Ok(()));
        assert_eq!(lease.hello(&dead, true, at(1)), Err(NotHolder::AlreadyConnected));
        assert_eq!(lease.hello(&dead, false, at(500)), Err(NotHolder::AlreadyConnected));
        assert_eq!(lease.call(&alive, at(501)), Ok(()));
    }
}
