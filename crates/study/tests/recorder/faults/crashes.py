# SD005 RuntimeError no line: made Python crash (signal 11)
import ctypes

ctypes.string_at(0)
