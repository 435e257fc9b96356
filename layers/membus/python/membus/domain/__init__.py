"""Pure decisions about memory: standard library, pydantic and membus.errors only."""
