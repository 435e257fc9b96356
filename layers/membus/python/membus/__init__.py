"""membus: the kernel that every function shares."""

__version__ = "0.1.0"
