"""The one error of the demo: something its reader can act on, so its text is all they see."""


class DemoError(Exception):
    pass
