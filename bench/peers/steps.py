"""Training steps from a given state on given batches: one loss a line.

    python steps.py '{"settings": {...}, "classes": C, "state": FILE, "batches": FILE, "dtype": "float32", "rates": [...]}'

`state` is a checkpoint of trex; `batches` holds, step after step, labels [B] as int64 and every group of crops
[count * B, 3, S, S] as float32.
"""

import json
import sys

import numpy as np
import torch
from safetensors import safe_open

from ocm import OnlineClassMeansLearner
from training import memory_format, options_of

NAMES = {
    "model.": "model.",
    "prototypes.momentum_encoder.model.": "momentum_model.",
    "prototypes.memory_bank.": "bank.",
}


def load(learner: OnlineClassMeansLearner, path: str) -> None:
    """Every tensor of the learner must be in the file; counters of batches are not part of the computation."""
    state = {}
    with safe_open(path, "pt") as file:
        for key in file.keys():
            for prefix, own in NAMES.items():
                if key.startswith(prefix):
                    state[own + key[len(prefix) :]] = file.get_tensor(key)
    result = learner.load_state_dict(state, strict=False)
    wrong = [key for key in result.missing_keys if not key.endswith("num_batches_tracked")]
    if wrong or result.unexpected_keys:
        raise SystemExit(f"{path} fits another model: {wrong[:3]} {result.unexpected_keys[:3]}")


def main() -> None:
    job = json.loads(sys.argv[1])
    settings, dtype = job["settings"], getattr(torch, job["dtype"])
    torch.set_num_threads(job["threads"])
    opts = options_of(settings, job["classes"])
    learner = OnlineClassMeansLearner(opts)
    load(learner, job["state"])
    learner.to(dtype)
    batch = settings["batchSize"]
    shapes = [(g["count"], g["size"]) for g in (settings["globalCrops"], settings["localCrops"])]
    with open(job["batches"], "rb") as file:
        for lr in job["rates"]:
            labels = torch.from_numpy(np.fromfile(file, np.int64, batch))
            crops = []
            for count, size in shapes:
                values = np.fromfile(file, np.float32, count * batch * 3 * size * size)
                group = torch.from_numpy(values.reshape(count, batch, 3, size, size)).to(dtype)
                crops += [crop.to(memory_format=memory_format(opts)) for crop in group]
            print(learner.step(crops, labels, lr).item(), flush=True)


main()
