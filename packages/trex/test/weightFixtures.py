"""Small weights of numpy and ONNX, and what they hold: golden/weights/*.npz, *.onnx and expected.json.

    python packages/trex/test/weightFixtures.py     # with numpy, onnx and PyTorch
"""

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).parent / "golden" / "weights"
FOLDER.mkdir(exist_ok=True)
expected = {}


def expect(file, tensors):
    expected[file] = {
        name: {
            "dtype": str(value.dtype),
            "shape": list(value.shape),
            "values": [float(x) for x in np.ascontiguousarray(value).astype(np.float64).ravel()],
        }
        for name, value in tensors.items()
    }


base = (np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 8 - 1).astype(np.float32)
kinds = {
    "float32": base,
    "float64": np.arange(5) * 0.5,
    "float16": np.array([0.5, -2, 65504, 6e-8], np.float16),
    "int64": np.array([[1, -(2**40)], [3, 4]]),
    **{kind: np.array([1, -2], kind) for kind in ("int32", "int16", "int8")},
    **{kind: np.array([1, 254], kind) for kind in ("uint8", "uint16", "uint32", "uint64")},
    "bool": np.array([True, False, True]),
    "scalar": np.array(7),
    "empty": np.zeros((0, 3), np.float32),
    "fortran": np.asfortranarray(base),
    "long": (np.arange(60_000) % 1000).astype(np.float32) / 1000,
}
beside = {"texts": np.array(["a", "bc"]), "objects": np.array([{}, None], dtype=object)}
for file, save in {"kinds.npz": np.savez, "compressed.npz": np.savez_compressed}.items():
    some = {k: v for k, v in kinds.items() if file == "compressed.npz" or k != "long"}
    save(FOLDER / file, **some, **beside)
    expect(file, {k: v for k, v in some.items() if k != "long"})
np.savez(FOLDER / "big-endian.npz", w=base.astype(">f4"))


def tensor(name, array, **how):
    if not how:
        return numpy_helper.from_array(array, name)
    return helper.make_tensor(name, how["type"], array.shape, array.ravel().tolist())


numbers = {k: v for k, v in kinds.items() if k not in ("fortran", "long", "empty")}
weights = [tensor(k, v) for k, v in numbers.items()]
weights += [
    tensor("as floats", base, type=TensorProto.FLOAT),
    tensor("as doubles", kinds["float64"], type=TensorProto.DOUBLE),
    helper.make_tensor("bfloat16", TensorProto.BFLOAT16, [3], np.array([0.5, -2, 3e38], ml_dtypes.bfloat16).tobytes(), raw=True),
    tensor("as numbers", kinds["int64"], type=TensorProto.INT64),  # varints, which are not read
]
outside = TensorProto(name="outside", data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
weights.append(outside)
graph = helper.make_graph(
    [helper.make_node("Identity", ["float32"], ["y"]), helper.make_node("Relu", ["y"], ["z"])],
    "kinds",
    [],
    [helper.make_tensor_value_info("z", TensorProto.FLOAT, [2, 3, 4])],
    weights,
)
model = helper.make_model(graph, producer_name="fixtures", opset_imports=[helper.make_opsetid("", 17)])
helper.set_model_props(model, {"trex.test": "Grüße"})
(FOLDER / "kinds.onnx").write_bytes(model.SerializeToString())
expect(
    "kinds.onnx",
    {
        **numbers,
        "as floats": base,
        "as doubles": kinds["float64"],
        "bfloat16": np.array([0.5, -2, 3e38], ml_dtypes.bfloat16),
    },
)

net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(16, 2))
torch.manual_seed(0)
torch.onnx.export(net.eval(), (torch.zeros(1, 3, 4, 4),), FOLDER / "exported.onnx", dynamo=False)
expect("exported.onnx", {name: value.numpy() for name, value in net.state_dict().items()})
(FOLDER / "expected.json").write_text(json.dumps(expected, separators=(",", ":"), ensure_ascii=False) + "\n")
