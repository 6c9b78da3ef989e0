"""Models: networks that predict, describe and configure themselves."""

from nb3d.models.clone import clone_model
from nb3d.models.files import load_model, save_model
from nb3d.models.model import Model
from nb3d.models.rebuild import model_from_config, model_from_json
from nb3d.models.sequential import Sequential

__all__ = [
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_config",
    "model_from_json",
    "save_model",
]
