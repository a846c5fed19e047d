# SD007 MemoryError line 4: more memory than it may use
held = []
while True:
    held.append(bytearray(256 << 20))
