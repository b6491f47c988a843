#include "profiling/writer_queue.hpp"

namespace profiling {
namespace {

std::size_t payload_bytes(const engine::Event& event) {
  struct Size {
    std::size_t operator()(const engine::TokenAdded& e) const { return e.text.size(); }
    std::size_t operator()(const engine::GatesDecided& e) const {
      return e.logits.size() * 4 + e.marked.size();
    }
    std::size_t operator()(const engine::TokensEvicted& e) const { return e.tokens.size() * 12; }
    std::size_t operator()(const engine::OccupancyChanged& e) const {
      return (e.live.size() + e.allocated.size()) * 4;
    }
    std::size_t operator()(const engine::SpansRecorded& e) const {
      return e.spans.size() * sizeof(engine::Span);
    }
    std::size_t operator()(const engine::ParameterChanged& e) const { return e.name.size() + e.value.size(); }
    std::size_t operator()(const engine::QualityMeasured& e) const { return e.measure.size(); }
    std::size_t operator()(const engine::Notice& e) const { return e.text.size(); }
    std::size_t operator()(const engine::RunStarted& e) const { return e.prompt.size(); }
    std::size_t operator()(const engine::SequenceStarted&) const { return 0; }
    std::size_t operator()(const engine::StepFinished&) const { return 0; }
    std::size_t operator()(const engine::RunFinished& e) const { return e.reason.size(); }
    std::size_t operator()(const engine::KernelsNamed& e) const {
      std::size_t bytes = 0;
      for (const std::string& name : e.names) bytes += sizeof(name) + name.size();
      return bytes;
    }
    std::size_t operator()(const engine::TrackNamed& e) const { return e.name.size(); }
    std::size_t operator()(const engine::CountersSampled& e) const {
      return e.samples.size() * sizeof(engine::CounterSample);
    }
    std::size_t operator()(const engine::RecordsLost& e) const { return e.what.size() + e.meaning.size(); }
  };
  return sizeof(engine::Event) + std::visit(Size{}, event);
}

}  // namespace

bool WriterQueue::push(engine::Event event) {
  const std::size_t bytes = payload_bytes(event);
  const auto* spans = std::get_if<engine::SpansRecorded>(&event);
  std::unique_lock lock(mutex_);
  if (abandoned_ || closed_) return true;
  if (spans != nullptr && bytes_ + bytes > max_bytes_ / 2) {
    drops_.spans += static_cast<std::int64_t>(spans->spans.size());
    ++drops_.span_batches;
    return true;
  }
  if (bytes_ + bytes > max_bytes_ && bytes_ > 0) {
    drop_spans();
    filled_.notify_one();
    const bool fits = emptied_.wait_for(
        lock, kLongestWait, [&] { return abandoned_ || bytes_ == 0 || bytes_ + bytes <= max_bytes_; });
    if (!fits) return false;
    if (abandoned_) return true;
  }
  const bool filling = bytes_ < max_bytes_ / 4 && bytes_ + bytes >= max_bytes_ / 4;
  bytes_ += bytes;
  peak_bytes_ = std::max(peak_bytes_, bytes_);
  events_.push_back(std::move(event));
  if (filling) filled_.notify_one();
  return true;
}

void WriterQueue::drop_spans() {
  std::erase_if(events_, [this](const engine::Event& event) {
    const auto* spans = std::get_if<engine::SpansRecorded>(&event);
    if (spans == nullptr) return false;
    drops_.spans += static_cast<std::int64_t>(spans->spans.size());
    ++drops_.span_batches;
    bytes_ -= payload_bytes(event);
    return true;
  });
}

bool WriterQueue::take(std::vector<engine::Event>& events, std::chrono::steady_clock::time_point due) {
  events.clear();
  std::unique_lock lock(mutex_);
  filled_.wait_until(lock, due, [this] { return closed_ || bytes_ >= max_bytes_ / 4; });
  events.swap(events_);
  bytes_ = 0;
  emptied_.notify_one();
  return !closed_ || !events.empty();
}

void WriterQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  filled_.notify_one();
}

void WriterQueue::abandon() {
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
  events_.clear();
  bytes_ = 0;
  emptied_.notify_one();
}

Drops WriterQueue::drops() const {
  const std::lock_guard lock(mutex_);
  return drops_;
}

std::size_t WriterQueue::peak_bytes() const {
  const std::lock_guard lock(mutex_);
  return peak_bytes_;
}

}  // namespace profiling
