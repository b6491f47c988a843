#include "app/gui/demo/demo_player.hpp"

#include <imgui.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string_view>
#include <thread>

#include "app/run_setup.hpp"
#include "app/view/run_curves.hpp"
#include "app/view/run_result.hpp"

namespace app::gui {

namespace {

constexpr std::string_view kNeedle = "The code for the seed store is ";  // the hidden number follows
constexpr std::int32_t kTokens = 64;
constexpr double kSecondsPerChunk = 2.5;
constexpr double kSecondsPerToken = 0.28;
constexpr double kLowestThreshold = -1.5;  // the drag's end: noticeably more is evicted
constexpr std::chrono::seconds kLongestWait{120};

// Times that the engine has stopped to ask for another step: after every chunk of the prompt and every token
// sampled.
std::int64_t steps_done(const Workbench& bench) {
  std::int64_t chunks = 0;
  const view::RunSnapshot& run = bench.run();
  while (chunks < run.step_count() &&
         run.step(static_cast<std::int32_t>(chunks)).phase == engine::Phase::prefill) {
    ++chunks;
  }
  return chunks + (bench.live().state == live::LiveState::decoding ? bench.live().done : 0);
}

double eased(double share) {
  return share * share * (3 - 2 * share);
}

}  // namespace

DemoPlayer::DemoPlayer(DemoOptions options, Workbench& bench, Application& application)
    : options_(std::move(options)), bench_(bench), application_(application) {
  bench_.load_model(options_.model);
}

engine::Status DemoPlayer::advance(double seconds) {
  clock_ = std::min(clock_ + seconds, kDemoSeconds);
  bench_.update(0);
  if (bench_.live().error) return *bench_.live().error;
  const auto& timings = demo_timings();
  while (entered_ + 1 < static_cast<int>(timings.size()) &&
         clock_ >= timings[static_cast<std::size_t>(entered_ + 1)].begin) {
    if (options_.wait_for_engine && entered_ >= 0) {
      if (auto waited = wait_for_steps(); !waited) return waited;
    }
    enter(timings[static_cast<std::size_t>(++entered_)].scene);
  }
  const DemoScene scene = timings[static_cast<std::size_t>(entered_)].scene;
  const double share = scene_share(clock_);
  if (scene == DemoScene::read || scene == DemoScene::decode) {
    step_engine();
    if (options_.wait_for_engine) {
      if (auto waited = wait_for_steps(); !waited) return waited;
    }
  } else if (scene == DemoScene::drag) {
    threshold_ = kLowestThreshold * eased(share);
    view::CacheSettings settings;
    settings.threshold = threshold_;
    bench_.set_preview(settings);
  } else if (scene == DemoScene::verify && share > 0.5 && options_.wait_for_engine) {
    if (auto waited = wait_for_steps(); !waited) return waited;  // the rest of the scene shows the result
  } else if (scene == DemoScene::travel && bench_.positions() > 0) {
    const double back = 1 - 0.75 * std::sin(eased(share) * 3.14159265);
    bench_.go_to(static_cast<std::int32_t>(back * (bench_.positions() - 1)));
  }
  gather_facts();
  return {};
}

void DemoPlayer::enter(DemoScene scene) {
  switch (scene) {
    case DemoScene::read:
      application_.set_layout("inspect");
      start_run(0, false);
      break;
    case DemoScene::decode:
      next_step_at_ = clock_;
      break;
    case DemoScene::pin:
      bench_.post(live::Resume{});  // whatever is left of the answer
      if (const std::int32_t token = hidden_token(); token >= 0) {
        bench_.select(view::pin_token(bench_.selection(), token));
        facts_.token_position = token;
      }
      break;
    case DemoScene::drag:
      application_.set_layout("tune");
      break;
    case DemoScene::verify:
      bench_.set_preview({});
      start_run(threshold_, true);
      break;
    case DemoScene::travel:
      application_.set_layout("inspect");
      break;
    case DemoScene::keep:
      bench_.follow();
      break;
  }
}

void DemoPlayer::start_run(double threshold, bool quality) {
  RunOptions run;
  run.prompt.file = options_.prompt.string();
  run.tokens = kTokens;
  run.policy.name = "dms";
  run.policy.options.threshold = threshold;
  run.quality = quality;
  run_asked_ = bench_.live().run + 1;
  steps_asked_ = 1;
  next_step_at_ = clock_ + kSecondsPerChunk;
  bench_.start_run(run, options_.traces, !quality);
}

void DemoPlayer::step_engine() {
  if (bench_.live().run < run_asked_ || bench_.run().finished()) return;
  const bool reading = scene_at(clock_) == DemoScene::read;
  while (next_step_at_ <= clock_) {
    bench_.post(live::StepOnce{});
    ++steps_asked_;
    next_step_at_ += reading ? kSecondsPerChunk : kSecondsPerToken;
  }
}

// Until the engine has done what it was asked for, or the run that nobody paces has ended.
engine::Status DemoPlayer::wait_for_steps() {
  const auto give_up = std::chrono::steady_clock::now() + kLongestWait;
  const bool paced = scene_at(clock_) == DemoScene::read || scene_at(clock_) == DemoScene::decode;
  for (;;) {
    bench_.update(0);
    const live::LiveStatus& live = bench_.live();
    if (live.error) return *live.error;
    if (live.run >= run_asked_) {
      if (bench_.run().finished() && !live.running()) return {};
      if (paced && steps_done(bench_) >= steps_asked_) return {};
    }
    if (std::chrono::steady_clock::now() > give_up) {
      return engine::failed("demo: the model did not answer within {} s", kLongestWait.count());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// The first token of the number that the prompt hides; -1 if it is not there.
std::int32_t DemoPlayer::hidden_token() const {
  if (!bench_.has_run()) return -1;
  const view::SequenceView& sequence = bench_.sequence();
  std::string text;
  for (std::int32_t position = 0; position < sequence.tokens(); ++position) {
    if (text.ends_with(kNeedle) || text.ends_with(kNeedle.substr(0, kNeedle.size() - 1))) {
      const std::string_view next = sequence.token(position).text;
      if (next != " ") return position;
    }
    text += sequence.token(position).text;
    if (text.size() > 4096) text.erase(0, text.size() - 256);
  }
  return -1;
}

void DemoPlayer::gather_facts() {
  if (!bench_.has_run()) return;
  const view::RunSnapshot& run = bench_.run();
  facts_.model = run.run().model_name;
  facts_.heads = run.heads();
  facts_.window = run.run().window;
  facts_.position = bench_.position();
  facts_.positions = bench_.positions();
  const view::SequenceView& sequence = bench_.sequence();
  facts_.prompt_tokens = view::prompt_positions(sequence);
  const std::int32_t s = bench_.position();
  facts_.ratio = bench_.cache().size(s).logical_ratio();
  if (bench_.selection().token) {
    const std::int32_t token = *bench_.selection().token;
    facts_.token = std::string(sequence.token(token).text);
    std::int32_t holding = 0;
    bench_.cache().heads_holding(s, token, {&holding, 1});
    facts_.holding = holding;
  }
  facts_.threshold = threshold_;
  facts_.preview_ratio.reset();
  if (auto* preview = bench_.preview()) facts_.preview_ratio = preview->size(s).logical_ratio();
  const bool verified = entered_ >= static_cast<int>(DemoScene::verify) && run.finished() &&
                        std::abs(run.run().threshold - threshold_) < 1e-4;  // not still the run before
  if (verified) {
    const view::RunResult result = view::run_result(bench_.cache());
    facts_.verified_ratio = result.ratio;
    facts_.mean_kl = result.kl;
    const auto trace = bench_.trace_path();
    std::error_code error;
    const auto bytes = std::filesystem::file_size(trace, error);
    facts_.trace = trace.filename().string();
    if (!error) facts_.trace_bytes = static_cast<std::int64_t>(bytes);
  }
}

void draw_caption(Ui& ui, const DemoCaption& caption) {
  const ImVec2 size = ImGui::GetMainViewport()->Size;
  const float width = std::min(ui.px(680), size.x - ui.px(32));
  ImGui::SetNextWindowPos({size.x / 2, size.y - ui.px(44)}, ImGuiCond_Always, {0.5F, 1});
  ImGui::SetNextWindowSize({width, 0});
  ImGui::PushStyleColor(ImGuiCol_WindowBg, ui.u32(Role::raised));
  ImGui::PushStyleColor(ImGuiCol_Border, ui.u32(Role::accent));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(ui.px(16), ui.px(12)));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, ui.px(4));
  ImGui::Begin("##caption", nullptr,
               ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoDocking | ImGuiWindowFlags_NoMove |
                   ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoFocusOnAppearing |
                   ImGuiWindowFlags_NoNav | ImGuiWindowFlags_NoInputs | ImGuiWindowFlags_AlwaysAutoResize);
  label(ui, caption.title.c_str(), Role::text, Face::ui_bold, 16);
  ImGui::PushTextWrapPos(width - ui.px(16));
  ImGui::PushStyleColor(ImGuiCol_Text, ui.u32(Role::text2));
  ImGui::TextUnformatted(caption.text.c_str());
  ImGui::PopStyleColor();
  ImGui::PopTextWrapPos();
  ImGui::End();
  ImGui::PopStyleVar(2);
  ImGui::PopStyleColor(2);
}

}  // namespace app::gui
