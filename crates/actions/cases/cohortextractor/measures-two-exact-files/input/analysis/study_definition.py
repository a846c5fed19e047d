from cohortextractor import Measure

measures = [
    Measure(id="m", numerator="n", denominator="n", group_by="g"),
]
