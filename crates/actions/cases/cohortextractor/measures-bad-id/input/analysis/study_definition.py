from cohortextractor import Measure

measures = [
    Measure(id="../m", numerator="n", denominator="d", group_by="g"),
]
