#include "boxing.h"

#include <ATen/core/jit_type.h>
#include <ATen/core/stack.h>

#include <cmath>

#include "runtime.h"

namespace trex {

static ArgKind listKind(const c10::TypePtr& element) {
  switch (element->kind()) {
    case c10::TypeKind::TensorType: return ArgKind::TensorList;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: return ArgKind::IntList;
    case c10::TypeKind::FloatType: return ArgKind::FloatList;
    case c10::TypeKind::BoolType: return ArgKind::BoolList;
    case c10::TypeKind::NumberType: return ArgKind::ScalarList;
    case c10::TypeKind::OptionalType:
      switch (element->castRaw<c10::OptionalType>()->getElementType()->kind()) {
        case c10::TypeKind::TensorType: return ArgKind::OptionalTensorList;
        case c10::TypeKind::NumberType: return ArgKind::OptionalScalarList;
        default: return ArgKind::Unsupported;
      }
    default: return ArgKind::Unsupported;
  }
}

static ArgKind kindOf(const c10::TypePtr& type) {
  switch (type->kind()) {
    case c10::TypeKind::TensorType: return ArgKind::Tensor;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: return ArgKind::Int;
    case c10::TypeKind::ScalarTypeType: return ArgKind::DType;
    case c10::TypeKind::LayoutType: return ArgKind::Layout;
    case c10::TypeKind::MemoryFormatType: return ArgKind::MemoryFormat;
    case c10::TypeKind::FloatType: return ArgKind::Float;
    case c10::TypeKind::BoolType: return ArgKind::Bool;
    case c10::TypeKind::NumberType: return ArgKind::Scalar;
    case c10::TypeKind::StringType: return ArgKind::String;
    case c10::TypeKind::DeviceObjType: return ArgKind::Device;
    case c10::TypeKind::GeneratorType: return ArgKind::Generator;
    case c10::TypeKind::ListType: return listKind(type->castRaw<c10::ListType>()->getElementType());
    default: return ArgKind::Unsupported;
  }
}

static Parameter parameterOf(const c10::Argument& argument) {
  c10::TypePtr type = argument.real_type();  // an enum is an int in type()
  bool optional = type->kind() == c10::TypeKind::OptionalType;
  if (optional) type = type->castRaw<c10::OptionalType>()->getElementType();
  return {kindOf(type), optional, argument.N() ? *argument.N() : 0,
          argument.alias_info() && argument.alias_info()->isWrite(), argument.name(), argument.default_value()};
}

static at::Scalar readScalar(napi_env env, napi_value value, const char* what) {
  switch (typeOf(env, value)) {
    case napi_boolean: return at::Scalar(readBool(env, value, what));
    case napi_bigint: return at::Scalar(readInteger(env, value, what));
    case napi_number: {
      double number = readNumber(env, value, what);
      bool whole = std::trunc(number) == number && std::abs(number) <= 9007199254740992.0;
      if (whole && !(number == 0 && std::signbit(number))) return at::Scalar(static_cast<int64_t>(number));
      return at::Scalar(number);
    }
    default: argumentError(std::string(what) + " must be a number, bigint or boolean");
  }
}

template <class T, class Read>
static c10::List<T> readList(napi_env env, napi_value value, const char* what, Read read) {
  uint32_t length = arrayLength(env, value, what);
  c10::List<T> list;
  list.reserve(length);
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    check(napi_get_element(env, value, i, &element));
    list.push_back(read(element));
  }
  return list;
}

// An enum's number; libtorch indexes tables with it unchecked.
template <class Enum>
static int64_t readEnum(napi_env env, napi_value value, const char* what) {
  int64_t code = readInteger(env, value, what);
  if (code < 0 || code >= static_cast<int64_t>(Enum::NumOptions))
    argumentError(std::string(what) + " has no option " + std::to_string(code));
  return code;
}

static c10::IValue readIntList(napi_env env, napi_value value, const Parameter& p, const char* what) {
  if (p.fixedSize > 0 && typeOf(env, value) == napi_number) {
    std::vector<int64_t> repeated(p.fixedSize, readInteger(env, value, what));
    return c10::IValue(repeated);
  }
  return c10::IValue(readIntegers(env, value, what));
}

static c10::Device readDevice(napi_env env, napi_value value, const char* what) {
  c10::Device device(readString(env, value, what));
  if (device.is_cuda()) requireCuda();
  return device;
}

static c10::IValue toIValue(napi_env env, State& state, napi_value value, const Parameter& p) {
  const char* what = p.name.c_str();
  if (isNullish(env, value)) {
    if (value == nullptr || typeOf(env, value) == napi_undefined) {
      if (p.defaultValue) return *p.defaultValue;
      if (!p.optional) argumentError("missing argument '" + p.name + "'");
    }
    if (!p.optional) argumentError("argument '" + p.name + "' must not be null");
    return c10::IValue();
  }
  switch (p.kind) {
    case ArgKind::Tensor: return state.tensor(env, value, what);
    case ArgKind::TensorList:
      return readList<at::Tensor>(env, value, what, [&](napi_value e) { return state.tensor(env, e, what); });
    case ArgKind::OptionalTensorList:
      return readList<c10::optional<at::Tensor>>(env, value, what, [&](napi_value e) {
        return isNullish(env, e) ? c10::optional<at::Tensor>() : c10::make_optional(state.tensor(env, e, what));
      });
    case ArgKind::Int: return readInteger(env, value, what);
    case ArgKind::DType: return readEnum<at::ScalarType>(env, value, what);
    case ArgKind::Layout: return readEnum<at::Layout>(env, value, what);
    case ArgKind::MemoryFormat: return readEnum<at::MemoryFormat>(env, value, what);
    case ArgKind::Float: return readNumber(env, value, what);
    case ArgKind::Bool: return readBool(env, value, what);
    case ArgKind::Scalar: return readScalar(env, value, what);
    case ArgKind::IntList: return readIntList(env, value, p, what);
    case ArgKind::FloatList:
      return readList<double>(env, value, what, [&](napi_value e) { return readNumber(env, e, what); });
    case ArgKind::BoolList:
      return readList<bool>(env, value, what, [&](napi_value e) { return readBool(env, e, what); });
    case ArgKind::ScalarList:
      return readList<at::Scalar>(env, value, what, [&](napi_value e) { return readScalar(env, e, what); });
    case ArgKind::OptionalScalarList:
      return readList<c10::optional<at::Scalar>>(env, value, what, [&](napi_value e) {
        return isNullish(env, e) ? c10::optional<at::Scalar>() : c10::make_optional(readScalar(env, e, what));
      });
    case ArgKind::String: return readString(env, value, what);
    case ArgKind::Device: return readDevice(env, value, what);
    case ArgKind::Generator: return state.generator(env, value, what);
    case ArgKind::Unsupported: break;
  }
  argumentError("argument '" + p.name + "' has a type that cannot be given from JS");
}

static napi_value toJs(napi_env env, State& state, c10::IValue&& value) {
  if (value.isTensor()) return state.wrap(env, std::move(value).toTensor());
  if (value.isNone()) return makeNull(env);
  if (value.isInt()) return makeInteger(env, value.toInt());
  if (value.isDouble()) return makeNumber(env, value.toDouble());
  if (value.isBool()) return makeBool(env, value.toBool());
  if (value.isString()) return makeString(env, value.toStringRef());
  if (value.isDevice()) return makeString(env, value.toDevice().str());
  if (value.isList()) {
    c10::ArrayRef<c10::IValue> items = value.toListRef();
    napi_value array = makeArray(env, items.size());
    for (size_t i = 0; i < items.size(); i++)
      setElement(env, array, static_cast<uint32_t>(i), toJs(env, state, c10::IValue(items[i])));
    return array;
  }
  throw JsError(JsError::Kind::Type, "ERR_ARGUMENT", "a result of type " + value.tagKind() + " has no JS form");
}

// The sizes of tensors that an operator writes. A resize that fails (no memory, or memory lent by JS) leaves
// the new sizes over the old memory, through which anything in the process could be read: `restore` undoes that.
class WrittenTensors {
 public:
  void add(const c10::IValue& value) {
    if (value.isTensor()) {
      add(value.toTensor());
    } else if (value.isTensorList()) {
      for (const at::Tensor& tensor : value.toTensorVector()) add(tensor);
    }
  }
  void restore() const {
    for (const Saved& saved : list_) {
      const at::Tensor& tensor = saved.tensor;
      c10::TensorImpl* impl = tensor.unsafeGetTensorImpl();
      if (!tensor.storage().is_alias_of(saved.storage)) impl->set_storage_keep_dtype(saved.storage);
      if (!tensor.sizes().equals(saved.sizes) || !tensor.strides().equals(saved.strides))
        impl->set_sizes_and_strides(saved.sizes, saved.strides, saved.offset);
    }
  }

 private:
  struct Saved {
    at::Tensor tensor;
    at::Storage storage;
    c10::SmallVector<int64_t, 5> sizes, strides;
    int64_t offset;
  };
  void add(const at::Tensor& tensor) {
    if (!tensor.defined() || tensor.layout() != at::kStrided || !tensor.has_storage()) return;
    at::IntArrayRef sizes = tensor.sizes(), strides = tensor.strides();
    list_.push_back({tensor, tensor.storage(), {sizes.begin(), sizes.end()}, {strides.begin(), strides.end()},
                     tensor.storage_offset()});
  }
  c10::SmallVector<Saved, 1> list_;
};

static napi_value callOperator(const Args& args, Operator& op) {
  napi_env env = args.env;
  State& state = State::of(env);
  if (args.count > op.parameters.size())
    argumentError("takes " + std::to_string(op.parameters.size()) + " arguments, got " + std::to_string(args.count));
  torch::jit::Stack stack;
  stack.reserve(op.parameters.size() + 1);
  for (size_t i = 0; i < op.parameters.size(); i++)
    stack.push_back(toIValue(env, state, i < args.count ? args.values[i] : nullptr, op.parameters[i]));
  WrittenTensors written;
  for (size_t i = 0; i < op.parameters.size(); i++)
    if (op.parameters[i].written) written.add(stack[i]);
  // An in-place operator returns its first argument: the caller gets the handle it already has. Others may return
  // theirs too (`contiguous`): that is a second handle, so that each is disposed for itself.
  const bool inPlace = !stack.empty() && op.parameters[0].written && stack[0].isTensor();
  const c10::TensorImpl* self = inPlace ? stack[0].toTensor().unsafeGetTensorImpl() : nullptr;
  try {
    op.handle.callBoxed(stack);
  } catch (...) {
    written.restore();
    throw;
  }
  if (stack.empty()) return nullptr;
  if (stack.size() == 1) {
    if (self && stack[0].isTensor() && stack[0].toTensor().unsafeGetTensorImpl() == self) return args.values[0];
    return toJs(env, state, std::move(stack[0]));
  }
  napi_value array = makeArray(env, stack.size());
  for (size_t i = 0; i < stack.size(); i++)
    setElement(env, array, static_cast<uint32_t>(i), toJs(env, state, std::move(stack[i])));
  return array;
}

static napi_value onCall(napi_env env, napi_callback_info info) noexcept {
  void* data = nullptr;
  try {
    Args args(env, info);
    data = args.data;
    return callOperator(args, *static_cast<Operator*>(args.data));
  } catch (...) {
    throwToJs(env, data ? static_cast<Operator*>(data)->name : "");
    return nullptr;
  }
}

static c10::OperatorHandle findOperator(const Args& args, std::string& name) {
  name = readString(args.env, args.at(0), "name");
  std::string overload = args.at(1) ? readString(args.env, args.at(1), "overload") : "";
  c10::optional<c10::OperatorHandle> found = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!overload.empty()) name += "." + overload;
  if (!found) throw JsError(JsError::Kind::Error, "ERR_OPERATOR", "libtorch has no operator " + name);
  return *found;
}

napi_value resolveOperator(const Args& args) {
  std::string name;
  c10::OperatorHandle handle = findOperator(args, name);
  State& state = State::of(args.env);
  auto op = std::make_unique<Operator>(Operator{handle, name, {}});
  for (const c10::Argument& argument : handle.schema().arguments()) op->parameters.push_back(parameterOf(argument));
  if (op->parameters.size() > Args::max) argumentError(name + " has too many parameters");
  napi_value function;
  check(napi_create_function(args.env, name.c_str(), name.size(), onCall, op.get(), &function));
  state.operators.push_back(std::move(op));
  return function;
}

napi_value operatorSchema(const Args& args) {
  std::string name;
  std::ostringstream text;
  text << findOperator(args, name).schema();
  return makeString(args.env, text.str());
}

}  // namespace trex
