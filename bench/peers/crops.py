"""Random crops and the evaluation transform with Pillow alone, by the settings of a trex run."""

import math
import random

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def crop_box(width: int, height: int, scale: list[float], ratio: list[float]) -> tuple[int, int, int, int]:
    """A random box (left, top, right, bottom): area uniform, aspect log-uniform, ten tries, then the centre."""
    for _ in range(10):
        area = width * height * random.uniform(*scale)
        aspect = math.exp(random.uniform(math.log(ratio[0]), math.log(ratio[1])))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            left, top = random.randint(0, width - w), random.randint(0, height - h)
            return left, top, left + w, top + h
    w, h = width, height
    if width / height < ratio[0]:
        h = round(width / ratio[0])
    elif width / height > ratio[1]:
        w = round(height * ratio[1])
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h


def turn_hue(image: Image.Image, part: float) -> Image.Image:
    """Turns the hue by a part of a circle."""
    h, s, v = image.convert("HSV").split()
    turned = (np.asarray(h).astype(np.int16) + int(part * 255)) % 256
    return Image.merge("HSV", (Image.fromarray(turned.astype(np.uint8)), s, v)).convert("RGB")


def jitter(image: Image.Image, a: dict) -> Image.Image:
    factor = {key: random.uniform(max(0, 1 - a[key]), 1 + a[key]) for key in ("brightness", "contrast", "saturation")}
    changes = [
        lambda x: ImageEnhance.Brightness(x).enhance(factor["brightness"]),
        lambda x: ImageEnhance.Contrast(x).enhance(factor["contrast"]),
        lambda x: ImageEnhance.Color(x).enhance(factor["saturation"]),
        lambda x: turn_hue(x, random.uniform(-a["hue"], a["hue"])),
    ]
    random.shuffle(changes)
    for change in changes:
        image = change(image)
    return image


def random_crop(image: Image.Image, a: dict) -> Image.Image:
    """One augmented crop; `a` is a group of crops over the settings that all groups share."""
    box = crop_box(*image.size, a["scale"], a["ratio"])
    image = image.crop(box).resize((a["size"], a["size"]), FILTERS[a["filter"]])
    if random.random() < a["flipP"]:
        image = ImageOps.mirror(image)
    if random.random() < a["jitterP"]:
        image = jitter(image, a)
    if random.random() < a["grayP"]:
        image = image.convert("L").convert("RGB")
    if random.random() < a["blurP"]:
        image = image.filter(ImageFilter.GaussianBlur(random.uniform(*a["blurSigma"])))
    if random.random() < a["solarizeP"]:
        image = ImageOps.solarize(image, a["solarizeThreshold"])
    return image


def eval_image(image: Image.Image, resize: int, crop: int, filter: str) -> Image.Image:
    """Shortest side to `resize`, then the centred square of `crop` pixels."""
    w, h = image.size
    size = (resize, resize * h // w) if w <= h else (resize * w // h, resize)
    image = image.resize(size, FILTERS[filter])
    left, top = round((size[0] - crop) / 2), round((size[1] - crop) / 2)
    return image.crop((left, top, left + crop, top + crop))


def to_batch(images: list[Image.Image], normalization: dict) -> torch.Tensor:
    """Normalised values [N, 3, S, S]."""
    pixels = torch.from_numpy(np.stack([np.asarray(image) for image in images])).permute(0, 3, 1, 2)
    mean, std = (torch.tensor(normalization[key]).view(3, 1, 1) for key in ("mean", "std"))
    return (pixels.float() / 255 - mean) / std
