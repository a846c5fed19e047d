-- AllowedPatientsWithTypeOneDissent: a test
SELECT a AS [x,y], b AS [say "z"] FROM t
