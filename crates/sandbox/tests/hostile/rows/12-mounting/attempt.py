from attempts import apart, attempt, call

CLONE, HERE, BIND = 1, -100, 4096
for name, words in {
    "mount": ("mount", b"none", b".", b"tmpfs", 0, 0),
    "bind": ("mount", b"/usr", b".", b"", BIND, 0),
    # Arguments that cannot succeed: what matters is who says no.
    "umount": ("umount2", b"/no/such/mount", 0),
    "pivot_root": ("pivot_root", b"/no/such/root", b"/"),
    "chroot": ("chroot", b"/"),
    "open_tree": ("open_tree", HERE, b"/usr", CLONE),
    "move_mount": ("move_mount", -1, b"/no/such/mount", -1, b"/no/such/place", 0),
    "fsopen": ("fsopen", b"tmpfs", 0),
    "fsconfig": ("fsconfig", -1, 0, 0, 0, 0),
    "fsmount": ("fsmount", -1, 0, 0),
    "fspick": ("fspick", HERE, b"/no/such/mount", 0),
    "mount_setattr": ("mount_setattr", -1, b"/no/such/mount", 0, 0, 0),
}.items():
    attempt(name, apart, lambda: call(*words))
