//! What a command in a person's live folder may not leave there: programs that run as their owner or group.
//! The mode of a file is judged where it is given; a job's workspace is nobody's folder and needs none of this.

use super::filter::{Rules, all, is};
use super::syscalls::FCHMODAT2;
use crate::failure::Failure;

use seccompiler::SeccompCmpOp as Op;

/// Set-user-id and set-group-id.
const POWER: u64 = (libc::S_ISUID | libc::S_ISGID) as u64;
/// Without one of these, opening makes no file and its mode means nothing. (The library's O_TMPFILE holds a second
/// flag, which may be given alone.)
const MAKES: u64 = (libc::O_CREAT | (libc::O_TMPFILE & !libc::O_DIRECTORY)) as u64;
/// The calls and which of their arguments is a mode.
const MODES: &[(libc::c_long, u8)] = &[
    (libc::SYS_fchmod, 1),
    (libc::SYS_fchmodat, 2),
    (FCHMODAT2, 2),
    (libc::SYS_mkdirat, 2),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_chmod, 1),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_creat, 1),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mkdir, 1),
];
/// Calls that open, and which arguments are the flags and the mode.
const OPENS: &[(libc::c_long, u8, u8)] = &[
    (libc::SYS_openat, 2, 3),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, 1, 2),
];
/// Makes files of all kinds; the rules for the kind are there already, and the mode is in the same argument.
const NODES: &[(libc::c_long, u8)] = &[
    (libc::SYS_mknodat, 2),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mknod, 1),
];

/// The kinds of file that can be made, each a value under a mask of the mode.
pub(super) fn nodes(rules: &mut Rules, visit: bool) -> Result<(), Failure> {
    let mask = u64::from(libc::S_IFMT) | if visit { POWER } else { 0 };
    for (call, mode) in NODES {
        for kind in [libc::S_IFREG, libc::S_IFIFO, libc::S_IFSOCK, 0] {
            rules.entry(*call).or_default().push(all([is(*mode, Op::MaskedEq(mask), u64::from(kind))])?);
        }
    }
    Ok(())
}

/// Narrows calls that are else allowed with any arguments. `openat2` cannot be judged, see the filter.
pub(super) fn narrow(rules: &mut Rules) -> Result<(), Failure> {
    for (call, mode) in MODES {
        rules.insert(*call, vec![all([is(*mode, Op::MaskedEq(POWER), 0)])?]);
    }
    for (call, flags, mode) in OPENS {
        let makes_nothing = all([is(*flags, Op::MaskedEq(MAKES), 0)])?;
        rules.insert(*call, vec![all([is(*mode, Op::MaskedEq(POWER), 0)])?, makes_nothing]);
    }
    Ok(())
}
