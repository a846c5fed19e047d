from cohortextractor import Measure

measures = [
    Measure("each", numerator="ill", denominator="population"),
    Measure("all", numerator="ill", denominator="population", group_by="population"),
]
