// The list of all that the addon exports. Each function validates its arguments and throws JS errors.
#include "allocator.h"
#include "autograd.h"
#include "boxing.h"
#include "runtime.h"
#include "tensor.h"
#include "threadPool.h"

namespace trex {

struct Export {
  const char* name;
  napi_callback callback;
};

#define EXPORT(name, function) {name, guarded<function>}

static const Export exports[] = {
    // boxing.cc
    EXPORT("resolve", resolveOperator),
    EXPORT("schema", operatorSchema),
    // tensor.cc
    EXPORT("fromBytes", fromBytes),
    EXPORT("copyOut", copyOut),
    EXPORT("copyIn", copyIn),
    EXPORT("moveOut", moveOut),
    EXPORT("shape", shapeOf),
    EXPORT("strides", stridesOf),
    EXPORT("dtype", dtypeOf),
    EXPORT("device", deviceOf),
    EXPORT("isContiguous", isContiguous),
    EXPORT("isPinned", isPinned),
    EXPORT("item", itemOf),
    EXPORT("dispose", dispose),
    EXPORT("disposeAll", disposeAll),
    EXPORT("account", account),
    EXPORT("liveTensors", liveTensors),
    // autograd.cc
    EXPORT("backward", backward),
    EXPORT("gradients", gradients),
    EXPORT("requiresGrad", requiresGrad),
    EXPORT("setRequiresGrad", setRequiresGrad),
    EXPORT("isLeaf", isLeaf),
    EXPORT("grad", gradOf),
    EXPORT("setGrad", setGrad),
    EXPORT("gradMode", gradMode),
    EXPORT("autocastState", autocastState),
    EXPORT("setAutocast", setAutocast),
    EXPORT("autocastNesting", autocastNesting),
    // runtime.cc
    EXPORT("engineInfo", engineInfo),
    EXPORT("threads", threads),
    EXPORT("trimMemory", trimMemory),
    EXPORT("setTf32", setTf32),
    EXPORT("setCudnnBenchmark", setCudnnBenchmark),
    EXPORT("setDeterministic", setDeterministic),
    EXPORT("synchronize", synchronize),
    EXPORT("manualSeed", manualSeed),
    EXPORT("newGenerator", newGenerator),
    EXPORT("defaultGenerator", defaultGenerator),
    EXPORT("freeGenerator", freeGenerator),
    EXPORT("seedGenerator", seedGenerator),
    EXPORT("generatorState", generatorState),
    EXPORT("setGeneratorState", setGeneratorState),
    // threadPool.cc
    EXPORT("lowerThreadPool", lowerThreadPool),
};

static napi_value initialise(napi_env env, napi_value target) noexcept {
  try {
    configureMalloc();
    installPool();
    check(napi_set_instance_data(
        env, new State(), [](napi_env, void* data, void*) { delete static_cast<State*>(data); }, nullptr));
    for (const Export& entry : exports) {
      napi_value function;
      check(napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.callback, nullptr, &function));
      check(napi_set_named_property(env, target, entry.name, function));
    }
    return target;
  } catch (...) {
    throwToJs(env, "loading the addon");
    return nullptr;
  }
}

}  // namespace trex

extern "C" NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value target) {
  return trex::initialise(env, target);
}

extern "C" NAPI_MODULE_EXPORT int32_t node_api_module_get_api_version_v1(void) { return 8; }
