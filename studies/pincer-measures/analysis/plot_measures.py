"""Draw each indicator's deciles over practices, each family together, and sum up demographics."""
import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import pandas as pd  # noqa: E402

from indicators import DEMOGRAPHICS, FAMILIES, INDICATORS, family  # noqa: E402
from utilities import (  # noqa: E402
    OUTPUT,
    percentiles,
    rate_per_100,
    read_measure,
    whole,
    write_csv,
)

FIGURES = OUTPUT / "figures"
DECILES = list(range(10, 100, 10))


def draw_deciles(axes, measure, title):
    """Draw the nine deciles of the practices' rates; the median is the thick line."""
    table = percentiles(measure, DECILES)
    for level in DECILES:
        median = level == 50
        axes.plot(
            table.index,
            table[level],
            color="#0b3d91",
            linewidth=2 if median else 0.8,
            linestyle="-" if median else "--",
            label={10: "decile", 50: "median"}.get(level),
        )
    axes.set_title(title, fontsize=9)
    axes.set_ylabel("per 100 at risk", fontsize=8)
    axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=7)
    for label in axes.get_xticklabels():
        label.set_rotation(45)
        label.set_horizontalalignment("right")


def draw_composite(axes, name):
    """Draw how many of the people at risk have one, two, or more hazards."""
    path = OUTPUT / "{}_composite_measure.csv".format(name)
    table = pd.read_csv(str(path), parse_dates=["date"])
    for (hazards, part), style in zip(table.groupby("hazards", sort=True), ("-", "--", ":")):
        axes.plot(part["date"], part["rate_per_100"], style, color="#0b3d91", label=hazards)
    axes.set_title("{}: number of hazards".format(FAMILIES[name]), fontsize=9)
    axes.set_ylabel("per 100 at risk", fontsize=8)
    axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=7, axis="both")
    axes.legend(fontsize=7)


def save(figure, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(str(path), dpi=100)
    plt.close(figure)
    print("{}: drawn".format(path))


def demographic_aggregates():
    """Return all demographics of all indicators by quarter; hidden months are left out."""
    parts = []
    for name in INDICATORS:
        for demographic in DEMOGRAPHICS:
            path = OUTPUT / "indicator_measure_{}_{}.csv".format(name, demographic)
            table = pd.read_csv(str(path), parse_dates=["date"], dtype={"group": str})
            table = table.dropna(subset=["numerator", "denominator"])
            table["quarter"] = table["date"].dt.to_period("Q").astype(str)
            sums = table.groupby(["quarter", "group"])[["numerator", "denominator"]].sum()
            sums = sums.reset_index()
            sums.insert(0, "indicator", name)
            sums.insert(1, "demographic", demographic)
            parts.append(sums)
    table = pd.concat(parts, ignore_index=True)
    table["rate_per_100"] = rate_per_100(table["numerator"], table["denominator"])
    for column in ("numerator", "denominator"):
        table[column] = whole(table[column])
    return table


def main():
    measures = {name: read_measure(name) for name in INDICATORS}
    for name, (_, title) in INDICATORS.items():
        figure, axes = plt.subplots(figsize=(6, 4))
        draw_deciles(axes, measures[name], title)
        axes.legend(fontsize=7)
        save(figure, FIGURES / "plot_{}.jpeg".format(name))
    for name in FAMILIES:
        members = family(name)
        rows = (len(members) + 2) // 2
        figure, grid = plt.subplots(rows, 2, figsize=(10, 3 * rows), squeeze=False)
        panels = list(grid.flat)
        for axes, member in zip(panels, members):
            draw_deciles(axes, measures[member], INDICATORS[member][1])
        draw_composite(panels[len(members)], name)
        for axes in panels[len(members) + 1 :]:
            axes.set_axis_off()
        save(figure, FIGURES / "combined_plot_{}.png".format(name))
    write_csv(demographic_aggregates(), OUTPUT / "demographic_aggregates.csv")


if __name__ == "__main__":
    main()
