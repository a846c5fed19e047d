-- AllowedPatientsWithTypeOneDissent: a test
SELEC a FROM t
