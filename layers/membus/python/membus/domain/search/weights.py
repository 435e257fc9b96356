"""How much each column counts: one configuration for every kind of memory."""

WEIGHTS: dict[str, float] = {
    "words": 0.67, "words_of_best": 0.7, "share": 0.79, "phrase": 1.34, "message_share": 0.86, "session_share": 1.38,
    "meaning": 0.5, "meaning_of_best": 0.46, "message_meaning": 0.62,
    "words_before": 0.63, "words_before_that": 0.62, "words_after": 0.39, "words_after_that": 0.08,
    "meaning_before": 0.5, "meaning_before_that": 0.33, "meaning_after": 1.05, "meaning_after_that": -0.21,
    "session_words": 1.21, "session_meaning": 0.69,
    "speaker": 0.86, "by_model": -1.04, "by_model_of_me": -0.51, "tells_time": 1.45, "tells_number": 0.45,
    "asks": -0.53, "date": 3.45, "length": 1.91, "message_length": 0.84, "opening": 2.14,
}  # fmt: skip
MIDPOINT = 8.0
