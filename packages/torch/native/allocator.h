// Memory of large tensors, kept by the process from one training step to the next.
#pragma once

#include <cstddef>

namespace trex {

// Makes libtorch take large CPU tensors from one reserved range of addresses; once a process, before the first tensor.
// False where the system refuses the range (libtorch's own allocator then stays) and outside Linux.
bool installPool();

// Returns the pool's free memory to the system; the addresses stay reserved.
void trimPool();

}  // namespace trex
