"""Plots as SVG, written by hand: a few lines, bars and words, small enough to lie beside the text."""

import html
import math

COLOURS = ["#d4380d", "#222222", "#1677ff", "#389e0d", "#722ed1", "#d48806", "#08979c", "#c41d7f", "#7c8591", "#5b8c00"]
WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 70, 180, 40, 45


class Plot:
    def __init__(self, title, height=HEIGHT):
        self._height = height
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            'font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        ]
        self.text(LEFT, 22, title, weight="bold")

    def text(self, x, y, words, anchor="start", colour="#222", weight="normal"):
        self._parts.append(
            f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{colour}" font-weight="{weight}">'
            f"{html.escape(words)}</text>"
        )

    def line(self, points, colour, width=1.0):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>')

    def dot(self, x, y, colour):
        self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>')

    def bar(self, x, y, width, height, colour):
        self._parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" fill="{colour}"/>')

    def svg(self):
        return "\n".join([*self._parts, "</svg>", ""])


def decades(values):
    """The powers of ten around all values."""
    return range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)


def lines(title, labels, series, unit):
    """A line for each (name, [value or None for each label]); the values on a logarithmic scale."""
    plot = Plot(title)
    powers = decades([value for _, values in series for value in values if value])
    span = max(powers[-1] - powers[0], 1)

    def x(index):
        return LEFT + index * (WIDTH - LEFT - RIGHT) / max(len(labels) - 1, 1)

    def y(value):
        return HEIGHT - BOTTOM - (math.log10(value) - powers[0]) / span * (HEIGHT - TOP - BOTTOM)

    for power in powers:
        plot.line([(LEFT, y(10**power)), (WIDTH - RIGHT, y(10**power))], "#ddd")
        plot.text(LEFT - 6, y(10**power) + 4, f"{10**power:g}", "end")
    for index, label in enumerate(labels):
        plot.text(x(index), HEIGHT - BOTTOM + 18, label, "middle")
    plot.text(LEFT, HEIGHT - 8, unit)
    taken = []
    ordered = sorted(enumerate(series), key=lambda item: -(next(v for v in reversed(item[1][1]) if v)))
    for index, (name, values) in ordered:
        colour = COLOURS[index % len(COLOURS)]
        points = [(x(i), y(value)) for i, value in enumerate(values) if value]
        plot.line(points, colour, 2.5 if index == 0 else 1.2)
        for point in points:
            plot.dot(*point, colour)
        at = points[-1][1] + 4
        while any(abs(at - other) < 13 for other in taken):
            at += 1
        taken.append(at)
        plot.text(WIDTH - RIGHT + 10, at, name, colour=colour)
    return plot.svg()


def bars(title, values, unit, text):
    """A bar for each (name, value), the longest first, on a logarithmic scale; `text` writes a value."""
    values = sorted(values, key=lambda item: -item[1])
    height = TOP + 22 * len(values) + 30
    plot = Plot(title, height)
    powers = decades([value for _, value in values])
    left = 150

    def length(value):
        return (math.log10(value) - powers[0]) / max(powers[-1] - powers[0], 1) * (WIDTH - left - 90)

    for index, (name, value) in enumerate(values):
        top = TOP + 22 * index
        plot.text(left - 8, top + 13, name, "end", weight="bold" if name == "spillring" else "normal")
        plot.bar(left, top, max(length(value), 1), 16, COLOURS[0] if name == "spillring" else "#91a7c4")
        plot.text(left + max(length(value), 1) + 6, top + 13, text(value))
    plot.text(left, height - 8, unit + ", logarithmic")
    return plot.svg()
