-- AllowedPatientsWithTypeOneDissent: a test
CREATE TABLE #one ([a b] INT NOT NULL, c VARCHAR(10) DEFAULT (1), CONSTRAINT pk PRIMARY KEY (c), d DECIMAL(10, 2))
INSERT INTO #one SELECT 1, 2, 3
SELECT * FROM tempdb..#one
