// What is known of a run at one moment: an immutable value that panels read on any thread, for as long as
// they hold it, while the run goes on.
//
// A snapshot is small: counts and pointers into the run's append-only storage (run_store.hpp), which it keeps
// alive. It never copies decisions or text. Heads are flat indices, layer * kv_heads + kv_head; positions are
// token positions of a sequence; times are nanoseconds since the run's start.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/view/counter_log.hpp"
#include "app/view/gate_chunk.hpp"
#include "app/view/occupancy_log.hpp"
#include "app/view/span_log.hpp"
#include "engine/events/events.hpp"

namespace app::view {

struct RunStore;
struct SequenceStore;

struct Token {
  std::string_view text;  // may be empty: a part of a character whose text is on a later token
  engine::TokenId id = 0;
  engine::Phase phase = engine::Phase::prefill;
  engine::Step step = -1;  // -1: sampled, never processed
};

struct StepRecord {
  engine::Step step = 0;
  engine::Phase phase = engine::Phase::prefill;
  std::int32_t tokens = 0;
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  std::int64_t kv_reads = 0;
  double tokens_per_second() const {
    return end_ns > start_ns ? static_cast<double>(tokens) * 1e9 / static_cast<double>(end_ns - start_ns) : 0;
  }
};

struct QualityPoint {
  engine::SequenceId sequence = 0;
  std::int32_t position = 0;
  std::int32_t measure = 0;  // index into RunSnapshot::measure()
  double value = 0;
};

inline constexpr std::int32_t kNeverEvicted = std::numeric_limits<std::int32_t>::max();

// One sequence of a snapshot; valid as long as the snapshot lives. A fork reads like any other sequence: what
// it inherited is at its first positions.
class SequenceView {
 public:
  engine::SequenceId id() const;
  engine::SequenceId parent() const;   // -1: none
  std::int32_t fork_position() const;  // first position that is its own

  std::int32_t tokens() const { return tokens_; }        // the newest, not yet processed one included
  std::int32_t processed() const { return processed_; }  // the cache's state is known at s in [0, processed)
  std::int32_t judged() const { return judged_; }        // positions [0, judged) are decided

  const Token& token(std::int32_t position) const;
  // One past the last position that was processed by `step`; 0 before the first.
  std::int32_t processed_by(engine::Step step) const;

  // position in [0, judged)
  const GateChunk& gates(std::int32_t position) const;
  float logit(std::int32_t head, std::int32_t position) const {
    return gates(position).logits(head)[position % kChunkTokens];
  }
  bool marked(std::int32_t head, std::int32_t position) const {
    return gates(position).marked(head, position % kChunkTokens);
  }

  // Policies without a closed form: the position whose step evicted the token, kNeverEvicted if none did.
  std::int32_t evicted_at(std::int32_t head, std::int32_t position) const;

  std::int32_t occupancy_count() const { return occupancy_; }
  const OccupancyRecord& occupancy(std::int32_t index) const;
  // After the last step that ended at or before `position`, or null.
  const OccupancyRecord* occupancy_at(std::int32_t position) const;

 private:
  friend class RunModel;
  friend class RunSnapshot;
  const SequenceStore* store_ = nullptr;
  std::int32_t tokens_ = 0;
  std::int32_t processed_ = 0;
  std::int32_t judged_ = 0;
  std::int32_t occupancy_ = 0;
};

class RunSnapshot {
 public:
  // Different for every run that ever started in this process, 0 before the first: what caches compare.
  std::uint64_t run_id() const { return run_id_; }
  // Grows with everything that is told of the run.
  std::uint64_t version() const { return version_; }

  bool started() const { return run_id_ != 0; }
  const engine::RunStarted& run() const;  // defaults before the run started
  std::int32_t layers() const { return run().shape.layers; }
  std::int32_t kv_heads() const { return run().shape.kv_heads; }
  std::int32_t heads() const { return layers() * kv_heads(); }  // flat

  const std::vector<SequenceView>& sequences() const { return sequences_; }
  const SequenceView* sequence(engine::SequenceId id) const;  // null: there is none

  std::int32_t step_count() const { return steps_; }
  const StepRecord& step(std::int32_t index) const;
  // Index of the record of a step number, or -1.
  std::int32_t step_index(engine::Step step) const;

  const SpanView& spans() const { return spans_; }

  std::int32_t parameter_count() const { return parameters_; }
  const engine::ParameterChanged& parameter(std::int32_t index) const;
  std::int32_t quality_count() const { return quality_; }
  const QualityPoint& quality(std::int32_t index) const;
  std::int32_t measure_count() const { return measures_; }
  const std::string& measure(std::int32_t index) const;
  std::int32_t notice_count() const { return notices_; }
  const std::string& notice(std::int32_t index) const;

  // Of Span::kernel; null where there is none.
  const std::string* kernel_name(std::int32_t kernel) const;
  std::int32_t kernel_count() const;
  std::int32_t track_count() const { return tracks_; }
  const engine::TrackNamed& track(std::int32_t index) const;  // a later one of the same track wins
  // Of a device (kWholeDevice) or one of its streams; null: it has none.
  const std::string* track_name(std::int16_t device, std::int32_t stream) const;
  const std::vector<CounterTrack>& counters() const { return counters_; }
  // Each kind once, with its newest total.
  const std::vector<engine::RecordsLost>& losses() const;

  bool finished() const { return finished_.has_value(); }
  const std::optional<engine::RunFinished>& finish() const { return finished_; }
  std::int64_t last_ns() const { return last_ns_; }  // the latest time told of
  std::int64_t kv_reads() const { return kv_reads_; }

  // Events that contradicted earlier ones (a gap in positions, arrays of a wrong size) and were left out.
  std::int64_t ignored_events() const { return ignored_; }

 private:
  friend class RunModel;
  std::shared_ptr<const RunStore> store_;
  std::uint64_t run_id_ = 0;
  std::uint64_t version_ = 0;
  std::vector<SequenceView> sequences_;
  SpanView spans_;
  std::int32_t steps_ = 0;
  std::int32_t parameters_ = 0;
  std::int32_t quality_ = 0;
  std::int32_t measures_ = 0;
  std::int32_t notices_ = 0;
  std::int32_t kernels_ = 0;
  std::int32_t tracks_ = 0;
  std::vector<CounterTrack> counters_;
  std::shared_ptr<const std::vector<engine::RecordsLost>> losses_;
  std::int64_t last_ns_ = 0;
  std::int64_t kv_reads_ = 0;
  std::int64_t ignored_ = 0;
  std::optional<engine::RunFinished> finished_;
};

}  // namespace app::view
