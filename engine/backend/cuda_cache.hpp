// The caches of a CUDA backend's sequences: owns the memory behind kernels::cuda::CacheView and lets it grow.
//
// A step is admitted before it starts (admit): afterwards the free list holds every page that its heads could
// take, so no kernel ever finds it empty. Live counts come back with each step's decisions and are kept here.
// The view's addresses never change, recorded graphs may keep it. One thread at a time; nothing may be
// running on the device while memory grows, which admit() and open() see to themselves.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/backend/cuda_page_budget.hpp"
#include "engine/backend/cuda_timer.hpp"
#include "engine/checkpoint/config.hpp"
#include "engine/events/result.hpp"
#include "engine/policy/policy.hpp"
#include "kernels/cuda/cache_view.hpp"
#include "kernels/cuda/growing_buffer.hpp"

namespace engine {

class CudaCache {
 public:
  // `limit_bytes`: of pages; 0: what is free when it is needed. Throws CudaError.
  CudaCache(const ModelConfig& config, const PolicyFacts& facts, kernels::DType dtype,
            std::int64_t limit_bytes, const kernels::cuda::Stream& stream, CudaTimer& timer);

  const kernels::cuda::CacheView& view() const { return view_; }
  std::int64_t slot_bytes() const { return page_bytes_ / kernels::cuda::kPageSlots; }  // K and V of one slot

  // An empty sequence's slot. Fails if there is no memory for its tables.
  Result<int> open();
  // Its pages are free again once the stream has got there.
  void close(int slot);
  Result<int> fork(int from);

  // Makes sure that `tokens[i]` tokens can enter sequence `slots[i]`, for all of them together, and takes
  // what they might need; settle() gives back what they did not. `doing` names the step in the error.
  Status admit(std::span<const int> slots, std::span<const std::int32_t> tokens, std::string_view doing);
  // Live slots after the step, of the sequence in `slot`, [layers, kv_heads]. Once for each that was
  // admitted.
  void settle(int slot, std::span<const std::int32_t> live);

  std::span<const std::int32_t> live(int slot) const {
    return sequences_[static_cast<std::size_t>(slot)].live;
  }
  std::int64_t pages_total() const { return budget_.total(); }
  std::int64_t pages_free() const { return budget_.free(); }

 private:
  struct Sequence {
    bool open = false;
    std::vector<std::int32_t> live;  // [layers, kv_heads]
    std::int64_t pages = 0;          // that they hold
    std::int64_t admitted = 0;       // taken for the step under way, besides
  };
  Status ensure_free(std::int64_t pages, std::string_view doing);
  Status grow_pages(std::int64_t pages, std::string_view doing);
  std::int64_t growth(std::int64_t missing) const;
  void clear_pages(std::int64_t first, std::int64_t end);
  void add_free_pages(std::int64_t first, std::int64_t count);
  Status grow_sequences();

  const kernels::cuda::Stream& stream_;
  CudaTimer& timer_;
  kernels::cuda::CacheView view_;
  std::int64_t heads_;       // of one sequence
  std::int64_t page_bytes_;  // K and V
  std::int64_t page_cost_;   // with what belongs to a page elsewhere
  std::int64_t max_pages_;   // of the whole pool
  kernels::cuda::GrowingBuffer pages_, last_query_, free_pages_, page_table_, live_, ring_;
  kernels::cuda::DeviceArray<std::int32_t> counters_;  // free count, failures
  PageBudget budget_;
  std::vector<Sequence> sequences_;  // by slot
};

}  // namespace engine
