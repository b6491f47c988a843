// Commands that move through a run, and those that change what is selected.
#include <fmt/format.h>

#include <array>
#include <string>

#include "app/gui/shell/application.hpp"
#include "app/gui/shell/run_state.hpp"

namespace app::gui {

namespace {

void toggle_run(Workbench& bench) {
  if (run_mode(bench) != RunMode::live) return bench.toggle_play();
  bench.post(bench.live().paused ? live::Command(live::Resume{}) : live::Command(live::Pause{}));
}

// A step is taken from a standstill.
void step_back(Workbench& bench, std::int32_t positions) {
  bench.playback().stop();
  bench.go_by(-positions);
}

// One position on; a paused run takes one more step when there is none.
void step_forward(Workbench& bench, std::int32_t positions) {
  const bool newest = bench.position() + 1 >= bench.positions();
  if (newest && run_mode(bench) == RunMode::live && bench.live().paused) {
    bench.follow();
    return bench.post(live::StepOnce{});
  }
  bench.playback().stop();
  bench.go_by(positions);
}

}  // namespace

void Application::add_run_commands() {
  const auto has_run = [this] { return bench_.has_run(); };
  const auto add = [&](const char* id, const char* title, const char* keys, std::function<void()> run,
                       std::function<bool()> enabled, bool separator = false) {
    commands_.add({id, title, "Run", keys, std::move(run), std::move(enabled), {}, separator});
  };
  add(
      "run.play", "Play or pause", "Space", [this] { toggle_run(bench_); }, has_run, true);
  add(
      "run.step_back", "One position back", "Left", [this] { step_back(bench_, 1); },
      [this] { return bench_.position() > 0; });
  add(
      "run.step_forward", "One position forward", "Right", [this] { step_forward(bench_, 1); }, has_run);
  add(
      "run.ten_back", "Ten positions back", "Shift+Left", [this] { step_back(bench_, 10); }, has_run);
  add(
      "run.ten_forward", "Ten positions forward", "Shift+Right", [this] { step_forward(bench_, 10); },
      has_run);
  add(
      "run.first", "To the first position", "Home", [this] { bench_.go_to(0); }, has_run);
  add(
      "run.last", "To the last position", "End", [this] { bench_.go_to(bench_.positions() - 1); }, has_run);
  add(
      "run.live", "Live: follow the newest position", "L", [this] { bench_.follow(); }, has_run);
  const auto live = [this] { return run_mode(bench_) == RunMode::live; };
  add(
      "run.faster", "Replay faster", "",
      [this] { bench_.playback().set_speed(bench_.playback().speed() * 2); }, has_run, true);
  add(
      "run.slower", "Replay slower", "",
      [this] { bench_.playback().set_speed(bench_.playback().speed() / 2); }, has_run);
  add(
      "run.on_cpu", "Run on the CPU what the GPU could not", "", [this] { bench_.run_on_cpu(); },
      [this] { return bench_.can_run_on_cpu(); });
  add(
      "run.stop", "Stop the run", "", [this] { bench_.post(live::Stop{}); }, live);
  add(
      "run.facts", "What this run is", "", [this] { dockspace_->show(current_layout(), "trace"); }, has_run,
      true);
  add(
      "run.prompt", "Ask something", "Ctrl+Enter",
      [this] {
        show_welcome_ = false;
        dockspace_->show(current_layout(), "prompt");
      },
      {}, true);
}

// Tokens along one pair of arrows, heads along the other: whatever a click in a panel selects.
void Application::add_pin_commands() {
  const auto has_run = [this] { return bench_.has_run(); };
  const auto add = [&](const char* id, const char* title, const char* keys, std::function<void()> run,
                       std::function<bool()> enabled) {
    commands_.add({id, title, "Selection", keys, std::move(run), std::move(enabled), {}});
  };
  // Without a pin, from the moment that is shown.
  const auto pin_by = [this](std::int32_t by) {
    const auto& pinned = bench_.selection().token;
    const std::int32_t token = pinned ? *pinned + by : bench_.position();
    bench_.select(view::pin_token(bench_.selection(), std::clamp(token, 0, bench_.sequence().tokens() - 1)));
  };
  const auto head_by = [this](std::int32_t by) {
    bench_.select(
        view::pin_next_head(bench_.selection(), by, bench_.run().layers(), bench_.run().kv_heads()));
  };
  const auto extend_by = [this](std::int32_t by) {
    bench_.select(view::extend_tokens(bench_.selection(), by, bench_.sequence().tokens()));
  };
  const auto extendable = [this] {
    return bench_.has_run() && (bench_.selection().token || bench_.selection().tokens);
  };
  add(
      "selection.pin_before", "Pin the token before", "Ctrl+Left", [=] { pin_by(-1); }, has_run);
  add(
      "selection.pin_after", "Pin the token after", "Ctrl+Right", [=] { pin_by(1); }, has_run);
  add(
      "selection.head_before", "Pin the head above", "Ctrl+Up", [=] { head_by(-1); }, has_run);
  add(
      "selection.head_after", "Pin the head below", "Ctrl+Down", [=] { head_by(1); }, has_run);
  add(
      "selection.fewer_tokens", "Select up to one token less", "Ctrl+Shift+Left", [=] { extend_by(-1); },
      extendable);
  add(
      "selection.more_tokens", "Select up to one token more", "Ctrl+Shift+Right", [=] { extend_by(1); },
      extendable);
  add(
      "selection.layer", "Limit to the pinned head's layer", "Ctrl+L",
      [this] { bench_.select(view::toggle_layer(bench_.selection(), bench_.run().kv_heads())); },
      [this] { return bench_.has_run() && bench_.selection().head.has_value(); });
}

void Application::add_selection_commands() {
  const auto add = [&](std::string id, std::string title, std::string menu, std::string keys,
                       std::function<void()> run, std::function<bool()> enabled, bool separator = false) {
    commands_.add({std::move(id),
                   std::move(title),
                   std::move(menu),
                   std::move(keys),
                   std::move(run),
                   std::move(enabled),
                   {},
                   separator});
  };
  const auto pinned = [this] { return bench_.has_run() && bench_.selection().token.has_value(); };
  add(
      "selection.clear", "Clear the selection", "Selection", "Esc",
      [this] { bench_.select(view::clear_one(bench_.selection())); },
      [this] { return !bench_.selection().nothing_pinned(); });
  add(
      "selection.back", "Selection before", "Selection", "Alt+Left", [this] { bench_.history().back(); },
      [this] { return bench_.history().can_go_back(); });
  add(
      "selection.forward", "Selection after", "Selection", "Alt+Right",
      [this] { bench_.history().forward(); }, [this] { return bench_.history().can_go_forward(); });
  add(
      "selection.find", "Find in the text", "Selection", "Ctrl+F",
      [this] {
        dockspace_->show(current_layout(), "text");
        bench_.marks().wanted = true;
      },
      [this] { return bench_.has_run(); }, true);
  add_pin_commands();
  add(
      "selection.go_born", "Go to where the pinned token came", "Selection", "",
      [this] { bench_.go_to(*bench_.selection().token); }, pinned);
  for (std::size_t index = 0; index < views_.size(); ++index) {
    add(
        fmt::format("selection.store_view_{}", index), fmt::format("Store this view as {}", index), "",
        fmt::format("Ctrl+{}", index),
        [this, index] {
          views_[index] = SavedView{bench_.selection(), settings_.layout};
          notices_.add(NoticeLevel::info, fmt::format("View {} stored: {} recalls it", index, index));
        },
        [this] { return bench_.has_run(); });
    add(
        fmt::format("selection.recall_view_{}", index), fmt::format("Recall view {}", index), "",
        fmt::format("{}", index),
        [this, index] {
          bench_.playback().stop();
          set_layout(views_[index]->layout);
          bench_.select(views_[index]->selection);
        },
        [this, index] { return bench_.has_run() && views_[index].has_value(); });
  }
}

}  // namespace app::gui
