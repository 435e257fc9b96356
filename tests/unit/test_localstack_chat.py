"""localstack.model.chat: the report on the results of tools."""

import pytest

from localstack.model.chat import RESULT_CHARACTERS, report
from localstack.model.requests import Block


def found(*lines: str, failed: bool = False) -> Block:
    text = "\n".join(("<result>", *lines, "</result>"))
    return {"type": "tool_result", "tool_use_id": "1", "content": text, "is_error": failed}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ["- [2026-03-01, episode] We met in Porto."],
            "Here is what I found: “We met in Porto.” (2026-03-01)",
        ),
        (
            [
                "(today is Sunday, 2026-03-01)",
                "- [2026-02-28 09:30, message.sent] I moved.",
                "(there are more: ask)",
            ],
            "Here is what I found: “I moved.” (2026-02-28)",
        ),
        (["n | what", "3 | tea", "1 | cake"], "Here is what I found: n 3, what tea; n 1, what cake"),
        (["nothing was found"], "I found nothing about that."),
        (["(today is Sunday, 2026-03-01)", "nothing happened in that time"], "I found nothing about that."),
        (["[0 of 3 lines are shown: ask for less to see the rest]"], "I found nothing about that."),
        (["noted; what it says is known as soon as it has been read"], "I have noted that."),
        ([], "I found nothing about that."),
    ],
)
def test_results_of_tools_become_sentences(lines: list[str], said: str) -> None:
    assert report([found(*lines)]) == said


def test_a_failed_tool_does_not_hide_the_result_of_another() -> None:
    failed = found("timed_out: it took too long", failed=True)

    assert report([failed]) == "I could not look that up just now."
    assert report([failed, found("- [2026-03-01, fact] Tea.")]) == "Here is what I found: “Tea.” (2026-03-01)"


def test_a_long_report_has_whole_findings_and_the_number_of_others() -> None:
    said = report([found(*(f"- [2026-03-01, episode] {'word ' * 20}" for _ in range(30)))])

    assert len(said) < RESULT_CHARACTERS + 60
    assert said.endswith("(2026-03-01); and 27 more")
