"""Small feature files written by numpy and torch.save: golden/features/*. Values: X[i, j] = i - j / 4, Y[i] = i % 3.

    python packages/trex/test/featureFixtures.py
"""

from pathlib import Path

import numpy as np
import torch

FOLDER = Path(__file__).parent / "golden" / "features"
FOLDER.mkdir(exist_ok=True)

x = np.arange(5, dtype=np.float32)[:, None] - np.arange(4, dtype=np.float32)[None, :] / 4
y = np.arange(5, dtype=np.int64) % 3
paths = np.array([f"klasse/bild{i}ä.jpg".encode() for i in range(5)])

np.savez(FOLDER / "numpy.npz", features=x, labels=y, paths=paths)
np.savez(FOLDER / "wide.npz", X=x.astype(np.float64), Y=y.astype(np.int32))
np.savez_compressed(FOLDER / "compressed.npz", features=x, labels=y)
np.savez(FOLDER / "fortran.npz", features=np.asfortranarray(x), labels=y)
np.savez(FOLDER / "half.npz", features=x.astype(np.float16), labels=y)
np.savez(FOLDER / "swapped.npz", features=y, labels=x)
np.save(FOLDER / "numpy.features.npy", x)
np.save(FOLDER / "numpy.labels.npy", y)
torch.save({"X": torch.from_numpy(x), "Y": torch.from_numpy(y)}, FOLDER / "original.pth")
torch.save({"X": torch.from_numpy(x), "Y": torch.from_numpy(y[:3])}, FOLDER / "short.pth")
