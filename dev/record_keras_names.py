"""Records the names of all layers of real Keras, for ``docs/layers.md``: one a line, ``Alias = Name`` for aliases.

Run it in an environment with Keras 3, from the root of the repository:

    python dev/record_keras_names.py
"""

from __future__ import annotations

from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "tests" / "layers" / "keras_layers.txt"


def main() -> None:
    """Writes the file."""
    import keras

    layers = {
        name: thing
        for name, thing in sorted(vars(keras.layers).items())
        if isinstance(thing, type) and issubclass(thing, keras.layers.Layer)
    }
    first: dict[type, str] = {thing: name for name, thing in layers.items() if thing.__name__ == name}
    first = {thing: name for name, thing in layers.items()} | first
    lines = [name if first[thing] == name else f"{name} = {first[thing]}" for name, thing in layers.items()]
    TARGET.write_text("\n".join([f"# keras {keras.__version__}", *lines]) + "\n", "utf8")
    print(f"{len(lines)} names")


if __name__ == "__main__":
    main()
