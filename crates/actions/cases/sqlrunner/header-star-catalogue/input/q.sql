-- AllowedPatientsWithTypeOneDissent: a test
SELECT r.*, o.Region AS [where] FROM TPP.dbo.registrationhistory r JOIN (SELECT * FROM [Organisation]) o ON 1 = 1 JOIN CodedEvent c ON 1 = 1
