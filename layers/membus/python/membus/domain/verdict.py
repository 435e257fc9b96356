"""What the gate says of a candidate: believed, held for a person to decide, or refused for good."""

from typing import Literal, get_args

from membus.domain.identity import Record
from membus.domain.observations import Observation

RejectionReason = Literal[
    "unknown_event",  # names an event that was not shown
    "ungrounded",  # quotes what nobody said
    "unsaid",  # the value does not stand in what was said
    "malformed",  # no key, no value, or one too long
    "reserved",  # an attribute that only rules write
    "secret",  # a password, key, token, card or account number: kept nowhere, not even for review
    "third_party",  # about somebody else
    "assistant",  # the assistant's own words
    "recalled",  # memory read back
    "prompt",  # the words of the extraction prompt
    "question",
    "hypothetical",
    "negated",
    "past",  # no longer so, and nobody said from when to when
    "role_play",  # said in a part that somebody plays
]
ReviewReason = Literal[
    "instruction",  # addresses its reader
    "url",  # points somewhere else
    "hearsay",  # what somebody else says about the user
    "quoted",  # another's text, a code block, a text to be translated
    "sarcasm",  # marked as not meant
    "not_yet",  # will be so, is not
    "too_many_changes",  # one event that rewrites who somebody is
]
VerdictReason = RejectionReason | ReviewReason
REVIEW_REASONS: frozenset[VerdictReason] = frozenset(get_args(ReviewReason))
"""Why a person may still approve: the signs are in the wording, and wording deceives in both directions.

What is refused is wrong whoever looks at it, or must not be kept for anybody to look at.
"""


class Rejection(Record):
    """Nothing of the candidate is kept but the count of its reason."""

    reason: VerdictReason


class ReviewRequest(Record):
    """A candidate in quarantine. Approved, it becomes a correction.

    Whoever said it, a person now vouches for it.
    """

    reason: VerdictReason
    observation: Observation


Verdict = Observation | ReviewRequest | Rejection
