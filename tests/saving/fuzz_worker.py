"""Loads damaged variants of model files, one after the other, in little memory; run by ``test_fuzz.py``.

Arguments: a sound file, a seed, how many variants. It prints the number of variants that were refused; whatever is not
a refusal or a sound load ends it with a traceback.
"""

import faulthandler
import random
import resource
import sys
import warnings
from pathlib import Path

import h5py  # noqa: F401  before memory is limited

import nb3d

SPECIAL = (b"\x00", b"\xff", b"\x80", b"\x7f", b"\x01")
MEMORY = 2 * 2**30
SECONDS = 20  # for one variant


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Bytes changed, cut out, doubled or moved, in a few places."""
    result = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        start = rng.randrange(len(result))
        length = rng.choice((1, 1, 2, 4, 8, 16))
        kind = rng.randrange(5)
        if kind == 0:
            result[start] ^= 1 << rng.randrange(8)
        elif kind == 1:
            result[start : start + length] = rng.choice(SPECIAL) * min(length, len(result) - start)
        elif kind == 2:
            result[start : start + length] = rng.randbytes(min(length, len(result) - start))
        elif kind == 3:
            other = rng.randrange(len(result))
            result[start : start + length] = result[other : other + length]
        else:
            del result[start : start + length]
    return bytes(result)


def main() -> None:
    """Loads the variants."""
    source, seed, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    content = source.read_bytes()
    target = source.with_name(f"damaged_{source.name}")
    model = nb3d.models.load_model(source)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    refused = 0
    for number in range(count):
        target.write_bytes(damaged(content, random.Random(f"{seed}/{number}")))
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        try:
            nb3d.models.load_model(target)
            model.load_weights(target)
        except nb3d.saving.ModelFileError:
            refused += 1
        except BaseException:
            print(f"variant {number} of seed {seed}", file=sys.stderr)
            raise
    faulthandler.cancel_dump_traceback_later()
    print(refused)


if __name__ == "__main__":
    main()
