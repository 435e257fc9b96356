"""membus: the kernel that every function shares."""
