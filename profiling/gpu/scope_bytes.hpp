// The bytes that each open scope's operation must move, by scope id: written by the launching thread, claimed
// by the collector when the first kernel of the scope is known. Old entries give way to new ones: their bytes
// are then not known, never another scope's.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

namespace profiling {

class ScopeBytes {
 public:
  ScopeBytes() : slots_(kSlots) {}

  void put(std::uint64_t id, std::int64_t bytes);
  // The scope's bytes for the first that asks, 0 for the others.
  std::int64_t claim(std::uint64_t id);
  void clear();

 private:
  // At 400 launches a step some 160 steps, far more than the collector lags behind.
  static constexpr std::size_t kSlots = 65536;
  struct Slot {
    std::uint64_t id = 0;
    std::int64_t bytes = 0;
  };
  static std::size_t index_of(std::uint64_t id) { return (id * 0x9e3779b97f4a7c15u) >> 48; }

  std::mutex mutex_;
  std::vector<Slot> slots_;
};

}  // namespace profiling
