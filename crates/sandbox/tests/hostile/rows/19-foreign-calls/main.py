from foreign import gate

gate()
print("went on")
