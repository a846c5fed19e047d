-- AllowedPatientsWithTypeOneDissent: a test
CREATE TABLE #o (a INT, b INT)
INSERT INTO #o VALUES (1, 2), (3, 4)
SELECT * FROM #o
