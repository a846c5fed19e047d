import ctypes

from attempts import apart, attempt, call, libc

NOT_A_FLAG = 0x7FFF_0000
for name, words in {
    "keyctl": (0xFFFF, 0, 0, 0, 0),
    "add_key": (0, 0, 0, 0, 0),
    "request_key": (0, 0, 0, 0),
    "bpf": (0xFFFF, 0, 0),
    "perf_event_open": (0, 0, -1, -1, 0),
    "userfaultfd": (NOT_A_FLAG,),
    "io_uring_setup": (0, 0),
    "io_uring_enter": (-1, 0, 0, 0, 0, 0),
    "io_uring_register": (-1, 0, 0, 0),
    "init_module": (0, 0, 0),
    "finit_module": (-1, 0, NOT_A_FLAG),
    "delete_module": (b"no_such_module_of_anybody", 0o4000),
    "kexec_load": (0, 0, 0, NOT_A_FLAG),
    "reboot": (0, 0, 0, 0),
    "swapon": (b"/no/such/file", 0),
    "swapoff": (b"/no/such/file",),
    "settimeofday": (0, 0),
    "clock_settime": (0xFFFF, 0),
    "adjtimex": (0,),
    "clock_adjtime": (0xFFFF, 0),
    "syslog": (0xFFFF, 0, 0),
    "quotactl": (0x7FFF_FFFF, 0, 0, 0),
    "acct": (b"/no/such/file",),
    "fanotify_init": (NOT_A_FLAG, 0),
    "sethostname": (0, -1),
}.items():
    attempt(name, apart, lambda: call(name, *words))
attempt("personality of 32 bits", apart, lambda: call("personality", 8))


def hide():
    # What is not dumpable shows its descriptors to nobody of its own user.
    if libc.prctl(4, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "")


attempt("hide what it holds", apart, hide)
attempt("a call of the future", lambda: call("future", 0))
attempt("personality asked", apart, lambda: call("personality", 0xFFFF_FFFF))
