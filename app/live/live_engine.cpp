#include "app/live/live_engine.hpp"

#include <exception>
#include <new>
#include <thread>

#include "app/live/command_queue.hpp"
#include "app/live/pacing.hpp"
#include "app/live/published_status.hpp"
#include "app/live/read_weights.hpp"

namespace app::live {

class LiveEngine::Worker {
 public:
  explicit Worker(std::function<void()> on_change)
      : status_(std::move(on_change)), pacing_(queue_), thread_([this] { work(); }) {}
  ~Worker() {
    queue_.post(Quit{});
    thread_.join();
  }

  void post(Command command) { queue_.post(std::move(command)); }
  std::shared_ptr<const LiveStatus> status() const { return status_.get(); }

 private:
  void work();
  void execute(const Command& command);
  void load(const LoadModel& command);
  void start(const StartRun& command);
  engine::Status run(const StartRun& command);
  void show_stage(LiveState state, const char* stage, const engine::RunProgress& at);
  void show_progress(const engine::RunProgress& at);
  void show_pacing();
  void show_end(const RecordedRun& done);
  LiveState idle_state() const { return loaded_.model ? LiveState::ready : LiveState::empty; }

  CommandQueue queue_;
  PublishedStatus<LiveStatus> status_;
  Pacing pacing_;
  LoadedModel loaded_;
  std::optional<profiling::RecordingCost> cost_;  // of the run in progress
  std::thread thread_;                            // last: it uses the rest
};

void LiveEngine::Worker::work() {
  while (true) {
    const Command command = queue_.wait();
    if (std::holds_alternative<Quit>(command)) return;
    std::optional<engine::Error> error;
    try {
      execute(command);
    } catch (const std::bad_alloc&) {
      error = engine::failed("out of memory");
    } catch (const std::exception& exception) {
      error = engine::failed("unexpected failure: {}", exception.what());
    }
    queue_.end_run();
    if (!error) continue;
    status_.update([&](LiveStatus& status) {
      status.state = idle_state();
      status.paused = false;
      status.error = error;
    });
  }
}

void LiveEngine::Worker::execute(const Command& command) {
  if (const auto* model = std::get_if<LoadModel>(&command)) {
    load(*model);
  } else if (const auto* begun = std::get_if<StartRun>(&command)) {
    start(*begun);
  } else if (std::holds_alternative<SetPace>(command)) {
    pacing_.apply(command);
    show_pacing();
  }
}

// --- a model
// ----------------------------------------------------------------------------------------------------

void LiveEngine::Worker::load(const LoadModel& command) {
  const LiveStatus before = *status_.get();
  const std::stop_token stop = queue_.begin_run();  // another model may be wanted meanwhile
  status_.update([&](LiveStatus& status) {
    status = {};
    status.state = LiveState::loading;
    status.folder = command.folder;
    status.stage = "checkpoint and tokenizer";
    status.pace = before.pace;
    status.run = before.run;
  });
  auto loaded = load_for_run(command.folder);
  if (!loaded) {
    // What was there before stays.
    return status_.update([&](LiveStatus& status) {
      status = before;
      status.state = idle_state();
      status.error = loaded.error();
    });
  }
  loaded_ = {};  // one model in memory at a time
  read_weights(*loaded->model, [&](double share) {
    status_.update([&](LiveStatus& status) {
      status.stage = "weights";
      status.share = share;
    });
    return !stop.stop_requested();
  });
  loaded_ = std::move(*loaded);
  status_.update([&](LiveStatus& status) {
    status.state = LiveState::ready;
    status.model = loaded_.model;
    status.stage.clear();
    status.share = 1;
  });
}

// --- a run
// ------------------------------------------------------------------------------------------------------

void LiveEngine::Worker::start(const StartRun& command) {
  status_.update([&](LiveStatus& status) {
    status.state = LiveState::starting;
    status.paused = false;
    ++status.run;
    status.done = status.total = 0;
    status.trace = command.trace ? command.trace->path : std::filesystem::path();
    status.cost.reset();
    status.summary = nullptr;
    status.finish_reason.clear();
    status.error.reset();
    status.trace_error.reset();
    status.gpu_failed = false;
  });
  const engine::Status ran = run(command);
  if (ran) return;
  status_.update([&](LiveStatus& status) {
    status.state = idle_state();
    status.error = ran.error();
    status.gpu_failed = ran.error().about_gpu;
  });
}

engine::Status LiveEngine::Worker::run(const StartRun& command) {
  if (!loaded_.model) return engine::bad_input("no model is loaded, expected one before a run");
  if (command.options.prompt.file == "-") {
    return engine::bad_input("--prompt-file -: standard input cannot be read from here, expected a file");
  }
  const auto prompt = read_prompt(command.options.prompt);
  if (!prompt) return prompt.error();
  auto setup = set_up_run(loaded_, *prompt, command.options);
  if (!setup) return setup.error();
  const std::stop_token stop = queue_.begin_run();
  pacing_.begin(command.paused);
  setup->request.stop = stop;
  setup->request.on_progress = [&](const engine::RunProgress& at) {
    if (at.loading) return show_stage(LiveState::starting, "copying weights to the GPU", at);
    if (at.calibrating) return show_stage(LiveState::starting, "calibrating the threshold", at);
    if (at.measuring) return show_stage(LiveState::measuring, "measuring what profiling costs", at);
    show_progress(at);
    pacing_.after_step(at.phase == engine::Phase::decode, stop, [this] { show_pacing(); });
    if (stop.stop_requested()) {
      status_.update([](LiveStatus& status) { status.state = LiveState::stopping; });
    }
  };
  const auto on_trace_error = [&](const engine::Error& error) {
    status_.update([&](LiveStatus& status) { status.trace_error = error; });
  };
  cost_.reset();
  const auto done = run_recorded(loaded_, *setup, command.trace, command.sink.get(), on_trace_error,
                                 [&](const profiling::RecordingCost& cost) { cost_ = cost; });
  if (!done) return done.error();
  if (command.trace) cost_ = done->cost;
  show_end(*done);
  return {};
}

void LiveEngine::Worker::show_stage(LiveState state, const char* stage, const engine::RunProgress& at) {
  status_.update([&](LiveStatus& status) {
    status.state = state;
    status.stage = stage;
    status.done = at.done;
    status.total = at.total;
  });
}

void LiveEngine::Worker::show_progress(const engine::RunProgress& at) {
  status_.update([&](LiveStatus& status) {
    status.state = at.phase == engine::Phase::prefill ? LiveState::prefill : LiveState::decoding;
    status.stage.clear();
    status.done = at.done;
    status.total = at.total;
    status.cost = cost_;
  });
}

void LiveEngine::Worker::show_pacing() {
  status_.update([this](LiveStatus& status) {
    status.paused = status.running() && pacing_.paused();
    status.pace = pacing_.pace();
  });
}

std::string finish_reason(const RecordedRun& done) {
  if (done.session_error) {
    return done.session_error->code == engine::ErrorCode::interrupted ? "interrupted" : "";
  }
  for (const std::string& reason : done.summary->finish_reasons) {
    if (reason != done.summary->finish_reasons.front()) return reason == "interrupted" ? reason : "length";
  }
  return done.summary->finish_reasons.front();
}

void LiveEngine::Worker::show_end(const RecordedRun& done) {
  status_.update([&](LiveStatus& status) {
    status.state = LiveState::ready;
    status.stage.clear();
    status.paused = false;
    if (done.summary) status.summary = std::make_shared<const engine::RunSummary>(*done.summary);
    status.finish_reason = finish_reason(done);
    if (done.session_error && status.finish_reason.empty()) {
      status.error = done.session_error;
      const bool ran_there = done.run && done.run->backend == "cuda";
      status.gpu_failed = ran_there || done.session_error->about_gpu;
    }
    status.trace_error = done.trace_error;
    status.cost = cost_;
  });
}

LiveEngine::LiveEngine(std::function<void()> on_change)
    : worker_(std::make_unique<Worker>(std::move(on_change))) {}
LiveEngine::~LiveEngine() = default;

void LiveEngine::post(Command command) {
  worker_->post(std::move(command));
}

std::shared_ptr<const LiveStatus> LiveEngine::status() const {
  return worker_->status();
}

}  // namespace app::live
