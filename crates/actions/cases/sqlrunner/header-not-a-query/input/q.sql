-- AllowedPatientsWithTypeOneDissent: a test
SELECT a INTO #o FROM t
