"""The child side of the benchmark protocol: one JSON line when ready, then one for every 'go N'."""

import json
import sys
import time
from typing import Callable

import torch


def options() -> dict:
    """The side's settings: one JSON object, the only argument. Sets threads and seed; on CUDA TF32 and cuDNN's search for the fastest."""
    opts = json.loads(sys.argv[1])
    torch.set_num_threads(opts["threads"])
    torch.manual_seed(opts["seed"])
    if opts["device"].startswith("cuda"):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    return opts


def process_mib(field: str) -> float | None:
    """VmHWM (peak) or VmRSS (now) of this process in MiB; None where there is no /proc."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return None


def serve(opts: dict, step: Callable[[], float | None]) -> None:
    """Answers 'go N' with the seconds of N calls of step (which returns the loss) until stdin ends."""
    cuda = opts["device"].startswith("cuda")
    hello = {"torch": torch.__version__, "threads": torch.get_num_threads(), "python": sys.executable}
    if cuda:
        hello["gpu"] = torch.cuda.get_device_name()
    print(json.dumps({"ready": hello}), flush=True)
    for line in sys.stdin:
        seconds, loss = [], None
        for _ in range(int(line.split()[1])):
            if cuda:
                torch.cuda.synchronize()
            start = time.perf_counter()
            loss = step()
            if cuda:
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - start)
        answer = {
            "seconds": seconds,
            "loss": loss,
            "peakMiB": process_mib("VmHWM"),
            "rssMiB": process_mib("VmRSS"),
        }
        if cuda:
            answer["gpuPeakMiB"] = torch.cuda.max_memory_reserved() / 2**20
        print(json.dumps(answer), flush=True)
