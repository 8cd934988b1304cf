"""Decode and nine augmented crops of each image as people write it: Pillow, torchvision transforms, one process."""

import io
import json
import os
import random
import sys
import time

import torch
from PIL import Image, ImageFilter, ImageOps

try:
    import torchvision.transforms as T
except RuntimeError:
    # A wheel whose compiled operators do not fit this torch; transforms of PIL images use none of them.
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    for module in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[module]
    import torchvision.transforms as T


from torch.utils.data import default_collate

BATCH = 20


class GaussianBlur:
    def __init__(self, p):
        self.p = p

    def __call__(self, image):
        if random.random() >= self.p:
            return image
        return image.filter(ImageFilter.GaussianBlur(radius=random.uniform(0.1, 2.0)))


class Solarize:
    def __init__(self, p):
        self.p = p

    def __call__(self, image):
        return ImageOps.solarize(image) if random.random() < self.p else image


def crop(size, scale, blur_p, solarize_p):
    return T.Compose(
        [
            T.RandomResizedCrop(size, scale=scale, interpolation=T.InterpolationMode.BICUBIC),
            T.RandomHorizontalFlip(0.5),
            T.RandomApply([T.ColorJitter(0.4, 0.4, 0.2, 0.1)], p=0.8),
            T.RandomGrayscale(0.2),
            GaussianBlur(blur_p),
            Solarize(solarize_p),
            T.ToTensor(),
            T.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )


def main():
    options = json.loads(sys.argv[1])
    torch.set_num_threads(1)
    torch.manual_seed(options["seed"])
    random.seed(options["seed"])
    files = [open(os.path.join(options["images"], name), "rb").read() for name in options["names"]]
    one, many = crop(224, (0.25, 1.0), 0.2, 0.2), crop(96, (0.05, 0.25), 0.5, 0.0)
    hello = {"python": sys.executable, "pillow": Image.__version__, "torch": torch.__version__, "threads": 1}
    print(json.dumps({"ready": hello}), flush=True)
    at = 0
    for line in sys.stdin:
        decode, crops = 0.0, 0.0
        count = int(line.split()[1])
        batch = []
        for i in range(count):
            start = time.perf_counter()
            image = Image.open(io.BytesIO(files[at % len(files)])).convert("RGB")
            middle = time.perf_counter()
            batch.append([one(image)] + [many(image) for _ in range(8)])
            if len(batch) == BATCH or i == count - 1:
                default_collate(batch)  # trex writes crops to their places in the batch
                batch = []
            decode += middle - start
            crops += time.perf_counter() - middle
            at += 1
        print(json.dumps({"images": count, "decode": decode, "crops": crops}), flush=True)


main()
