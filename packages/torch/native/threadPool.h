// libuv's thread pool, where images are decoded: it can give way to the threads that compute.
#pragma once

#include "js.h"

namespace trex {

napi_value lowerThreadPool(const Args& args);  // (nice 0..19): on Linux; elsewhere nothing happens

}  // namespace trex
