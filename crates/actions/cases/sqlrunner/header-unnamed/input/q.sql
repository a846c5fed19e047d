-- AllowedPatientsWithTypeOneDissent: a test
SELECT 1, a+b, @v, '', NULL, CASE WHEN a=1 THEN 'x' END, named FROM t
