"""What stands between a use case and a model.

Patience, a breaker, a fallback, the bill and the shape of an answer.
"""
