-- AllowedPatientsWithTypeOneDissent: a test

