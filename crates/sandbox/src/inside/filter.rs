//! The system call filter: refuse by default, allow what programs need, judge a few calls by their arguments.
//! The table of spec sandbox.md 7 is the source; the lists of plainly allowed calls are in `syscalls`.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition as Condition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter, sock_filter,
};

use super::limits::Enforced;
use super::modes;
use super::syscalls::{ALLOWED, ALLOWED_HERE, NEWEST_KNOWN};
use crate::failure::{Failure, Step};

pub(super) type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Any of these flags of clone makes a namespace (NEWTIME cannot be given to clone, its bit is part of the signal).
const NAMESPACE_FLAGS: u64 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u64;
const NO_RANDOMISATION: u64 = 0x0004_0000;
const ASK_PERSONALITY: u64 = 0xffff_ffff;
/// The part of a socket's type that is not a flag.
const SOCKET_TYPE: u64 = 0xf;
/// Linux's multipath TCP, which some runtimes ask for when they listen.
const MULTIPATH_TCP: u64 = 262;

pub(super) fn is(argument: u8, op: Op, value: u64) -> Result<Condition, Failure> {
    Condition::new(argument, Len::Dword, op, value).step("filter condition")
}

pub(super) fn all(conditions: impl IntoIterator<Item = Result<Condition, Failure>>) -> Result<SeccompRule, Failure> {
    SeccompRule::new(conditions.into_iter().collect::<Result<_, _>>()?).step("filter rule")
}

fn number(value: libc::c_int) -> u64 {
    u64::from(value.cast_unsigned())
}

/// Calls that are judged by their arguments.
fn judged() -> Result<Rules, Failure> {
    let mut rules = Rules::new();
    let mut add = |call: libc::c_long, rule: SeccompRule| rules.entry(call).or_default().push(rule);
    add(libc::SYS_clone, all([is(0, Op::MaskedEq(NAMESPACE_FLAGS), 0)])?);
    for value in [0, NO_RANDOMISATION, ASK_PERSONALITY] {
        add(libc::SYS_personality, all([is(0, Op::Eq, value)])?);
    }
    // Own limits only: process 1 has the same id and must not be limited by the run.
    // Not the one for core dumps, see `limits`: it may be asked for, which needs no new value.
    let core = u64::from(libc::RLIMIT_CORE);
    add(libc::SYS_prlimit64, all([is(0, Op::Eq, 0), is(1, Op::Ne, core)])?);
    let no_value = Condition::new(2, Len::Qword, Op::Eq, 0).step("filter condition");
    add(libc::SYS_prlimit64, all([is(0, Op::Eq, 0), is(1, Op::Eq, core), no_value])?);
    add(libc::SYS_setrlimit, all([is(0, Op::Ne, core)])?);
    // What a process holds must be open to who counts it.
    let dumpable = number(libc::PR_SET_DUMPABLE);
    add(libc::SYS_prctl, all([is(0, Op::Ne, dumpable)])?);
    add(libc::SYS_prctl, all([is(0, Op::Eq, dumpable), is(1, Op::Eq, 1)])?);
    let refused = [libc::TIOCSTI, libc::TIOCLINUX, libc::TIOCSCTTY, libc::TIOCSETD];
    add(libc::SYS_ioctl, all(refused.map(|request| is(1, Op::Ne, request & 0xffff_ffff)))?);
    let unix = number(libc::AF_UNIX);
    add(libc::SYS_socket, all([is(0, Op::Eq, unix)])?);
    add(libc::SYS_socketpair, all([is(0, Op::Eq, unix)])?);
    for family in [libc::AF_INET, libc::AF_INET6] {
        for (kind, protocols) in [
            (libc::SOCK_STREAM, [0, number(libc::IPPROTO_TCP), MULTIPATH_TCP]),
            (libc::SOCK_DGRAM, [0, number(libc::IPPROTO_UDP), number(libc::IPPROTO_UDP)]),
        ] {
            for protocol in protocols {
                let kind = is(1, Op::MaskedEq(SOCKET_TYPE), number(kind));
                add(libc::SYS_socket, all([is(0, Op::Eq, number(family)), kind, is(2, Op::Eq, protocol)])?);
            }
        }
    }
    let route = is(2, Op::Eq, number(libc::NETLINK_ROUTE));
    add(libc::SYS_socket, all([is(0, Op::Eq, number(libc::AF_NETLINK)), route])?);
    Ok(rules)
}

/// What the ready-made compiler cannot say: which architecture, ranges of numbers, and one other error.
/// It stands before the compiled rules, which begin afresh.
fn preamble(folder: Workspace) -> BpfProgram {
    let errno = |number: libc::c_int| libc::SECCOMP_RET_ERRNO | number.cast_unsigned();
    let kill = libc::SECCOMP_RET_KILL_PROCESS;
    let load = |offset| instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, offset);
    let equal = |value, yes, no| instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, yes, no, value);
    let at_least = |value, yes, no| instruction(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, yes, no, value);
    let answer = |value| instruction(libc::BPF_RET | libc::BPF_K, 0, 0, value);
    let newest = u32::try_from(NEWEST_KNOWN).unwrap_or(u32::MAX);
    let clone3 = u32::try_from(libc::SYS_clone3).unwrap_or(u32::MAX);
    let openat2 = u32::try_from(libc::SYS_openat2).unwrap_or(u32::MAX);
    let start = [
        // 32-bit calls: the structure's architecture is not ours.
        load(4),
        equal(ARCHITECTURE, 1, 0),
        answer(kill),
        load(0),
        // x32 calls have this bit in their number; on other machines no call does.
        at_least(0x4000_0000, 0, 1),
        answer(kill),
    ];
    // What is behind a pointer cannot be judged: the flags of clone3, the mode of openat2. Libraries use the older call.
    let pointed = match folder {
        Workspace::Own => vec![equal(clone3, 1, 0)],
        Workspace::Live => vec![equal(openat2, 2, 0), equal(clone3, 1, 0)],
    };
    let end = [at_least(newest + 1, 0, 1), answer(errno(libc::ENOSYS))];
    start.into_iter().chain(pointed).chain(end).collect()
}

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

fn instruction(code: u32, jt: u8, jf: u8, k: u32) -> sock_filter {
    // Codes of the classic packet filter have 16 bits.
    sock_filter { code: u16::try_from(code).unwrap_or(u16::MAX), jt, jf, k }
}

/// Whose folder the workspace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workspace {
    /// The run's own, removed after it.
    Own,
    /// A person's, in which nothing may be left that has more power than its files.
    Live,
}

/// The whole filter.
pub(crate) fn program(enforced: Enforced, folder: Workspace) -> Result<BpfProgram, Failure> {
    let mut rules = judged()?;
    modes::nodes(&mut rules, folder == Workspace::Live)?;
    for call in ALLOWED.iter().chain(ALLOWED_HERE) {
        rules.insert(*call, Vec::new());
    }
    if enforced.cpus {
        // Else the cores that a process keeps to are its limit.
        rules.insert(libc::SYS_sched_setaffinity, Vec::new());
    }
    if folder == Workspace::Live {
        modes::narrow(&mut rules)?;
    }
    let architecture = TargetArch::try_from(std::env::consts::ARCH).step("system call filter")?;
    let refuse = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let filter = SeccompFilter::new(rules, refuse, SeccompAction::Allow, architecture).step("system call filter")?;
    let compiled = BpfProgram::try_from(filter).step("system call filter")?;
    Ok(preamble(folder).into_iter().chain(compiled).collect())
}

/// Puts the filter on this process and all it starts, for good.
pub(super) fn apply(enforced: Enforced, folder: Workspace) -> Result<(), Failure> {
    apply_filter(&program(enforced, folder)?).step("system call filter")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_fits_the_kernel() {
        for folder in [Workspace::Own, Workspace::Live] {
            let program = program(Enforced::default(), folder).unwrap();
            assert!(program.len() <= 4096, "{} instructions", program.len());
        }
    }

    #[test]
    fn dangerous_calls_are_on_no_list() {
        let judged = judged().unwrap();
        for call in [
            libc::SYS_mount,
            libc::SYS_umount2,
            libc::SYS_pivot_root,
            libc::SYS_chroot,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_clone3,
            libc::SYS_ptrace,
            libc::SYS_process_vm_readv,
            libc::SYS_pidfd_getfd,
            libc::SYS_kcmp,
            libc::SYS_bpf,
            libc::SYS_perf_event_open,
            libc::SYS_userfaultfd,
            libc::SYS_io_uring_setup,
            libc::SYS_keyctl,
            libc::SYS_open_by_handle_at,
            libc::SYS_fanotify_init,
            libc::SYS_init_module,
            libc::SYS_kexec_load,
            libc::SYS_reboot,
            libc::SYS_swapon,
            libc::SYS_clock_settime,
            libc::SYS_quotactl,
            libc::SYS_acct,
            libc::SYS_open_tree,
            libc::SYS_move_mount,
            libc::SYS_mount_setattr,
        ] {
            assert!(!ALLOWED.contains(&call) && !ALLOWED_HERE.contains(&call) && !judged.contains_key(&call), "{call}");
        }
    }
}
