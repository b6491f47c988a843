// The cache of one (sequence, layer, KV head): which token lies in which slot, and the pages that hold them.
//
// Slots [0, live) are all visible; there are no holes, because a token that falls out of the window marked
// gives its slot to the token that pushed it out. Slot order is therefore not token order. Two steps, so that
// metadata can be settled for a whole prefill chunk before any key or value is copied:
//   mark(t)     the decision about token t, while t is still in the window
//   admit(s)    token s enters: takes the slot of token s - window - 1 if that is marked, else a new one
// Positions enter in order without gaps. One thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/cache/page_arena.hpp"
#include "kernels/tensor.hpp"

namespace engine {

// Layout of one slot, the same for every head of a run.
struct SlotLayout {
  std::int32_t head_dim = 0;
  kernels::DType dtype = kernels::DType::bf16;
  std::size_t row_bytes() const { return static_cast<std::size_t>(head_dim) * kernels::size_of(dtype); }
  std::size_t page_bytes() const;
};

class HeadCache {
 public:
  // `window` at or above `max_positions` never evicts.
  HeadCache(const SlotLayout& layout, PageArena& arena, std::int32_t window, std::int32_t max_positions);
  HeadCache(HeadCache&&) noexcept;
  HeadCache& operator=(HeadCache&&) = delete;
  ~HeadCache();
  HeadCache clone() const;

  std::int32_t live() const { return static_cast<std::int32_t>(positions_.size()); }
  std::int32_t allocated() const;  // slots of the pages held
  // Token position in each slot.
  std::span<const std::int32_t> positions() const { return positions_; }
  // Last position whose query sees the token in this slot, INT32_MAX while it is not marked.
  std::int32_t last_query(std::int32_t slot) const;

  void mark(std::int32_t position);
  std::int32_t admit(std::int32_t position);  // the slot

  // For policies without closed form.
  std::int32_t append(std::int32_t position);
  void replace(std::int32_t slot, std::int32_t position);

  const void* const* pages() const { return pages_.data(); }
  void* key(std::int32_t slot);
  void* value(std::int32_t slot);
  const void* key(std::int32_t slot) const;
  const void* value(std::int32_t slot) const;

 private:
  struct Recent {
    std::int32_t slot = -1;
    bool marked = false;
  };
  bool evicts() const { return !recent_.empty(); }
  Recent& recent(std::int32_t position) {
    return recent_[static_cast<std::size_t>(position) % recent_.size()];
  }

  SlotLayout layout_;
  PageArena* arena_;
  std::int32_t window_;
  std::vector<void*> pages_;
  std::vector<std::int32_t> positions_;  // [live]
  std::vector<Recent> recent_;  // ring over the last window + 1 tokens; empty where nothing is evicted
};

}  // namespace engine
