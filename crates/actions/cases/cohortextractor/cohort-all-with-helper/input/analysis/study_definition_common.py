CODES = []
