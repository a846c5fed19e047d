-- AllowedPatientsWithTypeOneDissent: a test
SELECT a, t.b, x.t.c AS d, e f, g = h, 'i' = j, 'lit', N'nat', [x y], "u v", k AS [l m], n AS 'o p', (q), MAX(r) AS s FROM t
