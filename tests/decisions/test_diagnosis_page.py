"""The page of a diagnosis."""

import re

from tunesmith.core.diagnosis import Diagnosis, Probed
from tunesmith.core.scorecard import Estimate
from tunesmith.decisions.report.diagnosis import page


def probed(probe: str, **more: object) -> Probed:
    harm = Estimate(value=0.02, low=-0.05, high=0.09, n=40)
    return Probed(probe=probe, figure="a figure", harm=harm, margin=0.1, state="sound", **more)


def curve_of(html: str) -> str:
    """The calibration curve alone."""
    return re.search(r'<div class="calibration">(.*?)</div>', html, re.DOTALL)[1]


def test_confidences_are_drawn_as_a_calibration_curve():
    parts = {
        "1: 10 % to 60 % sure": (Estimate(value=0.25, low=0.1, high=0.5, n=20), Estimate(value=0.4, n=20)),
        "2: 60 % to 99 % sure": (Estimate(value=0.75, low=0.5, high=0.9, n=20), Estimate(value=0.8, n=20)),
        "3: 99 % to 99 % sure": (Estimate(value=None, n=2), Estimate(value=0.99, n=2)),
    }
    found = Diagnosis(candidate="c", base="b", inputs="i", probed=(probed("overconfidence", parts=parts),))
    html = page("p", "fine-tune", found)
    drawn = curve_of(html)
    assert [place[:5] for place in re.findall(r'<circle cx="([^"]+)"', drawn)] == [
        "40.00",
        "80.00",
    ]
    assert "40 % sure" in drawn
    assert "Right</th>" in html


def test_parts_of_other_probes_are_no_curve():
    parts = {"typos": (Estimate(value=0.5, low=0.3, high=0.7, n=20), Estimate(value=0.6, low=0.4, high=0.8, n=20))}
    html = page("p", "f", Diagnosis(candidate="c", base="b", inputs="i", probed=(probed("rigidity", parts=parts),)))
    assert 'class="calibration"' not in html
    assert "part by part" in html
