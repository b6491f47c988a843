// Hash map from 64-bit keys to small values, filled once and then only read: one flat array, linear probing.
//
// BPE looks up millions of pairs a second; a node-based map costs a cache miss more on each. No key is ~0.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace engine {

template <typename Value>
class FlatMap {
 public:
  explicit FlatMap(std::size_t expected = 0) { slots_.resize(std::bit_ceil(expected * 2 + 8)); }

  // Null if absent. Valid until the next insertion.
  const Value* find(std::uint64_t key) const {
    const Slot& slot = slots_[locate(key)];
    return slot.key == key ? &slot.value : nullptr;
  }

  // The value of `key`, inserted default-made if absent.
  Value& operator[](std::uint64_t key) {
    if ((size_ + 1) * 2 > slots_.size()) grow();
    Slot& slot = slots_[locate(key)];
    if (slot.key != key) {
      slot.key = key;
      ++size_;
    }
    return slot.value;
  }

  std::size_t size() const { return size_; }

 private:
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};
  struct Slot {
    std::uint64_t key = kEmpty;
    Value value{};
  };

  std::size_t locate(std::uint64_t key) const {
    std::uint64_t hash =
        key * 0x9E3779B97F4A7C15U;  // 2^64 / golden ratio: spreads keys that differ in few bits
    hash ^= hash >> 32;
    std::size_t index = hash & (slots_.size() - 1);
    while (slots_[index].key != key && slots_[index].key != kEmpty) index = (index + 1) & (slots_.size() - 1);
    return index;
  }

  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.key != kEmpty) slots_[locate(slot.key)] = slot;
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace engine
