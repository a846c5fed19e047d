-- AllowedPatientsWithTypeOneDissent: a test
SELECT * FROM Patient