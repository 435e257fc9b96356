"""The port Traces: one event by its id, and what reading it took."""

from membus.core.identity import Owner
from membus.episodes.model import ReadingCost
from membus.episodes.ports import EpisodeStore, EventTraceReader
from membus.facts.ports import FactCommit, FactStore
from membus.facts.profile import Profile
from tests.factories import an_event, recorded

SHARE = ReadingCost(model="m", prompt_version="1", shared_by=3, tokens_in=33.3, tokens_out=5, dollars=0.25)


def test_event_trace_names_its_reader_and_its_share_of_the_cost(
    facts: FactStore, episodes: EpisodeStore, traces: EventTraceReader, owner: Owner
) -> None:
    event = recorded(an_event(owner=owner))
    episodes.record_event(event, extracted=None)
    assert traces.find_trace(owner, "e1") is not None

    facts.commit(
        FactCommit(profile=Profile(owner=owner), extractor="v1", events=(event,), costs={"e1": SHARE})
    )

    trace = traces.find_trace(owner, "e1")
    assert trace is not None
    assert (trace.event, trace.extracted, trace.share) == (event.event, "v1", SHARE)


def test_event_that_no_model_read_has_no_cost(
    episodes: EpisodeStore, traces: EventTraceReader, owner: Owner
) -> None:
    episodes.record_event(recorded(an_event(owner=owner)), extracted="v1")

    trace = traces.find_trace(owner, "e1")

    assert trace is not None
    assert trace.share is None


def test_forgotten_event_has_an_id_and_no_content(
    episodes: EpisodeStore, traces: EventTraceReader, owner: Owner
) -> None:
    episodes.forget_event(recorded(an_event(owner=owner, remember=False)))

    trace = traces.find_trace(owner, "e1")

    assert trace is not None
    assert trace.event is None


def test_unknown_event_and_event_of_another_tenant_have_no_trace(
    episodes: EpisodeStore, traces: EventTraceReader, owner: Owner
) -> None:
    episodes.record_event(recorded(an_event(owner=owner)), extracted=None)

    assert traces.find_trace(owner, "e2") is None
    assert traces.find_trace(Owner(tenant=owner.tenant, user="another"), "e1") is None
    assert traces.find_trace(Owner(tenant=f"{owner.tenant}x", user=owner.user), "e1") is None
