"""The geometry of a chart of stacked days, for SVG made on the server. Pure: numbers in, rectangles out.

The plot is 1,000 units wide and stretches to its box; it is 200 high and does not, so that lines and patterns
keep their form. Words stand beside it in HTML, never in it: they would stretch too. Colour comes from classes.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 1_000, 200
# A bar fills so much of its day's place, and is at most so wide: a single day is a bar, not a wall.
FILLED, WIDEST = 0.74, 48
# What was spent must be seen, however small beside a spike.
LEAST = 1.5
COLOURS = 8
OTHERS, FORMER = "others", "former"


@dataclass(frozen=True)
class Series:
    """What one name spent, a number a day in the order of the days. `css` is its colour's class."""

    name: str
    values: list[int]
    css: str

    @property
    def total(self) -> int:
        return sum(self.values)


@dataclass(frozen=True)
class Bar:
    """One name's part of one day, in units of the plot; `is_striped` tells neighbours apart without colour."""

    x: str
    y: str
    width: str
    height: str
    css: str
    is_striped: bool
    title: str


@dataclass(frozen=True)
class Line:
    y: str
    value: int


@dataclass(frozen=True)
class Day:
    """A row of the table that stands beside the plot."""

    day: dt.date
    values: list[int]

    @property
    def total(self) -> int:
        return sum(self.values)


@dataclass(frozen=True)
class Chart:
    series: list[Series]
    days: list[Day]
    bars: list[Bar]
    lines: list[Line]

    @property
    def is_empty(self) -> bool:
        return not any(day.total for day in self.days)

    @property
    def total(self) -> int:
        return sum(day.total for day in self.days)

    @property
    def top(self) -> Day:
        """The day on which most was spent, the first of equals."""
        return max(self.days, key=lambda day: day.total)

    @property
    def striped(self) -> list[bool]:
        return [is_striped(number) for number in range(len(self.series))]

    @property
    def legend(self) -> list[tuple[Series, bool]]:
        return list(zip(self.series, self.striped, strict=True))


def colour(number: int) -> str:
    """The class of the series at that place: as many as can be told apart, then again from the first."""
    return f"series-{number % COLOURS + 1}"


def is_striped(number: int) -> bool:
    return number % 2 == 1


def days_of(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]


def stacked(
    days: Sequence[dt.date], series: Sequence[Series], told: Callable[[str, dt.date, int], str]
) -> Chart:
    """Each day's parts on top of each other, the first series lowest; `told` is what a bar says of itself."""
    rows = [Day(day, [each.values[n] for each in series]) for n, day in enumerate(days)]
    top = ceiling(max((row.total for row in rows), default=0))
    place = WIDTH / max(1, len(rows))
    width = min(place * FILLED, WIDEST)
    bars = []
    for n, row in enumerate(rows):
        floor, x = float(HEIGHT), n * place + (place - width) / 2
        for number, value in enumerate(row.values):
            if not value:
                continue
            height = max(LEAST, value / top * HEIGHT)
            floor -= height
            words = told(series[number].name, row.day, value)
            size = (_units(x), _units(max(0.0, floor)), _units(width), _units(height))
            bars.append(Bar(*size, series[number].css, is_striped(number), words))
    lines = [Line(_units(HEIGHT - HEIGHT * part / 2), top * part // 2) for part in (2, 1)]
    return Chart(list(series), rows, bars, lines)


def by_day(days: Sequence[dt.date], spent: Mapping[dt.date, int]) -> list[int]:
    return [spent.get(day, 0) for day in days]


def ceiling(most: int) -> int:
    """The least of 1, 2, 3, 4, 5, 6, 8 or 10 times a power of ten that is not below: so that its half is round too."""
    if most < 10:
        return max(2, most + most % 2)
    power = 10 ** (len(str(most)) - 1)
    return next(step * power for step in (1, 2, 3, 4, 5, 6, 8, 10) if step * power >= most)


def _units(number: float) -> str:
    """A coordinate as SVG writes it, whatever the reader's language makes of a decimal point."""
    return f"{number:.1f}"
