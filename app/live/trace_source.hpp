// A saved trace, or one that is still being recorded, as the same events that a live run emits.
//
// A thread of its own opens the trace, replays what it holds into the sink and then follows the recording:
// new events come within about 100 ms of being committed, until the run has finished. The file is never
// changed. What goes wrong (not a trace, newer, damaged, deleted or replaced while open) becomes a status
// with a reason; what was replayed by then stays with the sink. Any thread may call every function; the
// destructor ends the replay.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "engine/events/events.hpp"
#include "profiling/recording_cost.hpp"

namespace app::live {

enum class TraceState {
  opening,
  replaying,  // `share` of what the file held when it was opened
  following,  // the recording goes on: everything committed has been emitted
  silent,     // not finished, and nobody is recording; followed all the same
  finished,   // the run's end has been emitted
  cancelled,
  failed,  // see `reason`
};

struct TraceStatus {
  TraceState state = TraceState::opening;
  double share = 0;               // of the replay, 0 to 1
  std::string reason;             // failed, silent: one line for people
  profiling::RecordingCost cost;  // as far as the file says by now

  bool ended() const { return state >= TraceState::finished; }  // no further events will come
};

class TraceSource {
 public:
  // The sink is used on this source's thread alone. `on_change` as in LiveEngine.
  TraceSource(std::filesystem::path path, std::shared_ptr<engine::EventSink> sink,
              std::function<void()> on_change = {});
  ~TraceSource();
  TraceSource(const TraceSource&) = delete;
  TraceSource& operator=(const TraceSource&) = delete;

  const std::filesystem::path& path() const;
  std::shared_ptr<const TraceStatus> status() const;
  void cancel();  // returns at once

 private:
  class Reader;
  std::unique_ptr<Reader> reader_;
};

}  // namespace app::live
