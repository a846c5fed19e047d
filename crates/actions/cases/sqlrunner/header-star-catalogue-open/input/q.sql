-- AllowedPatientsWithTypeOneDissent: a test
SELECT * FROM ONS_CIS_New
