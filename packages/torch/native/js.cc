#include "js.h"

#include <c10/util/Exception.h>

#include <cmath>

namespace trex {

napi_value Args::at(size_t i) const {
  if (i >= count) return nullptr;
  return typeOf(env, values[i]) == napi_undefined ? nullptr : values[i];
}

napi_valuetype typeOf(napi_env env, napi_value value) {
  if (value == nullptr) return napi_undefined;
  napi_valuetype type;
  check(napi_typeof(env, value, &type));
  return type;
}

bool isNullish(napi_env env, napi_value value) {
  napi_valuetype type = typeOf(env, value);
  return type == napi_undefined || type == napi_null;
}

double readNumber(napi_env env, napi_value value, const char* what) {
  double number;
  if (value == nullptr || napi_get_value_double(env, value, &number) != napi_ok)
    argumentError(std::string(what) + " must be a number");
  return number;
}

int64_t readInteger(napi_env env, napi_value value, const char* what) {
  double number;
  if (value != nullptr && napi_get_value_double(env, value, &number) == napi_ok) {
    if (std::trunc(number) != number || std::abs(number) > 9007199254740992.0)  // also NaN, Infinity
      argumentError(std::string(what) + " must be an integer, got " + std::to_string(number));
    return static_cast<int64_t>(number);
  }
  int64_t big;
  bool lossless;
  if (value != nullptr && napi_get_value_bigint_int64(env, value, &big, &lossless) == napi_ok) {
    if (!lossless) argumentError(std::string(what) + " does not fit in 64 bits");
    return big;
  }
  argumentError(std::string(what) + " must be an integer");
}

bool readBool(napi_env env, napi_value value, const char* what) {
  bool flag;
  if (value == nullptr || napi_get_value_bool(env, value, &flag) != napi_ok)
    argumentError(std::string(what) + " must be true or false");
  return flag;
}

std::string readString(napi_env env, napi_value value, const char* what) {
  size_t length;
  if (value == nullptr || napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok)
    argumentError(std::string(what) + " must be a string");
  if (length > (1u << 20)) argumentError(std::string(what) + " is longer than 1 MiB");
  std::string text(length, '\0');
  check(napi_get_value_string_utf8(env, value, &text[0], length + 1, &length));
  return text;
}

uint32_t arrayLength(napi_env env, napi_value value, const char* what) {
  bool isArray = false;
  if (value != nullptr) check(napi_is_array(env, value, &isArray));
  if (!isArray) argumentError(std::string(what) + " must be an array");
  uint32_t length;
  check(napi_get_array_length(env, value, &length));
  if (length > (1u << 24)) argumentError(std::string(what) + " has too many elements");
  return length;
}

std::vector<int64_t> readIntegers(napi_env env, napi_value value, const char* what) {
  uint32_t length = arrayLength(env, value, what);
  std::vector<int64_t> numbers(length);
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    check(napi_get_element(env, value, i, &element));
    numbers[i] = readInteger(env, element, what);
  }
  return numbers;
}

Bytes readBytes(napi_env env, napi_value value, const char* what) {
  Bytes bytes;
  bool is = false;
  napi_value buffer;
  size_t offset, length;
  void* data = nullptr;
  if (value != nullptr) check(napi_is_typedarray(env, value, &is));
  if (is) {
    napi_typedarray_type type;
    check(napi_get_typedarray_info(env, value, &type, &length, &data, &buffer, &offset));
    static constexpr size_t widths[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
    if (static_cast<size_t>(type) >= sizeof widths / sizeof *widths)
      argumentError(std::string(what) + " is a typed array of an unsupported type");
    bytes.length = length * widths[type];
  } else {
    if (value != nullptr) check(napi_is_dataview(env, value, &is));
    if (!is) argumentError(std::string(what) + " must be a typed array");
    check(napi_get_dataview_info(env, value, &length, &data, &buffer, &offset));
    bytes.length = length;
  }
  bytes.data = static_cast<uint8_t*>(data);
  bool isPlainBuffer;
  check(napi_is_arraybuffer(env, buffer, &isPlainBuffer));
  bytes.shared = !isPlainBuffer;
  return bytes;
}

napi_value makeNumber(napi_env env, double value) {
  napi_value result;
  check(napi_create_double(env, value, &result));
  return result;
}

napi_value makeInteger(napi_env env, int64_t value) {
  napi_value result;
  if (value >= -9007199254740991 && value <= 9007199254740991)
    check(napi_create_int64(env, value, &result));
  else
    check(napi_create_bigint_int64(env, value, &result));
  return result;
}

napi_value makeBool(napi_env env, bool value) {
  napi_value result;
  check(napi_get_boolean(env, value, &result));
  return result;
}

napi_value makeString(napi_env env, const std::string& value) {
  napi_value result;
  check(napi_create_string_utf8(env, value.data(), value.size(), &result));
  return result;
}

napi_value makeNull(napi_env env) {
  napi_value result;
  check(napi_get_null(env, &result));
  return result;
}

napi_value makeArray(napi_env env, size_t length) {
  napi_value result;
  check(napi_create_array_with_length(env, length, &result));
  return result;
}

void setElement(napi_env env, napi_value array, uint32_t index, napi_value value) {
  check(napi_set_element(env, array, index, value));
}

static void throwError(napi_env env, JsError::Kind kind, const char* code, const std::string& message) {
  if (kind == JsError::Kind::Type)
    napi_throw_type_error(env, code, message.c_str());
  else if (kind == JsError::Kind::Range)
    napi_throw_range_error(env, code, message.c_str());
  else
    napi_throw_error(env, code, message.c_str());
}

void throwToJs(napi_env env, const std::string& subject) noexcept {
  const std::string prefix = subject.empty() ? "" : subject + ": ";
  try {
    throw;
  } catch (const JsUnavailable&) {
  } catch (const JsError& error) {
    throwError(env, error.kind, error.code, prefix + error.what());
  } catch (const c10::OutOfMemoryError& error) {  // CUDA
    throwError(env, JsError::Kind::Range, "ERR_MEMORY", prefix + error.what_without_backtrace());
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    if (message.find("DefaultCPUAllocator: ") != std::string::npos)  // where the pool (allocator.cc) is not installed
      throwError(env, JsError::Kind::Range, "ERR_MEMORY", prefix + message);
    else
      throwError(env, JsError::Kind::Error, "ERR_TORCH", prefix + message);
  } catch (const std::bad_alloc& error) {
    throwError(env, JsError::Kind::Range, "ERR_MEMORY", prefix + "out of memory: " + error.what());
  } catch (const std::exception& error) {
    throwError(env, JsError::Kind::Error, "ERR_TORCH", prefix + error.what());
  } catch (...) {
    throwError(env, JsError::Kind::Error, "ERR_TORCH", prefix + "unknown C++ exception");
  }
}

}  // namespace trex
