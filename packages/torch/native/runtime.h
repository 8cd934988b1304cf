// The process: version, devices, threads, processor features, malloc, random generators.
#pragma once

#include "state.h"

namespace trex {

void configureMalloc();                        // at load: keep freed blocks instead of returning them
void requireCuda();                            // throws ERR_DEVICE where there is none

napi_value engineInfo(const Args& args);       // () -> {version, cuda, ..., deterministic}: see EngineInfo in native.ts
napi_value threads(const Args& args);          // (count?, unlessChosen?) -> the count before; chosen: by an earlier call
napi_value trimMemory(const Args& args);       // (): returns free memory to the system
napi_value setTf32(const Args& args);          // (on): CUDA's fp32 matrix products and convolutions
napi_value setCudnnBenchmark(const Args& args);// (on): cuDNN tries its algorithms at the first call of each shape
napi_value setDeterministic(const Args& args); // (on): operators without a deterministic kernel throw
napi_value synchronize(const Args& args);      // (cuda index): waits for the device
napi_value manualSeed(const Args& args);       // (seed): all default generators
napi_value newGenerator(const Args& args);     // (seed) -> CPU generator handle
napi_value defaultGenerator(const Args& args); // (device) -> generator handle
napi_value freeGenerator(const Args& args);    // (generator)
napi_value seedGenerator(const Args& args);    // (generator, seed)
napi_value generatorState(const Args& args);   // (generator) -> tensor handle of bytes
napi_value setGeneratorState(const Args& args);// (generator, tensor handle of bytes)

}  // namespace trex
