-- AllowedPatientsWithTypeOneDissent: a test
SELECT *
FROM Nothing
