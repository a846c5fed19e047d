from cohortextractor import Measure

measures = [
    Measure(id="m", numerator="n", denominator="g", group_by=["g"]),
]
