-- AllowedPatientsWithTypeOneDissent: a test
SELECT s.a FROM Patient JOIN (SELECT a FROM t) s ON 1 = 1
