# SD005 AttributeError line 6: no function 'with_these_clinical_event'; did you mean 'with_these_clinical_events'?
from cohortextractor import StudyDefinition, patients

study = StudyDefinition(
    population=patients.all(),
    bp=patients.with_these_clinical_event(),
)
