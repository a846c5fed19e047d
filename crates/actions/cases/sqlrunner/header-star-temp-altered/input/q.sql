-- AllowedPatientsWithTypeOneDissent: a test
SELECT a INTO #o FROM t; ALTER TABLE #o ADD b INT; SELECT * FROM #o
