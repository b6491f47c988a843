#include "app/gui/workbench/workbench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "app/gui/workbench/places.hpp"
#include "app/view/step_tokens.hpp"

namespace app::gui {

namespace fs = std::filesystem;

namespace {

// 20261122-101500.db, with a number where that exists.
fs::path new_trace(const fs::path& folder) {
  const std::string stamp = file_stamp();
  std::error_code error;
  fs::create_directories(folder, error);  // what is wrong with it shows when the trace is created
  fs::path path = folder / fmt::format("{}.db", stamp);
  for (int number = 2; fs::exists(path, error) && number < 1000; ++number) {
    path = folder / fmt::format("{}-{}.db", stamp, number);
  }
  return path;
}

}  // namespace

// Fills the model and wakes the window. Spans come with their step, so the end of a step is news enough. Runs
// on the thread of the events, which may look at the disk.
class Workbench::Sink final : public engine::EventSink {
 public:
  Sink(std::shared_ptr<view::RunModel> model, std::function<void()> wake, fs::path trace,
       std::shared_ptr<std::atomic<std::int64_t>> trace_bytes)
      : model_(std::move(model)),
        wake_(std::move(wake)),
        trace_(std::move(trace)),
        trace_bytes_(std::move(trace_bytes)) {}

  void on_event(engine::Event event) override {
    const bool ends = std::holds_alternative<engine::RunFinished>(event);
    const bool news = ends || std::holds_alternative<engine::StepFinished>(event) ||
                      std::holds_alternative<engine::RunStarted>(event);
    model_->on_event(std::move(event));
    if (news) look_at_trace(ends);
    if (news && wake_) wake_();
  }

 private:
  void look_at_trace(bool at_once) {
    const auto now = std::chrono::steady_clock::now();
    if (trace_.empty() || (!at_once && now < next_look_)) return;
    next_look_ = now + std::chrono::seconds(1);
    std::error_code error, no_log;
    const auto bytes = fs::file_size(trace_, error);
    // What was written last is in the log beside it until the recording ends.
    const auto log = fs::file_size(trace_.string() + "-wal", no_log);
    *trace_bytes_ = error ? -1 : static_cast<std::int64_t>(bytes + (no_log ? 0 : log));
  }

  std::shared_ptr<view::RunModel> model_;
  std::function<void()> wake_;
  fs::path trace_;
  std::shared_ptr<std::atomic<std::int64_t>> trace_bytes_;
  std::chrono::steady_clock::time_point next_look_{};
};

Workbench::Workbench(std::function<void()> wake)
    : wake_(std::move(wake)),
      engine_(wake_),
      live_status_(engine_.status()),
      model_(std::make_shared<view::RunModel>()),
      run_(model_->snapshot()),
      trace_bytes_(std::make_shared<std::atomic<std::int64_t>>(-1)) {}

Workbench::~Workbench() = default;

void Workbench::show(RunSource source) {
  apply_hold(false);
  const bool runs = source_ == RunSource::live || starting_;
  if (runs && source != RunSource::live) engine_.post(live::Stop{});
  starting_.reset();
  opening_.reset();
  problems_.forget_trace();
  trace_.reset();
  trace_status_.reset();
  source_ = source;
  model_ = std::make_shared<view::RunModel>();
  trace_bytes_ = std::make_shared<std::atomic<std::int64_t>>(-1);
  play_when_read_ = false;
  playback_.stop();
}

void Workbench::open_trace(const fs::path& path, bool play) {
  Opening trace{std::make_shared<view::RunModel>(), std::make_shared<std::atomic<std::int64_t>>(-1), nullptr,
                nullptr, play};
  trace.source = std::make_unique<live::TraceSource>(
      path, std::make_shared<Sink>(trace.model, wake_, path, trace.bytes), wake_);
  trace.status = trace.source->status();
  if (!has_run()) return show_trace(std::move(trace));
  opening_ = std::move(trace);
}

void Workbench::show_trace(Opening trace) {
  show(RunSource::trace);
  model_ = std::move(trace.model);
  trace_bytes_ = std::move(trace.bytes);
  trace_ = std::move(trace.source);
  trace_status_ = std::move(trace.status);
  play_when_read_ = trace.play;
}

void Workbench::update_opening() {
  opening_->status = opening_->source->status();
  const auto newest = opening_->model->snapshot();
  const bool there = !newest->sequences().empty() && newest->sequences().front().processed() > 0;
  if (there) return show_trace(*std::exchange(opening_, std::nullopt));
  if (!opening_->status->ended()) return;
  problems_.watch_trace(*opening_->status, true);
  opening_.reset();
}

void Workbench::load_model(const fs::path& folder) {
  engine_.post(live::LoadModel{folder});
}

void Workbench::start_run(const RunOptions& options, const fs::path& traces, bool paused) {
  Starting run{std::make_shared<view::RunModel>(), std::make_shared<std::atomic<std::int64_t>>(-1), options,
               traces.empty() ? fs::path() : new_trace(traces), engine_.status()->run};
  live::StartRun start{options, std::make_shared<Sink>(run.model, wake_, run.trace, run.trace_bytes)};
  start.paused = paused;
  if (!run.trace.empty()) start.trace = TraceTarget{run.trace};
  asked_ = options;
  asked_traces_ = traces;
  engine_.post(std::move(start));
  opening_.reset();  // what was asked for last is what is wanted
  if (!has_run()) return show_live(std::move(run));
  starting_ = std::move(run);
}

bool Workbench::can_run_on_cpu() const {
  return live_status_->gpu_failed && live_status_->model != nullptr && !live_status_->running();
}

void Workbench::run_on_cpu() {
  start_run(on_cpu(asked_), asked_traces_);
}

const engine::GpuSurvey* Workbench::gpus() {
  if (gpus_) return &*gpus_;
  if (auto found = looks_for_gpus_.take()) {
    gpus_ = std::move(*found);
  } else if (!looks_for_gpus_.busy()) {
    looks_for_gpus_.start([] { return engine::survey_gpus(); }, wake_);
  }
  return gpus_ ? &*gpus_ : nullptr;
}

void Workbench::show_live(Starting run) {
  show(RunSource::live);
  model_ = std::move(run.model);
  trace_bytes_ = std::move(run.trace_bytes);
  options_ = std::move(run.options);
  live_trace_ = std::move(run.trace);
}

void Workbench::update_starting() {
  if (starting_->model->snapshot()->started()) return show_live(*std::exchange(starting_, std::nullopt));
  const bool refused = live_status_->run > starting_->runs_before && !live_status_->running();
  if (refused && live_status_->error) starting_.reset();
}

void Workbench::post(live::Command command) {
  engine_.post(std::move(command));
}

fs::path Workbench::trace_path() const {
  if (trace_) return trace_->path();
  return source_ == RunSource::live ? live_trace_ : fs::path();
}

bool Workbench::decoding() const {
  return source_ == RunSource::live && live_status_->running() && !live_status_->paused;
}

bool Workbench::busy() const {
  const bool loading = live_status_->state == live::LiveState::loading;
  const bool reading = trace() != nullptr && !trace()->ended();
  return loading || reading || decoding() || playback_.playing();
}

void Workbench::update(double seconds_since_last_frame) {
  live_status_ = engine_.status();
  problems_.watch_live(*live_status_);
  if (opening_) update_opening();
  if (trace_) {
    trace_status_ = trace_->status();
    problems_.watch_trace(*trace_status_, false);
  }
  apply_hold(std::exchange(wants_other_, false));
  if (starting_ && !holding_other_) update_starting();
  if (!holding_other_) {
    const auto newest = model_->snapshot();
    if (newest->run_id() != run_id_) begin_run();
    run_ = newest;
    run_id_ = run_->run_id();
  }
  hover_ = std::exchange(next_hover_, {});
  if (!run_->started() || run_->sequences().empty()) {
    position_ = -1;
    return;
  }
  const view::Selection& current = history_.current();
  const view::SequenceView* sequence = run_->sequence(current.sequence);
  if (sequence == nullptr) sequence = &run_->sequences().front();
  history_.replace(
      view::clamp_to(current, sequence->tokens(), sequence->processed(), run_->layers(), run_->kv_heads()));
  const engine::SequenceId id = sequence->id();
  // A step of one token, in the timeline, is that token everywhere else.
  if (hover_.step && !hover_.token) {
    const view::TokenRange tokens = view::tokens_of_step(*sequence, *hover_.step);
    if (tokens.size() == 1) hover_.token = tokens.begin;
  }
  if (play_when_read_ && trace_status_ && trace_status_->state > live::TraceState::replaying) {
    play_when_read_ = false;
    playback_.play(0);
  }
  if (playback_.playing()) {
    const std::int32_t next =
        playback_.advance(seconds_since_last_frame, *run_, *sequence, sequence->processed());
    view::Selection moved = history_.current();
    moved.position = next;
    history_.replace(std::move(moved));
  }
  cache_.update(run_, id);
  if (preview_settings_) preview_.update(run_, id, *preview_settings_);
  position_ = std::min(history_.current().position.value_or(cache_.positions() - 1), cache_.positions() - 1);
  const bool is_new = tried_.empty() || tried_.back().run_id != run_id_;
  if (run_->finished() && !holding_other_ && is_new) tried_.push_back(view::run_result(cache_));
}

// What was shown becomes the other run.
void Workbench::begin_run() {
  if (!cache_.empty()) other_ = {run_, run_id_, std::move(cache_), {}, {}, {}};
  history_ = {};
  preview_settings_.reset();
  cache_ = {};
  preview_ = {};
  marks_.matches.clear();
  ++marks_.version;
}

void Workbench::swap_with_other() {
  std::swap(run_, other_.run);
  std::swap(run_id_, other_.run_id);
  std::swap(cache_, other_.cache);
  std::swap(preview_, other_.preview);
  std::swap(preview_settings_, other_.preview_settings);
  std::swap(history_, other_.history);
}

void Workbench::apply_hold(bool held) {
  if (held == holding_other_ || other_.cache.empty()) return;
  if (held) {
    // The same pins at the same position, as far as they exist there.
    other_.history = {};
    other_.history.replace(history_.current());
  }
  swap_with_other();
  holding_other_ = held;
}

void Workbench::set_preview(std::optional<view::CacheSettings> settings) {
  preview_settings_ = std::move(settings);
  if (preview_settings_ && has_run()) preview_.update(run_, cache_.sequence().id(), *preview_settings_);
}

void Workbench::go_to(std::int32_t position) {
  if (!has_run()) return;
  view::Selection moved = history_.current();
  moved.position = std::clamp(position, 0, std::max(0, cache_.positions() - 1));
  position_ = *moved.position;
  history_.replace(std::move(moved));
  if (playback_.playing()) playback_.play(position_);
}

void Workbench::follow() {
  playback_.stop();
  view::Selection moved = history_.current();
  moved.position.reset();
  history_.replace(std::move(moved));
}

void Workbench::toggle_play() {
  if (playback_.playing()) return playback_.stop();
  if (!has_run()) return;
  const bool at_end = position_ + 1 >= cache_.positions();
  playback_.play(at_end ? 0 : position_);
}

}  // namespace app::gui
