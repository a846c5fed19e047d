-- How many rows the ONS Covid Infection Survey extract holds for each visit number,
-- split by what became of the visit and by its kind.
-- Older than the rule that SQL says how it treats type 1 opt-outs, like the study that it stands in for:
-- a laptop warns, a backend asks for a waiver.
SELECT
    cis.visit_num AS visit_num,
    cis.visit_status AS visit_status,
    cis.visit_type AS visit_type,
    COUNT(*) AS num_rows
FROM ONS_CIS_New AS cis
GROUP BY
    cis.visit_num,
    cis.visit_status,
    cis.visit_type
ORDER BY
    visit_num,
    visit_status,
    visit_type
