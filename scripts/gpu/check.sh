#!/usr/bin/env bash
# Builds trex beside the PyTorch of this machine's python3 and tests and measures it: see docs/gpu.md.
#   scripts/gpu/check.sh RESULTS STAGE...
# RESULTS gets a log and, of benchmarks, a line of JSON for each stage. Stages: setup cuda suite step64 step256 end extract
# probe.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
results=$1
shift
mkdir -p "$results"
export NO_COLOR=1 PATH="$PWD/build/gpu:$PATH" PYTHON=${PYTHON:-python3}
export TREX_BENCH_PYTHON=${TREX_BENCH_PYTHON:-$PYTHON}
threads=${THREADS:-$(nproc)}

setup() {
  "$PYTHON" -c 'import tarfile; tarfile.open("build/gpu/pack.tar.xz").extractall(".", filter="tar")'
  node scripts/gpu/buildEngine.mjs
  node packages/trex/bin/trex.cjs doctor
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
}
tests() { timeout "${TEST_LIMIT:-200}" node node_modules/vitest/vitest.mjs run --reporter=dot --reporter=json --outputFile.json="$results/$1.json" "${@:2}"; }
bench() { node "bench/$1" "${@:2}" --json | tee -a "$results/bench.jsonl" | node scripts/gpu/show.mjs; }
sides=trex:fp16-cl,torch:fp16-cl,trex:bf16-cl,torch:bf16-cl
cuda() {
  tests cuda packages/torch/src/cuda.test.ts packages/trex/test/cuda.test.ts
  "$PYTHON" bench/peers/golden.py packages/trex/test/golden cuda && "$PYTHON" bench/peers/golden.py packages/trex/test/golden
}
suite() { OMP_NUM_THREADS=1 tests suite; }
step64() { bench run.mjs step --device cuda --batch 64 --pairs 5 --steps 10 --warmup 10 --threads "$threads" --sides $sides; }
step256() { bench run.mjs step --device cuda --batch 256 --pairs 3 --steps 3 --warmup 3 --threads "$threads" --sides $sides; }
end() { bench endToEnd.mjs --device cuda --batch 64 --pairs 3 --steps 20 --sides trex:fp16-cl,torch:fp16-cl; }
extract() { bench extract.mjs --device cuda --only tensors --batch 256 --pairs 3 --sides trex:fp32-cl,trex:bf16-cl,torch:fp32-cl,torch:bf16-cl; }
probe() { bench probe.mjs sgd --device cuda --threads "$threads" --pairs 3; }

failed=0
for stage in "$@"; do
  start=$SECONDS
  echo "=== $stage"
  "$stage" > >(tee "$results/$stage.log" | tail -n "${LINES_SHOWN:-60}") 2>&1 || failed=1
  wait
  echo "=== $stage: $((SECONDS - start)) s"
done
exit $failed
