// Tensors from and to typed arrays, their metadata and their lifetime.
#pragma once

#include "state.h"

namespace trex {

napi_value fromBytes(const Args& args);     // (view, dtype, shape, share) -> handle
napi_value copyOut(const Args& args);       // (handle, view): tensor -> view, same byte length
napi_value copyIn(const Args& args);        // (handle, view): view -> tensor, same byte length
napi_value moveOut(const Args& args);       // (handle) -> ArrayBuffer without a copy; the handle is gone
napi_value shapeOf(const Args& args);       // (handle) -> number[]
napi_value stridesOf(const Args& args);     // (handle) -> number[]
napi_value dtypeOf(const Args& args);       // (handle) -> number
napi_value deviceOf(const Args& args);      // (handle) -> string
napi_value isContiguous(const Args& args);  // (handle, memoryFormat) -> boolean
napi_value isPinned(const Args& args);      // (handle) -> boolean
napi_value dispose(const Args& args);       // (handle) -> boolean: whether it was live
napi_value disposeAll(const Args& args);    // (handles[])
napi_value account(const Args& args);       // (handle): reports its bytes to V8's garbage collector
napi_value liveTensors(const Args& args);   // () -> number
napi_value itemOf(const Args& args);        // (handle) -> number | bigint | boolean, of a one-element tensor

}  // namespace trex
