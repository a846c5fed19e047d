# SD003 ImportError line 2: the submodules patients, codelistlib
from cohortextractor import with_these_clinical_events
