-- AllowedPatientsWithTypeOneDissent: a test
SELECT a FROM t
