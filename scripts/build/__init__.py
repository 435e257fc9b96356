"""The build: function zips, layers and their SBOMs from locked requirements, without Docker."""


class BuildError(Exception):
    """What stopped the build, said so that whoever runs it can act on it."""
