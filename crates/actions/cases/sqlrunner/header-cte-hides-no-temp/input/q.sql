-- AllowedPatientsWithTypeOneDissent: a test
WITH one AS (SELECT z FROM t) SELECT * FROM ONE
