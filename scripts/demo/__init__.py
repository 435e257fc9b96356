"""`make demo`: the main job of membus in one command."""


class DemoError(Exception):
    """An error that the reader of the demo can act on; its text is all that is shown."""
