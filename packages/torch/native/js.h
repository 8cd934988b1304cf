// The little of Node-API that the addon needs, with every status checked.
// Plain C Node-API rather than node-addon-api: a failed call inside a terminating worker must become a
// quiet return, never the fatal error that a C++ wrapper raises (docs/decisions/0002-plain-node-api.md).
#pragma once

#include <node_api.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace trex {

// A JS exception to throw: `code` becomes error.code.
struct JsError : std::runtime_error {
  enum class Kind { Type, Range, Error };
  JsError(Kind kind, const char* code, const std::string& message)
      : std::runtime_error(message), kind(kind), code(code) {}
  Kind kind;
  const char* code;
};

// JS cannot run any more (an exception is pending or the worker is terminating): unwind silently.
struct JsUnavailable {};

[[noreturn]] inline void argumentError(const std::string& message) {
  throw JsError(JsError::Kind::Type, "ERR_ARGUMENT", message);
}

inline void check(napi_status status) {
  if (status == napi_ok) return;
  if (status == napi_pending_exception || status == napi_cannot_run_js || status == napi_closing)
    throw JsUnavailable{};
  throw JsError(JsError::Kind::Error, "ERR_NAPI", "Node-API call failed with status " + std::to_string(status));
}

// The arguments of one call.
struct Args {
  static constexpr size_t max = 40;
  napi_env env;
  size_t count = max;
  napi_value values[max];
  void* data = nullptr;

  Args(napi_env env, napi_callback_info info) : env(env) {
    check(napi_get_cb_info(env, info, &count, values, nullptr, &data));
    if (count > max) count = max;
  }
  // The i-th argument, or nullptr when it was not given or is undefined.
  napi_value at(size_t i) const;
};

napi_valuetype typeOf(napi_env env, napi_value value);
bool isNullish(napi_env env, napi_value value);  // also true for nullptr

// Readers: each throws a TypeError naming `what` when the value has another type.
double readNumber(napi_env env, napi_value value, const char* what);
int64_t readInteger(napi_env env, napi_value value, const char* what);  // number or bigint
bool readBool(napi_env env, napi_value value, const char* what);
std::string readString(napi_env env, napi_value value, const char* what);
std::vector<int64_t> readIntegers(napi_env env, napi_value value, const char* what);
uint32_t arrayLength(napi_env env, napi_value value, const char* what);

// The bytes of a typed array, DataView or Buffer; valid until JS runs again.
struct Bytes {
  uint8_t* data = nullptr;
  size_t length = 0;
  bool shared = false;  // backed by a SharedArrayBuffer, whose memory cannot be detached
};
Bytes readBytes(napi_env env, napi_value value, const char* what);

napi_value makeNumber(napi_env env, double value);
napi_value makeInteger(napi_env env, int64_t value);  // bigint beyond 2^53
napi_value makeBool(napi_env env, bool value);
napi_value makeString(napi_env env, const std::string& value);
napi_value makeNull(napi_env env);
napi_value makeArray(napi_env env, size_t length);
void setElement(napi_env env, napi_value array, uint32_t index, napi_value value);

// Turns whatever `body` throws into a JS exception; `subject` prefixes libtorch's messages.
void throwToJs(napi_env env, const std::string& subject) noexcept;

// Wraps a native function so that no C++ exception ever reaches Node.
template <napi_value (*body)(const Args&)>
napi_value guarded(napi_env env, napi_callback_info info) noexcept {
  try {
    Args args(env, info);
    return body(args);
  } catch (...) {
    throwToJs(env, "");
    return nullptr;
  }
}

}  // namespace trex
