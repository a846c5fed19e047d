import os

from attempts import attempt
from tracing import compare, descriptor, seize, transfer

if os.fork() == 0:
    attempt("read its memory", lambda: transfer("process_vm_readv", 1))
    attempt("take a descriptor", lambda: descriptor(1))
    attempt("compare", lambda: compare(1))
    attempt("seize it", lambda: seize(1))
    os._exit(0)
os.wait()
