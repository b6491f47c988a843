// A live run under a user's hand, with a real engine on a tiny random checkpoint: opened, asked, watched,
// paused, scrubbed, tuned, verified, recorded and replayed.
#include <fmt/format.h>
#include <imgui.h>
#include <imgui_internal.h>
#include <imgui_te_context.h>
#include <imgui_te_engine.h>
#include <signal.h>
#include <sys/resource.h>

#include <cmath>
#include <cstdlib>
#include <vector>

#include "app/view/format.hpp"
#include "app/view/kernel_table.hpp"
#include "app/view/range_statistics.hpp"
#include "app/view/run_result.hpp"
#include "app/view/token_history.hpp"
#include "profiling/half_float.hpp"
#include "tests/app/gui/panel_hand.hpp"
#include "tests/app/support/talking_checkpoint.hpp"

namespace gui_tests {

namespace {

using namespace app;
namespace fs = std::filesystem;

constexpr const char* kPrompt =
    "The harbour master wrote the code on the inside of her glove, as she always did.";

support::CheckpointOptions model_options() {
  support::CheckpointOptions options = support::talking_options();
  options.gates = support::Gates::nvidia_adapter;
  options.layers = 3;
  options.window = 8;
  options.max_positions = 100'000;
  return options;
}

// The model and the home of traces of all tests here.
struct Stage {
  support::TalkingCheckpoint model{model_options()};
  support::TempFolder home;
  Stage() { home_is(home.path()); }
  static void home_is(const fs::path& folder) { setenv("XDG_DATA_HOME", folder.c_str(), 1); }
  fs::path traces() const { return home / "dmscope/traces"; }
  std::size_t trace_count() const {
    std::error_code error;
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(traces(), error))
      count += entry.path().extension() == ".db" ? 1U : 0U;
    return count;
  }
};

Stage& stage() {
  static Stage stage;
  return stage;
}

const live::LiveStatus& engine_status(Driver& driver) {
  return driver.bench().live();
}

// --- by hand
// ------------------------------------------------------------------------------------------------------

void choose_model(ImGuiTestContext* context, Driver& driver, const fs::path& folder) {
  context->SetRef("##MainMenuBar");
  context->MenuClick("Run/Run a model…");
  context->Yield(3);
  context->SetRef("Choose a model's folder###file dialog");
  context->ItemInputValue("##path", folder.c_str());
  Driver::wait(context, 60, [&] {
    return engine_status(driver).state != live::LiveState::loading &&
           (engine_status(driver).model || engine_status(driver).error);
  });
  context->Yield(6);
}

void use_form(ImGuiTestContext* context, Driver& driver) {
  use_panel(context, driver, "prompt");
  context->SetRef(context->WindowInfo("form").Window);
}

void type_field(ImGuiTestContext* context, const char* name, const char* value) {
  const std::string path = fmt::format("{}/##value", name);
  context->ItemClick(path.c_str());
  context->KeyCharsReplace(value);
}

void type_prompt(ImGuiTestContext* context, const char* text) {
  context->ItemClick("##prompt");
  context->KeyPress(ImGuiMod_Ctrl | ImGuiKey_A);
  context->KeyPress(ImGuiKey_Delete);
  context->KeyChars(text);
  context->ItemClick("form/Raw text");
}

void fill_form(ImGuiTestContext* context, Driver& driver, const char* tokens, const char* chains = "1") {
  use_form(context, driver);
  type_prompt(context, kPrompt);
  type_field(context, "Tokens", tokens);
  type_field(context, "Chains", chains);
  type_field(context, "Temperature", "0.8");
  type_field(context, "Top-k", "40");
  type_field(context, "Seed", "7");
  context->ItemCheck("go on after the end of the text");
}

void press_run(ImGuiTestContext* context, Driver& driver) {
  const auto runs = engine_status(driver).run;
  use_panel(context, driver, "prompt");
  context->ItemClick(context->ItemExists("Run") ? "Run" : "Run again");
  Driver::wait(context, 60, [&] { return engine_status(driver).run > runs; });
}

void wait_for_end(ImGuiTestContext* context, Driver& driver) {
  Driver::wait(context, 120,
               [&] { return !engine_status(driver).running() && driver.bench().run().finished(); });
  context->Yield(3);
}

std::string end_reason(Driver& driver) {
  const auto& finish = driver.bench().run().finish();
  return finish ? finish->reason : "it goes on";
}

double previewed_threshold(Driver& driver) {
  const auto& settings = driver.bench().preview_settings();
  return settings && settings->threshold ? *settings->threshold : driver.bench().cache().threshold();
}

std::int32_t previewed_window(Driver& driver) {
  const auto& settings = driver.bench().preview_settings();
  return settings && settings->window ? *settings->window : driver.bench().cache().window();
}

// A model, and a finished run of it in front.
void have_run(ImGuiTestContext* context, Driver& driver, const char* layout) {
  driver.application().set_layout("inspect");
  driver.run("view.reset_layout");
  context->Yield(4);
  if (!engine_status(driver).model) choose_model(context, driver, stage().model.path());
  fill_form(context, driver, "60");
  context->ComboClick("##quality/quality: prompt and answer");
  press_run(context, driver);
  wait_for_end(context, driver);
  driver.application().set_layout(layout);
  driver.run("view.reset_layout");
  context->Yield(6);
}

// --- a run
// ------------------------------------------------------------------------------------------------------

void run_by_hand(ImGuiTestContext* context, Driver& driver) {
  choose_model(context, driver, stage().model.path());
  IM_CHECK(engine_status(driver).model != nullptr);
  IM_CHECK((panel_window(driver, "prompt") != nullptr));
  fill_form(context, driver, "40", "2");
  press_run(context, driver);
  wait_for_end(context, driver);
  app::gui::Workbench& bench = driver.bench();
  IM_CHECK(bench.source() == app::gui::RunSource::live);
  const engine::RunStarted& run = bench.run().run();
  IM_CHECK_STR_EQ(run.prompt.c_str(), kPrompt);
  IM_CHECK_STR_EQ(run.policy.c_str(), "dms");
  IM_CHECK_EQ(run.chains, 2);
  IM_CHECK_EQ(run.temperature, 0.8);
  IM_CHECK_EQ(run.top_k, 40);
  IM_CHECK_EQ(run.seed, 7U);
  IM_CHECK_EQ(bench.run().sequences().size(), 2U);
  const auto prompt = static_cast<std::int32_t>(std::string(kPrompt).size());  // a token is a byte
  IM_CHECK_EQ(bench.sequence().tokens(), prompt + 40);
  IM_CHECK_STR_EQ(end_reason(driver).c_str(), "length");
  // What the panels have of it.
  const view::CacheSize size = bench.cache().size(bench.positions() - 1);
  IM_CHECK(size.live_slots < size.dense_slots);
  IM_CHECK(bench.run().spans().size() > 0);
  IM_CHECK(fs::exists(bench.trace_path()));
  IM_CHECK(bench.trace_path().parent_path() == stage().traces());
}

void watch_and_hold(ImGuiTestContext* context, Driver& driver) {
  driver.application().set_layout("inspect");
  if (!engine_status(driver).model) choose_model(context, driver, stage().model.path());
  app::gui::Workbench& bench = driver.bench();
  fill_form(context, driver, "50000");
  press_run(context, driver);
  Driver::wait(context, 60, [&] { return bench.decoding() && bench.positions() > 100; });
  const std::int32_t first = bench.positions();
  Driver::wait(context, 60, [&] { return bench.positions() > first; });
  IM_CHECK(bench.at_newest() && bench.position() == bench.positions() - 1);

  use_panel(context, driver, "map");
  context->KeyPress(ImGuiKey_Space);
  Driver::wait(context, 60, [&] { return engine_status(driver).paused; });
  context->Yield(10);
  const std::int32_t stood = bench.positions();
  context->Yield(20);
  IM_CHECK_EQ(bench.positions(), stood);
  for (std::int32_t step = 1; step <= 3; ++step) {
    context->KeyPress(ImGuiKey_RightArrow);
    Driver::wait(context, 60, [&] { return bench.positions() == stood + step; });
    IM_CHECK_EQ(bench.positions(), stood + step);
    Driver::wait(context, 60, [&] { return engine_status(driver).paused; });
  }

  context->SetRef("##transport");
  context->ItemClick("speed");
  context->Yield(2);
  context->ItemClick("//$FOCUSED/30 tok\\/s");
  Driver::wait(context, 60, [&] { return engine_status(driver).pace == 30; });
  use_panel(context, driver, "map");
  context->KeyPress(ImGuiKey_Space);
  Driver::wait(context, 60, [&] { return bench.positions() > stood + 4; });
  IM_CHECK(!engine_status(driver).paused);

  // Scrubbing back does not stop it.
  const ImRect scrubber = rect_of(context, context->GetID("//##transport/scrubber"));
  IM_CHECK(scrubber.GetWidth() > 100);
  click(context, {scrubber.Min.x + 20, scrubber.GetCenter().y});
  const std::int32_t shown = bench.position(), known = bench.positions();
  IM_CHECK(!bench.at_newest() && shown < known - 1);
  Driver::wait(context, 60, [&] { return bench.positions() > known + 2; });
  IM_CHECK_EQ(bench.position(), shown);
  context->ItemClick("//##transport/live");
  context->Yield(2);
  IM_CHECK(bench.at_newest());
  IM_CHECK_EQ(bench.position(), bench.positions() - 1);

  use_panel(context, driver, "prompt");
  context->ItemClick("Stop");
  wait_for_end(context, driver);
  IM_CHECK_STR_EQ(end_reason(driver).c_str(), "interrupted");
  IM_CHECK(bench.positions() > stood);
  bench.post(live::SetPace{0});
}

// --- tuning
// -----------------------------------------------------------------------------------------------------

void type_number(ImGuiTestContext* context, const char* field, const char* value) {
  context->ItemInputValue(field, value);
  context->Yield(3);
}

bool quality_unknown(ImGuiTestContext* context) {
  return is_drawn(context, item_in(context, "comparison", "KL to dense: preview unknown")) &&
         is_drawn(context, item_in(context, "comparison", "Top-1: preview unknown"));
}

void preview(ImGuiTestContext* context, Driver& driver) {
  have_run(context, driver, "tune");
  app::gui::Workbench& bench = driver.bench();
  use_panel(context, driver, "tuning");
  const auto run = bench.run().run_id();
  const ImRect theta = rect_of(context, item_in(driver, "tuning", "theta"));
  IM_CHECK(bench.preview() == nullptr);
  IM_CHECK(!quality_unknown(context));
  // While it is dragged, not only afterwards.
  context->MouseMoveToPos({theta.GetCenter().x, theta.Max.y - 10});
  context->MouseDown();
  context->MouseMoveToPos({theta.Min.x + theta.GetWidth() * 0.75F, theta.Max.y - 10});
  context->Yield(2);
  const double dragged = previewed_threshold(driver);
  IM_CHECK(dragged > bench.cache().threshold());
  IM_CHECK(bench.preview() != nullptr && bench.preview()->preview());
  context->MouseUp();
  context->Yield(3);
  IM_CHECK(bench.preview() != nullptr);
  IM_CHECK(bench.preview()->size(bench.position()).live_slots >
           bench.cache().size(bench.position()).live_slots);
  IM_CHECK(quality_unknown(context));
  IM_CHECK(view::run_result(bench.cache()).kl.has_value());
  IM_CHECK_EQ(bench.run().run_id(), run);  // a preview runs nothing

  type_number(context, "##window", "3");
  IM_CHECK_EQ(previewed_window(driver), 3);
  IM_CHECK_EQ(previewed_threshold(driver), dragged);
  const ImRect window = rect_of(context, item_in(driver, "tuning", "window"));
  drag(context, {window.Min.x + 10, window.GetCenter().y}, {window.Max.x - 40, window.GetCenter().y});
  IM_CHECK(previewed_window(driver) > 100);

  type_number(context, "##window", "8");
  type_number(context, "##target", "1.6");
  IM_CHECK(bench.preview() != nullptr);
  IM_CHECK(std::abs(bench.preview()->size(bench.position()).logical_ratio() - 1.6) < 0.05);
  type_number(context, "##target", "1000");
  IM_CHECK(is_drawn(context, item_in(driver, "tuning", "target error")));
  IM_CHECK(bench.preview() != nullptr);
  IM_CHECK(std::abs(bench.preview()->size(bench.position()).logical_ratio() - 1.6) < 0.05);
  context->ItemClick("Discard");
  context->Yield(2);
  IM_CHECK(bench.preview() == nullptr);
  IM_CHECK(!is_drawn(context, item_in(driver, "tuning", "target error")));
}

void arrows_tune(ImGuiTestContext* context, Driver& driver) {
  have_run(context, driver, "tune");
  app::gui::Workbench& bench = driver.bench();
  use_panel(context, driver, "tuning");
  const std::int32_t position = bench.position();
  context->NavMoveTo("window");
  context->KeyPress(ImGuiKey_LeftArrow, 2);
  context->Yield(2);
  IM_CHECK_EQ(previewed_window(driver), 6);
  IM_CHECK_EQ(bench.position(), position);  // the slider has the arrows while it has the focus
  context->ItemClick("Discard");
}

void verify(ImGuiTestContext* context, Driver& driver) {
  have_run(context, driver, "tune");
  app::gui::Workbench& bench = driver.bench();
  const std::size_t traces = stage().trace_count();
  const auto first = bench.run().run_id();
  const std::int64_t first_live = bench.cache().size(bench.positions() - 1).live_slots;
  use_panel(context, driver, "tuning");
  type_number(context, "##theta", "0.5");
  context->ItemClick("###verify");
  Driver::wait(context, 60, [&] { return bench.run().run_id() != first; });
  wait_for_end(context, driver);
  IM_CHECK_EQ(bench.run().run().threshold, 0.5);
  IM_CHECK_STR_EQ(bench.run().run().prompt.c_str(), kPrompt);
  IM_CHECK(bench.preview() == nullptr);
  IM_CHECK(view::run_result(bench.cache()).kl.has_value());  // measured, as in the run it repeats
  IM_CHECK(bench.other() != nullptr && bench.other()->run().run_id() == first);
  IM_CHECK_EQ(stage().trace_count(), traces + 1);

  // Space is the latch here ...
  const auto second = bench.run().run_id();
  use_panel(context, driver, "tuning");
  context->Yield(3);
  context->KeyDown(ImGuiKey_Space);
  context->Yield(4);
  IM_CHECK(bench.holding_other());
  IM_CHECK_EQ(bench.run().run_id(), first);
  IM_CHECK_EQ(bench.cache().size(bench.positions() - 1).live_slots, first_live);
  IM_CHECK(!bench.playback().playing());
  context->KeyUp(ImGuiKey_Space);
  context->Yield(4);
  IM_CHECK(!bench.holding_other());
  IM_CHECK_EQ(bench.run().run_id(), second);
  // ... so is a press on its card ...
  const ImRect card = rect_of(context, item_in(driver, "tuning", "card B"));
  context->MouseMoveToPos(card.GetCenter());
  context->MouseDown();
  context->Yield(4);
  IM_CHECK_EQ(bench.run().run_id(), first);
  context->MouseUp();
  context->Yield(4);
  IM_CHECK_EQ(bench.run().run_id(), second);
  // ... and everywhere else Space plays.
  use_panel(context, driver, "compression");
  context->Yield(3);
  context->KeyDown(ImGuiKey_Space);
  context->Yield(4);
  IM_CHECK(bench.playback().playing());
  IM_CHECK(!bench.holding_other());
  context->KeyUp(ImGuiKey_Space);
  context->KeyPress(ImGuiKey_Space);
  IM_CHECK(!bench.playback().playing());
  bench.follow();
}

void verify_on_release(ImGuiTestContext* context, Driver& driver) {
  have_run(context, driver, "tune");
  app::gui::Workbench& bench = driver.bench();
  use_panel(context, driver, "tuning");
  const auto first = bench.run().run_id();
  context->ItemCheck("verify when the slider is released");
  const ImRect theta = rect_of(context, item_in(driver, "tuning", "theta"));
  context->MouseMoveToPos({theta.GetCenter().x, theta.Max.y - 10});
  context->MouseDown();
  context->MouseMoveToPos({theta.Min.x + theta.GetWidth() * 0.7F, theta.Max.y - 10});
  context->Yield(20);
  IM_CHECK_EQ(bench.run().run_id(), first);
  const double wanted = previewed_threshold(driver);
  context->MouseUp();
  Driver::wait(context, 60, [&] { return bench.run().run_id() != first; });
  wait_for_end(context, driver);
  IM_CHECK_EQ(bench.run().run().threshold, wanted);
  use_panel(context, driver, "tuning");
  context->ItemUncheck("verify when the slider is released");
}

void other_policy(ImGuiTestContext* context, Driver& driver) {
  have_run(context, driver, "tune");
  app::gui::Workbench& bench = driver.bench();
  use_panel(context, driver, "tuning");
  type_number(context, "##theta", "0.5");
  IM_CHECK(bench.preview() != nullptr);
  const auto first = bench.run().run_id();
  context->ItemClick("policy/Window");
  context->Yield(2);
  IM_CHECK(bench.preview() == nullptr);  // nothing of another policy can be previewed
  type_number(context, "##w", "12");
  context->ItemClick("###verify");
  Driver::wait(context, 60, [&] { return bench.run().run_id() != first; });
  wait_for_end(context, driver);
  IM_CHECK_STR_EQ(bench.run().run().policy.c_str(), "window");
  IM_CHECK_EQ(bench.run().run().window, 12);
  IM_CHECK(bench.other() != nullptr && bench.other()->run().run_id() == first);
}

// --- the trace of it
// ------------------------------------------------------------------------------------------------------

void check_same_cache(view::CacheView& a, view::CacheView& b) {
  IM_CHECK_EQ(a.positions(), b.positions());
  IM_CHECK_EQ(a.heads(), b.heads());
  for (const std::int32_t s : {0, 7, 8, a.positions() / 2, a.positions() - 1}) {
    const view::CacheSize one = a.size(s), two = b.size(s);
    IM_CHECK_EQ(one.live_slots, two.live_slots);
    IM_CHECK_EQ(one.doomed_slots, two.doomed_slots);
    IM_CHECK(one.allocated_slots == two.allocated_slots);
    for (std::int32_t head = 0; head < a.heads(); ++head) {
      for (std::int32_t t = 0; t < a.positions(); ++t)
        IM_CHECK_EQ_NO_RET(a.state(head, t, s), b.state(head, t, s));
    }
    const view::TokenHistory before = view::token_history(a, s / 2, s),
                             after = view::token_history(b, s / 2, s);
    IM_CHECK_EQ(before.holding.size(), after.holding.size());
    IM_CHECK_EQ(before.doomed, after.doomed);
    for (std::size_t i = 0; i < before.evicted.size(); ++i) {
      IM_CHECK(before.evicted[i].head == after.evicted[i].head);
      IM_CHECK(before.evicted[i].dates.evicted == after.evicted[i].dates.evicted);
    }
  }
}

void check_same_text(const view::SequenceView& a, const view::SequenceView& b) {
  IM_CHECK_EQ(a.tokens(), b.tokens());
  for (std::int32_t t = 0; t < a.tokens(); ++t) {
    IM_CHECK(a.token(t).text == b.token(t).text);
    IM_CHECK_EQ(a.token(t).id, b.token(t).id);
    IM_CHECK(a.token(t).phase == b.token(t).phase);
    IM_CHECK_EQ(a.token(t).step, b.token(t).step);
  }
  IM_CHECK_EQ(a.judged(), b.judged());
  for (std::int32_t t = 0; t < a.judged(); ++t) {  // stored as halves
    const float live = a.logit(1, t), read = b.logit(1, t);
    IM_CHECK(std::isnan(live) ? std::isnan(read)
                              : read == profiling::float_from_half(profiling::half_from_float(live)));
  }
}

void check_same_costs(const view::RunSnapshot& a, const view::RunSnapshot& b) {
  for (const auto by : {view::KernelTableOptions::By::operation, view::KernelTableOptions::By::kernel}) {
    const view::KernelTable one = view::kernel_table(a, {.by = by}), two = view::kernel_table(b, {.by = by});
    IM_CHECK(one.rows.size() > 3);
    IM_CHECK_EQ(one.rows.size(), two.rows.size());
    for (std::size_t i = 0; i < one.rows.size(); ++i) {
      IM_CHECK_STR_EQ(one.rows[i].name.c_str(), two.rows[i].name.c_str());
      IM_CHECK_EQ(one.rows[i].calls, two.rows[i].calls);
      IM_CHECK_EQ(one.rows[i].total_ns, two.rows[i].total_ns);
      IM_CHECK_EQ(one.rows[i].p99_ns, two.rows[i].p99_ns);
      IM_CHECK(one.rows[i].layer_ns == two.rows[i].layer_ns);
    }
  }
  const view::StepStatistics one = view::step_statistics(a, {0, 1 << 20}),
                             two = view::step_statistics(b, {0, 1 << 20});
  IM_CHECK_EQ(one.steps, two.steps);
  IM_CHECK_EQ(one.kv_reads, two.kv_reads);
  IM_CHECK_EQ(one.p95_ns, two.p95_ns);
  IM_CHECK_EQ(a.quality_count(), b.quality_count());
  for (std::int32_t i = 0; i < a.quality_count(); ++i) {
    IM_CHECK_EQ(a.quality(i).position, b.quality(i).position);
    IM_CHECK_EQ(a.quality(i).value, b.quality(i).value);
  }
}

void replayed(ImGuiTestContext* context, Driver& driver) {
  have_run(context, driver, "inspect");
  app::gui::Workbench& bench = driver.bench();
  const auto live = std::make_shared<const view::RunSnapshot>(bench.run());
  view::CacheView cache;
  cache.update(live, bench.sequence().id());
  const fs::path trace = bench.trace_path();
  driver.open_trace(context, "inspect", trace);
  IM_CHECK(bench.source() == app::gui::RunSource::trace);
  IM_CHECK(bench.run().run_id() != live->run_id());
  check_same_cache(cache, bench.cache());
  check_same_text(cache.sequence(), bench.sequence());
  check_same_costs(*live, bench.run());
  IM_CHECK(live->quality_count() > 0);

  // Verified from the trace: a run of its own, recorded as well.
  const std::size_t traces = stage().trace_count();
  driver.application().set_layout("tune");
  context->Yield(6);
  use_panel(context, driver, "tuning");
  const auto shown = bench.run().run_id();
  type_number(context, "##theta", "0.4");
  context->ItemClick("###verify");
  Driver::wait(context, 60, [&] { return bench.run().run_id() != shown; });
  wait_for_end(context, driver);
  IM_CHECK_EQ(bench.run().run().threshold, 0.4);
  IM_CHECK_STR_EQ(bench.run().run().prompt.c_str(), kPrompt);
  IM_CHECK(bench.sequence().tokens() <=
           cache.sequence().tokens());  // a trace does not say to go on after the end
  IM_CHECK(bench.other() != nullptr && bench.other()->run().run_id() == shown);
  IM_CHECK_EQ(stage().trace_count(), traces + 1);
  IM_CHECK(bench.trace_path() != trace && fs::exists(bench.trace_path()));
}

// --- what is refused
// ------------------------------------------------------------------------------------------------------

// Neither the run that is shown nor the model is lost.
void check_kept(Driver& driver, std::uint64_t run, std::int32_t positions) {
  IM_CHECK_EQ(driver.bench().run().run_id(), run);
  IM_CHECK_EQ(driver.bench().positions(), positions);
  IM_CHECK(engine_status(driver).model != nullptr);
}

void refusals(ImGuiTestContext* context, Driver& driver) {
  have_run(context, driver, "inspect");
  app::gui::Workbench& bench = driver.bench();
  const auto run = bench.run().run_id();
  const std::int32_t positions = bench.positions();
  const fs::path trace = bench.trace_path();

  const support::TempFolder empty;
  support::write_file(empty / "config.json", "{}");
  choose_model(context, driver, empty.path());
  Driver::wait(context, 60, [&] { return engine_status(driver).error.has_value(); });
  IM_CHECK(engine_status(driver).error &&
           engine_status(driver).error->message.find(empty.path().string()) != std::string::npos);
  check_kept(driver, run, positions);

  use_form(context, driver);
  type_prompt(context, "");
  const auto runs = engine_status(driver).run;
  use_panel(context, driver, "prompt");
  context->ItemClick(context->ItemExists("Run") ? "Run" : "Run again", 0, ImGuiTestOpFlags_NoCheckHoveredId);
  context->Yield(5);
  IM_CHECK_EQ(engine_status(driver).run, runs);
  check_kept(driver, run, positions);

  fill_form(context, driver, "999999");
  press_run(context, driver);
  Driver::wait(context, 60, [&] { return engine_status(driver).error.has_value(); });
  IM_CHECK(engine_status(driver).error &&
           engine_status(driver).error->message.find("max_position_embeddings") != std::string::npos);
  context->Yield(5);
  check_kept(driver, run, positions);
  IM_CHECK(bench.trace_path() == trace);

  // A file where the folder of traces should be.
  support::write_file(empty / "home", "");
  Stage::home_is(empty / "home");
  fill_form(context, driver, "20");
  press_run(context, driver);
  Driver::wait(context, 60, [&] { return engine_status(driver).error.has_value(); });
  Stage::home_is(stage().home.path());
  context->Yield(5);
  check_kept(driver, run, positions);
  press_run(context, driver);
  wait_for_end(context, driver);
  IM_CHECK(bench.run().run_id() != run);
  IM_CHECK(fs::exists(bench.trace_path()));
}

// A disk that takes no more: the run goes on, and what was written is a trace.
void full_disk(ImGuiTestContext* context, Driver& driver) {
  have_run(context, driver, "inspect");
  app::gui::Workbench& bench = driver.bench();
  fill_form(context, driver, "1500");
  context->ComboClick("##quality/quality: not measured");
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{200'000, before.rlim_max};  // an empty trace has half of that
  setrlimit(RLIMIT_FSIZE, &small);
  press_run(context, driver);
  Driver::wait(context, 120,
               [&] { return engine_status(driver).summary && !engine_status(driver).running(); });
  setrlimit(RLIMIT_FSIZE, &before);
  wait_for_end(context, driver);
  IM_CHECK(engine_status(driver).trace_error &&
           engine_status(driver).trace_error->message.find(bench.trace_path().filename().string()) !=
               std::string::npos);
  IM_CHECK_STR_EQ(end_reason(driver).c_str(), "length");
  IM_CHECK_EQ(bench.positions(), static_cast<std::int32_t>(std::string(kPrompt).size()) + 1500 - 1);
}

const char* device_shown(Driver& driver) {
  return driver.bench().preferences().device.c_str();
}

bool is_disabled(ImGuiTestContext* context, const char* item) {
  return (context->ItemInfo(item).ItemFlags & ImGuiItemFlags_Disabled) != 0;
}

// Where runs go: nothing to choose without a GPU; with one, it is chosen, profiled, and what fails on it runs
// on the CPU.
void devices(ImGuiTestContext* context, Driver& driver) {
  app::gui::Workbench& bench = driver.bench();
  if (!engine_status(driver).model) choose_model(context, driver, stage().model.path());
  engine::GpuSurvey none;
  none.reason = "no NVIDIA driver";
  bench.set_gpus(none);
  use_form(context, driver);
  context->Yield(3);
  IM_CHECK(is_disabled(context, "##device"));
  IM_CHECK(is_disabled(context, "##profile"));

  engine::GpuSurvey survey;
  survey.built = survey.present = true;
  survey.devices.resize(2);
  survey.devices[0].name = "Old GPU";
  survey.devices[0].reason = "its compute capability is 7.0";
  survey.devices[1].index = 200;  // none that this machine has
  survey.devices[1].name = "New GPU";
  bench.set_gpus(survey);
  context->Yield(3);
  IM_CHECK(!is_disabled(context, "##device"));
  context->ComboClick("##device/GPU 200: New GPU");
  context->Yield(2);
  IM_CHECK_STR_EQ(device_shown(driver), "cuda:200");
  context->ComboClick("##profile/detailed: every kernel");
  context->ItemCheck("measure what profiling costs");
  IM_CHECK_STR_EQ(bench.preferences().profile.c_str(), "detailed");
  IM_CHECK(bench.preferences().measure_cost);

  fill_form(context, driver, "12");
  press_run(context, driver);
  Driver::wait(context, 60, [&] { return engine_status(driver).error.has_value(); });
  context->Yield(3);
  IM_CHECK(engine_status(driver).gpu_failed);
  IM_CHECK(engine_status(driver).error->message.starts_with("--device cuda"));
  const auto runs = engine_status(driver).run;
  context->ItemClick("//##toasts/Run on the CPU");
  Driver::wait(context, 60, [&] { return engine_status(driver).run > runs; });
  wait_for_end(context, driver);
  IM_CHECK(!engine_status(driver).error);
  IM_CHECK_STR_EQ(bench.run().run().backend.c_str(), "cpu");
  IM_CHECK_STR_EQ(end_reason(driver).c_str(), "length");
  IM_CHECK_STR_EQ(device_shown(driver), "cuda:200");  // what is preferred stays
  IM_CHECK(!bench.can_run_on_cpu());

  use_form(context, driver);
  context->ComboClick("##device/CPU");
  context->Yield(2);
  IM_CHECK(is_disabled(context, "##profile"));
  bench.preferences() = {};
  bench.set_gpus(none);
}

}  // namespace

void add_live_tests(Driver& driver) {
  stage();  // before the application asks where traces go
  driver.add("a_model_is_opened_and_asked", run_by_hand);
  driver.add("a_run_is_watched_held_paced_scrubbed_and_stopped", watch_and_hold);
  driver.add("a_drag_previews_and_promises_no_quality", preview);
  driver.add("a_focused_slider_has_the_arrows", arrows_tune);
  driver.add("verify_makes_the_settings_a_run_and_the_former_run_b", verify);
  driver.add("verify_when_the_slider_is_released", verify_on_release);
  driver.add("another_policy_is_run_without_a_preview", other_policy);
  driver.add("a_recorded_run_replays_as_it_was_and_can_be_verified", replayed);
  driver.add("what_is_refused_loses_nothing", refusals);
  driver.add("a_device_is_chosen_and_the_cpu_runs_what_a_gpu_cannot", devices);
  driver.add("a_full_disk_ends_the_recording_alone", full_disk);
}

}  // namespace gui_tests
