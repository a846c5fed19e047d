-- AllowedPatientsWithTypeOneDissent: a test
(SELECT a FROM t) UNION (SELECT b FROM u)
