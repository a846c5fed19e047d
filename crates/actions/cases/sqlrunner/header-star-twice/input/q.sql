-- AllowedPatientsWithTypeOneDissent: a test
SELECT s.*, s.a AS z FROM (SELECT a, b FROM t) s
