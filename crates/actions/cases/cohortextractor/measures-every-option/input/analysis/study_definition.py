from cohortextractor import Measure, params

measures = [Measure(id="by", numerator="ill", denominator="population", group_by=params["group"])]
