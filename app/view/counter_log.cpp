#include "app/view/counter_log.hpp"

#include <algorithm>
#include <cmath>

namespace app::view {

namespace {

CounterPoint joined(const CounterPoint& first, const CounterPoint& second) {
  return {first.begin_ns, second.end_ns, std::min(first.least, second.least),
          std::max(first.most, second.most), second.last};
}

}  // namespace

std::size_t CounterView::first_after(std::int64_t ns) const {
  std::size_t low = 0, high = size_;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if ((*this)[middle].begin_ns > ns) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

const CounterPoint* CounterView::at(std::int64_t ns) const {
  const std::size_t next = first_after(ns);
  return next > 0 ? &(*this)[next - 1] : nullptr;
}

std::size_t CounterLog::index_of(const engine::CounterSample& sample) {
  const auto found = std::find_if(tracks_.begin(), tracks_.end(), [&](const CounterTrack& track) {
    return track.device == sample.device && track.name == sample.track;
  });
  if (found != tracks_.end()) return static_cast<std::size_t>(found - tracks_.begin());
  if (tracks_.size() >= kMaxTracks) return kMaxTracks;
  const auto value = static_cast<float>(sample.value);
  tracks_.push_back({sample.device, sample.track, sample.unit, value, value, {}});
  writers_.emplace_back();
  return tracks_.size() - 1;
}

bool CounterLog::append(const engine::CounterSample& sample) {
  if (!std::isfinite(sample.value) || !std::isfinite(static_cast<float>(sample.value))) return false;
  const std::size_t index = index_of(sample);
  if (index >= tracks_.size()) return false;
  CounterTrack& track = tracks_[index];
  Writer& writer = writers_[index];
  const auto value = static_cast<float>(sample.value);
  track.least = std::min(track.least, value);
  track.most = std::max(track.most, value);
  std::int64_t time = sample.time_ns;
  if (writer.size > 0) time = std::max(time, track.points[writer.size - 1].end_ns);
  if (writer.open_samples > 0) time = std::max(time, writer.open.end_ns);
  const CounterPoint point{time, time, value, value, value};
  writer.open = writer.open_samples == 0 ? point : joined(writer.open, point);
  if (++writer.open_samples < writer.samples_per_point) return true;
  push(writer, writer.open);
  writer.open_samples = 0;
  track.points = {writer.chunks, writer.size};
  return true;
}

// Readers hold the list they were given, so that it is replaced, not changed.
void CounterLog::push(Writer& writer, const CounterPoint& point) {
  if (writer.size == kMaxPoints) halve(writer);
  if (writer.size % CounterChunk::kCapacity == 0) {
    auto chunk = std::make_shared<CounterChunk>();
    writer.last = chunk.get();
    CounterChunks chunks = *writer.chunks;
    chunks.push_back(std::move(chunk));
    writer.chunks = std::make_shared<const CounterChunks>(std::move(chunks));
  }
  writer.last->points[writer.size % CounterChunk::kCapacity] = point;
  ++writer.size;
}

void CounterLog::halve(Writer& writer) {
  const CounterView before(writer.chunks, writer.size);
  Writer fresh;
  for (std::size_t i = 0; i + 1 < before.size(); i += 2) push(fresh, joined(before[i], before[i + 1]));
  writer.chunks = fresh.chunks;
  writer.last = fresh.last;
  writer.size = fresh.size;
  writer.samples_per_point *= 2;
}

std::size_t CounterLog::bytes() const {
  std::size_t bytes = 0;
  for (const Writer& writer : writers_) bytes += writer.chunks->size() * sizeof(CounterChunk);
  return bytes;
}

}  // namespace app::view
