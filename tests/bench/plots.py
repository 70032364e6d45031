"""Plots as SVG, written by hand: a few lines, bars and words, small enough to lie beside the text."""

import html
import math

OURS = "#d4380d"
# Each peer has its own in all plots; spillring is red, and thicker.
COLOURS = {
    "spillring": OURS, "ring": "#222222", "memcpy": "#9a9a9a", "lines": "#b0b0b0", "futex": "#b0b0b0", "aeron": "#1677ff",
    "boost_queue": "#389e0d", "iceoryx": "#722ed1", "iceoryx2": "#b37feb", "nng": "#d48806", "pipe": "#08979c",
    "posix_mq": "#c41d7f", "rabbitmq": "#874d00", "redis_list": "#5b8c00", "redis_stream": "#a0b810", "seqpacket": "#597ef7",
    "zeromq": "#13c2c2",
}
OTHER = "#7c8591"
WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 180, 60, 50
APART = 14  # labels


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

    def line(self, points, colour, width=1.0, dashes=""):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"'
            f"{dashes and f' stroke-dasharray={dashes!r}'}/>"
        )

    def dot(self, x, y, colour):
        self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>')

    def bar(self, x, y, width, height, colour):
        self._parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" fill="{colour}"/>')

    def svg(self):
        return "\n".join([*self._parts, "</svg>", ""])


def decades(values):
    """The powers of ten around all values."""
    return range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)


def spread(places):
    """The same, none closer than labels can be, and none below the plot."""
    spread_out = []
    for place in places:
        spread_out.append(max(place, spread_out[-1] + APART) if spread_out else place)
    limit = HEIGHT - BOTTOM + 4
    for index in reversed(range(len(spread_out))):
        spread_out[index] = min(spread_out[index], limit)
        limit = spread_out[index] - APART
    return spread_out


def lines(title, labels, series, unit, axis, text):
    """A line for each (name, [value or None for each label]); the values on a logarithmic scale, which
    `text` writes; `axis` says what the labels are."""
    plot = Plot(title)
    powers = decades([value for _, values in series for value in values if value])
    span = max(powers[-1] - powers[0], 1)

    def x(index):
        return LEFT + index * (WIDTH - LEFT - RIGHT) / max(len(labels) - 1, 1)

    def y(value):
        return HEIGHT - BOTTOM - (math.log10(value) - powers[0]) / span * (HEIGHT - TOP - BOTTOM)

    plot.text(LEFT, TOP - 16, f"{unit}, logarithmic", colour="#666")
    for power in powers:
        plot.line([(LEFT, y(10**power)), (WIDTH - RIGHT, y(10**power))], "#ddd")
        plot.text(LEFT - 6, y(10**power) + 4, text(10**power), "end")
    for index, label in enumerate(labels):
        plot.text(x(index), HEIGHT - BOTTOM + 18, label, "middle")
    plot.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, axis, "middle", colour="#666")
    drawn = [(name, [(x(i), y(value)) for i, value in enumerate(values) if value]) for name, values in series]
    drawn.sort(key=lambda item: item[1][-1][1])
    for (name, points), at in zip(drawn, spread([points[-1][1] for _, points in drawn])):
        colour = COLOURS.get(name, OTHER)
        plot.line(points, colour, 2.5 if name == "spillring" else 1.2)
        for point in points:
            plot.dot(*point, colour)
        plot.line([points[-1], (WIDTH - RIGHT + 22, at)], colour, 0.6, "1 3")
        plot.text(WIDTH - RIGHT + 26, at + 4, name, colour=colour, weight="bold" if name == "spillring" else "normal")
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
        plot.bar(left, top, max(length(value), 1), 16, OURS if name == "spillring" else "#91a7c4")
        plot.text(left + max(length(value), 1) + 6, top + 13, text(value))
    plot.text(left, height - 8, unit + ", logarithmic")
    return plot.svg()
