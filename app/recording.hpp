// The sink of a run: passes every event to a trace and to another sink, adds notices of its own to the
// stream, and keeps what is reported afterwards.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/events/events.hpp"
#include "engine/events/result.hpp"
#include "profiling/trace_writer.hpp"

namespace app {

class Recording : public engine::EventSink {
 public:
  // `trace` and `also` may be null and outlive this object otherwise. `notices` enter the stream right after
  // RunStarted. `on_trace_error` is called once, on the engine's thread, when writing has failed; the trace
  // gets no further events from then on, and the other sink gets a notice that says so. `on_cost` (may be
  // empty) is called after every step that was written.
  Recording(profiling::TraceWriter* trace, engine::EventSink* also, std::vector<std::string> notices,
            std::function<void(const engine::Error&)> on_trace_error,
            std::function<void(const profiling::RecordingCost&)> on_cost = {});

  void on_event(engine::Event event) override;

  const std::optional<engine::RunStarted>& run() const { return run_; }
  const std::vector<std::string>& notices() const { return notices_; }  // given and emitted
  const std::optional<engine::Error>& trace_error() const { return trace_error_; }
  // What profiling lost, for people: "5 kernels, copies and graphs without time stamps".
  std::vector<std::string> losses() const;

 private:
  void forward(engine::Event event);
  bool trace_takes_events();

  profiling::TraceWriter* trace_;
  engine::EventSink* also_;
  std::vector<std::string> own_notices_;
  std::vector<std::string> notices_;
  std::function<void(const engine::Error&)> on_trace_error_;
  std::function<void(const profiling::RecordingCost&)> on_cost_;
  std::optional<engine::RunStarted> run_;
  std::map<std::string, engine::RecordsLost> losses_;
  std::optional<engine::Error> trace_error_;
};

}  // namespace app
