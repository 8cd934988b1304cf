"""Files of data sets as SciPy, NumPy and Python write them: golden/sets/*, and what they hold: expected.json.

    python packages/trex/test/setFixtures.py      # needs scipy and numpy
"""

import json
import pickle
from pathlib import Path

import numpy as np
import scipy
import scipy.io
import scipy.sparse

FOLDER = Path(__file__).parent / "golden" / "sets"
FOLDER.mkdir(parents=True, exist_ok=True)
expected = {"scipy": scipy.__version__, "numpy": np.__version__}


def mats():
    cars = [
        (f"car_ims/{i + 1:06d}.jpg", 10 + i, 20, 300 + i, 400, i % 3 + 1, i % 2) for i in range(7)
    ]
    fields = ["relative_im_path", "bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "test"]
    annotations = np.zeros((1, len(cars)), dtype=[(name, object) for name in fields])
    for i, row in enumerate(cars):
        annotations[0, i] = (row[0], *(np.array([[v]], dtype=np.uint16) for v in row[1:5]), *(
            np.array([[v]], dtype=np.uint8) for v in row[5:]
        ))
    names = np.array([["AM General Hummer SUV 2000", "Citroën Deux Chevaux", "Ford GT"]], dtype=object)
    rng = np.random.default_rng(22)
    labels = rng.permutation(np.repeat(np.arange(1, 103), 3)).astype(np.uint8)[None]
    ids = rng.permutation(np.arange(1, labels.size + 1)).astype(np.uint16)[None]
    setid = {"trnid": ids[:, :102], "valid": ids[:, 102:204], "tstid": ids[:, 204:]}
    splits = {"trainNdxs": np.array([[1], [4], [5]], np.uint16), "testNdxs": np.array([[2], [3]], np.uint16)}
    kinds = {
        name: np.array([[0, 1, 2], [3, 4, 100]], dtype=name)
        for name in ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
    }
    kinds["float64"] = kinds["float64"] / 8 - 1
    kinds["int16"] = -kinds["int16"]
    odd = {
        "truth": np.array([[True, False]]),
        "empty": np.zeros((0, 0)),
        "text": "Größe €",
        "cells": np.array([[np.array([[1.0]]), "x"], [np.zeros((0, 0)), np.array([[2.5]])]], dtype=object),
        "sparse": scipy.sparse.csc_matrix(np.eye(3)),
        "complex": np.array([[1 + 2j]]),
    }
    for compressed in [False, True]:
        suffix = "-z" if compressed else ""
        save = lambda name, values: scipy.io.savemat(
            FOLDER / f"{name}{suffix}.mat", values, do_compression=compressed, oned_as="row"
        )
        save("cars_annos", {"annotations": annotations, "class_names": names})
        save("imagelabels", {"labels": labels})
        save("setid", setid)
        save("splits", splits)
        save("kinds", kinds | odd)
    expected["cars"] = {"classes": names[0].tolist(), "cars": cars}
    expected["flowers"] = {"labels": labels[0].tolist()} | {k: v[0].tolist() for k, v in setid.items()}
    # Column by column, as MATLAB has them.
    expected["kinds"] = {k: [float(x) for x in v.flatten(order="F")] for k, v in kinds.items()}


def pickles():
    concepts = [f"n{i:08d}" for i in range(20)]
    rng = np.random.default_rng(5)
    order = rng.permutation(20)
    levels = [[concepts[j] for j in order[4 * level : 4 * level + 4]] for level in range(5)]
    paths = {
        c: {
            "train": [f"{c}/{c}_{k}.JPEG" for k in range(3 + i % 3)],
            "test": [f"{c}/{c}_{100 + k}.JPEG" for k in range(2)],
        }
        for i, c in enumerate(concepts)
    }
    forms = {
        "list": list,
        "unicode": lambda p: np.array(p),
        "object": lambda p: np.array(p, dtype=object),
        "bytes": lambda p: np.array(p, dtype="S"),
        "scalars": lambda p: list(np.array(p)),
        "big": lambda p: np.array(p, dtype=">U40"),
    }
    for form, make in forms.items():
        value = {c: {part: make(p) for part, p in split.items()} for c, split in paths.items()}
        for protocol in [2, 3, 4, 5]:
            (FOLDER / f"cog-{form}-{protocol}.pkl").write_bytes(pickle.dumps(value, protocol))
    (FOLDER / "cog-levels.pkl").write_bytes(pickle.dumps(levels, 4))
    expected["cog"] = {"levels": levels, "paths": paths}

    images = rng.integers(0, 256, (3, 3072), dtype=np.uint8)
    for protocol in [2, 4, 5]:
        batch = {"batch_label": "testing", "labels": [3, 0, 9], "fine_labels": [3, 0, 99], "data": images}
        (FOLDER / f"cifar-{protocol}.pkl").write_bytes(pickle.dumps(batch, protocol))
    expected["cifar"] = {"sum": images.sum(axis=1).tolist(), "first": images[:, :2].tolist()}


mats()
pickles()
(FOLDER / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
