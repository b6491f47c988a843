// Turns the event stream into snapshots: the one place where a live run and a replayed trace become what the
// panels show.
//
// on_event() is called by one thread, whatever it is. It writes into storage that nobody reads yet, and holds
// a lock only to move the counts that make it visible. snapshot() may be called by any thread; it holds the
// lock to copy these counts, and returns the same snapshot again when nothing has happened. RunStarted begins
// another run; snapshots of the one before stay as they are.
#pragma once

#include <cstddef>
#include <memory>

#include "app/view/run_snapshot.hpp"
#include "engine/events/events.hpp"

namespace app::view {

struct RunModelOptions {
  std::size_t max_spans = std::size_t{1} << 20;  // 56 MB; older ones are dropped and counted
};

class RunModel final : public engine::EventSink {
 public:
  explicit RunModel(RunModelOptions options = {});
  ~RunModel() override;

  // Contradictory events, from a damaged trace, are left out and counted (RunSnapshot::ignored_events).
  void on_event(engine::Event event) override;

  // Never null.
  std::shared_ptr<const RunSnapshot> snapshot() const;

  // Bytes of storage held for the run. Writer's thread.
  std::size_t bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace app::view
