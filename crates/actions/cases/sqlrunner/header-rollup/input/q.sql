-- AllowedPatientsWithTypeOneDissent: a test
SELECT a, COUNT(*) AS n FROM t GROUP BY a WITH ROLLUP
