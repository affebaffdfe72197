"""What a preview says of a milestone, whatever the numbers."""

from __future__ import annotations

import pytest

from leadvibe.rescoring.findings import Milestone
from leadvibe.web.scoring_findings import say_alert


@pytest.mark.parametrize(
    ("entering", "leaving", "words"),
    [
        (0, 0, "The same leads as now would have 50 points or more"),
        (1, 0, "1 more lead would have 50 points or more, and none would drop below"),
        (1_200, 1, "1,200 more leads would have 50 points or more, and 1 lead would drop below"),
        (0, 3, "3 leads would drop below 50 points, and none would come up to it"),
    ],
)
def test_who_comes_and_goes_is_said_as_one_would(entering, leaving, words):
    said = say_alert(50, Milestone(times=2, entering=entering, leaving=leaving))

    assert said == f"{words}. Over all of history it would have been reached twice."


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (0, "nobody would have reached it"),
        (1, "it would have been reached once"),
        (1_500, "it would have been reached 1,500 times"),
    ],
)
def test_how_often_it_is_reached_is_said_as_one_would(times, words):
    assert say_alert(1, Milestone(times=times)).endswith(f"Over all of history {words}.")
