-- AllowedPatientsWithTypeOneDissent: a test
WITH c AS (SELECT a, COUNT(*) AS n FROM t GROUP BY a), d(x, y) AS (SELECT * FROM c) SELECT d.*, c.n AS m FROM d JOIN c ON c.a = d.x
