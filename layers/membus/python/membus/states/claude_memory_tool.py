"""Claude's memory tool over working memory.

One session's state holds the notes, so each change is a version of it.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from anthropic.lib.tools import BetaAbstractMemoryTool, ToolError
from anthropic.types.beta import (
    BetaMemoryTool20250818CreateCommand,
    BetaMemoryTool20250818DeleteCommand,
    BetaMemoryTool20250818InsertCommand,
    BetaMemoryTool20250818RenameCommand,
    BetaMemoryTool20250818StrReplaceCommand,
    BetaMemoryTool20250818ViewCommand,
)

from membus.core.clock import Clock
from membus.core.errors import ConflictError, InvalidError, NotFoundError
from membus.core.retry import RetryPolicy, commit_with_retry
from membus.states.model import AgentSession
from membus.states.notes import Notes, excerpt_around_change, validate_note_path
from membus.states.ports import StateStore

STATE_PART = "memories"
"""The part of the session's document that the notes are; whatever else an application keeps there stays."""
CHANGE_RETRY = RetryPolicy(tries=5, pause_seconds=0.02)
T = TypeVar("T")


class ClaudeMemoryTool(BetaAbstractMemoryTool):
    """Hand it to `client.beta.messages.tool_runner(tools=[…], thread=False)`.

    No command can name another session.

    A call raises ToolError, which the model reads, for what it did wrong; UnavailableError where the store is
    down.
    """

    def __init__(
        self, states: StateStore, session: AgentSession, *, lifetime: timedelta, clock: Clock
    ) -> None:
        super().__init__()
        self._states, self._session, self._lifetime, self._clock = states, session, lifetime, clock

    def view(self, command: BetaMemoryTool20250818ViewCommand) -> str:
        lines = command.view_range or []
        span = (lines[0], lines[1]) if len(lines) == 2 else None  # noqa: PLR2004 - from, to
        return _translate_to_tool_error(
            lambda: _parse_notes(self._document()[0]).view_note(command.path, span)
        )

    def create(self, command: BetaMemoryTool20250818CreateCommand) -> str:
        self._change(lambda notes: notes.create_note(command.path, command.file_text))
        return f"File created successfully at: {command.path}"

    def str_replace(self, command: BetaMemoryTool20250818StrReplaceCommand) -> str:
        changed = self._change(
            lambda notes: notes.replace_text(command.path, command.old_str, command.new_str)
        )
        snippet = excerpt_around_change(changed.texts[validate_note_path(command.path)], command.new_str)
        head = "The memory file has been edited. Here is the snippet showing the change (with line numbers):"
        return f"{head}\n{snippet}"

    def insert(self, command: BetaMemoryTool20250818InsertCommand) -> str:
        self._change(lambda notes: notes.insert_text(command.path, command.insert_line, command.insert_text))
        return f"The file {command.path} has been edited."

    def delete(self, command: BetaMemoryTool20250818DeleteCommand) -> str:
        self._change(lambda notes: notes.delete_note(command.path))
        return f"Successfully deleted {command.path}"

    def rename(self, command: BetaMemoryTool20250818RenameCommand) -> str:
        self._change(lambda notes: notes.rename_note(command.old_path, command.new_path))
        return f"Successfully renamed {command.old_path} to {command.new_path}"

    def clear_all_memory(self) -> str:
        self._change(lambda _: Notes({}))
        return "All memory cleared"

    def _change(self, change: Callable[[Notes], Notes]) -> Notes:
        """Change the notes as they are now, again where somebody else was faster."""
        return _translate_to_tool_error(lambda: self._changed(change))

    def _changed(self, change: Callable[[Notes], Notes]) -> Notes:
        def prepare(_: int) -> tuple[dict[str, Any], int, Notes]:
            data, version = self._document()
            return data, version, change(_parse_notes(data))

        def commit(changed: tuple[dict[str, Any], int, Notes]) -> Notes:
            data, version, notes = changed
            self._states.put_state(
                self._session,
                data | {STATE_PART: dict(notes.texts)},
                expires_at=self._clock() + self._lifetime,
                expected_version=version,
            )
            return notes

        try:
            return commit_with_retry(prepare, commit, policy=CHANGE_RETRY)
        except ConflictError as lost:
            busy = "The memory is being changed by somebody else right now. Please try again."
            raise InvalidError(busy) from lost

    def _document(self) -> tuple[dict[str, Any], int]:
        try:
            state = self._states.get_state(self._session)
        except NotFoundError:
            return {}, 0
        return state.data, state.version


def _parse_notes(data: dict[str, Any]) -> Notes:
    kept = data.get(STATE_PART)
    return Notes({str(path): str(text) for path, text in kept.items()} if isinstance(kept, dict) else {})


def _translate_to_tool_error(act: Callable[[], T]) -> T:
    try:
        return act()
    except (InvalidError, NotFoundError) as error:
        raise ToolError(error.detail) from error
