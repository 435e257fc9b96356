"""What the local stack tells a person when it cannot go on."""


class StackError(Exception):
    """A sentence that says what could not be had or done, and how to help; shown without a traceback."""
