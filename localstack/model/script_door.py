"""The door for tests: queue literal answers, forget them, and read what was received."""

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from localstack.model.door import anthropic_errors, json_body
from localstack.model.errors import ModelServerError
from localstack.model.model import LocalModel
from localstack.model.script import AnswerScript


class ScriptApi:
    def __init__(self, model: LocalModel) -> None:
        self._model = model
        self.queue = anthropic_errors(self._queue)

    async def _queue(self, request: Request) -> Response:
        try:
            added = AnswerScript.model_validate(await json_body(request))
        except ValidationError as invalid:
            raise ModelServerError.invalid(str(invalid)) from invalid
        self._model.script.answers.extend(added.answers)
        return JSONResponse({"queued": len(self._model.script.answers)})

    async def forget(self, request: Request) -> Response:  # noqa: ARG002  starlette's signature
        """Drop every queued answer and every recorded call."""
        self._model.script.answers.clear()
        self._model.calls.clear()
        return Response(status_code=204)

    async def calls(self, request: Request) -> Response:
        """List the calls, oldest first; `match` keeps those whose body contains it."""
        return JSONResponse({"calls": self._model.calls.matching(request.query_params.get("match", ""))})
