// The storage behind snapshots: written by RunModel alone, read through RunSnapshot below published counts.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/view/append_only.hpp"
#include "app/view/gate_chunk.hpp"
#include "app/view/occupancy_log.hpp"
#include "app/view/run_snapshot.hpp"

namespace app::view {

// For policies without a closed form: the position whose step evicted each token. Cells change after they
// were published, from kNeverEvicted to a position no earlier snapshot knows, hence atomic.
class EvictionChunk {
 public:
  explicit EvictionChunk(std::int32_t heads);
  EvictionChunk(const EvictionChunk& other, std::int32_t heads);
  std::int32_t at(std::int32_t head, std::int32_t offset) const;
  void set(std::int32_t head, std::int32_t offset, std::int32_t position);

 private:
  using Cell = std::atomic<std::int32_t>;
  std::unique_ptr<Cell[]> cells_;  // [heads, kChunkTokens]
};

// Texts in blocks that never move.
class TextArena {
 public:
  std::string_view keep(std::string_view text);
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kBlock = 64 * 1024;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t left_ = 0;  // in the last block
  char* next_ = nullptr;
  std::size_t bytes_ = 0;
};

struct SequenceStore {
  engine::SequenceId id = 0;
  engine::SequenceId parent = -1;
  std::int32_t fork_position = 0;
  AppendOnly<Token> tokens;
  // A fork shares its parent's full chunks and copies the partial one: it continues it in its own way.
  AppendOnly<std::shared_ptr<GateChunk>, 16> gates;
  bool records_evictions = false;  // set once, before anybody reads: the policy has no closed form
  AppendOnly<std::shared_ptr<EvictionChunk>, 16> evictions;
  OccupancyLog occupancy;
  OccupancyBlock* open_block = nullptr;  // the writer's
};

struct RunStore {
  engine::RunStarted run;
  std::int32_t heads = 0;  // 0: the shape makes no sense, and nothing per head is kept
  std::vector<std::unique_ptr<SequenceStore>> sequences;  // the writer's
  std::vector<std::unique_ptr<OccupancyBlock>> blocks;    // the writer's
  TextArena texts;
  AppendOnly<StepRecord> steps;
  AppendOnly<engine::ParameterChanged, 16> parameters;
  AppendOnly<QualityPoint> quality;
  AppendOnly<std::string, 16> measures;
  AppendOnly<std::string, 16> notices;
  AppendOnly<std::string, 16> kernels;  // named during the run: they follow run.kernels
  AppendOnly<engine::TrackNamed, 16> tracks;
};

}  // namespace app::view
