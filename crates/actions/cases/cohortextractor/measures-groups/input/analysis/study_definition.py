from cohortextractor import Measure

measures = [
    Measure(id="by_sex", numerator="ill", denominator="seen", group_by="sex"),
    Measure(id="by_both", numerator="ill", denominator="population", group_by=["sex", "age_band"]),
    Measure(id="all", numerator="ill", denominator="seen", group_by="population"),
    Measure(id="each", numerator="ill", denominator="seen", group_by=None),
]
