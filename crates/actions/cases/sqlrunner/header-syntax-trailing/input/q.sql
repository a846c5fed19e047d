-- AllowedPatientsWithTypeOneDissent: a test
SELECT a FROM t WHERE a = 1 banana split
