# SD007 RuntimeError no line: the recording has
from cohortextractor import StudyDefinition, patients

study = StudyDefinition(
    population=patients.all(),
    x=patients.fixed_value("x" * (65 << 20)),
)
