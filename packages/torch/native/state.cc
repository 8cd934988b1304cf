#include "state.h"

#include "boxing.h"

namespace trex {

State::State() = default;
State::~State() = default;

State& State::of(napi_env env) {
  void* data = nullptr;
  check(napi_get_instance_data(env, &data));
  if (data == nullptr) throw JsError(JsError::Kind::Error, "ERR_CLOSED", "the environment is shutting down");
  return *static_cast<State*>(data);
}

static double readHandle(napi_env env, napi_value value, const char* what, const char* kind) {
  double handle;
  if (value == nullptr || napi_get_value_double(env, value, &handle) != napi_ok)
    argumentError(std::string(what) + " must be a " + kind);
  return handle;
}

template <class T, uint64_t kind>
static T& lookUp(HandleTable<T, kind>& table, double handle, const char* what, const char* noun) {
  T* found = table.find(handle);
  if (found) return *found;
  throw JsError(JsError::Kind::Error, "ERR_DISPOSED", std::string(what) + " is a disposed or foreign " + noun);
}

at::Tensor& State::tensor(napi_env env, napi_value value, const char* what) {
  return lookUp(tensors, readHandle(env, value, what, "tensor"), what, "tensor");
}

at::Generator& State::generator(napi_env env, napi_value value, const char* what) {
  return lookUp(generators, readHandle(env, value, what, "generator"), what, "generator");
}

napi_value State::wrap(napi_env env, at::Tensor tensor) {
  if (!tensor.defined()) return makeNull(env);
  double handle = tensors.add(std::move(tensor));
  napi_value result;
  napi_status status = napi_create_double(env, handle, &result);
  if (status != napi_ok) tensors.remove(handle);
  check(status);
  return result;
}

std::vector<at::Tensor> State::tensorList(napi_env env, napi_value value, const char* what) {
  uint32_t length = arrayLength(env, value, what);
  std::vector<at::Tensor> list;
  list.reserve(length);
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    check(napi_get_element(env, value, i, &element));
    list.push_back(tensor(env, element, what));
  }
  return list;
}

}  // namespace trex
