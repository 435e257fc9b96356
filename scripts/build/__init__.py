"""The build: function zips, layers and their SBOMs from locked requirements, without Docker."""


class BuildError(Exception):
    """An error that the person at the build can act on."""
