-- AllowedPatientsWithTypeOneDissent: a test
DECLARE @t AS TABLE (a INT, b DATE); DECLARE @n INT = 1
SELECT * FROM @t AS x
