-- AllowedPatientsWithTypeOneDissent: a test
SELECT a AS [x[31my], a AS [x[31my] FROM t
