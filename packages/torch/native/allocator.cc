#include "allocator.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace trex {

static constexpr size_t alignment = 64;
static constexpr size_t largeBytes = 1 << 16;

// What madvise works on: blocks are whole pages, so that none loses bytes to its neighbour's release.
static size_t pageBytes() {
#if defined(__linux__)
  static const size_t bytes = std::max<size_t>(4096, sysconf(_SC_PAGESIZE));
  return bytes;
#else
  return 4096;
#endif
}

static size_t wholePages(size_t bytes) { return (bytes + pageBytes() - 1) / pageBytes() * pageBytes(); }

// js.cc makes ERR_MEMORY of it.
class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(size_t bytes) : message_(std::to_string(bytes) + " bytes were asked for") {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

// A range of addresses cut into blocks: the smallest free block that is large enough is taken, and neighbouring free
// blocks are joined. Memory once touched is kept, in huge pages where the system has them.
class Pool {
 public:
  // Addresses cost nothing: there are several times as many as memory, so that holes never use them up.
  bool reserve(size_t memory) {
#if defined(__linux__)
    size_t size = 4 * memory;
    void* range = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) return false;
    madvise(range, size, MADV_HUGEPAGE);
    base_ = static_cast<char*>(range);
    size_ = size;
    memory_ = memory;
    addFree(0, size);
    return true;
#else
    return false;
#endif
  }

  bool owns(const void* pointer) const {
    auto address = static_cast<const char*>(pointer);
    return address >= base_ && address < base_ + size_;
  }

  // nullptr when the machine has less memory than that, or no free block is large enough.
  void* take(size_t bytes) {
    if (bytes > memory_) return nullptr;
    size_t length = wholePages(bytes);
    std::lock_guard<std::mutex> lock(mutex_);
    auto best = bySize_.lower_bound({length, 0});
    if (best == bySize_.end()) return nullptr;
    auto [free, offset] = *best;
    removeFree(offset, free);
    if (free > length) addFree(offset + length, free - length);
    used_.emplace(offset, length);
    touched_ = std::max(touched_, offset + length);
    return base_ + offset;
  }

  void giveBack(void* pointer) {
    size_t offset = static_cast<char*>(pointer) - base_;
    std::lock_guard<std::mutex> lock(mutex_);
    auto block = used_.find(offset);
    size_t length = block->second;
    used_.erase(block);
    auto next = byOffset_.lower_bound(offset);
    if (next != byOffset_.begin()) {
      auto [before, size] = *std::prev(next);
      if (before + size == offset) {
        removeFree(before, size);
        offset = before;
        length += size;
      }
    }
    if (next != byOffset_.end() && next->first == offset + length) {
      size_t size = next->second;
      removeFree(next->first, size);
      length += size;
    }
    addFree(offset, length);
  }

  void trim() {
#if defined(__linux__)
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto [offset, size] : byOffset_)
      if (offset < touched_) madvise(base_ + offset, std::min(size, touched_ - offset), MADV_DONTNEED);
#endif
  }

 private:
  void addFree(size_t offset, size_t size) {
    byOffset_.emplace(offset, size);
    bySize_.emplace(size, offset);
  }
  void removeFree(size_t offset, size_t size) {
    byOffset_.erase(offset);
    bySize_.erase({size, offset});
  }

  char* base_ = nullptr;
  size_t size_ = 0;
  size_t memory_ = 0;
  size_t touched_ = 0;  // no block has reached beyond
  std::mutex mutex_;
  std::map<size_t, size_t> byOffset_;             // free blocks
  std::set<std::pair<size_t, size_t>> bySize_;    // the same, (size, offset)
  std::unordered_map<size_t, size_t> used_;       // offset -> size
};

static Pool& pool() {
  static Pool* const one = new Pool();  // never destroyed: tensors may outlive everything else
  return *one;
}

static void release(void* pointer) {
  if (pool().owns(pointer))
    pool().giveBack(pointer);
  else
    std::free(pointer);
}

static c10::DataPtr allocateBytes(size_t bytes) {
  void* pointer = nullptr;
  if (bytes >= largeBytes)
    pointer = pool().take(bytes);
  else if (bytes > 0 && posix_memalign(&pointer, alignment, bytes) != 0)
    pointer = nullptr;
  if (pointer == nullptr && bytes > 0) throw OutOfMemory(bytes);
  return {pointer, pointer, release, c10::Device(c10::DeviceType::CPU)};
}

// libtorch's versions differ in whether `allocate` is const and whether there is a `copy_data`: each finds the function
// it declares. (No `override` on any: it would be wrong in one version or the other.)
class PooledAllocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) { return allocateBytes(bytes); }
  c10::DataPtr allocate(size_t bytes) const { return allocateBytes(bytes); }
  c10::DeleterFnPtr raw_deleter() const { return release; }
  void copy_data(void* target, const void* source, size_t bytes) const { std::memcpy(target, source, bytes); }
};

bool installPool() {
#if defined(__linux__)
  static const bool done = [] {
    if (!pool().reserve(static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * pageBytes())) return false;
    c10::SetCPUAllocator(new PooledAllocator(), 1);
    return true;
  }();
  return done;
#else
  return false;
#endif
}

void trimPool() { pool().trim(); }

}  // namespace trex
