SELECT a FROM t WHERE x NOT IN (SELECT Patient_ID FROM PatientsWithTypeOneDissent)
