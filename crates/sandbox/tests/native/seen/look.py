"""Everything that a run can see of its surroundings, one fact a line: compared with the stored description."""

import errno
import glob
import os
import resource
import signal
import socket
import stat


def tell(name, value):
    print(f"{name}: {value}")


def status(*names):
    with open("/proc/self/status") as file:
        fields = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    return " ".join(fields.get(name, "-") for name in names)


def error(act):
    try:
        act()
        return "done"
    except OSError as found:
        return errno.errorcode.get(found.errno, "no answer")


# The system's own folders differ from machine to machine; everything else is fixed.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/etc", "/var/cache/fontconfig", "/var/lib/texmf", "/libx32")

tell("users", f"{os.getresuid()} {os.getresgid()}")
tell("capabilities", status("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
tell("no new privileges, filter", status("NoNewPrivs", "Seccomp"))
tell("signals blocked", status("SigBlk"))
# The interpreter itself ignores the first; the second so that a file that is too large is an error.
ignored = [n.name for n in signal.Signals if n < 32 and int(status("SigIgn"), 16) >> (n - 1) & 1]
tell("signals ignored", " ".join(ignored))
tell("process, parent, session", f"{os.getpid()} {os.getppid()} {os.getsid(0)}")
tell("working folder, mask", f"{os.getcwd()} {os.umask(0o022):04o}")
tell("variables", " ".join(sorted(line.split("=")[0] for line in open("/proc/self/environ").read().split("\0") if line)))
tell("host name", os.uname().nodename)
tell("processes", " ".join(sorted((n for n in os.listdir("/proc") if n.isdigit()), key=int)))
with open("/proc/1/status") as file:
    tell("process 1 is", file.readline().split()[1] != "python3" and "ours")
tell("descriptors", " ".join(str(n) for n in range(1024) if os.path.exists(f"/proc/self/fd/{n}")))
for number in range(3):
    kind = stat.S_IFMT(os.fstat(number).st_mode)
    tell(f"descriptor {number}", {stat.S_IFCHR: "device", stat.S_IFIFO: "pipe"}.get(kind, "other"))
tell("input", os.readlink("/proc/self/fd/0"))
for name in ["CORE", "FSIZE", "STACK"]:
    tell(f"limit {name}", resource.getrlimit(getattr(resource, "RLIMIT_" + name))[0])
tell("limit NOFILE is at most 65536", resource.getrlimit(resource.RLIMIT_NOFILE)[1] <= 65536)
tell("out-of-memory score", open("/proc/self/oom_score_adj").read().strip())
tell("top", " ".join(sorted(name for name in os.listdir("/") if not ("/" + name).startswith(SYSTEM))))
tell("/dev", " ".join(sorted(os.listdir("/dev"))))
tell("/sys", error(lambda: os.listdir("/sys")))
for name in ["passwd", "group", "hosts", "hostname", "resolv.conf", "nsswitch.conf"]:
    tell(f"/etc/{name}", open(f"/etc/{name}").read().strip().replace("\n", " | "))
for name in ["shadow", "sudoers", "ssh", "machine-id", "fstab", "crontab"]:
    tell(f"/etc/{name}", error(lambda: os.stat(f"/etc/{name}")))
for line in sorted(open("/proc/self/mountinfo"), key=lambda line: line.split()[4]):
    words = line.split()
    if not words[4].startswith(SYSTEM + ("/proc/",)) or words[4] == "/proc/sys":
        options = [word for word in words[5].split(",") if word in ("ro", "rw", "nosuid", "nodev", "noexec")]
        shared = [word for word in words[6:] if ":" in word and word.split(":")[0] in ("shared", "master")]
        tell(f"mount {words[4]}", ",".join(options + shared))
# Which of them there are is the kernel's choice.
SHUT = "acpi asound bus cmdline config.gz fs irq kallsyms kcore key-users keys kmsg latency_stats sched_debug scsi sys sysrq-trigger".split()
SHUT += ["timer_list", "vmallocinfo"]
shut = {line.split()[4] for line in open("/proc/self/mountinfo") if line.split()[4].startswith("/proc/")}
tell("other mounts in /proc", " ".join(sorted(shut - {"/proc/" + name for name in SHUT})))
system = [line.split() for line in open("/proc/self/mountinfo") if line.split()[4].startswith(SYSTEM)]
tell("mounts of the system are ro,nosuid,nodev", all({"ro", "nosuid", "nodev"} <= set(line[5].split(",")) for line in system))
for path in ["/new", "/usr/new", "/etc/new", "/var/new", "/dev/new", "/usr/bin/new"]:
    tell(f"write {path}", error(lambda: open(path, "w")))
for path in ["/workspace/new", "/tmp/new", "/var/tmp/new", "/dev/shm/new", "/dev/null"]:
    tell(f"write {path}", error(lambda: open(path, "w")))
tell("execute in /tmp", error(lambda: (open("/tmp/run", "w").write("#!/bin/sh\n"), os.chmod("/tmp/run", 0o755))))
for path in ["kernel/hostname", "kernel/core_pattern", "vm/overcommit_memory", "net/ipv4/ip_forward"]:
    if os.path.exists("/proc/sys/" + path):
        tell(f"write /proc/sys/{path}", "refused" if error(lambda: open("/proc/sys/" + path, "r+")) != "done" else "done")
for name in ["cmdline", "kallsyms", "kcore", "keys", "kmsg", "config.gz", "sched_debug", "timer_list"]:
    size = len(open("/proc/" + name, "rb").read(1)) if os.path.exists("/proc/" + name) else 0
    tell(f"/proc/{name}", "empty" if not size else "full")
tell("interfaces", " ".join(name for _, name in socket.if_nameindex()))
tell("own loopback", error(lambda: socket.create_server(("127.0.0.1", 0))))
tell("routes", len(open("/proc/net/route").readlines()) - 1)
tell("host name resolves", socket.gethostbyname(socket.gethostname()))
tell("another name", error(lambda: socket.gethostbyname("example.org")))
tell("shared memory, queues, semaphores of others", sum(len(open(name).readlines()) - 1 for name in glob.glob("/proc/sysvipc/*")))
tell("user map", " ".join(open("/proc/self/uid_map").read().split()[::2]))
tell("may change groups", open("/proc/self/setgroups").read().strip())
tell("control group", " ".join(sorted({line.strip().split(":", 2)[2] for line in open("/proc/self/cgroup")})))
tell("terminal", error(lambda: os.open("/dev/tty", os.O_RDWR)))
