"""Small files written by torch.save, and what they hold: golden/pth/*.pth and golden/pth/expected.json.

    python packages/trex/test/pthFixtures.py LABEL     # LABEL is in the files' names: 2.13, 1.13

Run once with each version of PyTorch; expected.json gathers them all. The hostile files are written by hand with
LABEL `hostile`, for which PyTorch is not needed; LABEL `encoders` writes files shaped as published weights are.
"""

import collections
import io
import json
import os
import pickle
import struct
import sys
import zipfile
from pathlib import Path

FOLDER = Path(__file__).parent / "golden" / "pth"
FOLDER.mkdir(exist_ok=True)


def written_by_torch(label):
    import torch

    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4) / 8 - 1
    shared = torch.arange(10, dtype=torch.float64) * 0.5
    kinds = {
        "float32": base,
        "float64": shared,
        "float16": torch.tensor([0.5, -2.0, 65504.0]).half(),
        "bfloat16": torch.tensor([0.5, -2.0, 3e38]).bfloat16(),
        "int64": torch.tensor([[1, -(2**40)], [3, 4]]),
        "int32": torch.tensor([1, -2], dtype=torch.int32),
        "int16": torch.tensor([1, -2], dtype=torch.int16),
        "int8": torch.tensor([1, -2], dtype=torch.int8),
        "uint8": torch.tensor([1, 254], dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(7.25),
        "empty": torch.zeros(0, 3),
    }
    views = {
        "transposed": base.transpose(0, 2),
        "row": base[1],
        "column": base[:, 1],
        "every other": shared[1::2],
        "same storage": shared[3:7],
        "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 5),
        "channels last": torch.arange(36.0).reshape(1, 3, 3, 4).contiguous(memory_format=torch.channels_last),
        "parameter": torch.nn.Parameter(base[:, :2]),
    }
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Linear(4, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    checkpoint = {
        "epoch": 3,
        "args": collections.Counter("aab"),
        "size": torch.Size([2, 3]),
        "device": torch.device("cpu"),
        "state_dict": collections.OrderedDict((f"module.{key}", value) for key, value in model.state_dict().items()),
        "optimizer": optimizer.state_dict(),
        "big": 2**70,
        "text": "Grüße \U0001f600",
        "flags": (True, None, 1.5, [1, 2], {"a": -1}),
    }
    named = {
        "kinds": (kinds, kinds),
        "views": (views, views),
        "checkpoint": (checkpoint, checkpoint["state_dict"]),
    }
    expected = {}
    for name, (content, tensors) in named.items():
        formats = {"zip": {}, "legacy": {"_use_new_zipfile_serialization": False}}
        if name == "checkpoint" and label == "2.13":
            formats["protocol5"] = {"pickle_protocol": 5}
        for kind, options in formats.items():
            file = f"{name}-{kind}-{label}.pth"
            torch.save(content, FOLDER / file, **options)
            expected[file] = {
                key: {
                    "dtype": str(value.dtype).removeprefix("torch."),
                    "shape": list(value.shape),
                    "values": value.detach().double().flatten().tolist(),
                }
                for key, value in tensors.items()
            }
    path = FOLDER / "expected.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    known.update(expected)
    path.write_text(json.dumps(dict(sorted(known.items())), separators=(",", ":")) + "\n")


# --- whole encoders, each tensor a constant that is stored once -------------------------------------------------------


def resnet18_shapes():
    yield "conv1.weight", (64, 3, 7, 7)
    norm = lambda name, width: [(f"{name}.{key}", (width,)) for key in ("weight", "bias", "running_mean", "running_var")]
    norm_all = lambda name, width: [*norm(name, width), (f"{name}.num_batches_tracked", ())]
    yield from norm_all("bn1", 64)
    before = 64
    for layer, width in enumerate((64, 128, 256, 512), 1):
        for block in (0, 1):
            name = f"layer{layer}.{block}"
            yield f"{name}.conv1.weight", (width, before, 3, 3)
            yield from norm_all(f"{name}.bn1", width)
            yield f"{name}.conv2.weight", (width, width, 3, 3)
            yield from norm_all(f"{name}.bn2", width)
            if before != width:
                yield f"{name}.downsample.0.weight", (width, before, 1, 1)
                yield from norm_all(f"{name}.downsample.1", width)
            before = width


def vit_tiny_shapes():
    header = (FOLDER.parent / "vit.safetensors").read_bytes()
    length = struct.unpack("<Q", header[:8])[0]
    metadata = json.loads(header[8 : 8 + length])["__metadata__"]
    return [(name, tuple(shape)) for name, shape in json.loads(metadata["state.vit_tiny"]).items()]


def encoders():
    """The tensor at place i is i / 64 + start everywhere."""
    import argparse
    import torch

    def state(shapes, prefix="", start=0.0):
        def constant(i, name, shape):
            if name.endswith("num_batches_tracked"):
                return torch.tensor(i)
            return torch.tensor(i / 64 + start).expand(shape)

        return collections.OrderedDict((prefix + n, constant(i, n, shape)) for i, (n, shape) in enumerate(shapes))

    head = {"fc.weight": torch.ones(1).expand(1000, 512), "fc.bias": torch.ones(1).expand(1000)}
    resnet = list(resnet18_shapes())
    torch.save(collections.OrderedDict(**state(resnet), **head), FOLDER / "encoder-torchvision.pth")
    both = {**state(resnet, "module.base_encoder."), **state(resnet, "module.momentum_encoder.", 1.0)}
    torch.save({"epoch": 1, "arch": "resnet18", "state_dict": both}, FOLDER / "encoder-moco.pth")
    old = {name: value for name, value in state(resnet).items() if not name.endswith("num_batches_tracked")}
    torch.save(old, FOLDER / "encoder-old.pth", _use_new_zipfile_serialization=False)
    vit = vit_tiny_shapes()
    student = {**state(vit, "module.backbone.", 1.0), "module.head.last_layer.weight_g": torch.ones(3)}
    teacher = {**state(vit, "backbone."), "head.last_layer.weight_g": torch.ones(3)}
    args = argparse.Namespace(arch="vit_tiny", patch_size=16)
    torch.save({"student": student, "teacher": teacher, "epoch": 2, "args": args}, FOLDER / "encoder-dino.pth")


# --- hostile files --------------------------------------------------------------------------------------------------


def archive(path, data_pkl, storages=None, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as z:
        z.writestr("a/data.pkl", data_pkl)
        z.writestr("a/byteorder", members.get("byteorder", "little"))
        for key, data in (storages or {}).items():
            z.writestr(f"a/data/{key}", data)
        z.writestr("a/version", "3\n")


def tensor(elements, offset, size, stride, kind="FloatStorage", key="0", rebuild="_rebuild_tensor_v2"):
    """A pickle of {'w': a tensor with these numbers}."""
    number = lambda n: b"\x8a\x08" + struct.pack("<q", n)
    text = lambda s: b"X" + struct.pack("<I", len(s)) + s.encode()
    numbers = lambda values: b"(" + b"".join(map(number, values)) + b"t"
    storage = b"(" + text("storage") + f"ctorch\n{kind}\n".encode() + text(key) + text("cpu") + number(elements) + b"tQ"
    view = number(offset) + numbers(size) + numbers(stride)
    if rebuild == "_rebuild_tensor_v2":
        view += b"\x89ccollections\nOrderedDict\n)R"
    return b"\x80\x02}" + text("w") + f"ctorch._utils\n{rebuild}\n(".encode() + storage + view + b"tRs."


class System:
    def __reduce__(self):
        return os.system, ("touch PWNED",)


def hostile():
    good = struct.pack("<4f", 1, 2, 3, 4)
    save = lambda name, *args, **members: archive(FOLDER / f"hostile-{name}.pth", *args, **members)
    save("system", pickle.dumps({"w": System()}, 2))
    save("eval", b"\x80\x02}U\x01wcbuiltins\neval\nU\x10__import__('os')\x85Rs.")
    old = tensor(4, 1, [3], [1], rebuild="_rebuild_tensor")
    archive(FOLDER / "tensor-before-0.4.pth", old, {"0": good})  # as PyTorch 0.3 named it; not hostile
    save("outside", tensor(4, 2, [3], [1]), {"0": good})
    save("negative", tensor(4, 3, [4], [-1]), {"0": good})
    save("overflow", tensor(4, 0, [2**62, 2**62], [0, 0]), {"0": good})
    save("repeated", tensor(4, 0, [2**40], [0]), {"0": good})
    save("short-storage", tensor(400, 0, [400], [1]), {"0": good})
    save("no-storage", tensor(4, 0, [4], [1], key="../../etc/passwd"), {"0": good})
    save("big-endian", tensor(4, 0, [4], [1]), {"0": good}, byteorder="big")
    save("complex", tensor(2, 0, [2], [1], kind="ComplexFloatStorage"), {"0": good})
    save("itself", b"\x80\x02]q\x00h\x00a.")
    save("deep", b"\x80\x02]" + b"\x85" * 300 + b".")
    save("laughs", b"\x80\x02]" + b"2\x86" * 60 + b".")  # one list at 2**60 places
    save("memo", b"\x80\x02h\x07.")
    save("underflow", b"\x80\x02R.")
    save("mark", b"\x80\x02t.")
    save("unfinished", b"\x80\x02}q")
    save("long-text", b"\x80\x02X\xff\xff\xff\xff.")
    save("extension", b"\x80\x02\x82\x01.")
    save("instance", b"\x80\x02(ios\nsystem\n.")
    path = FOLDER / "hostile-compressed.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("a/data.pkl", pickle.dumps({}, 2) + b" " * 200)
    path = FOLDER / "hostile-twice.pth"
    with zipfile.ZipFile(path, "w") as z:
        for name in ("a/data.pkl", "b/data.pkl"):
            z.writestr(name, pickle.dumps({}, 2))
    whole = io.BytesIO()
    archive(whole, tensor(4, 0, [4], [1]), {"0": good})
    (FOLDER / "hostile-truncated.pth").write_bytes(whole.getvalue()[:-30])
    legacy = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
    legacy += pickle.dumps({"protocol_version": 1001, "little_endian": False}, 2)
    (FOLDER / "hostile-legacy-big-endian.pth").write_bytes(legacy + pickle.dumps({}, 2) + pickle.dumps([], 2))
    (FOLDER / "hostile-plain-pickle.pth").write_bytes(pickle.dumps({"w": System()}, 2))


if sys.argv[1] == "hostile":
    hostile()
elif sys.argv[1] == "encoders":
    encoders()
else:
    written_by_torch(sys.argv[1])
