-- AllowedPatientsWithTypeOneDissent: a test
DECLARE @n INT
SELECT TOP (1) @n = COUNT(*) FROM t
SELECT a FROM t
