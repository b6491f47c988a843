// Group "notices": bad input gets a line that says what happened and what to do; what was shown stays.
#include <imgui.h>
#include <imgui_internal.h>
#include <imgui_te_context.h>
#include <imgui_te_engine.h>

#include <fstream>
#include <optional>
#include <string>

#include "app/gui/host/null_host.hpp"
#include "profiling/trace_writer.hpp"
#include "tests/app/gui/driver.hpp"
#include "tests/profiling/synthetic_run.hpp"
#include "tests/support/temp_folder.hpp"

namespace gui_tests {

namespace {

namespace fs = std::filesystem;
using namespace app::gui;

bool is_told(Driver& driver, const std::string& name, const std::string& words) {
  for (const Notice& notice : driver.application().notices().all()) {
    if (notice.text.find(name) != std::string::npos && notice.text.find(words) != std::string::npos)
      return true;
  }
  return false;
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What is shown of the sample stays as it is while `path` is opened and refused.
void refused(ImGuiTestContext* context, Driver& driver, const fs::path& path, const char* words) {
  const std::uint64_t run = driver.bench().run().run_id();
  const std::int32_t position = driver.bench().position();
  driver.application().open_path(path.string());
  Driver::wait(context, 20, [&] { return is_told(driver, path.filename().string(), words); });
  context->Yield(3);
  IM_CHECK(driver.bench().has_run());
  IM_CHECK_EQ(driver.bench().run().run_id(), run);
  IM_CHECK_EQ(driver.bench().position(), position);
  IM_CHECK_STR_EQ(driver.bench().trace_path().filename().c_str(), "needle.db");
}

void bad_traces(ImGuiTestContext* context, Driver& driver) {
  const support::TempFolder folder;
  driver.open_trace(context, "inspect");
  driver.bench().go_to(1000);
  context->Yield(2);
  const std::string sample = bytes_of(Driver::sample_trace());
  support::write_file(folder / "foreign.db", "a shopping list");
  refused(context, driver, folder / "foreign.db", "Choose a file");
  support::write_file(folder / "cut.db", sample.substr(0, sample.size() / 2));
  refused(context, driver, folder / "cut.db", "Copy the file again");
  std::string newer = sample;
  newer[63] = 99;  // the lowest byte of SQLite's user_version
  support::write_file(folder / "newer.db", newer);
  refused(context, driver, folder / "newer.db", "Update DMScope");
  refused(context, driver, folder / "absent.db", "no such file");
}

void good_after_bad(ImGuiTestContext* context, Driver& driver) {
  const support::TempFolder folder;
  driver.open_trace(context, "inspect");
  support::write_file(folder / "foreign.db", "a shopping list");
  refused(context, driver, folder / "foreign.db", "Choose a file");
  fs::copy_file(Driver::sample_trace(), folder / "good.db");
  driver.application().open_path((folder / "good.db").string());
  Driver::wait(context, 20, [&] { return driver.bench().trace_path().filename() == "good.db"; });
  context->Yield(3);
  IM_CHECK(driver.bench().has_run());
}

void deleted_while_open(ImGuiTestContext* context, Driver& driver) {
  const support::TempFolder folder;
  const fs::path path = folder / "growing.db";
  auto writer = profiling::TraceWriter::create(path, {});
  IM_CHECK(static_cast<bool>(writer));
  profiling_test::SyntheticRun run({});
  run.start(**writer);
  for (int step = 0; step < 5; ++step) run.decode(**writer);
  driver.bench().open_trace(path);
  Driver::wait(context, 20, [&] {
    return driver.bench().trace_path() == path && driver.bench().has_run() &&
           driver.bench().trace()->state == app::live::TraceState::following;
  });
  const std::int32_t positions = driver.bench().positions();
  fs::remove(path);
  Driver::wait(context, 20, [&] { return is_told(driver, "growing.db", "was deleted"); });
  context->Yield(3);
  IM_CHECK(driver.bench().has_run());
  IM_CHECK(driver.bench().positions() >= positions);
}

void model_without_weights(ImGuiTestContext* context, Driver& driver) {
  const support::TempFolder folder;
  driver.open_trace(context, "inspect");
  const std::uint64_t run = driver.bench().run().run_id();
  support::write_file(folder / "config.json", R"({"model_type": "llama"})");
  driver.application().open_path(folder.path().string());
  Driver::wait(context, 20, [&] { return is_told(driver, folder.path().string(), "No model was loaded"); });
  context->Yield(3);
  IM_CHECK_EQ(driver.bench().run().run_id(), run);
  IM_CHECK(driver.bench().has_run());
}

void resized_to_nothing(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "inspect");
  driver.bench().go_to(700);
  auto& host = static_cast<NullHost&>(driver.host());
  for (const auto& [width, height] :
       {std::pair{1, 1}, std::pair{300, 4}, std::pair{3, 400}, std::pair{1600, 900}}) {
    host.resize(width, height);
    context->Yield(4);
  }
  IM_CHECK_EQ(driver.bench().position(), 700);
  const Layout& layout = *layout_named("inspect", false);
  const ImGuiWindow* map =
      ImGui::FindWindowByName(Dockspace::window_name(layout, *panel_named("map")).c_str());
  IM_CHECK(map != nullptr && map->Active);
  IM_CHECK(map->Size.x > 300 && map->Size.y > 200);  // the docks have their room back
}

}  // namespace

void add_notices_tests(Driver& driver) {
  driver.add("a_trace_that_cannot_be_opened_leaves_what_is_shown", bad_traces);
  driver.add("a_good_trace_opens_after_a_bad_one", good_after_bad);
  driver.add("a_trace_deleted_while_open_is_told_and_stays_shown", deleted_while_open);
  driver.add("a_model_folder_without_weights_is_told", model_without_weights);
  driver.add("a_window_resized_to_nothing_comes_back", resized_to_nothing);
}

}  // namespace gui_tests
