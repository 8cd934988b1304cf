#include "tensor.h"

#include <cstring>

namespace trex {

static at::ScalarType readDtype(napi_env env, napi_value value) {
  int64_t code = readInteger(env, value, "dtype");
  if (code < 0 || code > 127) argumentError("unknown dtype " + std::to_string(code));  // the enum has 8 bits
  switch (static_cast<at::ScalarType>(code)) {
    case at::kByte: case at::kChar: case at::kShort: case at::kInt: case at::kLong: case at::kHalf:
    case at::kFloat: case at::kDouble: case at::kBool: case at::kBFloat16:
      return static_cast<at::ScalarType>(code);
    default: argumentError("unknown dtype " + std::to_string(code));
  }
}

// The product of the sizes times the item size, refusing negatives and overflow.
static size_t byteLength(const std::vector<int64_t>& shape, at::ScalarType dtype) {
  if (shape.size() > 64) argumentError("shape has more than 64 dimensions");
  size_t bytes = c10::elementSize(dtype);
  for (int64_t size : shape) {
    if (size < 0) argumentError("shape has a negative size");
    if (__builtin_mul_overflow(bytes, static_cast<size_t>(size), &bytes)) argumentError("shape is too large");
  }
  return bytes;
}

static void releaseLent(napi_env env, LentBuffers& lent) {
  std::vector<napi_ref> refs;
  {
    std::lock_guard<std::mutex> lock(lent.mutex);
    refs.swap(lent.returned);
  }
  for (napi_ref ref : refs) napi_delete_reference(env, ref);
}

napi_value fromBytes(const Args& args) {
  napi_env env = args.env;
  State& state = State::of(env);
  releaseLent(env, *state.lent);
  at::ScalarType dtype = readDtype(env, args.at(1));
  std::vector<int64_t> shape = readIntegers(env, args.at(2), "shape");
  bool share = args.at(3) && readBool(env, args.at(3), "share");
  Bytes bytes = readBytes(env, args.at(0), "data");
  if (bytes.length != byteLength(shape, dtype))
    argumentError("data holds " + std::to_string(bytes.length) + " bytes, the shape needs " +
                  std::to_string(byteLength(shape, dtype)));
  auto options = at::TensorOptions().dtype(dtype);
  if (!share || bytes.length == 0) {
    at::Tensor tensor = at::empty(shape, options);
    if (bytes.length) std::memcpy(tensor.data_ptr(), bytes.data, bytes.length);
    return state.wrap(env, std::move(tensor));
  }
  if (!bytes.shared)
    argumentError("only memory of a SharedArrayBuffer can be shared: an ArrayBuffer may be detached under the tensor");
  if (reinterpret_cast<uintptr_t>(bytes.data) % c10::elementSize(dtype) != 0) argumentError("data is not aligned");
  napi_ref ref;
  check(napi_create_reference(env, args.at(0), 1, &ref));
  std::shared_ptr<LentBuffers> lent = state.lent;
  auto giveBack = [lent, ref](void*) {
    std::lock_guard<std::mutex> lock(lent->mutex);
    lent->returned.push_back(ref);
  };
  at::Tensor tensor = at::from_blob(bytes.data, shape, giveBack, options);
  tensor.storage().unsafeGetStorageImpl()->set_resizable(false);
  return state.wrap(env, std::move(tensor));
}

static void requireBytes(const at::Tensor& tensor, const Bytes& bytes) {
  if (tensor.nbytes() != bytes.length)
    argumentError("the view holds " + std::to_string(bytes.length) + " bytes, the tensor " +
                  std::to_string(tensor.nbytes()));
}

napi_value copyOut(const Args& args) {
  at::NoGradGuard noGrad;
  at::Tensor tensor = State::of(args.env).tensor(args.env, args.at(0), "tensor");
  at::Tensor dense = tensor.detach().to(at::kCPU).contiguous().resolve_conj().resolve_neg();
  Bytes bytes = readBytes(args.env, args.at(1), "view");
  requireBytes(dense, bytes);
  if (bytes.length) std::memcpy(bytes.data, dense.data_ptr(), bytes.length);
  return nullptr;
}

napi_value copyIn(const Args& args) {
  at::NoGradGuard noGrad;
  at::Tensor tensor = State::of(args.env).tensor(args.env, args.at(0), "tensor");
  Bytes bytes = readBytes(args.env, args.at(1), "view");
  requireBytes(tensor, bytes);
  if (bytes.length) tensor.copy_(at::from_blob(bytes.data, tensor.sizes(), at::TensorOptions().dtype(tensor.scalar_type())));
  return nullptr;
}

napi_value moveOut(const Args& args) {
  napi_env env = args.env;
  State& state = State::of(env);
  at::Tensor& tensor = state.tensor(env, args.at(0), "tensor");
  if (!tensor.device().is_cpu() || !tensor.is_contiguous() || tensor.requires_grad() || tensor.use_count() != 1 ||
      !tensor.has_storage() || tensor.storage().use_count() != 1 || tensor.is_conj() || tensor.is_neg())
    argumentError("only a contiguous CPU tensor that nothing else refers to can be moved out");
  napi_value buffer;
  if (tensor.nbytes() == 0) {  // an external buffer without memory would count as detached
    void* none;
    check(napi_create_arraybuffer(env, 0, &none, &buffer));
    state.tensors.remove(readNumber(env, args.at(0), "tensor"));
    return buffer;
  }
  auto* owner = new at::Tensor(tensor);
  napi_status status = napi_create_external_arraybuffer(
      env, owner->data_ptr(), owner->nbytes(),
      [](napi_env, void*, void* hint) { delete static_cast<at::Tensor*>(hint); }, owner, &buffer);
  if (status != napi_ok) delete owner;
  check(status);
  state.tensors.remove(readNumber(env, args.at(0), "tensor"));
  return buffer;
}

static napi_value numbers(napi_env env, at::IntArrayRef values) {
  napi_value array = makeArray(env, values.size());
  for (size_t i = 0; i < values.size(); i++) setElement(env, array, static_cast<uint32_t>(i), makeInteger(env, values[i]));
  return array;
}

static at::Tensor& theTensor(const Args& args) {
  return State::of(args.env).tensor(args.env, args.at(0), "tensor");
}

napi_value shapeOf(const Args& args) { return numbers(args.env, theTensor(args).sizes()); }
napi_value stridesOf(const Args& args) { return numbers(args.env, theTensor(args).strides()); }
napi_value dtypeOf(const Args& args) { return makeNumber(args.env, static_cast<int>(theTensor(args).scalar_type())); }
napi_value deviceOf(const Args& args) { return makeString(args.env, theTensor(args).device().str()); }
napi_value isPinned(const Args& args) { return makeBool(args.env, theTensor(args).is_pinned()); }

napi_value isContiguous(const Args& args) {
  int64_t format = args.at(1) ? readInteger(args.env, args.at(1), "memoryFormat") : 0;
  if (format < 0 || format > 3) argumentError("unknown memory format " + std::to_string(format));
  return makeBool(args.env, theTensor(args).is_contiguous(static_cast<at::MemoryFormat>(format)));
}

napi_value itemOf(const Args& args) {
  at::Tensor& tensor = theTensor(args);
  if (tensor.numel() != 1) argumentError("a tensor of " + std::to_string(tensor.numel()) + " elements has no single value");
  at::Scalar scalar = tensor.item();
  if (scalar.isBoolean()) return makeBool(args.env, scalar.toBool());
  if (scalar.isIntegral(false)) return makeInteger(args.env, scalar.toLong());
  return makeNumber(args.env, scalar.toDouble());
}

static bool disposeOne(napi_env env, State& state, double handle) {
  int64_t* accounted = state.tensors.accounted(handle);
  if (accounted == nullptr) return false;
  if (*accounted != 0) {
    int64_t total;
    napi_adjust_external_memory(env, -*accounted, &total);
  }
  return state.tensors.remove(handle);
}

napi_value dispose(const Args& args) {
  return makeBool(args.env, disposeOne(args.env, State::of(args.env), readNumber(args.env, args.at(0), "handle")));
}

napi_value disposeAll(const Args& args) {
  State& state = State::of(args.env);
  uint32_t length = arrayLength(args.env, args.at(0), "handles");
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    check(napi_get_element(args.env, args.at(0), i, &element));
    disposeOne(args.env, state, readNumber(args.env, element, "handle"));
  }
  return nullptr;
}

napi_value account(const Args& args) {
  State& state = State::of(args.env);
  at::Tensor& tensor = state.tensor(args.env, args.at(0), "tensor");
  int64_t* accounted = state.tensors.accounted(readNumber(args.env, args.at(0), "tensor"));
  if (*accounted != 0 || !tensor.device().is_cpu() || !tensor.has_storage()) return nullptr;
  int64_t bytes = static_cast<int64_t>(tensor.nbytes()), total;
  check(napi_adjust_external_memory(args.env, bytes, &total));
  *accounted = bytes;
  return nullptr;
}

napi_value liveTensors(const Args& args) {
  return makeNumber(args.env, static_cast<double>(State::of(args.env).tensors.live()));
}

}  // namespace trex
