"""What was measured, said as ratios: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure beside its baseline, measured in alternating rounds of one run."""

    name: str
    unit: str
    ours: Sequence[float]
    baseline_name: str
    baseline: Sequence[float]
    #: None: reported, no goal is set for it.
    goal: float | None = None
    #: Whether the ratio must be at least or at most the goal.
    sense: Literal["at least", "at most"] = "at least"
    #: The same for a second of the server's processor time: what other work on the machine cannot disturb.
    ours_cpu: Sequence[float] = ()
    baseline_cpu: Sequence[float] = ()
    #: Whether both use their core whole: then the processor time must say the same, or other work disturbed the run.
    saturated: bool = False
    notes: Sequence[str] = ()

    @property
    def cpu_ratio(self) -> float | None:
        """The median ratio of the processor time's figures; None where there are none."""
        pairs = list(zip(self.ours_cpu, self.baseline_cpu, strict=True))
        return median(ours / baseline for ours, baseline in pairs) if pairs else None

    @property
    def ratios(self) -> list[float]:
        """Ours to the baseline of the same round."""
        return [ours / baseline for ours, baseline in zip(self.ours, self.baseline, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return median(self.ratios)

    @property
    def met(self) -> bool | None:
        """Whether the goal is met by the median; None without a goal."""
        if self.goal is None:
            return None
        found = [self.ratio]
        if self.saturated and self.cpu_ratio is not None:
            found.append(self.cpu_ratio)
        return min(found) >= self.goal if self.sense == "at least" else max(found) <= self.goal

    def as_json(self) -> dict[str, Any]:
        """Everything, for result.json."""
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": list(self.ours),
            "baseline_name": self.baseline_name,
            "baseline": list(self.baseline),
            "ratio": self.ratio,
            "ratio_min": min(self.ratios),
            "ratio_max": max(self.ratios),
            "ours_cpu": list(self.ours_cpu),
            "baseline_cpu": list(self.baseline_cpu),
            "cpu_ratio": self.cpu_ratio,
            "goal": self.goal,
            "sense": self.sense,
            "met": self.met,
            "notes": list(self.notes),
        }


def number(value: float) -> str:
    """A figure with as many digits as it can carry."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(values: Sequence[float]) -> str:
    """Median and range."""
    return f"{number(median(values))} [{number(min(values))}-{number(max(values))}]"


def table(figures: Sequence[Figure]) -> str:
    """The figures as aligned lines, each followed by its notes."""
    heads = ("figure", "ours", "baseline", "ratio [min-max]", "by CPU time", "goal", "met")
    rows = [
        (
            f"{figure.name} ({figure.unit})",
            spread(figure.ours),
            f"{figure.baseline_name} {spread(figure.baseline)}",
            f"{figure.ratio:.3f} [{min(figure.ratios):.3f}-{max(figure.ratios):.3f}]",
            "-" if figure.cpu_ratio is None else f"{figure.cpu_ratio:.3f}",
            "-" if figure.goal is None else f"{figure.sense} {figure.goal:g}",
            {True: "yes", False: "NO", None: "-"}[figure.met],
        )
        for figure in figures
    ]
    widths = [max(len(row[n]) for row in (heads, *rows)) for n in range(len(heads))]
    lines = []
    for index, row in enumerate((heads, *rows)):
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if index:
            lines += [f"    {note}" for note in figures[index - 1].notes]
    return "\n".join(lines)
