"""Model files: read under a strict contract, written atomically.

Reading goes one way for all formats: `source` opens the file and knows its kind; `archive`, `hdf5` and `safetensors`
are the only places that open what is inside, and `formats` makes a `Container` of each; `keras3`, `legacy` and
`safetensors` say where the weights of a model lie, by the paths of `layout`; `weights` checks and reads them, and
`reader` puts these steps in order. `verify` takes the same steps without the values. Writing: `configuration` and
`operations` know Keras 3's words, `layout` the places, `atomic` the last step. The functions that users call stand in
`nb3d.models.files`.
"""

from nb3d.engine.registry import custom_object_scope, register_keras_serializable
from nb3d.models.files import Formats, connect, load_model, save_model
from nb3d.saving.configuration import configuration
from nb3d.saving.errors import ModelFileError
from nb3d.saving.reader import read_model, read_weights
from nb3d.saving.verify import Report, verify_file
from nb3d.saving.writer import write_model, write_weights

connect(Formats(read_model, read_weights, write_model, write_weights, configuration))

__all__ = [
    "ModelFileError",
    "Report",
    "custom_object_scope",
    "load_model",
    "register_keras_serializable",
    "save_model",
    "verify_file",
]
