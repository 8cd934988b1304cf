#include "runtime.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "allocator.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace trex {

static bool mallocConfigured = false;

void configureMalloc() {
#if defined(__GLIBC__)
  // glibc gives blocks above 128 KiB back to the system on every free, and each training step then faults
  // them in again: more than half of the time of a ResNet-50 step (docs/decisions/0003-malloc.md). Tensors above
  // 64 KiB are in the pool (allocator.cc); this is for smaller ones and for what libtorch's kernels allocate.
  static const bool done = mallopt(M_MMAP_MAX, 0) == 1 && mallopt(M_TRIM_THRESHOLD, 0x7fffffff) == 1 &&
                           mallopt(M_TOP_PAD, 64 << 20) == 1 &&
                           mallopt(M_ARENA_MAX, 1) == 1;  // one pool to keep, not one for each thread
  mallocConfigured = done;
#endif
}

static void processorFeatures(bool& bf16, bool& amx) {
  bf16 = amx = false;
#if defined(__x86_64__)
  unsigned a, b, c, d;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) amx = (d >> 22 & 1) && (d >> 24 & 1);
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d)) bf16 = amx || (a >> 5 & 1);
#endif
}

static void set(napi_env env, napi_value object, const char* name, napi_value value) {
  check(napi_set_named_property(env, object, name, value));
}

// From 2.9 on libtorch's older reader prints a warning; both writers still set matrix products and convolutions.
static bool allowsTf32() {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 9)
  return at::globalContext().float32Precision(at::Float32Backend::CUDA, at::Float32Op::MATMUL) ==
         at::Float32Precision::TF32;
#else
  return at::globalContext().allowTF32CuBLAS();
#endif
}

napi_value engineInfo(const Args& args) {
  napi_env env = args.env;
  bool bf16, amx;
  processorFeatures(bf16, amx);
  napi_value info;
  check(napi_create_object(env, &info));
  set(env, info, "version", makeString(env, TORCH_VERSION));
  set(env, info, "cuda", makeBool(env, torch::cuda::is_available()));
  set(env, info, "cudaDevices", makeNumber(env, static_cast<double>(torch::cuda::device_count())));
  set(env, info, "bf16", makeBool(env, bf16));
  set(env, info, "amx", makeBool(env, amx));
  set(env, info, "mallocConfigured", makeBool(env, mallocConfigured));
  set(env, info, "pooled", makeBool(env, installPool()));
  set(env, info, "tf32", makeBool(env, allowsTf32()));
  set(env, info, "cudnnBenchmark", makeBool(env, at::globalContext().benchmarkCuDNN()));
  set(env, info, "deterministic", makeBool(env, at::globalContext().deterministicAlgorithms()));
  return info;
}

napi_value threads(const Args& args) {
  static std::atomic<bool> chosen{false};
  int before = at::get_num_threads();
  bool unlessChosen = args.at(1) && readBool(args.env, args.at(1), "unlessChosen");
  if (args.at(0)) {
    int64_t count = readInteger(args.env, args.at(0), "threads");
    int64_t most = std::max<int64_t>(64, 4 * static_cast<int64_t>(std::thread::hardware_concurrency()));
    if (count < 1 || count > most) argumentError("threads must be 1.." + std::to_string(most));
    if (!chosen.exchange(true) || !unlessChosen) at::set_num_threads(static_cast<int>(count));
  }
  return makeNumber(args.env, before);
}

napi_value trimMemory(const Args&) {
  trimPool();
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
  return nullptr;
}

napi_value setTf32(const Args& args) {
  bool on = readBool(args.env, args.at(0), "tf32");
  at::globalContext().setAllowTF32CuBLAS(on);
  at::globalContext().setAllowTF32CuDNN(on);
  return nullptr;
}

napi_value setCudnnBenchmark(const Args& args) {
  at::globalContext().setBenchmarkCuDNN(readBool(args.env, args.at(0), "cudnnBenchmark"));
  return nullptr;
}

napi_value setDeterministic(const Args& args) {
  bool on = readBool(args.env, args.at(0), "deterministic");
  // cuBLAS reads this at its first call, and libtorch refuses deterministic products without it.
  if (on) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
  at::globalContext().setDeterministicAlgorithms(on, false);
  at::globalContext().setDeterministicCuDNN(on);
  return nullptr;
}

void requireCuda() {
  if (!torch::cuda::is_available()) throw JsError(JsError::Kind::Error, "ERR_DEVICE", "this libtorch has no CUDA device");
}

napi_value synchronize(const Args& args) {
  int64_t index = args.at(0) ? readInteger(args.env, args.at(0), "device") : -1;
  requireCuda();
  torch::cuda::synchronize(index);
  return nullptr;
}

static uint64_t readSeed(const Args& args, size_t i) {
  return static_cast<uint64_t>(readInteger(args.env, args.at(i), "seed"));
}

napi_value manualSeed(const Args& args) {
  at::manual_seed(readSeed(args, 0));
  return nullptr;
}

napi_value newGenerator(const Args& args) {
  uint64_t seed = readSeed(args, 0);
  return makeNumber(args.env, State::of(args.env).generators.add(at::detail::createCPUGenerator(seed)));
}

napi_value defaultGenerator(const Args& args) {
  c10::Device device(readString(args.env, args.at(0), "device"));
  return makeNumber(args.env, State::of(args.env).generators.add(at::globalContext().defaultGenerator(device)));
}

napi_value freeGenerator(const Args& args) {
  return makeBool(args.env, State::of(args.env).generators.remove(readNumber(args.env, args.at(0), "generator")));
}

napi_value seedGenerator(const Args& args) {
  at::Generator& generator = State::of(args.env).generator(args.env, args.at(0), "generator");
  uint64_t seed = readSeed(args, 1);
  std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed(seed);
  return nullptr;
}

napi_value generatorState(const Args& args) {
  State& state = State::of(args.env);
  at::Generator& generator = state.generator(args.env, args.at(0), "generator");
  std::lock_guard<std::mutex> lock(generator.mutex());
  return state.wrap(args.env, generator.get_state());
}

// libtorch checks `left` (of the 624 words, how many are not drawn, plus one) and `next` (the word to draw) of a Mersenne
// twister's state one by one, but not that they agree: a draw would read beyond the words.
static void checkCpuState(const at::Tensor& bytes) {
  struct {  // how CPUGeneratorImpl's states, old and new, begin
    uint64_t seed;
    int32_t left, seeded;
    uint64_t next;
  } head;
  if (!bytes.device().is_cpu() || bytes.scalar_type() != at::kByte || bytes.nbytes() < sizeof head)
    return;  // libtorch refuses it
  std::memcpy(&head, bytes.data_ptr(), sizeof head);
  if (head.left < 1 || head.left > 624 || head.next > 624 || (head.left != 1 && head.left + head.next > 625))
    argumentError("the bytes are no state of a CPU generator");
}

napi_value setGeneratorState(const Args& args) {
  State& state = State::of(args.env);
  at::Generator& generator = state.generator(args.env, args.at(0), "generator");
  at::Tensor bytes = state.tensor(args.env, args.at(1), "state").contiguous();
  std::lock_guard<std::mutex> lock(generator.mutex());
  if (generator.device().is_cpu()) checkCpuState(bytes);
  generator.set_state(bytes);
  return nullptr;
}

}  // namespace trex
