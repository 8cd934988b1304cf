// What one JS environment (the main thread, or one worker) owns: its tensors, generators and operators.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <memory>
#include <mutex>
#include <vector>

#include "js.h"

namespace trex {

// Slots with generations: JS holds a number (slot + generation * 2^24 + kind * 2^52), so a stale, forged or
// foreign handle, or one of another kind, is a lookup that fails, never a dangling pointer.
template <class T, uint64_t kind>
class HandleTable {
 public:
  double add(T value) {
    uint32_t index;
    if (!free_.empty()) {
      index = free_.back();
      free_.pop_back();
    } else {
      if (slots_.size() >= slotLimit) throw JsError(JsError::Kind::Range, "ERR_HANDLES", "2^24 handles are live");
      index = static_cast<uint32_t>(slots_.size());
      slots_.emplace_back();
    }
    Slot& slot = slots_[index];
    slot.value = std::move(value);
    slot.used = true;
    return static_cast<double>(kind << 52 | static_cast<uint64_t>(slot.generation) << 24 | index);
  }

  // nullptr when the handle is not (or no longer) in the table.
  T* find(double handle) {
    Slot* slot = slotOf(handle);
    return slot ? &slot->value : nullptr;
  }

  // External bytes reported to V8 for this handle (0 until accounted for).
  int64_t* accounted(double handle) {
    Slot* slot = slotOf(handle);
    return slot ? &slot->accountedBytes : nullptr;
  }

  bool remove(double handle) {
    Slot* slot = slotOf(handle);
    if (!slot) return false;
    T dying = std::move(slot->value);  // destroyed last: freeing may run arbitrary destructors
    slot->value = T();
    slot->used = false;
    slot->accountedBytes = 0;
    slot->generation = slot->generation == generationLimit ? 1 : slot->generation + 1;  // 0 would never be found
    free_.push_back(static_cast<uint32_t>(slot - slots_.data()));
    return true;
  }

  size_t live() const { return slots_.size() - free_.size(); }

 private:
  static constexpr uint32_t slotLimit = 1u << 24;
  static constexpr uint32_t generationLimit = (1u << 28) - 1;
  struct Slot {
    T value;
    uint32_t generation = 1;
    bool used = false;
    int64_t accountedBytes = 0;
  };
  Slot* slotOf(double handle) {
    if (!(handle >= slotLimit) || handle >= 9007199254740992.0) return nullptr;  // also NaN
    uint64_t bits = static_cast<uint64_t>(handle);
    if (static_cast<double>(bits) != handle) return nullptr;
    uint32_t index = bits & (slotLimit - 1);
    if (bits >> 52 != kind || index >= slots_.size()) return nullptr;
    Slot& slot = slots_[index];
    return slot.used && slot.generation == (bits >> 24 & generationLimit) ? &slot : nullptr;
  }
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
};

struct Operator;

// References to JS buffers lent to tensors; returned from whatever thread frees the storage.
struct LentBuffers {
  std::mutex mutex;
  std::vector<napi_ref> returned;
};

struct State {
  HandleTable<at::Tensor, 0> tensors;
  HandleTable<at::Generator, 1> generators;
  std::vector<std::unique_ptr<Operator>> operators;
  std::shared_ptr<LentBuffers> lent = std::make_shared<LentBuffers>();

  State();
  ~State();
  static State& of(napi_env env);

  // The tensor behind a JS handle; throws ERR_DISPOSED or ERR_ARGUMENT naming `what`.
  at::Tensor& tensor(napi_env env, napi_value handle, const char* what);
  at::Generator& generator(napi_env env, napi_value handle, const char* what);
  napi_value wrap(napi_env env, at::Tensor tensor);  // null for an undefined tensor
  std::vector<at::Tensor> tensorList(napi_env env, napi_value handles, const char* what);
};

}  // namespace trex
