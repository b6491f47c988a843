#include "engine/backend/cuda_timer.hpp"

#include <algorithm>
#include <cmath>

#include "engine/backend/backend.hpp"
#include "kernels/cuda/nvtx.hpp"

namespace engine {

namespace {

void push_range(CudaOperation operation) {
  kernels::cuda::push_range(kCudaOperations[static_cast<std::size_t>(operation)]);
}

}  // namespace

CudaTimer::CudaTimer(const kernels::cuda::Stream& stream, int gpu, bool spans, GpuProfiler* profiler)
    : stream_(stream), gpu_(gpu), spans_(spans), profiler_(profiler) {}

bool CudaTimer::uses_events() const {
  return spans_ && graphing_ == Graphing::no && (profiler_ == nullptr || !profiler_->times_kernels());
}

std::size_t CudaTimer::record() {
  if (events_used_ == events_.size()) events_.emplace_back(kernels::cuda::Event::Timing::on);
  events_[events_used_].record(stream_);
  return events_used_++;
}

void CudaTimer::begin_step(Step step, Phase phase) {
  step_ = step;
  phase_ = phase;
  timed_.clear();
  events_used_ = 0;
  if (!uses_events()) return;
  record();
  base_ns_ = steady_now_ns();
}

void CudaTimer::start_timing(CudaOperation operation, std::int32_t layer, std::int64_t bytes) {
  Timed timed;
  timed.span.layer = static_cast<std::int16_t>(layer);
  timed.span.operation = timed.span.kernel = static_cast<std::int16_t>(operation);
  timed.span.device = static_cast<std::int16_t>(gpu_);
  timed.span.bytes = std::max<std::int64_t>(bytes, 0);
  timed.start = record();
  timed_.push_back(timed);
}

void CudaTimer::end_timing() {
  timed_.back().end = record();
}

void CudaTimer::take(std::int64_t clock_start_ns, std::vector<Span>& spans) {
  if (timed_.empty()) return;
  const kernels::cuda::Event& base = events_.front();
  const auto since_start = [&](std::size_t event) {
    const double milliseconds = events_[event].milliseconds_since(base);
    return base_ns_ - clock_start_ns + static_cast<std::int64_t>(std::llround(milliseconds * 1e6));
  };
  for (const Timed& timed : timed_) {
    Span span = timed.span;
    span.start_ns = since_start(timed.start);
    span.end_ns = std::max(span.start_ns, since_start(timed.end));
    spans.push_back(span);
  }
  timed_.clear();
}

CudaTimer::Scope::Scope(CudaTimer& timer, CudaOperation operation, std::int32_t layer, std::int64_t bytes,
                        bool making_room)
    : timer_(timer), timed_(!making_room && timer.uses_events()) {
  if (timer_.graphing_ == Graphing::rehearsal) operation = CudaOperation::graph;
  push_range(operation);
  if (timer_.profiler_ != nullptr) {
    const Step step = timer_.graphing_ == Graphing::recording ? -1 : timer_.step_;
    timer_.profiler_->enter(
        {step, timer_.phase_, static_cast<std::int16_t>(layer), static_cast<std::int16_t>(operation), bytes});
  }
  if (timed_) timer_.start_timing(operation, layer, bytes);
}

CudaTimer::Scope::~Scope() {
  try {
    if (timed_) timer_.end_timing();
  } catch (const kernels::cuda::CudaError&) {
    timer_.timed_.pop_back();  // a broken device: the next call of the backend's own reports it
  }
  if (timer_.profiler_ != nullptr) timer_.profiler_->leave();
  kernels::cuda::pop_range();
}

CudaTimer::GraphScope::GraphScope(CudaTimer& timer, std::int64_t bytes)
    : timer_(timer), timed_(timer.uses_events()) {
  push_range(CudaOperation::graph);
  if (timer_.profiler_ != nullptr) timer_.profiler_->enter_graph(timer_.step_, timer_.phase_, bytes);
  if (timed_) timer_.start_timing(CudaOperation::graph, -1, bytes);
}

CudaTimer::GraphScope::~GraphScope() {
  try {
    if (timed_) timer_.end_timing();
  } catch (const kernels::cuda::CudaError&) {
    timer_.timed_.pop_back();
  }
  if (timer_.profiler_ != nullptr) timer_.profiler_->leave_graph();
  kernels::cuda::pop_range();
}

}  // namespace engine
