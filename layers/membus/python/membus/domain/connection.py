"""A client's open socket, as the gateway's authorizer admitted it."""

from datetime import timedelta

from pydantic import AwareDatetime

from membus.domain.identity import Id, Record

CONNECTION_LIFETIME = timedelta(hours=2)
"""API Gateway ends every connection after two hours."""


class SocketConnection(Record):
    """Tenant, key and scopes are the credential's: nothing that comes over the socket can change them."""

    connection_id: str
    tenant_id: Id
    key_id: str
    scopes: frozenset[str]
    connected_at: AwareDatetime

    @property
    def expires_at(self) -> AwareDatetime:
        return self.connected_at + CONNECTION_LIFETIME
