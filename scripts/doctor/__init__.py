"""`doctor`: check a deployed environment, and say for each problem what to do about it."""
