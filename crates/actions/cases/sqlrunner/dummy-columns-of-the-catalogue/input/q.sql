-- AllowedPatientsWithTypeOneDissent: a test
SELECT * FROM DirectionsAcknowledged
