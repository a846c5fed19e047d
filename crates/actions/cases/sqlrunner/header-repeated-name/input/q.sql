-- AllowedPatientsWithTypeOneDissent: a test
SELECT p.id, q.id FROM p JOIN q ON p.id = q.id
