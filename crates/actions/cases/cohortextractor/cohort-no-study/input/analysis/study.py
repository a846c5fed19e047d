study = 1
