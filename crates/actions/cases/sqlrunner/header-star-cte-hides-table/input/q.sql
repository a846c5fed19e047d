-- AllowedPatientsWithTypeOneDissent: a test
WITH Patient AS (SELECT a FROM t) SELECT * FROM Patient
