-- AllowedPatientsWithTypeOneDissent: a test
SELECT id, code, region FROM t
