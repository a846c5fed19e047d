-- How many rows the ONS Covid Infection Survey extract holds for each visit number,
-- split by what became of the visit and by its kind.
-- People with a Type 1 opt-out are left out (PatientsWithTypeOneDissent).
SELECT
    cis.visit_num AS visit_num,
    cis.visit_status AS visit_status,
    cis.visit_type AS visit_type,
    COUNT(*) AS num_rows
FROM ONS_CIS_New AS cis
WHERE cis.Patient_ID NOT IN (
    SELECT opted_out.Patient_ID
    FROM PatientsWithTypeOneDissent AS opted_out
)
GROUP BY
    cis.visit_num,
    cis.visit_status,
    cis.visit_type
ORDER BY
    visit_num,
    visit_status,
    visit_type
