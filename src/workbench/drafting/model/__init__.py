"""The optional language model: its endpoint, what is masked before anything is sent, and a writer that only rewords."""

from workbench.drafting.model.endpoint import Endpoint, Surroundings, complete
from workbench.drafting.model.masking import Identifier, Known, Mask
from workbench.drafting.model.writer import Model, reworded

__all__ = ["Endpoint", "Identifier", "Known", "Mask", "Model", "Surroundings", "complete", "reworded"]
