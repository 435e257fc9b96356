"""functions/erase over every store: planted data is in no store afterwards, whatever fails meanwhile."""

from typing import Any

import pytest

from membus.conversations.cache_records import CachedUnprocessed
from membus.conversations.conversation import Step, tool_results_key
from membus.conversations.dynamodb_replies import DynamoReplyJobs
from membus.conversations.reply_jobs import JOB_LIFETIME, ReplyJob, RequestRef, StepProgress
from membus.conversations.unprocessed_messages import unprocessed_from_turn
from membus.core.erasure import LegalHold
from membus.core.errors import ConflictError
from membus.core.identity import Owner
from membus.core.tokens import TokenUsage
from membus.llm.prompt import ToolCall, ToolResult
from scripts.erasure.dynamodb import carry_over_erasures
from tests.factories import ADA, a_conversation, a_turn
from tests.fakes.crashing import Death
from tests.support.archive_tiers import calls
from tests.support.budgets import sample
from tests.support.canaries import canary_of, happened, plant, speak, sum_up
from tests.support.erasure import ErasureSetup, make_erasure_setup

GRACE, OTHER_ADA = Owner(tenant="acme", user="grace"), Owner(tenant="zeta", user="ada")
EVERYBODY = (ADA, GRACE, OTHER_ADA)


def test_erased_user_is_in_no_store_and_others_stay_whole() -> None:
    with make_erasure_setup() as made:
        for owner in EVERYBODY:
            plant(made, owner)
            made.hot.put(
                CachedUnprocessed(
                    owner=owner,
                    stamp="s1",
                    words=(unprocessed_from_turn(a_turn(1, content="tea"), "elsewhere"),),
                )
            )
        before = made.everything()
        assert all(before.count(canary_of(owner)) > 25 for owner in EVERYBODY)

        job = made.erase(ADA)

        after = made.everything()
        assert canary_of(ADA) not in after
        assert "U#ada" not in after.replace("T#zeta#U#ada", "")
        for owner in (GRACE, OTHER_ADA):
            assert after.count(canary_of(owner)) == before.count(canary_of(owner))
        assert job.status == "done"
        assert job.user is None
        assert job.receipt
        assert set(job.receipt.left.values()) == {0}
        names = ("facts", "documents", "episodes", "states", "cold_rows", "conversations", "messages")
        assert all(job.removed[name] > 0 for name in names)
        assert all(place[1:3] not in {("acme", "adas"), ("acme", "ada")} for place in made.hot.kept)
        assert all(made.hot.get_unprocessed(owner) for owner in (GRACE, OTHER_ADA))


def test_erased_members_words_go_and_the_summary_is_made_anew() -> None:
    with make_erasure_setup() as made:
        talk = made.conversations.create_conversation(
            a_conversation("ours", user_id="grace", members=("ada",)), request_key="ours"
        )
        for number, owner in enumerate((ADA, GRACE, ADA, GRACE)):
            speak(made, owner, talk.conversation_id, number)
        sum_up(made, GRACE, talk.conversation_id, canary_of(ADA))

        job = made.erase(ADA)

        after = made.everything()
        assert canary_of(ADA) not in after
        assert job.removed["messages"] == 4
        left = made.conversations.get_conversation("acme", "ours")
        assert (left.members, left.message_count, left.title) == ((), 4, None)
        assert [
            said.author
            for said in made.conversations.list_recent_messages("acme", "ours", limit=9)
            if said.role == "user"
        ] == [
            "grace",
            "grace",
        ]
        assert made.summaries.get_index("acme", "ours").chapters == ()
        assert (
            len(
                made.summaries.list_unsummarised(
                    "acme", "ours", after=left.counters.summary_checkpoint.until, limit=9
                )
            )
            == 4
        )
        speak(made, GRACE, talk.conversation_id, 5)
        sum_up(made, GRACE, talk.conversation_id, "tea")
        assert made.conversations.get_conversation("acme", "ours").counters.summary_checkpoint.messages == 2


def test_tool_results_that_no_message_names_are_erased() -> None:
    """A turn keeps its results step by step.

    A message names the last place alone, one that never came none.
    """
    with make_erasure_setup() as made:
        talk = made.conversations.create_conversation(
            a_conversation("ours", user_id="grace", members=("ada",)), request_key="ours"
        )
        now, request = made.clock(), RequestRef("acme", "ours", "k")
        jobs = DynamoReplyJobs(made.talks, made.clock)
        job = ReplyJob(message_id="reply", request="asked", since=now, until=now + JOB_LIFETIME)
        jobs.claim_job(request, job)
        for number in (1, 2):
            made.contents.put_text(place := tool_results_key(talk, "reply", number), canary_of(ADA))
            gave = ToolResult(call_id="1", content=canary_of(ADA))
            step = Step(calls=(ToolCall(call_id="1", name="search_memory", arguments={}),), results=(gave,))
            steps = StepProgress(
                request="asked", steps=(step,) * number, usage=TokenUsage(input=1, output=1), whole=place
            )
            jobs.save_progress(request, steps)
        theirs = a_turn(1, content="Is there tea?")
        theirs = theirs.model_copy(update={"user": theirs.user.model_copy(update={"author": "grace"})})
        kept = tool_results_key(talk, theirs.assistant.message_id, 1)
        made.contents.put_text(kept, "forty rows of tea")
        named = theirs.assistant.model_copy(update={"spilled": kept})
        made.conversations.add_turn(
            "acme", "ours", theirs.model_copy(update={"assistant": named}), request_key="g", title=None
        )

        made.erase(ADA)

        assert canary_of(ADA) not in made.everything()
        assert made.contents.get_text(kept) == "forty rows of tea"


def test_words_of_a_former_member_are_erased() -> None:
    with make_erasure_setup() as made:
        talk = made.conversations.create_conversation(
            a_conversation("ours", user_id="grace", members=("ada",)), request_key="ours"
        )
        speak(made, ADA, talk.conversation_id, 1)
        known = made.conversations.get_conversation("acme", "ours")
        made.conversations.update_conversation(known, known.model_copy(update={"members": (), "version": 2}))

        made.erase(ADA)

        assert canary_of(ADA) not in made.everything()


def test_erasure_after_a_crash_at_any_call_leaves_nothing() -> None:
    """The process dies before every seventh call to AWS; the queue brings the job back."""
    with make_erasure_setup() as made:
        plant_little(made)
        with calls(made.tiers, lambda _name, _number: None) as seen:
            made.erase(ADA)
    assert len(seen) > 60

    for step in sample(range(1, len(seen) + 1, 7), most=5):
        with make_erasure_setup() as made:
            plant_little(made)

            def die(_: str, number: int, step: int = step) -> None:
                if number == step:
                    raise Death

            with calls(made.tiers, die), pytest.raises(Death):
                made.erase(ADA)
            job = made.erase(ADA)
            assert set(job.receipt.left.values()) == {0} if job.receipt else False, (
                f"after a crash at call {step}"
            )
            assert canary_of(ADA) not in made.everything(), f"after a crash at call {step}"
            assert canary_of(GRACE) in made.everything()


def plant_little(made: ErasureSetup) -> None:
    for owner in (ADA, GRACE):
        plant(made, owner)


def test_erasure_out_of_time_continues_where_it_stopped() -> None:
    with make_erasure_setup() as made:
        plant_little(made)
        job = made.ask(ADA)
        budgets = iter([300.0, 300.0, 30.0] * 1000)

        goes = 0
        while (wait := advance_for(made, job, budgets)) is not None:
            made.tiers.now += wait
            goes += 1

        assert goes > 10
        assert made.erasures.get_job("acme", job.job_id).status == "done"
        assert canary_of(ADA) not in made.everything()


def advance_for(made: ErasureSetup, job: Any, budgets: Any) -> Any:
    eraser = made.eraser(lambda: next(budgets))
    return eraser.advance_job(made.erasures.get_job(job.tenant, job.job_id))


def test_late_writes_are_erased_in_the_second_round() -> None:
    with make_erasure_setup() as made:
        plant_little(made)
        job = made.ask(ADA)
        wait = made.advance(job)
        assert wait is not None
        happened(made, ADA, "late", large=True)
        late = a_conversation("late", user_id="ada")
        made.conversations.create_conversation(late, request_key="late")
        speak(made, ADA, "late", 1)

        made.tiers.now += wait
        done = made.finish(job)

        assert done.status == "done"
        assert canary_of(ADA) not in made.everything()


def test_archiver_that_read_before_the_erasure_leaves_no_version() -> None:
    with make_erasure_setup() as made:
        for owner in (ADA, GRACE):
            for number in range(6):
                happened(made, owner, f"hot{number}", days=-1)
        job: list[Any] = []

        def erase(name: str, _: int) -> None:
            if name == "GetObject" and not job:
                job.append(made.ask(ADA))
                made.advance(job[0])

        with calls(made.tiers, erase):
            made.tiers.archive()
        assert canary_of(ADA) in made.everything()

        made.finish(job[0])

        assert canary_of(ADA) not in made.everything()
        assert canary_of(GRACE) in made.everything()


def test_archiver_packs_no_user_being_erased() -> None:
    with make_erasure_setup() as made:
        happened(made, ADA, "hot", days=-1)
        made.ask(ADA)

        made.tiers.archive()

        assert made.tiers.keys_of_parquet() == []


def test_restored_user_is_found_in_the_ledger_and_erased_again() -> None:
    """The catalog and the bare ids are carried over from the table in use.

    S3 goes back to no point in time.
    """
    with make_erasure_setup() as made:
        plant_little(made)
        backup = made.memory.scan()["Items"]
        made.erase(ADA)
        live = made.table_like(made.memory)
        for item in backup:
            made.memory.put_item(Item=item)
        assert canary_of(ADA) in made.everything()

        carried = carry_over_erasures("acme", live=live, restored=made.memory)
        line = made.erasures.find_erasure(ADA)
        made.erase(ADA)

        assert line is not None
        assert carried["erased_ids"] == 7
        assert canary_of(ADA) not in made.everything()
        assert canary_of(GRACE) in made.everything()
        assert made.tiers.archiver.catalog.list_objects("acme")


def test_legal_hold_keeps_all_data() -> None:
    with make_erasure_setup() as made:
        plant(made, ADA)
        made.erasures.add_hold(LegalHold(tenant="acme", user="ada", reason="case 7", since=made.clock()))

        with pytest.raises(ConflictError) as refused:
            made.ask(ADA)

        assert refused.value.code == "legal_hold"
        assert made.bus.published == []
        assert canary_of(ADA) in made.everything()
