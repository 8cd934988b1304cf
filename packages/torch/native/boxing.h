// Calls any ATen operator through the boxed dispatcher: JS values become IValues by the schema's types.
#pragma once

#include "state.h"

namespace trex {

enum class ArgKind {
  Tensor, TensorList, OptionalTensorList, Int, DType, Layout, MemoryFormat, Float, Bool, Scalar, IntList, FloatList,
  BoolList, ScalarList, OptionalScalarList, String, Device, Generator, Unsupported
};

struct Parameter {
  ArgKind kind;
  bool optional;       // may be null
  int32_t fixedSize;   // of `int[2]`: a single number stands for that many, else 0
  bool written;        // by in-place and out= operators
  std::string name;
  c10::optional<c10::IValue> defaultValue;
};

struct Operator {
  c10::OperatorHandle handle;
  std::string name;
  std::vector<Parameter> parameters;
};

napi_value resolveOperator(const Args& args);  // (name, overload) -> function(...args)
napi_value operatorSchema(const Args& args);   // (name, overload) -> string

}  // namespace trex
