"""What a model is told to answer, instead of words of its own."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Script:
    """A reply for requests whose model is `model` (None: any), whose last message holds `prompt`, and whose system
    prompt holds `system`. `breaks_after`: characters after which a stream of it ends with the provider's error."""

    text: str
    model: str | None = None
    prompt: str = ""
    system: str = ""
    breaks_after: int | None = None

    def answers(self, model_id: str, last: str, system: str) -> bool:
        return self.model in (None, model_id) and self.prompt in last and self.system in system
