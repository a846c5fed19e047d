-- AllowedPatientsWithTypeOneDissent: a test
SELECT p.Sex, COUNT(*) FROM Patient p GROUP BY p.Sex
