"""membus.states.notes: what a model may do to its notes, and where it cannot go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membus.core.errors import InvalidError, NotFoundError
from membus.states.notes import (
    NOTES_MAX,
    TEXT_CHARACTERS_MAX,
    Notes,
    excerpt_around_change,
    validate_note_path,
)

TEA = Notes({"/memories/tea.md": "green\nblack\ngreen tea"})
TREE = Notes({"/memories/a/b/c/d.md": "deep", "/memories/a/e.md": "near", "/memories/f.md": "x" * 2048})


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "memories",
        "memories/a",
        "/memory/a",
        "/memoriesx/a",
        "/memories/..",
        "/memories/../etc/passwd",
        "/memories/a/../../b",
        "/memories/./a",
        "/memories//a",
        "/memories/%2e%2e/a",
        "/memories/..%2fa",
        "/memories/\x00",
        "/memories/a\n",
        "/memories/a\\..\\b",
        "/memories/.hidden",
        "/memories/a#b",
        "//memories/a",
        "/memories/" + "a" * 101,
        "/memories" + "/a" * 9,
        "/memories/a//",
        "/MEMORIES/a",
        "/memories/\u202e",
    ],
)
def test_a_path_that_leaves_the_memories_or_hides_is_none(path: str) -> None:
    for act in (
        lambda: TEA.view_note(path),
        lambda: TEA.create_note(path, "x"),
        lambda: TEA.delete_note(path),
        lambda: TEA.replace_text(path, "a", "b"),
        lambda: TEA.insert_text(path, 0, "x"),
        lambda: TEA.rename_note("/memories/tea.md", path),
        lambda: TEA.rename_note(path, "/memories/new.md"),
    ):
        with pytest.raises(InvalidError):
            act()


@given(st.text(max_size=60).map(lambda text: f"/memories/{text}"))
def test_whatever_is_written_lies_below_the_memories(path: str) -> None:
    try:
        notes = Notes({}).create_note(path, "x")
    except InvalidError:
        return
    (kept,) = notes.texts
    assert kept.startswith("/memories/")
    assert not {".", ".."} & set(kept.split("/"))  # «0..» is a name like any other
    assert kept == validate_note_path(path)


def test_a_note_is_shown_with_its_lines_numbered() -> None:
    assert TEA.view_note("/memories/tea.md").splitlines()[1:] == [
        "     1\tgreen",
        "     2\tblack",
        "     3\tgreen tea",
    ]
    assert TEA.view_note("/memories/tea.md", (2, -1)).splitlines()[1:] == [
        "     2\tblack",
        "     3\tgreen tea",
    ]
    assert TEA.view_note("/memories/tea.md", (0, 1)).splitlines()[1:] == ["     1\tgreen"]


def test_a_folder_lists_two_levels_with_their_sizes() -> None:
    assert TREE.view_note("/memories/").splitlines()[1:] == [
        "2.0K\t/memories",
        "8B\t/memories/a/",
        "4B\t/memories/a/b/",
        "4B\t/memories/a/e.md",
        "2.0K\t/memories/f.md",
    ]
    assert Notes({}).view_note("/memories").splitlines()[1:] == ["0B\t/memories"]


@pytest.mark.parametrize("path", ["/memories/none", "/memories/te", "/memories/a/b/c/d.md/x"])
def test_what_is_not_there_cannot_be_seen_changed_or_removed(path: str) -> None:
    for act in (
        lambda: TREE.view_note(path),
        lambda: TREE.delete_note(path),
        lambda: TREE.insert_text(path, 0, "x"),
    ):
        with pytest.raises(NotFoundError):
            act()


def test_nothing_is_written_over_and_no_file_is_a_folder() -> None:
    for path in ("/memories/f.md", "/memories/a", "/memories", "/memories/f.md/below"):
        with pytest.raises(InvalidError):
            TREE.create_note(path, "x")


def test_words_are_replaced_where_they_stand_once() -> None:
    assert (
        TEA.replace_text("/memories/tea.md", "black", "white").texts["/memories/tea.md"]
        == "green\nwhite\ngreen tea"
    )
    with pytest.raises(InvalidError, match="lines: 1, 3"):
        TEA.replace_text("/memories/tea.md", "green", "white")
    for absent in ("coffee", ""):
        with pytest.raises(InvalidError, match="did not appear"):
            TEA.replace_text("/memories/tea.md", absent, "white")


def test_a_line_is_put_in_behind_another() -> None:
    assert (
        TEA.insert_text("/memories/tea.md", 0, "tea:\n").texts["/memories/tea.md"]
        == "tea:\ngreen\nblack\ngreen tea"
    )
    assert TEA.insert_text("/memories/tea.md", 3, "end").texts["/memories/tea.md"].endswith("tea\nend")
    for line in (-1, 4):
        with pytest.raises(InvalidError):
            TEA.insert_text("/memories/tea.md", line, "x")


def test_folders_move_and_go_as_a_whole() -> None:
    assert set(TREE.rename_note("/memories/a", "/memories/z").texts) == {
        "/memories/z/b/c/d.md",
        "/memories/z/e.md",
        "/memories/f.md",
    }
    assert set(TREE.delete_note("/memories/a").texts) == {"/memories/f.md"}


@pytest.mark.parametrize(("old", "new"), [("/memories", "/memories/x"), ("/memories/a", "/memories/a/x")])
def test_nothing_moves_into_itself(old: str, new: str) -> None:
    with pytest.raises(InvalidError):
        TREE.rename_note(old, new)


def test_the_root_stays() -> None:
    with pytest.raises(InvalidError):
        TREE.delete_note("/memories")


def test_a_name_that_begins_alike_is_another() -> None:
    notes = Notes({"/memories/a": "1", "/memories/ab": "2"})

    assert set(notes.delete_note("/memories/a").texts) == {"/memories/ab"}
    assert set(notes.rename_note("/memories/a", "/memories/c").texts) == {"/memories/ab", "/memories/c"}


def test_notes_are_bounded() -> None:
    full = Notes({f"/memories/{number}": "x" for number in range(NOTES_MAX)})

    with pytest.raises(InvalidError):
        full.create_note("/memories/new", "x")
    with pytest.raises(InvalidError):
        TEA.create_note("/memories/new", "x" * (TEXT_CHARACTERS_MAX + 1))


def test_a_change_is_shown_with_the_lines_around_it() -> None:
    assert excerpt_around_change("1\n2\n3\n4\n5\n6\n7", "4").splitlines() == [
        f"     {n}\t{n}" for n in (2, 3, 4, 5, 6)
    ]
