-- AllowedPatientsWithTypeOneDissent: a test
SELECT a AS first FROM t UNION ALL SELECT b FROM u EXCEPT SELECT c FROM v ORDER BY first
