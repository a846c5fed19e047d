"""Works out the run key of `base()` in tests/provenance.rs from the description of the encoding alone.

Every text or byte string is preceded by its length, every list by its count, as eight bytes, highest first.
A component's hash is SHA-256 of: "cloister-component-1", its name, its content.
The key is SHA-256 of: "cloister-run-key-1", the list of (name, hash) in the order of the spec's table.
"""
import hashlib


def number(n):
    return n.to_bytes(8, "big")


def text(t):
    b = t if isinstance(t, bytes) else t.encode()
    return number(len(b)) + b


def listed(items, each=text):
    return number(len(items)) + b"".join(each(i) for i in items)


def sha(b):
    return hashlib.sha256(b).digest()


code = sorted([("analysis/fit.R", "a"), ("analysis/other.R", "b"), ("README.md", "c")])
inputs = sorted([("output/clean.csv", "one"), ("output/more.csv", "two")])
content = {
    "command": listed(["r:v1", "analysis/fit.R", "--n", "3"]),
    "config": listed(['{"tables": {"output": true}, "n": 1}']),
    "image": text("builtin") + listed(["x", "v1", "1"]),
    "code": listed(code, lambda f: text(f[0]) + number(0o100644) + text(sha(f[1].encode()))),
    "inputs": listed(inputs, lambda f: text(f[0]) + text(sha(f[1].encode()))),
    "outputs": listed([("moderately_sensitive", "output/fit.csv")], lambda o: text(o[0]) + text(o[1])),
    "environment": listed([("OPENSAFELY_BACKEND", "expectations")], lambda e: text(e[0]) + text(e[1])),
    "data": listed([("1", [])], lambda d: text(d[0]) + listed(d[1])),
}
hashes = [(name, sha(text("cloister-component-1") + text(name) + body)) for name, body in content.items()]
print(sha(text("cloister-run-key-1") + listed(hashes, lambda h: text(h[0]) + text(h[1]))).hex())
