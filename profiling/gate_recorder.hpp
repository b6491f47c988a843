// Collects decision logits into rows of gate_chunks: one (sequence, layer, run of up to kGateChunkTokens
// tokens).
//
// Decode judges one token at a time, so what is not yet a full chunk is written at the end of every
// transaction as a row of gate_tails (all layers of the few tokens since the last one); the transaction that
// writes the full chunk deletes them. Used by the writer's thread alone.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "engine/events/events.hpp"
#include "profiling/sqlite_db.hpp"

namespace profiling {

class GateRecorder {
 public:
  explicit GateRecorder(const Database& db);

  void set_shape(std::int32_t layers, std::int32_t kv_heads);
  // Positions of a sequence that are jumped over are stored as undecided; positions judged again begin a
  // chunk.
  engine::Status add(const engine::GatesDecided& gates);
  engine::Status write_tails();   // before a commit
  engine::Status write_chunks();  // at the end of the recording: what is left becomes short chunks

 private:
  struct Pending {
    std::int32_t first = 0;
    std::int32_t count = 0;
    std::int32_t in_tails = 0;          // of count, how many gate_tails holds already
    std::vector<std::uint16_t> logits;  // [count, heads]
    std::vector<std::uint8_t> marked;   // [count, heads]
  };

  std::size_t heads() const {
    return static_cast<std::size_t>(layers_) * static_cast<std::size_t>(kv_heads_);
  }
  engine::Status pad_to(engine::SequenceId sequence, Pending& pending, std::int32_t position);
  engine::Status write_chunk(engine::SequenceId sequence, Pending& pending);
  void gather(const Pending& pending, std::size_t first_head, std::size_t heads, std::int32_t from);

  std::int32_t layers_ = 0;
  std::int32_t kv_heads_ = 0;
  std::map<engine::SequenceId, Pending> pending_;
  Blob logits_, marked_;  // scratch: the row being written
  Statement insert_chunk_, insert_tail_, delete_tails_;
};

}  // namespace profiling
