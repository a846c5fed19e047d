# SD003 ImportError line 2: cohortextractor has no 'cohortextractor'
import cohortextractor.cohortextractor
