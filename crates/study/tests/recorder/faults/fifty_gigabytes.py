# SD007 MemoryError line 2: more memory than it may use
held = bytearray(50 << 30)
