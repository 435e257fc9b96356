"""Groups of parts for a container in a test, where a fake takes the place of what a group makes for a caller."""

from collections.abc import Callable

from membus.container import Container
from membus.container.llm import LlmParts
from membus.llm.ports import EmbeddingModel, LanguageModel
from tests.fakes.embedding_model import WordEmbeddingModel


class FakeModels(LlmParts):
    """Gives out the model that `choose_model` returns for a task and a tenant."""

    def __init__(
        self,
        container: Container,
        choose_model: Callable[[str, str], LanguageModel],
        embedder: EmbeddingModel | None = None,
    ) -> None:
        super().__init__(container)
        self._choose_model, self._embedder = choose_model, embedder or WordEmbeddingModel()

    def get_model(self, task: str, tenant: str) -> LanguageModel:
        return self._choose_model(task, tenant)

    def get_embedder(self, model_id: str, tenant: str) -> EmbeddingModel:
        return self._embedder
