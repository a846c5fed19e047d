-- AllowedPatientsWithTypeOneDissent: a test
SELECT a, b INTO #one FROM t
SELECT * FROM #one
