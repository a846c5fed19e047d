import os
import time

from attempts import apart, attempt, targets
from tracing import compare, descriptor, seize, transfer

host = targets["process"]
child = os.fork()
if child == 0:
    time.sleep(30)
attempt("seize it", apart, lambda: seize(host))
attempt("read its memory", apart, lambda: transfer("process_vm_readv", host))
attempt("write its memory", apart, lambda: transfer("process_vm_writev", host))
attempt("take a descriptor", apart, lambda: descriptor(host))
attempt("compare", apart, lambda: compare(host))
attempt("seize an own child", lambda: seize(child))
os.kill(child, 9)
