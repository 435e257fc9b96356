"""How much each column counts: one configuration for every kind of memory.

Written by `make search-weights DATA=…` (tests/benchmarks/search): not edited by hand.
"""

WEIGHTS: dict[str, float] = {
    "words": 1.398,
    "session_share": 1.017,
    "phrase": 0.401,
    "meaning": 0.878,
    "words_before": 0.572,
    "words_before_that": 0.734,
    "words_after": 0.302,
    "words_after_that": 0.117,
    "session_words": 1.0,
    "meaning_before": 0.072,
    "meaning_before_that": -0.065,
    "meaning_after": 0.375,
    "meaning_after_that": -0.182,
    "session_meaning": 0.507,
    "speaker": 0.516,
    "by_model": -1.782,
    "by_model_of_summary": 1.772,
    "by_model_if_asked": 1.336,
    "tells_time": 0.576,
    "instructs": 1.362,
    "prefers_for_advice": 1.418,
    "asks": -0.247,
    "date": 1.946,
    "length": 1.702,
    "message_length": 0.544,
    "opening": 0.564,
    "sitting_again": -0.553,
}
MIDPOINT = 10.024
"""The log odds at which a passage is as likely evidence as not."""
