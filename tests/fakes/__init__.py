"""Working in-memory ports; each passes the contract test of its port."""
