"""Measures: a numerator over a denominator by groups."""

from . import _place
from .exceptions import fault


class Measure:
    POPULATION_COLUMN = "population"

    def __init__(self, id, denominator, numerator, group_by=None, small_number_suppression=False):
        self._src, _ = _place.of_caller()
        self.id = id
        self.denominator = denominator
        self.numerator = numerator
        if group_by is None:
            group_by = []
        elif not isinstance(group_by, (list, tuple)):
            group_by = [group_by]
        self.group_by = group_by
        self.small_number_suppression = small_number_suppression
        if list(group_by) == [self.POPULATION_COLUMN]:
            return
        for role in ("denominator", "numerator"):
            name = getattr(self, role)
            if name in group_by:
                raise fault(
                    ValueError,
                    "SD701",
                    "the %s %r of measure %r is also in its group_by: group by other columns, or by population alone"
                    % (role, name, id),
                )
