// Gradients, gradient mode and autocast.
#pragma once

#include "state.h"

namespace trex {

napi_value backward(const Args& args);        // (outputs[], gradients[] | null, retainGraph)
napi_value gradients(const Args& args);       // (outputs[], inputs[], gradients[] | null, retainGraph, createGraph, allowUnused) -> (handle | null)[]
napi_value requiresGrad(const Args& args);    // (handle) -> boolean
napi_value setRequiresGrad(const Args& args); // (handle, boolean)
napi_value isLeaf(const Args& args);          // (handle) -> boolean
napi_value gradOf(const Args& args);          // (handle) -> handle | null
napi_value setGrad(const Args& args);         // (handle, handle | null)
napi_value gradMode(const Args& args);        // (boolean?) -> the mode before
napi_value autocastState(const Args& args);   // (device) -> [enabled, dtype]
napi_value setAutocast(const Args& args);     // (device, enabled, dtype)
napi_value autocastNesting(const Args& args); // (+1 | -1): leaving the outermost clears the cast cache

}  // namespace trex
