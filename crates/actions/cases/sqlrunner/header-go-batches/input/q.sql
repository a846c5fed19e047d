-- AllowedPatientsWithTypeOneDissent: a test
DECLARE @x INT = 1
GO
SELECT a INTO #o FROM t
go 2
SELECT * FROM #o
GO

