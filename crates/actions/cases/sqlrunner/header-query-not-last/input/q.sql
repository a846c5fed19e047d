-- AllowedPatientsWithTypeOneDissent: a test
SELECT a FROM t
DROP TABLE #o
