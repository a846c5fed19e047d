# SD204 ValueError line 4: date_of_birth gives years or months
from cohortextractor import StudyDefinition, patients

study = StudyDefinition(population=patients.all(), dob=patients.date_of_birth("YYYY-MM-DD"))
