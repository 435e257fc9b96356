"""Neighbours of a candidate are returned with it, in their positions, and only as far as they help."""

from datetime import timedelta

from membus.search.ports import MemoryIndex
from membus.search.retrieval import NEIGHBOURS, PassageRow, SearchScope
from tests.factories import NOON
from tests.support.memories import LATER, a_memory, fill

SAID = ["rain", "wind", "snow", "hail", "sun", "fog", "frost", "storm", "heat"]


def talk(index: MemoryIndex, tenant: str, session: str = "s1", **fields: object) -> None:
    fill(
        index,
        *(
            a_memory(
                f"{session}-{word}", word, tenant=tenant, session=session, occurred_at=moment(place), **fields
            )
            for place, word in enumerate(SAID)
        ),
    )


def moment(place: int) -> object:
    return NOON + timedelta(minutes=place)


def gathered(index: MemoryIndex, tenant: str, *terms: str) -> dict[str, PassageRow]:
    found = index.search(SearchScope(tenant_id=tenant, now=LATER), terms=terms, vector=None)
    return {row.group_id: row for row in found.rows}


def test_positions_of_messages_have_their_distance_in_the_session(index: MemoryIndex, tenant: str) -> None:
    talk(index, tenant)
    talk(index, tenant, "s2")

    rows = gathered(index, tenant, "sun")
    for session in ("s1", "s2"):
        places = [rows[f"{session}-{word}"].position for word in ("snow", "hail", "sun", "fog", "frost")]
        assert [place - places[0] for place in places] == [0, 1, 2, 3, 4]


def test_distant_messages_have_distant_positions(index: MemoryIndex, tenant: str) -> None:
    talk(index, tenant)

    rows = gathered(index, tenant, "rain", "heat")
    assert abs(rows["s1-heat"].position - rows["s1-rain"].position) > NEIGHBOURS


def test_overlapping_runs_of_messages_are_merged(index: MemoryIndex, tenant: str) -> None:
    talk(index, tenant)

    rows = gathered(index, tenant, "snow", "frost")
    places = [rows[f"s1-{word}"].position for word in SAID]
    assert places == list(range(places[0], places[0] + len(SAID)))


def test_memory_without_a_session_has_no_position(index: MemoryIndex, tenant: str) -> None:
    fill(index, a_memory("m1", "sun", tenant=tenant), a_memory("m2", "sun", tenant=tenant))

    assert {row.position for row in gathered(index, tenant, "sun").values()} == {0}


def test_id_of_any_characters_is_found_with_its_neighbours(index: MemoryIndex, tenant: str) -> None:
    strange = ['a"b', "c\\d", "{e,f}", "g h", "NULL", "ü'"]
    fill(
        index,
        *(
            a_memory(name, "violin", tenant=tenant, session="s1", occurred_at=moment(place))
            for place, name in enumerate(strange)
        ),
    )

    rows = gathered(index, tenant, "violin")
    assert [rows[name].position - rows[strange[0]].position for name in strange] == [0, 1, 2, 3, 4, 5]
