"""scripts/output: tables that never break a number, however narrow the terminal."""

import json

import pytest

from scripts.output import Output, Row

PEOPLE, PROGRAMS = Output(as_json=False), Output(as_json=True)
BILL: Row = {
    "tenant_id": "acme",
    "function": "summarize",
    "model": "claude-haiku-5-5",
    "calls": "123456",
    "input": "1234567890",
    "cache_read": "9876543210",
    "output": "1029384756",
    "dollars": "12345.6789",
    "unpriced_calls": None,
    "events": "7654321",
    "dollars_per_1000_events": "1.6129",
}
NUMBERS = ("123456", "12345.6789", "1.6129")


@pytest.fixture(params=[200, 80, 60, 30])
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    return int(request.param)


def test_no_number_is_broken_or_cut_at_any_width(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    PEOPLE.print_rows([BILL, BILL | {"calls": "7"}], nothing="", brief=("tenant_id", "calls", "dollars"))

    printed = capsys.readouterr().out
    assert all(len(line.rstrip()) <= width for line in printed.splitlines())
    assert NUMBERS[0] in printed.split()
    assert NUMBERS[1] in printed.split()


def test_brief_columns_are_shown_and_the_others_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    PEOPLE.print_rows([BILL], nothing="", brief=("tenant_id", "calls", "dollars"))

    told = capsys.readouterr()
    assert told.out.split() == ["tenant", "id", "calls", "dollars", "acme", "123456", "12345.6789"]
    assert "7 more columns" in told.err, "an empty column is left out"


def test_last_brief_columns_are_left_out_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    PEOPLE.print_rows([BILL], nothing="", brief=("tenant_id", "function", "calls", "dollars", "model"))

    assert capsys.readouterr().out.split() == [
        "tenant",
        "id",
        "function",
        "calls",
        "dollars",
        "acme",
        "summarize",
        "123456",
        "12345.6789",
    ]


def test_row_without_room_is_a_block_of_names_and_values(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    PEOPLE.print_rows([BILL, BILL], nothing="")

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines if line.startswith("input")] == ["1234567890"] * 2
    assert "" in [line.strip() for line in lines], "a blank line between rows"


def test_numbers_are_aligned_right_and_words_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    PEOPLE.print_rows([{"file": "a", "rows": "7"}, {"file": "b", "rows": "12,345"}], nothing="")

    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "file    rows",
        "a          7",
        "b     12,345",
    ]


def test_text_is_wrapped_between_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    PEOPLE.print_rows(
        [{"what": (words := "the quick brown fox jumps over a lazy dog"), "count": "1000000"}], nothing=""
    )

    assert sorted(capsys.readouterr().out.split()) == sorted(["what", "count", "1000000", *words.split()])


def test_dry_run_says_would_and_programs_get_the_row(capsys: pytest.CaptureFixture[str]) -> None:
    PEOPLE.print_dry_run("limit acme", {"tenant_id": "acme"})
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "would limit acme; nothing was done\n")

    PROGRAMS.print_dry_run("limit acme", {"tenant_id": "acme"})
    assert json.loads(capsys.readouterr().out) == [{"tenant_id": "acme", "dry_run": "true"}]
