"""scripts import: rows of an export that are no events come back as they were, once."""

from datetime import timedelta
from pathlib import Path

import pytest

from membus.conversations.conversation import Message
from membus.core.identity import Owner
from membus.states.model import AgentSession
from membus.transfer.model import copied_conversation_id
from tests.factories import (
    ADA,
    NOON,
    a_conversation,
    a_message,
    a_summary,
    a_turn,
    an_event,
    an_outline,
    recorded,
)
from tests.support.imports import exported, imported, stores_of
from tests.unit.test_export import OWN, SHARED, Household

HERE = "zeta"
FAR = NOON + timedelta(days=3650)


@pytest.fixture
def there() -> Household:
    """Return the household that is exported."""
    household = Household()
    household.live()
    household.conversations.add_turn(
        "acme", OWN, a_turn(1, content="again"), request_key="again", title="Lisbon"
    )
    household.summaries.save_index(
        "acme", OWN, an_outline(), read=household.summaries.get_index("acme", OWN), summaries=[a_summary()]
    )
    household.contents.put_text("results/acme/x", '{"c1": "all forty rows"}')
    spilled = a_message("found", role="assistant", message_id=f"{2:022d}WISE", author="default")
    spilled = spilled.model_copy(update={"spilled": "results/acme/x"})
    household.conversations._messages["acme", OWN][spilled.message_id] = spilled
    event = an_event("s9", session_id="s1", occurred_at=NOON + timedelta(hours=3))
    household.episodes.record_event(recorded(event), extracted="v1")
    household.states.put_state(
        AgentSession(tenant="acme", agent=event.agent_id, session_id="s1"),
        {"step": 3},
        expires_at=FAR,
        expected_version=None,
    )
    return household


@pytest.fixture
def here() -> Household:
    return Household()


def said(household: Household, tenant: str, conversation: str) -> list[Message]:
    return list(household.conversations.list_messages(tenant, conversation, limit=100, after=None).items)


def test_conversations_come_back_with_authors_and_times(
    there: Household, here: Household, tmp_path: Path
) -> None:
    result, _ = imported(exported(there, tmp_path), "membus", stores=stores_of(here), user="ada", tenant=HERE)

    assert result.bad == []
    before, after = (
        each.conversations.get_conversation(tenant, OWN) for each, tenant in ((there, "acme"), (here, HERE))
    )
    assert after.model_dump(exclude={"tenant_id", "message_count"}) == before.model_dump(
        exclude={"tenant_id", "message_count"}
    )
    assert after.message_count == 5
    assert after.counters.tokens > before.counters.tokens
    told, were = said(here, HERE, OWN), said(there, "acme", OWN)
    assert [each.model_copy(update={"spilled": None}) for each in told] == [
        each.model_copy(update={"spilled": None}) for each in were
    ]
    assert here.contents.get_text(str(told[-1].spilled)) == '{"c1": "all forty rows"}'
    assert str(told[-1].spilled).startswith(f"results/{HERE}/")
    assert here.summaries.get_index(HERE, OWN) == there.summaries.get_index("acme", OWN)
    assert here.summaries.list_summaries(HERE, OWN, limit=9, after=None).items == (a_summary(),)


def test_documents_and_states_come_back(there: Household, here: Household, tmp_path: Path) -> None:
    imported(exported(there, tmp_path), "membus", stores=stores_of(here), user="ada", tenant=HERE)

    for memory_id in ("mem_1", "mem_2"):
        before, after = (
            there.documents.get_document("acme", memory_id),
            here.documents.get_document(HERE, memory_id),
        )
        assert after == before.model_copy(update={"tenant_id": HERE})
    state = here.states.get_state(AgentSession(tenant=HERE, agent="default", session_id="s1"))
    assert (state.data, state.expires_at) == ({"step": 3}, FAR)


def test_second_restore_changes_nothing(there: Household, here: Household, tmp_path: Path) -> None:
    archive = exported(there, tmp_path)
    first, _ = imported(archive, "membus", stores=stores_of(here), user="ada", tenant=HERE)
    again, _ = imported(archive, "membus", stores=stores_of(here), user="ada", tenant=HERE)

    assert first.restored == {"conversation": 2, "message": 6, "summary": 1, "document": 2, "state": 1}
    assert sum(again.restored.values()) == 0, "twice changes nothing"
    assert again.left_out["a message that is here"] == 6
    assert again.left_out["a fact: derived again from its events"] == 3


def test_another_user_gets_copies_of_their_own(there: Household, tmp_path: Path) -> None:
    result, events = imported(
        exported(there, tmp_path), "membus", stores=stores_of(there), user="eve", tenant="acme"
    )

    assert result.restored["conversation"] == 2
    mine = there.conversations.get_conversation("acme", copied_conversation_id(OWN, "eve"))
    assert (mine.user_id, mine.created_at, mine.conversation_id[:10]) == ("eve", NOON, OWN[:10])
    authors = [each.author for each in said(there, "acme", mine.conversation_id)]
    assert authors[:2] == ["eve", "default"]
    assert there.conversations.get_conversation("acme", OWN).user_id == "ada"
    assert [each.author for each in said(there, "acme", OWN)][:2] == ["ada", "default"]
    index = there.documents
    assert {index.get_document("acme", name).user_id for name in ("mem_1", "mem_2")} == {"ada"}
    assert {event.event.user_id for event in events} == {"eve"}


def test_turn_has_the_id_of_its_copied_conversation(here: Household, tmp_path: Path) -> None:
    there = Household()
    turn = an_event("turn-1", type="turn.recorded", session_id=OWN)
    turn = turn.model_copy(
        update={"payload": {"conversation_id": OWN, "message_id": "m1", "user": {"text": "hi"}}}
    )
    there.episodes.record_event(recorded(turn), extracted="v1")

    _, (event,) = imported(
        exported(there, tmp_path), "membus", stores=stores_of(here), user="eve", tenant=HERE
    )

    assert (event.event.payload["conversation_id"], event.event.session_id) == (
        copied_conversation_id(OWN, "eve"),
    ) * 2
    assert here.conversations.get_conversation(HERE, copied_conversation_id(OWN, "eve")).user_id == "eve"


def test_user_gets_their_messages_of_another_users_conversation_as_a_copy(
    there: Household, here: Household, tmp_path: Path
) -> None:
    imported(exported(there, tmp_path), "membus", stores=stores_of(here), user="ada", tenant=HERE)

    copy = here.conversations.get_conversation(HERE, copied_conversation_id(SHARED, "ada"))
    assert (copy.user_id, copy.members) == ("ada", ())
    assert [each.author for each in said(here, HERE, copy.conversation_id)] == ["ada"]


def test_conversation_of_another_user_that_is_here_is_not_copied(there: Household, tmp_path: Path) -> None:
    result, _ = imported(
        exported(there, tmp_path), "membus", stores=stores_of(there), user="ada", tenant="acme"
    )

    assert sum(result.restored.values()) == 0
    assert result.left_out["another user's conversation, which is here"] == 1


def test_members_come_back_only_if_the_map_names_them(here: Household, tmp_path: Path) -> None:
    there, users = Household(), tmp_path / "users.json"
    there.conversations._kept["acme", OWN] = a_conversation(OWN, members=("bob", "cy"))
    archive = exported(there, tmp_path)
    imported(archive, "membus", stores=stores_of(here), user="ada", tenant=HERE)
    assert here.conversations.get_conversation(HERE, OWN).members == (), "bob is somebody else here"

    users.write_text('{"ada": "ada", "bob": "robert"}')
    mapped = Household()
    imported(archive, "membus", stores=stores_of(mapped), user=None, map=users, tenant=HERE)
    assert mapped.conversations.get_conversation(HERE, OWN).members == ("robert",)


def test_later_changes_and_deletions_are_kept(there: Household, here: Household, tmp_path: Path) -> None:
    archive = exported(there, tmp_path)
    imported(archive, "membus", stores=stores_of(here), user="ada", tenant=HERE)
    mine = here.conversations.get_conversation(HERE, OWN)
    here.conversations.update_conversation(
        mine, mine.model_copy(update={"title": "Porto", "version": mine.version + 1})
    )
    here.conversations.delete_conversation(HERE, copied_conversation_id(SHARED, "ada"))
    document = here.documents.get_document(HERE, "mem_1")
    here.documents.put(document.model_copy(update={"text": "", "deleted": True, "version": 2}))
    here.states.put_state(
        AgentSession(tenant=HERE, agent="default", session_id="s1"),
        {"step": 4},
        expires_at=FAR,
        expected_version=None,
    )

    result, _ = imported(archive, "membus", stores=stores_of(here), user="ada", tenant=HERE)

    assert here.conversations.get_conversation(HERE, OWN).title == "Porto"
    assert here.states.get_state(AgentSession(tenant=HERE, agent="default", session_id="s1")).data == {
        "step": 4
    }
    assert result.left_out["a conversation that was deleted here"] == 1
    assert result.left_out["a document that was deleted here"] == 1
    assert sum(result.restored.values()) == 0


def test_export_older_than_an_erasure_restores_nothing(
    there: Household, here: Household, tmp_path: Path
) -> None:
    stores = stores_of(here)
    erased = type(stores)(
        **{**vars(stores), "is_erased": lambda owner, at: (owner.user, at) == ("ada", NOON)}
    )

    result, _ = imported(exported(there, tmp_path), "membus", stores=erased, user="ada", tenant=HERE)

    assert sum(result.restored.values()) == 0
    assert result.left_out["of a user who was erased here since"] > 5


def test_conversation_of_another_user_here_is_never_written_to(
    there: Household, here: Household, tmp_path: Path
) -> None:
    here.conversations._kept[HERE, OWN] = a_conversation(OWN, tenant_id=HERE, user_id="mallory")

    result, _ = imported(exported(there, tmp_path), "membus", stores=stores_of(here), user="ada", tenant=HERE)

    assert [each.why for each in result.bad] == [f"{OWN} is another user's conversation here"]
    assert said(here, HERE, OWN) == []
    assert result.left_out["a message of a conversation that was left out"] == 5
    assert Owner(tenant="acme", user="ada") == ADA
