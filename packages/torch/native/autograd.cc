#include "autograd.h"

#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

namespace trex {

static bool flag(const Args& args, size_t i, const char* what) {
  return args.at(i) && readBool(args.env, args.at(i), what);
}

static std::vector<at::Tensor> outputGradients(const Args& args, State& state, size_t i) {
  if (isNullish(args.env, args.at(i))) return {};
  return state.tensorList(args.env, args.at(i), "gradients");
}

napi_value backward(const Args& args) {
  State& state = State::of(args.env);
  auto outputs = state.tensorList(args.env, args.at(0), "outputs");
  auto grads = outputGradients(args, state, 1);
  torch::autograd::backward(outputs, grads, flag(args, 2, "retainGraph"));
  return nullptr;
}

napi_value gradients(const Args& args) {
  State& state = State::of(args.env);
  auto outputs = state.tensorList(args.env, args.at(0), "outputs");
  auto inputs = state.tensorList(args.env, args.at(1), "inputs");
  auto grads = outputGradients(args, state, 2);
  bool createGraph = flag(args, 4, "createGraph");
  auto results = torch::autograd::grad(outputs, inputs, grads, flag(args, 3, "retainGraph") || createGraph, createGraph,
                                       flag(args, 5, "allowUnused"));
  napi_value array = makeArray(args.env, results.size());
  for (size_t i = 0; i < results.size(); i++)
    setElement(args.env, array, static_cast<uint32_t>(i), state.wrap(args.env, std::move(results[i])));
  return array;
}

static at::Tensor& theTensor(const Args& args) {
  return State::of(args.env).tensor(args.env, args.at(0), "tensor");
}

napi_value requiresGrad(const Args& args) { return makeBool(args.env, theTensor(args).requires_grad()); }
napi_value isLeaf(const Args& args) { return makeBool(args.env, theTensor(args).is_leaf()); }

napi_value setRequiresGrad(const Args& args) {
  at::Tensor& tensor = theTensor(args);
  bool wanted = readBool(args.env, args.at(1), "requiresGrad");
  TORCH_CHECK(wanted || tensor.is_leaf(), "requiresGrad can be cleared only of a leaf; detach() gives a tensor without it");
  tensor.set_requires_grad(wanted);
  return nullptr;
}

napi_value gradOf(const Args& args) {
  at::Tensor& tensor = theTensor(args);
  return tensor.is_leaf() ? State::of(args.env).wrap(args.env, tensor.grad()) : makeNull(args.env);
}

napi_value setGrad(const Args& args) {
  at::Tensor& tensor = theTensor(args);
  at::Tensor grad;
  if (!isNullish(args.env, args.at(1))) {
    grad = State::of(args.env).tensor(args.env, args.at(1), "grad");
    TORCH_CHECK(grad.sizes() == tensor.sizes(), "the gradient's shape differs from the tensor's");
    TORCH_CHECK(grad.device() == tensor.device(), "the gradient is on another device than the tensor");
    TORCH_CHECK(grad.scalar_type() == tensor.scalar_type(), "the gradient's dtype differs from the tensor's");
    TORCH_CHECK(grad.unsafeGetTensorImpl() != tensor.unsafeGetTensorImpl(), "a tensor cannot be its own gradient");
  }
  tensor.mutable_grad() = grad;
  return nullptr;
}

napi_value gradMode(const Args& args) {
  bool before = at::GradMode::is_enabled();
  if (args.at(0)) at::GradMode::set_enabled(readBool(args.env, args.at(0), "enabled"));
  return makeBool(args.env, before);
}

static c10::DeviceType readAutocastDevice(const Args& args) {
  c10::DeviceType type = c10::Device(readString(args.env, args.at(0), "device")).type();
  if (type != c10::kCPU && type != c10::kCUDA) argumentError("autocast knows the devices cpu and cuda");
  return type;
}

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
static bool autocastEnabled(c10::DeviceType type) { return at::autocast::is_autocast_enabled(type); }
static at::ScalarType autocastDtype(c10::DeviceType type) { return at::autocast::get_autocast_dtype(type); }
static void applyAutocast(c10::DeviceType type, bool enabled, at::ScalarType dtype) {
  at::autocast::set_autocast_enabled(type, enabled);
  at::autocast::set_autocast_dtype(type, dtype);
}
#else
static bool autocastEnabled(c10::DeviceType type) {
  return type == c10::kCPU ? at::autocast::is_cpu_enabled() : at::autocast::is_enabled();
}
static at::ScalarType autocastDtype(c10::DeviceType type) {
  return type == c10::kCPU ? at::autocast::get_autocast_cpu_dtype() : at::autocast::get_autocast_gpu_dtype();
}
static void applyAutocast(c10::DeviceType type, bool enabled, at::ScalarType dtype) {
  if (type == c10::kCPU) {
    at::autocast::set_cpu_enabled(enabled);
    at::autocast::set_autocast_cpu_dtype(dtype);
  } else {
    at::autocast::set_enabled(enabled);
    at::autocast::set_autocast_gpu_dtype(dtype);
  }
}
#endif

napi_value autocastState(const Args& args) {
  c10::DeviceType type = readAutocastDevice(args);
  napi_value array = makeArray(args.env, 2);
  setElement(args.env, array, 0, makeBool(args.env, autocastEnabled(type)));
  setElement(args.env, array, 1, makeNumber(args.env, static_cast<int>(autocastDtype(type))));
  return array;
}

napi_value setAutocast(const Args& args) {
  c10::DeviceType type = readAutocastDevice(args);
  bool enabled = readBool(args.env, args.at(1), "enabled");
  int64_t dtype = readInteger(args.env, args.at(2), "dtype");
  if (dtype != static_cast<int64_t>(at::kBFloat16) && dtype != static_cast<int64_t>(at::kHalf))
    argumentError("autocast casts to bfloat16 or float16");
  applyAutocast(type, enabled, static_cast<at::ScalarType>(dtype));
  return nullptr;
}

napi_value autocastNesting(const Args& args) {
  int64_t step = readInteger(args.env, args.at(0), "step");
  if (step == 1) {
    at::autocast::increment_nesting();
  } else if (step == -1) {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  } else {
    argumentError("step must be 1 or -1");
  }
  return nullptr;
}

}  // namespace trex
