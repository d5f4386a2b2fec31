"""A stream's days as a picture: the share that was read, the true recall and the stated one with its interval.

`python -m bench.curve FILE.svg` draws the first recorded stream, or the first synthetic one without the development data.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from bench.learned import streams
from bench.policy import Outcome, Reader, Texts

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900, 360, 48, 12, 34, 40


def svg(name: str, outcomes: Sequence[Outcome]) -> str:
    told = [one for one in outcomes if one.stable and one.late]
    step = (WIDTH - LEFT - RIGHT) / max(1, len(told) - 1)
    x = [LEFT + step * n for n in range(len(told))]
    y = lambda share: TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)  # noqa: E731
    lows = [y(one.late.low if one.late else 0) for one in told]
    highs = [y(one.late.high if one.late else 0) for one in told]
    band = [f"{a:.1f},{b:.1f}" for a, b in zip(x, highs, strict=True)]
    band += [f"{a:.1f},{b:.1f}" for a, b in zip(reversed(x), reversed(lows), strict=True)]
    dots = "".join(
        f'<circle cx="{a:.1f}" cy="{y(one.found / one.stable):.1f}" r="2.5" fill="#1f4e79"/>'
        for a, one in zip(x, told, strict=True)
    )
    lines = "".join(
        f'<polyline fill="none" stroke="{colour}" stroke-width="1.6" points="{_points(x, [y(v) for v in values])}"/>'
        for colour, values in (
            ("#b3541e", [one.read / one.papers for one in told]),
            ("#1f4e79", [one.late.recall if one.late else 0 for one in told]),
        )
    )
    grid = "".join(
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(v):.1f}" y2="{y(v):.1f}" stroke="#ccc"/>'
        f'<text x="{LEFT - 8}" y="{y(v) + 4:.1f}" text-anchor="end">{v:.0%}</text>'
        for v in (0, 0.25, 0.5, 0.75, 0.9, 1)
    )
    words = (
        f'<text x="{LEFT}" y="18" font-weight="bold">{name}: {len(told)} days</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 12}" fill="#b3541e">share read</text>'
        f'<text x="{LEFT + 110}" y="{HEIGHT - 12}" fill="#1f4e79">recall: dots true, line stated, band nine in ten</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>{grid}'
        f'<polygon points="{" ".join(band)}" fill="#1f4e79" opacity="0.15"/>{lines}{dots}{words}</svg>\n'
    )


def _points(x: Sequence[float], y: Sequence[float]) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))


def main() -> None:
    path = Path(sys.argv[1])
    found = list(streams(0))
    stream = next((one for one, is_recorded in found if is_recorded), found[0][0])
    path.write_text(svg(stream.name, Reader(Texts.of(stream)).read_all()), encoding="utf-8")
    print(f"{path}: {stream.name}")


if __name__ == "__main__":
    main()
