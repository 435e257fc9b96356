"""Language models as wiring makes them, over any client of Anthropic's."""

from typing import Any

from membus.adapters.claude_model import ClaudeModel
from membus.asking.model import Model
from membus.asking.patience import Patient


def patient_model(client: Any, name: str = "claude-test") -> Model:
    return Model(Patient(ClaudeModel(client, name)))
