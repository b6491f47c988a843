// The sink of a recorded run: passes every event to the trace, adds the command line's own notices to it, and
// keeps what the command reports afterwards.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/events/events.hpp"
#include "engine/events/result.hpp"
#include "profiling/trace_writer.hpp"

namespace app {

class Recording : public engine::EventSink {
 public:
  // `trace` outlives this object. `notices` enter the stream right after RunStarted. `on_trace_error` is
  // called once, on the engine's thread, when writing has failed; the run's events are no longer kept from
  // then on.
  Recording(profiling::TraceWriter& trace, std::vector<std::string> notices,
            std::function<void(const engine::Error&)> on_trace_error);

  void on_event(engine::Event event) override;

  const std::optional<engine::RunStarted>& run() const { return run_; }
  const std::vector<std::string>& notices() const { return notices_; }  // given and emitted
  const std::optional<engine::Error>& trace_error() const { return trace_error_; }

 private:
  void forward(engine::Event event);

  profiling::TraceWriter& trace_;
  std::vector<std::string> own_notices_;
  std::vector<std::string> notices_;
  std::function<void(const engine::Error&)> on_trace_error_;
  std::optional<engine::RunStarted> run_;
  std::optional<engine::Error> trace_error_;
};

}  // namespace app
