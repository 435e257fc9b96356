"""The router of a resource, which finds the parts of the function in the context of the request."""

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from membus.container import Container


class ApiRouter(APIGatewayHttpRouter):
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Powertools leaves it without types

    @property
    def container(self) -> Container:
        """The container that the handler put into the request's context."""
        container: Container = self.context["container"]
        return container
