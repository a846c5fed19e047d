-- AllowedPatientsWithTypeOneDissent: a test
SELECT a, b FROM t
