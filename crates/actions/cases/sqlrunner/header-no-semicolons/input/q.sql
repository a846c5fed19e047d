-- AllowedPatientsWithTypeOneDissent: a test
SET NOCOUNT ON
DECLARE @d DATE = '2020-01-01'
IF OBJECT_ID('tempdb..#o') IS NOT NULL DROP TABLE #o
SELECT a, b INTO #o FROM t WHERE d > @d
UPDATE #o SET a = 1
DELETE FROM #o WHERE b = 2
SELECT b, a FROM #o OPTION (RECOMPILE)
