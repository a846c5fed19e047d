-- AllowedPatientsWithTypeOneDissent: a test
SELECT * FROM (SELECT a, b AS c FROM t) AS s CROSS APPLY (SELECT TOP 1 d FROM u) v
