from attempts import apart, attempt
from foreign import gate, plain, x32

attempt("by the 32-bit gate", apart, gate)
attempt("with the x32 bit", apart, x32)
attempt("plainly", apart, plain)
