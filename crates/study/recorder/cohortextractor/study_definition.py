"""The study: a population and variables, taken as they are when the study is made."""

from . import _place, _snapshot
from .exceptions import fault

_NONE_GIVEN = object()


class StudyDefinition:
    def __init__(self, population=_NONE_GIVEN, default_expectations=None, index_date=None, **variables):
        if population is _NONE_GIVEN:
            raise fault(
                TypeError,
                "SD105",
                "StudyDefinition() missing 1 required positional argument: 'population'",
            )
        self.population = population
        self.default_expectations = default_expectations
        self.index_date = index_date
        self._recorded = None
        for name, variable in [("population", population)] + list(variables.items()):
            _snapshot.require_variable(name, variable, ())
        if _place.root is not None:
            self._recorded = _snapshot.study(population, default_expectations, index_date, variables)

    def to_file(self, *args, **kwargs):
        raise NotImplementedError("files are written by: cloister run ACTION, or cloister exec cohortextractor generate_cohort")

    def to_dicts(self, *args, **kwargs):
        raise NotImplementedError("rows are computed by: cloister study run --recording R.json --data DIR --out FILE")

    def csv_to_df(self, *args, **kwargs):
        raise NotImplementedError("read the file of `cloister run ACTION` with pandas.read_csv instead")

    def to_sql(self, *args, **kwargs):
        raise NotImplementedError("there is no SQL; what is computed is shown by: cloister study explain NAME")
