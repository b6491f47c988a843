// Samples of counters (memory, power, clocks) in bounded memory: each track keeps at most kMaxPoints points,
// and where there would be more, two neighbours become one with the range of both. What is shown of an hour
// is coarser than what is shown of a minute, and no peak is lost.
//
// One writer; readers hold views, which never change under them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/events/events.hpp"

namespace app::view {

// One sample, or several that follow each other.
struct CounterPoint {
  std::int64_t begin_ns = 0, end_ns = 0;  // of the first and the last sample
  float least = 0, most = 0, last = 0;
};

struct CounterChunk {
  static constexpr std::size_t kCapacity = 256;
  std::array<CounterPoint, kCapacity> points;
};
using CounterChunks = std::vector<std::shared_ptr<const CounterChunk>>;

// By time; every chunk but the last is full.
class CounterView {
 public:
  CounterView() = default;
  CounterView(std::shared_ptr<const CounterChunks> chunks, std::size_t size)
      : chunks_(std::move(chunks)), size_(size) {}
  std::size_t size() const { return size_; }
  const CounterPoint& operator[](std::size_t index) const {
    return (*chunks_)[index / CounterChunk::kCapacity]->points[index % CounterChunk::kCapacity];
  }
  // First point that begins after `ns`; size(): none does.
  std::size_t first_after(std::int64_t ns) const;
  // What was last known at `ns`; null before the first sample.
  const CounterPoint* at(std::int64_t ns) const;

 private:
  std::shared_ptr<const CounterChunks> chunks_;
  std::size_t size_ = 0;
};

struct CounterTrack {
  std::int16_t device = -1;   // as in Span
  std::string name;           // "memory used"
  std::string unit;           // "bytes"
  float least = 0, most = 0;  // of the whole run
  CounterView points;
};

class CounterLog {
 public:
  static constexpr std::size_t kMaxPoints = 16 * CounterChunk::kCapacity;
  static constexpr std::size_t kMaxTracks = 64;

  // False: left out, being no number or of more tracks than a machine has.
  bool append(const engine::CounterSample& sample);
  // What to publish; by the order in which tracks came.
  const std::vector<CounterTrack>& tracks() const { return tracks_; }
  std::size_t bytes() const;

 private:
  struct Writer {
    std::shared_ptr<const CounterChunks> chunks = std::make_shared<const CounterChunks>();
    CounterChunk* last = nullptr;
    std::size_t size = 0;
    std::int32_t samples_per_point = 1;
    CounterPoint open;  // gathers samples until it has as many
    std::int32_t open_samples = 0;
  };
  std::size_t index_of(const engine::CounterSample& sample);
  static void push(Writer& writer, const CounterPoint& point);
  static void halve(Writer& writer);

  std::vector<CounterTrack> tracks_;
  std::vector<Writer> writers_;  // of the tracks
};

}  // namespace app::view
