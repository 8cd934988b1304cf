"""t-ReX with online class means, trained in plain PyTorch by the settings of a trex run.

    python train.py '{"settings": {...}, "data": FOLDER, "threads": 2, "out": FOLDER}'

FOLDER has train/ and val/ (or test/) of class folders. Writes encoder.safetensors (torchvision's names), the features
of the validation images and metrics.json.
"""

import json
import math
import random
import sys
import time
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save_file

from crops import eval_image, random_crop, to_batch
from ocm import OnlineClassMeansLearner
from training import memory_format, options_of


def read_folder(root: Path) -> tuple[list[str], list[tuple[Image.Image, int]]]:
    """Decoded images of class folders, class by class, each sorted by name."""
    classes = sorted(path.name for path in root.iterdir() if path.is_dir())
    images = [
        (Image.open(path).convert("RGB"), label)
        for label, name in enumerate(classes)
        for path in sorted((root / name).iterdir())
    ]
    return classes, images


def learning_rates(settings: dict, steps_per_epoch: int) -> list[float]:
    """A rate a step: linear warm-up with both ends, then half a cosine."""
    opt = settings["optimizer"]
    peak, final = opt["lr"] * settings["batchSize"] / 256, opt["minLr"]
    warmup = opt["warmupEpochs"] * steps_per_epoch
    rest = settings["epochs"] * steps_per_epoch - warmup
    rising = torch.linspace(0, peak, warmup, dtype=torch.float64).tolist()
    return rising + [final + (peak - final) / 2 * (1 + math.cos(math.pi * i / rest)) for i in range(rest)]


@torch.no_grad()
def validate(learner: OnlineClassMeansLearner, images: torch.Tensor, labels: torch.Tensor) -> tuple[float, torch.Tensor]:
    """Top-1 in per cent through projector and class means, and the encoder's features."""
    model = learner.model.eval()
    features = torch.cat([model.encoder(part) for part in images.split(64)])
    hits = learner.logits(model.projector(features)).argmax(1) == labels
    model.train()
    return 100 * hits.float().mean().item(), features


def main() -> None:
    job = json.loads(sys.argv[1])
    settings, root, out = job["settings"], Path(job["data"]), Path(job["out"])
    torch.set_num_threads(job["threads"])
    torch.manual_seed(settings["seed"])
    random.seed(settings["seed"])
    began = time.perf_counter()

    classes, images = read_folder(root / "train")
    val_classes, val = read_folder(root / ("val" if (root / "val").exists() else "test"))
    assert classes == val_classes, "train and validation differ in classes"
    normalization, v = settings["normalization"], settings["validation"]
    val_images = to_batch([eval_image(x, v["resize"], v["crop"], "bilinear") for x, _ in val], normalization)
    val_labels = torch.tensor([label for _, label in val])

    opts = options_of(settings, len(classes))
    learner = OnlineClassMeansLearner(opts)
    groups = [{**settings["augment"], **settings[key]} for key in ("globalCrops", "localCrops") if settings[key]]
    batch = settings["batchSize"]
    steps_per_epoch = len(images) // batch
    rates = learning_rates(settings, steps_per_epoch)

    epochs = []
    for epoch in range(settings["epochs"]):
        order = torch.randperm(len(images)).tolist()
        losses = []
        for i in range(steps_per_epoch):
            chosen = [images[k] for k in order[i * batch : (i + 1) * batch]]
            crops = [
                to_batch([random_crop(image, group) for image, _ in chosen], normalization).to(
                    memory_format=memory_format(opts)
                )
                for group in groups
                for _ in range(group["count"])
            ]
            labels = torch.tensor([label for _, label in chosen])
            losses.append(learner.step(crops, labels, rates[epoch * steps_per_epoch + i]).item())
        top1, features = validate(learner, val_images, val_labels)
        epochs.append({"epoch": epoch, "loss": sum(losses) / len(losses), "top1": top1})
        print(json.dumps({**epochs[-1], "seconds": round(time.perf_counter() - began)}), flush=True)

    out.mkdir(parents=True, exist_ok=True)
    state = {name: value.contiguous() for name, value in learner.model.encoder.state_dict().items()}
    save_file(state, out / "encoder.safetensors")
    save_file({"features": features.contiguous()}, out / "val-features.safetensors")
    (out / "metrics.json").write_text(json.dumps({"torch": torch.__version__, "epochs": epochs}))


main()
