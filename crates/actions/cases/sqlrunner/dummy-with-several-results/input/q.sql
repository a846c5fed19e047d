-- AllowedPatientsWithTypeOneDissent: a test
SELECT a FROM t
SELECT b FROM t