-- What an operator wants of a running attempt: 'retry' or 'fail' (spec jobs.md 21, `kill`).
ALTER TABLE job ADD COLUMN kill TEXT CHECK (kill IN ('retry', 'fail'));
