// What the window works on: one run, live or from a trace, the moment that is shown, and what is selected.
//
// GUI thread only. update(), once per frame, takes the newest snapshot and brings up to date what is derived
// from it; until the next one only the selection and the hover change. Nothing here waits: the engine and the
// reader of traces have threads of their own.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/gui/workbench/background.hpp"
#include "app/gui/workbench/device_choice.hpp"
#include "app/gui/workbench/playback.hpp"
#include "app/gui/workbench/run_problems.hpp"
#include "app/live/live_engine.hpp"
#include "app/live/trace_source.hpp"
#include "app/view/cache_view.hpp"
#include "app/view/run_model.hpp"
#include "app/view/run_result.hpp"
#include "app/view/selection.hpp"

namespace app::gui {

enum class RunSource { none, live, trace };

// What was searched for in the text, for every panel that marks it.
struct TextMarks {
  std::vector<view::TokenRange> matches;
  std::size_t current = 0;    // of matches
  std::uint64_t version = 0;  // grows with every change of matches
  bool wanted = false;        // the search field should take the keyboard
};

class Workbench {
 public:
  // `wake` is called on other threads when there is something new to draw; it must return at once.
  explicit Workbench(std::function<void()> wake);
  ~Workbench();
  Workbench(const Workbench&) = delete;
  Workbench& operator=(const Workbench&) = delete;

  // --- what is run or read
  // What is shown stays until the trace has something to show instead; if it cannot be opened, for good.
  // `play`: from its start, as soon as it has been read.
  void open_trace(const std::filesystem::path& path, bool play = false);
  void load_model(const std::filesystem::path& folder);
  // A run of the loaded (or loading) model. `traces` is where it is recorded; empty: nowhere. `paused`: it
  // pauses after its first step. What is shown stays until the run has begun; if it is refused, for good.
  void start_run(const RunOptions& options, const std::filesystem::path& traces, bool paused = false);
  void post(live::Command command);  // pause, resume, pace, stop
  // The last run that was asked for, once more, where a GPU could not run it.
  bool can_run_on_cpu() const;
  void run_on_cpu();
  // Where runs go, until the settings are saved; set by the prompt panel and the command line.
  RunPreferences& preferences() { return preferences_; }
  const RunPreferences& preferences() const { return preferences_; }
  // The machine's GPUs; null until they have been looked for, which the first call begins.
  const engine::GpuSurvey* gpus();
  void set_gpus(engine::GpuSurvey survey) { gpus_ = std::move(survey); }
  RunSource source() const { return source_; }
  const live::LiveStatus& live() const { return *live_status_; }
  // Of the trace that is being opened, else of the one that is shown; null: there is none.
  const live::TraceStatus* trace() const { return opening_ ? opening_->status.get() : trace_status_.get(); }
  // What went wrong since the last call, in words.
  std::vector<Problem> take_problems() { return problems_.take(); }
  // The trace that holds the run that is shown; empty: none does.
  std::filesystem::path trace_path() const;
  // Its size when it was last looked at, about once a second; -1: unknown.
  std::int64_t trace_bytes() const { return *trace_bytes_; }
  // What the last live run was asked for: what a re-run starts from.
  const RunOptions& options() const { return options_; }
  // Something changes by itself: a run, a growing trace, a playback.
  bool busy() const;
  bool decoding() const;
  // For work on other threads that ends with something to draw.
  const std::function<void()>& waker() const { return wake_; }

  // --- once per frame
  void update(double seconds_since_last_frame);

  // --- the run and its cache, as of update()
  // With at least one position whose cache is known.
  bool has_run() const { return run_->started() && !cache_.empty() && cache_.positions() > 0; }
  const view::RunSnapshot& run() const { return *run_; }
  const view::SequenceView& sequence() const { return cache_.sequence(); }  // has_run()
  view::CacheView& cache() { return cache_; }  // with the run's own threshold and window
  // With the settings of the tuning panel; null without a preview.
  view::CacheView* preview() { return preview_settings_ ? &preview_ : nullptr; }
  const std::optional<view::CacheSettings>& preview_settings() const { return preview_settings_; }
  void set_preview(std::optional<view::CacheSettings> settings);

  // --- other settings
  // The run that was shown before this one (B); null: there was none.
  view::CacheView* other() { return other_.cache.empty() ? nullptr : &other_.cache; }
  // Called in every frame while it is held: from the next frame on every panel shows B instead, at the same
  // place; a live run goes on unseen.
  void hold_other() { wants_other_ = true; }
  bool holding_other() const { return holding_other_; }
  // What the runs shown so far came to, the oldest first.
  const std::vector<view::RunResult>& tried() const { return tried_; }

  // --- the moment shown
  std::int32_t positions() const { return has_run() ? cache_.positions() : 0; }
  std::int32_t position() const { return position_; }  // s; -1 without a run
  bool at_newest() const { return !history_.current().position.has_value(); }
  void go_to(std::int32_t position);
  void go_by(std::int32_t positions) { go_to(position_ + positions); }
  void follow();  // LIVE: the newest position, from now on
  Playback& playback() { return playback_; }
  void toggle_play();

  // --- selection and hover
  const view::Selection& selection() const { return history_.current(); }
  view::SelectionHistory& history() { return history_; }
  void select(view::Selection selection) { history_.push(std::move(selection)); }
  const view::Hover& hover() const { return hover_; }  // of the frame before, whichever panel it was in
  view::Hover& next_hover() { return next_hover_; }    // what the pointer is over in this frame
  TextMarks& marks() { return marks_; }

 private:
  class Sink;
  // A run and what is looked at in it.
  struct Shown {
    std::shared_ptr<const view::RunSnapshot> run;
    std::uint64_t run_id = 0;
    view::CacheView cache, preview;
    std::optional<view::CacheSettings> preview_settings;
    view::SelectionHistory history;
  };
  // A trace on its way.
  struct Opening {
    std::shared_ptr<view::RunModel> model;
    std::shared_ptr<std::atomic<std::int64_t>> bytes;
    std::unique_ptr<live::TraceSource> source;
    std::shared_ptr<const live::TraceStatus> status;
    bool play = false;
  };
  // A run that was asked for and has not begun.
  struct Starting {
    std::shared_ptr<view::RunModel> model;
    std::shared_ptr<std::atomic<std::int64_t>> trace_bytes;
    RunOptions options;
    std::filesystem::path trace;
    std::int64_t runs_before = 0;  // of the engine
  };
  void show(RunSource source);
  void show_trace(Opening trace);
  void update_opening();
  void show_live(Starting run);
  void update_starting();
  void swap_with_other();
  void apply_hold(bool held);
  void begin_run();

  std::function<void()> wake_;
  live::LiveEngine engine_;
  std::shared_ptr<const live::LiveStatus> live_status_;
  RunOptions options_;
  RunOptions asked_;  // of the last start_run()
  std::filesystem::path asked_traces_;
  RunPreferences preferences_;
  std::optional<engine::GpuSurvey> gpus_;
  RunSource source_ = RunSource::none;
  std::shared_ptr<view::RunModel> model_;  // of the run shown
  std::optional<Starting> starting_;
  std::filesystem::path live_trace_;  // of the live run that is shown
  std::unique_ptr<live::TraceSource> trace_;
  std::shared_ptr<const live::TraceStatus> trace_status_;
  std::optional<Opening> opening_;
  RunProblems problems_;

  std::shared_ptr<const view::RunSnapshot> run_;
  std::uint64_t run_id_ = 0;
  view::CacheView cache_;
  view::CacheView preview_;
  std::optional<view::CacheSettings> preview_settings_;
  std::int32_t position_ = -1;
  Playback playback_;
  view::SelectionHistory history_;
  Shown other_;
  bool wants_other_ = false;
  bool holding_other_ = false;
  std::vector<view::RunResult> tried_;
  view::Hover hover_;
  view::Hover next_hover_;
  TextMarks marks_;
  bool play_when_read_ = false;
  std::shared_ptr<std::atomic<std::int64_t>> trace_bytes_;  // of the run shown, written by its sink
  Background<engine::GpuSurvey> looks_for_gpus_;            // last: it wakes the window
};

}  // namespace app::gui
