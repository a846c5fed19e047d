-- ok
SELECT ÿ