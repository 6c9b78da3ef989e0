"""``nb3d convert IN OUT``: a model file of one format as one of another."""

from __future__ import annotations

import argparse
import os
from typing import Any

from nb3d.cli.options import Commands
from nb3d.models import load_model, model_from_json
from nb3d.saving.atomic import replacing

_JSON = ".json"
_WEIGHTS = ".weights.h5"


def add(commands: Commands) -> None:
    """Enters the command."""
    parser = commands.add_parser("convert", help="write a model file in another format")
    parser.add_argument(
        "file", metavar="IN", help="model file: .keras, .h5, .hdf5, .safetensors; or .json, with --weights"
    )
    parser.add_argument("--weights", metavar="FILE", help="the weights of a configuration in a .json file")
    parser.add_argument(
        "output", metavar="OUT", help=".keras, .h5 or .safetensors; .weights.h5 and .json hold one half of a model each"
    )
    parser.add_argument("-f", "--force", action="store_true", help="replace OUT if it is there already")
    parser.add_argument("--self-test", action="store_true", help="store a self-test, which `load_model` can replay")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Carries it out."""
    if os.path.lexists(options.output) and not options.force:
        raise FileExistsError(f"{options.output} is there already; --force replaces it")
    model = _read(options.file, options.weights)
    name = options.output.lower()
    if name.endswith(_JSON):
        with replacing(options.output, overwrite=options.force) as stream:
            stream.write(model.to_json(indent=1).encode())
    elif name.endswith(_WEIGHTS):
        model.save_weights(options.output, overwrite=options.force)
    else:
        model.save(options.output, overwrite=options.force, self_test=options.self_test)


def _read(path: str, weights: str | None) -> Any:
    if not path.lower().endswith(_JSON):
        if weights is not None:
            raise ValueError(f"{path} holds weights of its own: --weights is for a .json file")
        return load_model(path)
    if weights is None:
        raise ValueError(f"{path} is a configuration alone: name its weights with --weights FILE")
    with open(path, encoding="utf8") as stream:
        model = model_from_json(stream.read())
    model.load_weights(weights)
    return model
