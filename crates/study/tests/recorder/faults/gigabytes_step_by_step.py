# SD007 MemoryError line 5: more memory than it may use
# limits mebibytes=300
held = []
while True:
    held.append(bytearray(16 << 20))
