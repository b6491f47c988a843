#include "profiling/gpu/kernel_profiler.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

namespace profiling {
namespace {

std::int64_t steady_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

template <typename T>
void append(std::vector<T>& to, std::vector<T>&& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  from.clear();
}

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

}  // namespace

KernelProfiler::KernelProfiler(ActivitySource* source, const KernelProfilerOptions& options,
                               std::string reason)
    : source_(source),
      options_(options),
      reason_(std::move(reason)),
      attributor_(source != nullptr ? source->nodes() : no_nodes_, bytes_),
      counters_(options.nvml_library) {
  attributor_.start_run(0, kNever);
  if (source_ != nullptr) {
    if (const auto status = set_mode(options.mode); !status) failure_ = status.error().message;
  }
}

KernelProfiler::~KernelProfiler() {
  thread_.request_stop();
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  gather(false);
}

engine::Status KernelProfiler::set_mode(ProfileMode mode) {
  if (source_ == nullptr) return engine::failed("{}", reason_);
  const auto status = source_->set_mode(mode);
  paused_ = mode == ProfileMode::off;
  mode_ = status ? mode : ProfileMode::off;
  return status;
}

// --- a run

void KernelProfiler::start_run(std::int64_t steady_start_ns) {
  beginning_told_ = false;
  step_ = 0;
  cache_bytes_.clear();
  bytes_.clear();
  if (source_ != nullptr) source_->find_devices();
  const std::lock_guard attribution(attribution_mutex_);
  attributor_.start_run(static_cast<std::uint64_t>(steady_start_ns),
                        static_cast<std::uint64_t>(steady_now_ns()));
  before_ = source_ != nullptr ? source_->counts() : SourceCounts{};
  const std::lock_guard lock(mutex_);
  origin_ns_ = steady_start_ns;
  ready_ = {};
  if (times_kernels()) {
    ready_.tracks = {{-1, engine::kLaunchLane, "launches"}, {-1, engine::kProfilerLane, "profiler"}};
    ready_.tracks.insert(ready_.tracks.end(), streams_.begin(), streams_.end());
  }
  devices_told_ = 0;
  fall_back_reason_.clear();
  running_ = true;
  wake_.notify_all();
  if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { collect(stop); });
}

void KernelProfiler::say_beginning(engine::GpuRecords& out) {
  if (std::exchange(beginning_told_, true)) return;
  out.parameters.push_back({step_, "profile", std::string(name_of(mode_))});
  if (source_ == nullptr) out.notices.push_back(std::string(engine::kWithoutCupti) + reason_);
}

void KernelProfiler::take(engine::GpuRecords& out) {
  say_beginning(out);
  {
    const std::lock_guard lock(mutex_);
    append(out.spans, std::move(ready_.spans));
    append(out.kernels, std::move(ready_.kernels));
    append(out.tracks, std::move(ready_.tracks));
    append(out.counters, std::move(ready_.counters));
    append(out.losses, std::move(ready_.losses));
    woken_ = true;
  }
  wake_.notify_all();
  resolve_cache_bytes(out.spans);
  fall_back(out);
}

void KernelProfiler::fall_back(engine::GpuRecords& out) {
  std::string why;
  {
    const std::lock_guard lock(mutex_);
    why = std::exchange(fall_back_reason_, {});
  }
  if (!why.empty() && mode_ == ProfileMode::detailed) {
    if (const auto status = set_mode(ProfileMode::light); !status) failure_ = status.error().message;
    out.parameters.push_back({step_, "profile", std::string(name_of(mode_))});
    out.notices.push_back(std::string(engine::kDetailedEnded) + std::to_string(step_) + ": " + why);
  }
  if (!failure_.empty())
    out.notices.push_back(std::string(engine::kProfilingOff) + std::exchange(failure_, {}));
}

void KernelProfiler::finish_run(engine::GpuRecords& out) {
  {
    std::unique_lock lock(mutex_);
    if (running_ && thread_.joinable()) {
      finishing_ = true;
      wake_.notify_all();
      const bool in_time = finished_.wait_for(lock, kLongestEnding, [this] { return !finishing_; });
      if (!in_time) out.notices.emplace_back("the last GPU records did not come within 10 s and are missing");
      finishing_ = false;
      running_ = false;
    }
  }
  take(out);
  const std::lock_guard attribution(attribution_mutex_);
  attributor_.start_run(0, kNever);
}

// What attention reads of the cache is known only after the launch: a graph's bytes are told without it.
void KernelProfiler::resolve_cache_bytes(std::vector<engine::Span>& spans) const {
  for (engine::Span& span : spans) {
    const bool graph = span.operation == engine::kWholeGraph && span.device >= 0 && span.bytes > 0;
    if (span.bytes != engine::kCacheBytes && !graph) continue;
    const auto step = cache_bytes_.find(span.step);
    const bool known = step != cache_bytes_.end();
    if (graph) {
      if (known) span.bytes += std::accumulate(step->second.begin(), step->second.end(), std::int64_t{0});
      continue;
    }
    const auto layer = static_cast<std::size_t>(span.layer);
    span.bytes = known && layer < step->second.size() ? step->second[layer] : 0;
  }
}

// --- launches

void KernelProfiler::enter(const engine::GpuScope& scope) {
  if (source_ == nullptr) return;
  if (scope.step < 0) {
    source_->nodes().open_scope(scope);
    open_ = Open::capture;
    return;
  }
  open_launch({scope.step, scope.phase, scope.layer, scope.operation}, scope.bytes);
}

void KernelProfiler::enter_graph(engine::Step step, engine::Phase phase, std::int64_t graph_bytes) {
  open_launch({step, phase, -1, engine::kWholeGraph}, graph_bytes);
}

void KernelProfiler::open_launch(const LaunchScope& scope, std::int64_t bytes) {
  step_ = scope.step;
  if (!times_kernels()) return;
  if (bytes == engine::kCacheBytes && scope.phase == engine::Phase::prefill) bytes = 0;
  const std::uint64_t id = scope_id(scope, serial_++);
  bytes_.put(id, bytes);
  ++scopes_;
  source_->push(id);
  open_ = Open::launch;
}

void KernelProfiler::leave() {
  const Open was = std::exchange(open_, Open::none);
  if (was == Open::launch) {
    source_->pop();
    ++scopes_;
  }
  if (was == Open::capture) source_->nodes().close_scope();
}

void KernelProfiler::cache_bytes(engine::Step step, std::span<const std::int64_t> by_layer) {
  if (!times_kernels()) return;
  cache_bytes_[step].assign(by_layer.begin(), by_layer.end());
  if (cache_bytes_.size() > kCacheSteps) cache_bytes_.erase(cache_bytes_.begin());
}

void KernelProfiler::name_stream(void* stream, std::string_view name) {
  if (source_ == nullptr) return;
  const auto number = source_->stream_number(stream);
  if (!number) return;
  streams_.push_back({number->device, number->stream, std::string(name)});
  const std::lock_guard lock(mutex_);
  ready_.tracks.push_back(streams_.back());
}

// --- the collector

void KernelProfiler::collect(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    bool finishing = false;
    {
      std::unique_lock lock(mutex_);
      const auto due = [this] { return woken_ || finishing_; };
      // Outside a run buffers only have to be emptied before they are all in use.
      wake_.wait_for(lock, stop, running_ ? kTick : 20 * kTick, due);
      wake_.wait_until(lock, stop, flushed_ + kBetweenFlushes, [this] { return finishing_; });
      woken_ = false;
      finishing = finishing_;
    }
    if (stop.stop_requested()) break;
    gather(false);
    if (finishing) gather(true);
    if (!paused_) sample();
    if (!finishing) continue;
    end_attribution();
    const std::lock_guard lock(mutex_);
    finishing_ = false;
    finished_.notify_all();
  }
}

// The source is called without a lock: it may wait for locks of its own that its callbacks hold.
void KernelProfiler::gather(bool forced) {
  if (source_ == nullptr) return;
  const std::uint64_t scopes = scopes_;
  if (!paused_ || forced) source_->flush(forced);
  flushed_ = std::chrono::steady_clock::now();
  while (source_->read(batch_)) {
    const std::lock_guard attribution(attribution_mutex_);
    std::vector<engine::Span> spans;
    for (const Activity& activity : batch_) attributor_.add(activity, spans);
    publish(std::move(spans));
  }
  const SourceCounts counts = source_->counts();
  const std::lock_guard attribution(attribution_mutex_);
  account(counts);
  std::vector<engine::Span> spans;
  // Nothing has been launched since the flush before this one: the records of all calls have come.
  if (scopes % 2 == 0 && std::exchange(scopes_at_flush_, scopes) == scopes) attributor_.settle(spans);
  publish(std::move(spans));
}

void KernelProfiler::end_attribution() {
  const std::lock_guard attribution(attribution_mutex_);
  std::vector<engine::Span> spans;
  attributor_.close(spans);
  publish(std::move(spans));
}

// Hands over what the attributor has; the caller holds its lock.
void KernelProfiler::publish(std::vector<engine::Span>&& spans) {
  const std::lock_guard lock(mutex_);
  append(ready_.kernels, attributor_.names().take_new());
  append(ready_.spans, std::move(spans));
  if (ready_.spans.size() > kMaxSpans) {
    attributor_.losses().add(Loss::unread_spans, static_cast<std::int64_t>(ready_.spans.size() - kMaxSpans));
    ready_.spans.resize(kMaxSpans);
  }
  attributor_.losses().report(ready_.losses);
}

// The caller holds the attributor's lock.
void KernelProfiler::account(const SourceCounts& counts) {
  Losses& losses = attributor_.losses();
  losses.add(Loss::dropped, counts.dropped - before_.dropped);
  losses.add(Loss::refused_buffers, counts.refused_buffers - before_.refused_buffers);
  losses.add(Loss::cut_buffers, counts.cut_buffers - before_.cut_buffers);
  losses.add(Loss::unknown_records, counts.unknown_records - before_.unknown_records);
  losses.add(Loss::unknown_nodes, counts.unknown_nodes - before_.unknown_nodes);
  losses.add(Loss::unnamed_kernels, attributor_.names().unnamed() - losses.count(Loss::unnamed_kernels));
  before_ = counts;
  const std::lock_guard lock(mutex_);
  if (losses.count(Loss::untimed) > kUntimedAllowed) {
    fall_back_reason_ = "kernels arrive without time stamps";
  } else if (counts.node_records >= options_.max_node_records) {
    fall_back_reason_ = "CUPTI loses time stamps after some 25 million kernels inside graphs";
  }
}

void KernelProfiler::sample() {
  std::int64_t origin_ns = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!running_) return;
    origin_ns = origin_ns_;
  }
  const std::vector<FoundDevice> devices =
      source_ != nullptr ? source_->devices() : std::vector<FoundDevice>();
  counters_.watch(devices);
  std::vector<engine::TrackNamed> names = counters_.names();
  if (names.size() < devices.size()) {
    names.clear();
    for (const FoundDevice& device : devices) {
      names.push_back({device.index, engine::kWholeDevice, device.name});
    }
  }
  std::vector<engine::CounterSample> samples;
  counters_.sample(steady_now_ns(), origin_ns, samples);
  const std::lock_guard lock(mutex_);
  append(ready_.counters, std::move(samples));
  for (; devices_told_ < names.size(); ++devices_told_) ready_.tracks.push_back(names[devices_told_]);
}

}  // namespace profiling
