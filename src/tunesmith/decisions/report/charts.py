"""The charts, each a function from figures to SVG. Colours are classes; the style sheet gives them their meaning."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from tunesmith.core import units
from tunesmith.core.markup import tag
from tunesmith.core.scorecard import Estimate
from tunesmith.core.verdict import Comparison
from tunesmith.decisions.report import words
from tunesmith.decisions.report.record import Curve
from tunesmith.decisions.report.svg import Axis, axis, grid, picture, upright
from tunesmith.tasks.families import RATIOS

BAR = 9  # pixels


def ruler(scale: Axis, name: str = "") -> Markup:
    """The axis itself, for the head of a column of charts; in percent, unless the metric `name` is a ratio."""
    unit = 1 if name in RATIOS else 100
    marks = []
    for number, tick in enumerate(scale.ticks):
        anchor = "start" if number == 0 else "end" if number == len(scale.ticks) - 1 else "middle"
        marks.append(tag("text", f"{tick * unit:g}".replace("-", "−"), x=scale.at(tick), y=11, text_anchor=anchor))
    return tag("svg", *marks, width="100%", height=14, class_="ruler", aria_hidden="true")


def whisker(
    estimate: Estimate | None, scale: Axis, role: str, name: str, reference: float | None = None, metric: str = ""
) -> Markup:
    """A figure and its interval; `reference` is a dashed line to compare with, `role` whose figure it is."""
    drawn = grid(scale)
    if reference is not None:
        drawn.append(upright(scale.at(reference), "reference"))
    if estimate is not None and estimate.value is not None:
        drawn.append(_middle(*_interval(estimate.value, estimate.low, estimate.high, scale)))
    return picture(f"{name}: {words.spoken(estimate, metric)}", *drawn, class_=f"whisker {role}")


def difference(comparison: Comparison, scale: Axis, role: str) -> Markup:
    """The interval of a difference, with nought as the line that matters."""
    drawn = _middle(*_interval(comparison.difference, comparison.low, comparison.high, scale))
    title = (
        f"{comparison.a} minus {comparison.b}: {words.gain(comparison.difference, comparison.metric)} "
        f"{words.gained(comparison.metric)}, {units.level(comparison.level)} interval from "
        f"{words.gain(comparison.low, comparison.metric)} to {words.gain(comparison.high, comparison.metric)}"
    )
    return picture(title, *grid(scale), upright(scale.at(0), "nought"), drawn, class_=f"whisker {role}")


def bars(name: str, figures: Sequence[tuple[str, str, Estimate | None]], scale: Axis) -> Markup:
    """One bar per (candidate, role, estimate), one below the other; nothing is drawn for too few rows."""
    pitch = BAR + 6
    drawn = []
    for number, (_, role, estimate) in enumerate(figures):
        if estimate is None or estimate.value is None:
            continue
        y = pitch * (number - (len(figures) - 1) / 2)
        bar = tag("rect", x=0, y=y - BAR / 2, width=scale.at(estimate.value), height=BAR, rx=1.5, class_="bar")
        thin = _interval(estimate.value, estimate.low, estimate.high, scale, y, dot=False)
        drawn.append(tag("g", bar, *thin, class_=role))
    title = "; ".join(f"{candidate}: {words.spoken(estimate)}" for candidate, _, estimate in figures)
    return picture(f"{name}. {title}", *grid(scale), _middle(*drawn), class_="bars")


def _middle(*drawn: Markup) -> Markup:
    """Pixels counted from the middle of a chart that is as high as its row of the table."""
    return tag("svg", *drawn, y="50%", width="100%", height=1, overflow="visible")


def _interval(
    value: float, low: float | None, high: float | None, scale: Axis, y: float = 0, *, dot: bool = True
) -> list[Markup]:
    drawn = []
    if low is not None and high is not None:
        drawn.append(tag("line", x1=scale.at(low), x2=scale.at(high), y1=y, y2=y, class_="reach"))
        for end in (scale.at(low), scale.at(high)):
            drawn.append(tag("line", x1=end, x2=end, y1=y - 4.5, y2=y + 4.5, class_="reach"))
    if dot:
        drawn.append(tag("circle", cx=scale.at(value), cy=y, r=3.6, class_="dot"))
    return drawn


def shade(count: int, support: int) -> float:
    """How strong the colour of a share is: by its root, so that one row in twenty can still be seen."""
    return round(math.sqrt(count / support), 2) if support else 0.0


def heat_map(labels: Sequence[str], confusion: Sequence[Sequence[int]]) -> Markup:
    """The confusion of many labels, without names: a cell's name is seen on pointing at it.

    Right answers (the diagonal) and wrong ones have a colour each.
    """
    count, columns = len(labels), len(labels) + 1
    gap = 0.6  # between the labels and the column of answers that are no label
    drawn = [tag("rect", x=0, y=0, width=count, height=count, class_="field")]
    drawn.append(tag("rect", x=count + gap, y=0, width=1, height=count, class_="field"))
    for tens in range(10, count, 10):
        drawn.append(tag("line", x1=tens, x2=tens, y1=0, y2=count, class_="grid"))
        drawn.append(tag("line", y1=tens, y2=tens, x1=0, x2=count, class_="grid"))
    for row, counts in enumerate(confusion):
        support = sum(counts)
        for column, number in enumerate(counts):
            if not number:
                continue
            answered = labels[column] if column < count else "no valid answer"
            kind = "right" if row == column else "wrong"
            drawn.append(
                tag(
                    "rect",
                    tag("title", f"{labels[row]} answered as {answered}: {number} of {support}"),
                    x=column + (gap if column == count else 0),
                    y=row,
                    width=1,
                    height=1,
                    fill_opacity=shade(number, support),
                    class_=kind,
                )
            )
    right = sum(confusion[number][number] for number in range(count))
    title = (
        f"Confusion matrix of {count} labels: {right} of {sum(map(sum, confusion))} answers lie on the diagonal. "
        "The tables list the most frequent confusions and the weakest labels."
    )
    box = f"-0.2 -0.2 {columns + gap + 0.4} {count + 0.4}"
    return tag("svg", tag("title", title), *drawn, role="img", viewBox=box, class_="heat")


def calibration(points: Sequence[tuple[Estimate, Estimate]]) -> Markup:
    """How many answers are right (up), by how sure they are (across): each point a share and what was stated. On the
    dashed line both are the same."""
    scale = Axis(0, 1, (0, 0.25, 0.5, 0.75, 1))
    drawn = []
    for tick in scale.ticks:
        y, across = _y(scale, tick), scale.at(tick)
        drawn.append(tag("line", x1=0, x2="100%", y1=y, y2=y, class_="grid"))
        drawn.append(tag("text", f"{tick * 100:g} %", x=-9, y=y + 4, text_anchor="end"))
        anchor = "start" if tick == 0 else "end" if tick == 1 else "middle"
        drawn.append(tag("text", f"{tick * 100:g} %", x=across, y=HEIGHT + 17, text_anchor=anchor))
    drawn.append(tag("line", x1=0, x2="100%", y1=_y(scale, 0), y2=_y(scale, 1), class_="reference"))
    dots = [mark for right, stated in points for mark in _upright_interval(right, stated.value or 0.0, scale)]
    said = "; ".join(f"{100 * (stated.value or 0.0):.0f} % sure, {words.spoken(right)}" for right, stated in points)
    drawn.append(tag("g", *dots, class_="validation"))
    return picture(f"Right answers by how sure they are: {said}", *drawn, height=HEIGHT + 22, class_="curve")


def _upright_interval(share: Estimate, at: float, scale: Axis) -> list[Markup]:
    """A dot and its interval; nothing where there are too few rows."""
    if share.value is None or share.low is None or share.high is None:
        return []
    x = scale.at(at)
    reach = tag("line", x1=x, x2=x, y1=_y(scale, share.low), y2=_y(scale, share.high), class_="line")
    return [reach, tag("circle", cx=x, cy=_y(scale, share.value), r=3.6, class_="dot")]


HEIGHT = 190  # pixels: one panel of the learning curve, or the calibration curve
TOP = 8
POINTS = 400  # of the training loss, at most


def averaged(curve: Curve) -> int:
    """How many steps one point of the training loss stands for, so that a long run is still a line."""
    return math.ceil(sum(point.training_loss is not None for point in curve.points) / POINTS)


def losses(curve: Curve) -> Markup:
    """Training and validation loss per step."""
    training = _known([(point.step, point.training_loss) for point in curve.points])
    validation = _known([(point.step, point.validation_loss) for point in curve.points])
    return _panel("Loss per step", [("training", _means(training, averaged(curve))), ("validation", validation)], curve)


def metric_curve(curve: Curve) -> Markup:
    """The validation metric per step."""
    measured = _known([(point.step, point.validation_metric) for point in curve.points])
    name = words.metric(curve.metric)
    return _panel(f"Validation {name.lower()} per step", [("validation", measured)], curve, unit=" %")


Line = list[tuple[int, float]]


def _known(points: Sequence[tuple[int, float | None]]) -> Line:
    return [(step, value) for step, value in points if value is not None]


def _means(line: Line, size: int) -> Line:
    parts = [line[start : start + size] for start in range(0, len(line), size or 1)]
    return [(part[-1][0], sum(value for _, value in part) / len(part)) for part in parts]


def _panel(title: str, lines: Sequence[tuple[str, Line]], curve: Curve, unit: str = "") -> Markup:
    """Lines over the common steps; with the unit " %" of shares."""
    values = [value for _, line in lines for _, value in line]
    up = axis(values, most=5, least=0.01)
    last = max((point.step for point in curve.points), default=1) or 1
    steps = Axis(0, last, ())
    drawn = []
    for tick in up.ticks:
        y = _y(up, tick)
        drawn.append(tag("line", x1=0, x2="100%", y1=y, y2=y, class_="grid"))
        label = f"{tick * 100 if unit else tick:g}{unit}"
        drawn.append(tag("text", label, x=-9, y=y + 4, text_anchor="end"))
    if curve.kept is not None:
        at = steps.at(curve.kept)
        drawn.append(tag("line", x1=at, x2=at, y1=TOP, y2=HEIGHT, class_="reference"))
    for name, line in lines:
        drawn.append(_line(line, steps, up, name))
    for step, anchor in ((0, "start"), (last, "end")):
        text = f"{step:,}" if step < last else f"step {step:,}"
        drawn.append(tag("text", text, x=steps.at(step), y=HEIGHT + 17, text_anchor=anchor))
    ends = "; ".join(f"{name} from {line[0][1]:.3g} to {line[-1][1]:.3g}" for name, line in lines if line)
    return picture(f"{title}: {ends}", *drawn, height=HEIGHT + 22, class_="curve")


def _line(line: Line, steps: Axis, up: Axis, name: str) -> Markup:
    """A line that is stretched to the width of its column, and dots (where they are few) that are not."""
    path = " ".join(f"{steps.share(step) * 1000:.1f},{_y(up, value):.1f}" for step, value in line)
    stretched = tag(
        "svg",
        tag("polyline", points=path, class_="line"),
        viewBox=f"0 0 1000 {HEIGHT + 22}",
        preserveAspectRatio="none",
        width="100%",
        height=HEIGHT + 22,
        overflow="visible",
    )
    dots = []
    if len(line) <= 30:
        dots = [tag("circle", cx=steps.at(step), cy=_y(up, value), r=2.8, class_="dot") for step, value in line]
    return tag("g", stretched, *dots, class_=name)


def _y(up: Axis, value: float) -> float:
    return TOP + (1 - up.share(value)) * (HEIGHT - TOP)
