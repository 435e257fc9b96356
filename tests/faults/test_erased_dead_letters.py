"""membus.erasure.sqs: which dead letters belong to a user or a tenant."""

import json

from membus.core.erasure import ErasureStep
from membus.core.identity import Owner
from membus.erasure.sqs import DeadLetterEraser, is_about_tenant
from tests.factories import ADA, an_event
from tests.support.canaries import said
from tests.support.erasure import ErasureSetup, make_erasure_setup

GRACE, OTHER_ADA = Owner(tenant="acme", user="grace"), Owner(tenant="zeta", user="ada")
DEEP = '{"a":' * 3_000 + "1" + "}" * 3_000


def test_deeply_nested_dead_letter_does_not_stop_an_erasure() -> None:
    with make_erasure_setup() as made:
        made.sqs.send_message(QueueUrl=made.dead_letters, MessageBody=DEEP)
        send(made, ADA)

        removed = erase(DeadLetterEraser(made.sqs, {"extract-dlq": made.dead_letters}), ADA)

        assert removed == 1
        assert left(made) == {DEEP}


def test_erasure_of_a_tenant_removes_its_dead_letters_only() -> None:
    with make_erasure_setup() as made:
        for owner in (ADA, GRACE, OTHER_ADA):
            send(made, owner)
        change = {"dynamodb": {"Keys": {"pk": {"S": "T#acme#C#c"}, "sk": {"S": "META"}}}}
        turn = {"requestPayload": {"tenant_id": {"a": 1}, "tenant": "acme", "message": {"author": "ada"}}}
        for body in (change, turn):
            made.sqs.send_message(QueueUrl=made.dead_letters, MessageBody=json.dumps(body))

        removed = erase(DeadLetterEraser(made.sqs, {"extract-dlq": made.dead_letters}, is_about_tenant), ADA)

        assert removed == 4
        assert left(made) == {letter(OTHER_ADA)}


def letter(owner: Owner) -> str:
    event = an_event(f"dead-{owner.user}", owner=owner, payload=said(owner))
    return json.dumps({"detail": event.model_dump(mode="json", by_alias=True)})


def send(made: ErasureSetup, owner: Owner) -> None:
    made.sqs.send_message(QueueUrl=made.dead_letters, MessageBody=letter(owner))


def erase(store: DeadLetterEraser, owner: Owner) -> int:
    return store.erase(owner, ErasureStep(settled=True)).counts["messages"]


def left(made: ErasureSetup) -> set[str]:
    found = made.sqs.receive_message(QueueUrl=made.dead_letters, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return {each["Body"] for each in found.get("Messages", [])}
