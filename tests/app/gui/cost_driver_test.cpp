// The panels about cost under a user's hand, on the sample trace: timeline, kernel table, statistics,
// compression, retention, quality.
#include <fmt/format.h>
#include <imgui.h>
#include <imgui_internal.h>
#include <imgui_te_context.h>
#include <imgui_te_engine.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <vector>

#include "app/view/format.hpp"
#include "app/view/kernel_csv.hpp"
#include "app/view/kernel_table.hpp"
#include "app/view/quality_series.hpp"
#include "app/view/range_statistics.hpp"
#include "tests/app/gui/panel_hand.hpp"
#include "tests/support/temp_folder.hpp"

namespace gui_tests {

namespace {

using namespace app;

constexpr const char* kPanels[] = {"timeline",    "kernels",   "statistics",
                                   "compression", "retention", "quality"};

engine::Step shown_step(Driver& driver) {
  return driver.bench().sequence().token(driver.bench().position()).step;
}

// --- timeline
// -----------------------------------------------------------------------------------------------------

ImRect step_box(ImGuiTestContext* context, Driver& driver, engine::Step step) {
  return rect_of(context, item_in(driver, "timeline", fmt::format("step {}", step)));
}

// An operation of the step shown, in a box that can be aimed at; -1: there is none.
std::int64_t wide_kernel(ImGuiTestContext* context, Driver& driver, const std::string& operation) {
  const view::RunSnapshot& run = driver.bench().run();
  for (std::size_t i = 0; i < run.spans().size(); ++i) {
    const engine::Span& span = run.spans()[i];
    if (span.step != shown_step(driver) ||
        run.run().operations[static_cast<std::size_t>(span.operation)] != operation)
      continue;
    const ImRect box = rect_of(context, item_in(driver, "timeline", fmt::format("kernel {}", i)));
    if (box.GetWidth() > 10) return static_cast<std::int64_t>(i);
  }
  return -1;
}

void timeline_hover(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "profile");
  use_panel(context, driver, "timeline");
  const std::int64_t kernel = wide_kernel(context, driver, "mlp_up");
  IM_CHECK(kernel >= 0);
  const engine::Span span = driver.bench().run().spans()[static_cast<std::size_t>(kernel)];
  point(context, rect_of(context, item_in(driver, "timeline", fmt::format("kernel {}", kernel))).GetCenter());
  const view::Hover& hover = driver.bench().hover();
  IM_CHECK(hover.operation == span.operation);
  IM_CHECK(hover.layer == span.layer);
  IM_CHECK(hover.step == span.step);
  IM_CHECK(hover.span == static_cast<std::size_t>(kernel));
  IM_CHECK(driver.bench().selection().nothing_pinned());
  const ImRect layer =
      rect_of(context, item_in(driver, "timeline", fmt::format("layer {}/{}", span.step, span.layer)));
  point(context, layer.GetCenter());
  IM_CHECK(driver.bench().hover().layer == span.layer);
  IM_CHECK(!driver.bench().hover().operation);
  point(context, {4, 4});
  IM_CHECK(driver.bench().hover() == view::Hover{});
}

void timeline_click(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "profile");
  use_panel(context, driver, "timeline");
  const std::int64_t kernel = wide_kernel(context, driver, "mlp_up");
  IM_CHECK(kernel >= 0);
  const engine::Span span = driver.bench().run().spans()[static_cast<std::size_t>(kernel)];
  click(context, rect_of(context, item_in(driver, "timeline", fmt::format("kernel {}", kernel))).GetCenter());
  const view::Selection& selection = driver.bench().selection();
  IM_CHECK(selection.operation == span.operation);
  IM_CHECK(selection.head && selection.head->layer == span.layer);
  for (int press = 0; press < 3; ++press) context->KeyPress(ImGuiKey_Escape);
  IM_CHECK(driver.bench().selection().nothing_pinned());
  context->KeyPress(ImGuiMod_Alt | ImGuiKey_LeftArrow, 2);  // Esc took the operation first, then the head
  IM_CHECK(driver.bench().selection().operation == span.operation);
}

constexpr engine::Step kPrefillStep = 5;  // long enough to be aimed at among all steps

void timeline_goes_to_steps(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "profile");
  use_panel(context, driver, "timeline");
  IM_CHECK(step_box(context, driver, kPrefillStep).GetWidth() == 0);  // the last step fills the view
  context->ItemClick("Fit run");
  context->Yield(2);
  const ImRect box = step_box(context, driver, kPrefillStep);
  IM_CHECK(box.GetWidth() > 2);
  click(context, box.GetCenter());
  IM_CHECK_EQ(shown_step(driver), kPrefillStep);
  IM_CHECK_EQ(step_box(context, driver, kPrefillStep).Min.x, box.Min.x);  // the view stays

  context->ItemClick("follow/Follow");
  context->Yield(2);
  IM_CHECK(step_box(context, driver, kPrefillStep).GetWidth() > 400);
  context->KeyPress(ImGuiKey_RightArrow);
  context->Yield(2);
  IM_CHECK_EQ(shown_step(driver), kPrefillStep + 1);
  IM_CHECK(step_box(context, driver, kPrefillStep + 1).GetWidth() > 400);
  context->ItemClick("follow/Fixed");
  context->Yield(2);
  const ImRect fixed = step_box(context, driver, kPrefillStep + 1);
  driver.bench().go_by(128);  // a chunk of the prompt
  context->Yield(2);
  IM_CHECK_EQ(shown_step(driver), kPrefillStep + 2);
  IM_CHECK_EQ(step_box(context, driver, kPrefillStep + 1).Min.x, fixed.Min.x);
  context->ItemClick("Fit step");
  context->Yield(2);
  IM_CHECK(step_box(context, driver, kPrefillStep + 2).GetWidth() > 400);
  context->ItemClick("follow/Follow");
}

void timeline_zooms(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "profile");
  use_panel(context, driver, "timeline");
  const engine::Step step = shown_step(driver);
  // Any layer that the view has all of, before and after.
  const auto layer = [&] {
    return rect_of(context, item_in(driver, "timeline", fmt::format("layer {}/7", step)));
  };
  const ImRect before = layer();
  IM_CHECK(before.GetWidth() > 10);
  const ImVec2 at = before.GetCenter();
  context->MouseMoveToPos(at);
  context->MouseWheelY(2);
  context->Yield(2);
  const ImRect zoomed = layer();
  IM_CHECK(std::abs(zoomed.GetWidth() / before.GetWidth() - 1 / (0.8F * 0.8F)) < 0.1F);
  IM_CHECK(std::abs(zoomed.GetCenter().x - at.x) < 3);  // what is under the pointer stays
  drag(context, at, {at.x + 60, at.y});
  const ImRect moved = layer();
  IM_CHECK(std::abs(moved.Min.x - zoomed.Min.x - 60) < 3);
  IM_CHECK(std::abs(moved.GetWidth() - zoomed.GetWidth()) < 3);
  context->KeyPress(ImGuiKey_S);
  context->Yield(2);
  IM_CHECK(std::abs(layer().GetWidth() / moved.GetWidth() - 0.8F) < 0.05F);
  context->KeyPress(ImGuiKey_F);
  context->Yield(2);
  IM_CHECK(std::abs(layer().Min.x - before.Min.x) < 2 && std::abs(layer().Max.x - before.Max.x) < 2);
}

// A Ctrl-drag over the middle third of the step's box.
void select_times(ImGuiTestContext* context, const ImRect& box) {
  context->KeyDown(ImGuiMod_Ctrl);
  drag(context, {box.Min.x + box.GetWidth() / 3, box.GetCenter().y},
       {box.Min.x + box.GetWidth() * 2 / 3, box.GetCenter().y});
  context->KeyUp(ImGuiMod_Ctrl);
  context->Yield(2);
}

void time_range(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "profile");
  use_panel(context, driver, "timeline");
  const view::RunSnapshot& run = driver.bench().run();
  const view::StepRecord step = run.step(run.step_index(shown_step(driver)));
  const ImRect box = step_box(context, driver, step.step);
  select_times(context, box);
  const auto times = driver.bench().selection().times;
  IM_CHECK(times.has_value());
  const double length = static_cast<double>(step.end_ns - step.start_ns),
               pixel = length / static_cast<double>(box.GetWidth());
  IM_CHECK(std::abs(static_cast<double>(times->begin_ns - step.start_ns) - length / 3) < 3 * pixel);
  IM_CHECK(std::abs(static_cast<double>(times->end_ns - step.start_ns) - length * 2 / 3) < 3 * pixel);

  // Its edges can be drawn.
  const float edge = box.Min.x + box.GetWidth() * 2 / 3;
  drag(context, {edge, box.GetCenter().y}, {edge + 50, box.GetCenter().y});
  const auto wider = driver.bench().selection().times;
  IM_CHECK(wider && wider->begin_ns == times->begin_ns);
  IM_CHECK(std::abs(static_cast<double>(wider->end_ns - times->end_ns) - 50 * pixel) < 4 * pixel);

  use_panel(context, driver, "statistics");
  context->Yield(2);
  const std::string about =
      fmt::format("about {} to {}, all {} heads, at {}; steps {} to {} by selected time",
                  view::format_token(0), view::format_token(driver.bench().position()), run.heads(),
                  view::format_token(driver.bench().position()), step.step, step.step);
  IM_CHECK(is_drawn(context, item_in(driver, "statistics", about)));
  context->KeyPress(ImGuiKey_Escape);
  IM_CHECK(!driver.bench().selection().times);
}

// --- kernel table
// -------------------------------------------------------------------------------------------------

std::string table_id(ImGuiTestContext* context) {
  for (int columns = 9; columns >= 3; --columns) {
    const std::string id = fmt::format("kernels{}", columns);
    const ImGuiTable* table = ImGui::TableFindByID(context->GetID(id.c_str()));
    if (table != nullptr && table->LastFrameActive + 1 >= ImGui::GetFrameCount()) return id;
  }
  return {};
}

// Names of rows from the top down, of those that `table` could have.
std::vector<std::string> rows_shown(ImGuiTestContext* context, const view::KernelTable& table) {
  const std::string id = table_id(context);
  std::vector<std::pair<float, std::string>> found;
  for (const view::KernelRow& row : table.rows) {
    const ImGuiID item = item_in(context, id.c_str(), "##" + row.name);
    if (is_drawn(context, item)) found.emplace_back(rect_of(context, item).Min.y, row.name);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> names;
  for (auto& [y, name] : found) names.push_back(std::move(name));
  return names;
}

std::vector<std::string> names_of(const view::KernelTable& table) {
  std::vector<std::string> names;
  for (const view::KernelRow& row : table.rows) names.push_back(row.name);
  return names;
}

view::KernelTable whole_table(Driver& driver, view::KernelTableOptions options = {}) {
  return view::kernel_table(driver.bench().run(), options);
}

void type_filter(ImGuiTestContext* context, const char* text) {
  context->ItemClick("##filter");
  context->KeyCharsReplace(text);
  context->Yield(4);
}

void kernels_open(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "profile");
  use_panel(context, driver, "kernels");
  context->ComboClick("##range/all steps");
  context->ComboClick("##by/operation");
  const std::string total =
      ImGui::TableGetColumnName(ImGui::TableFindByID(context->GetID(table_id(context).c_str())), 1);
  while (context->TableClickHeader(table_id(context).c_str(), total.c_str()) !=
         ImGuiSortDirection_Descending) {
  }
  context->Yield(4);
}

void table_sorts(ImGuiTestContext* context, Driver& driver) {
  kernels_open(context, driver);
  view::KernelTable expected = whole_table(driver);
  IM_CHECK(expected.rows.size() > 4);
  IM_CHECK(rows_shown(context, expected) == names_of(expected));
  const ImGuiTable* table = ImGui::TableFindByID(context->GetID(table_id(context).c_str()));
  const std::pair<int, view::KernelColumn> columns[] = {
      {0, view::KernelColumn::name}, {3, view::KernelColumn::calls}, {4, view::KernelColumn::mean},
      {5, view::KernelColumn::p50},  {6, view::KernelColumn::p95},   {7, view::KernelColumn::p99},
      {1, view::KernelColumn::total}};
  for (const auto& [index, key] : columns) {
    IM_CHECK(index < table->ColumnsCount);
    for (int click = 0; click < 2; ++click) {
      const std::string title = ImGui::TableGetColumnName(table, index);
      const ImGuiSortDirection direction =
          context->TableClickHeader(table_id(context).c_str(), title.c_str());
      sort_rows(expected, key, direction == ImGuiSortDirection_Descending);
      context->Yield(2);
      IM_CHECK(rows_shown(context, expected) == names_of(expected));
    }
  }
}

void table_filters(ImGuiTestContext* context, Driver& driver) {
  kernels_open(context, driver);
  const view::KernelTable all = whole_table(driver);
  type_filter(context, "name ~ attention");
  const std::vector<std::string> attention{"attention", "attention_out"};
  std::vector<std::string> shown = rows_shown(context, all);
  std::sort(shown.begin(), shown.end());
  IM_CHECK(shown == attention);
  IM_CHECK(!is_drawn(context, item_in(driver, "kernels", "filter error")));
  type_filter(context, "dur >> 20us");
  IM_CHECK(is_drawn(context, item_in(driver, "kernels", "filter error")));
  shown = rows_shown(context, all);
  std::sort(shown.begin(), shown.end());
  IM_CHECK(shown == attention);  // as long as it is not understood, the one before holds
  type_filter(context, "");
  IM_CHECK(!is_drawn(context, item_in(driver, "kernels", "filter error")));
  IM_CHECK_EQ(static_cast<int>(rows_shown(context, all).size()), static_cast<int>(all.rows.size()));
}

void table_groups(ImGuiTestContext* context, Driver& driver) {
  kernels_open(context, driver);
  const view::KernelTable by_kernel = whole_table(driver, {.by = view::KernelTableOptions::By::kernel});
  const view::KernelTable by_operation = whole_table(driver);
  IM_CHECK(names_of(by_kernel) != names_of(by_operation));
  context->ComboClick("##by/kernel");
  context->Yield(4);
  IM_CHECK(rows_shown(context, by_kernel) == names_of(by_kernel));
  context->ComboClick("##by/operation");
  context->ComboClick("##range/this step");
  context->Yield(4);
  const engine::Step step = shown_step(driver);
  const view::KernelTable of_step = whole_table(driver, {.steps = view::StepRange{step, step + 1}});
  IM_CHECK(rows_shown(context, by_operation) == names_of(of_step));
}

void table_pins(ImGuiTestContext* context, Driver& driver) {
  kernels_open(context, driver);
  const view::KernelTable all = whole_table(driver);
  const auto row = std::find_if(all.rows.begin(), all.rows.end(),
                                [](const view::KernelRow& r) { return r.name == "qkv"; });
  IM_CHECK(row != all.rows.end());
  const ImRect box = rect_of(context, item_in(context, table_id(context).c_str(), "##qkv"));
  const ImVec2 name{box.Min.x + 40, box.GetCenter().y};
  point(context, name);
  IM_CHECK(driver.bench().hover().operation == row->operation);
  context->MouseClick();
  context->Yield(2);
  IM_CHECK(driver.bench().selection().operation == row->operation);
  context->MouseClick();
  context->Yield(2);
  IM_CHECK(!driver.bench().selection().operation);
  const ImRect bars = rect_of(context, item_in(context, table_id(context).c_str(), "layers of qkv"));
  IM_CHECK(bars.GetWidth() > 30);
  point(context, {bars.Min.x + bars.GetWidth() * 7.5F / static_cast<float>(driver.bench().run().layers()),
                  bars.GetCenter().y});
  IM_CHECK(driver.bench().hover().layer == 7);
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void table_exports(ImGuiTestContext* context, Driver& driver) {
  kernels_open(context, driver);
  const std::string expected = view::kernel_table_csv(whole_table(driver));
  ImGui::SetClipboardText("");
  context->ItemClick("Copy CSV");
  IM_CHECK_STR_EQ(ImGui::GetClipboardText(), expected.c_str());
  const support::TempFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  context->ItemClick("Save CSV");
  std::filesystem::current_path(before);
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) files.push_back(entry.path());
  IM_CHECK_EQ(files.size(), 1U);
  IM_CHECK_STR_EQ(files.front().extension().c_str(), ".csv");
  IM_CHECK_STR_EQ(read_file(files.front()).c_str(), expected.c_str());
}

void save_is_refused(ImGuiTestContext* context, Driver& driver) {
  kernels_open(context, driver);
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path("/proc/self");  // nothing can be made there
  context->ItemClick("Save CSV");
  std::filesystem::current_path(before);
  const auto notices = driver.application().notices().all();
  IM_CHECK(!notices.empty() && notices.back().level == app::gui::NoticeLevel::error);
}

// --- statistics
// ---------------------------------------------------------------------------------------------------

bool counts_are(ImGuiTestContext* context, const view::StateCounts& states) {
  const std::pair<const char*, std::int64_t> rows[] = {{"kept", states.kept},
                                                       {"window", states.window},
                                                       {"doomed", states.doomed},
                                                       {"evicted", states.evicted}};
  for (const auto& [name, count] : rows) {
    const std::string text = fmt::format("{} {}", name, view::format_count(count));
    if (!is_drawn(context, item_in(context, "states", text))) return false;
  }
  return true;
}

void statistics_follow(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "profile");
  use_panel(context, driver, "statistics");
  app::gui::Workbench& bench = driver.bench();
  const std::int32_t s = bench.position();
  context->Yield(2);
  IM_CHECK(counts_are(context, view::range_states(bench.cache(), {0, s + 1}, {}, s)));
  view::Selection selection = view::select_tokens(bench.selection(), 100, 399);
  selection.heads = view::HeadSet::of({{3, 1}, {8, 0}});
  bench.select(selection);
  context->Yield(3);
  const view::StateCounts part = view::range_states(bench.cache(), {100, 400}, selection.heads, s);
  IM_CHECK_EQ(part.total(), 600);
  IM_CHECK(counts_are(context, part));
  bench.go_to(350);
  context->Yield(3);
  IM_CHECK(counts_are(context, view::range_states(bench.cache(), {100, 351}, selection.heads, 350)));
  context->ItemClick("Clear selection");
  context->Yield(3);
  IM_CHECK(!bench.selection().tokens && bench.selection().heads.empty());
  IM_CHECK(counts_are(context, view::range_states(bench.cache(), {0, 351}, {}, 350)));
}

// --- plots
// --------------------------------------------------------------------------------------------------------

// A plot along positions: the pointer hovers a token, a click goes to it.
void position_plot(ImGuiTestContext* context, Driver& driver, const char* panel, const char* plot) {
  use_panel(context, driver, panel);
  driver.bench().follow();
  const ImRect box = rect_of(context, item_in(driver, panel, plot));
  IM_CHECK(box.GetWidth() > 100);
  std::int32_t before = -1;
  for (const float share : {0.3F, 0.5F, 0.7F}) {
    point(context, {box.Min.x + box.GetWidth() * share, box.GetCenter().y});
    const auto token = driver.bench().hover().token;
    IM_CHECK(token && *token > before);
    before = *token;
  }
  IM_CHECK(driver.bench().at_newest());
  context->MouseClick();
  context->Yield(2);
  IM_CHECK_EQ(driver.bench().position(), before);
  context->KeyPress(ImGuiKey_L);
  context->Yield(2);
  IM_CHECK(driver.bench().at_newest());
}

void compression(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "tune");
  position_plot(context, driver, "compression", "ratio");
}

void counters(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "profile");
  position_plot(context, driver, "timeline", "bytes");
}

void retention(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "tune");
  use_panel(context, driver, "retention");
  context->ItemClick("by/by head");
  context->Yield(2);
  const ImRect bar = rect_of(context, item_in(driver, "retention", "head 12/1"));
  IM_CHECK(bar.GetWidth() > 1);
  point(context, bar.GetCenter());
  IM_CHECK(driver.bench().hover().head == (view::Head{12, 1}));
  context->MouseClick();
  context->Yield(2);
  IM_CHECK(driver.bench().selection().head == (view::Head{12, 1}));
  context->ItemClick("by/by layer");
  context->Yield(2);
  IM_CHECK(!is_drawn(context, item_in(driver, "retention", "head 12/1")));
  point(context, rect_of(context, item_in(driver, "retention", "head 20/0")).GetCenter());
  IM_CHECK(driver.bench().hover().layer == 20);
  IM_CHECK(!driver.bench().hover().head);
}

void quality(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "tune");
  position_plot(context, driver, "quality", "kl");
  view::QualitySeries series("kl");
  series.update(driver.bench().run(), driver.bench().sequence());
  IM_CHECK(series.greatest() != nullptr);
  const ImRect spike = rect_of(context, item_in(driver, "quality", "spike"));
  click(context, spike.GetCenter());
  IM_CHECK_EQ(driver.bench().position(), series.greatest()->position);
  context->ItemClick("measure/Top-1 agreement");
  context->Yield(2);
  IM_CHECK(is_drawn(context, item_in(driver, "quality", "top1")));
  IM_CHECK(!is_drawn(context, item_in(driver, "quality", "kl")));
  context->ItemClick("measure/KL to dense");
}

// --- reached
// ------------------------------------------------------------------------------------------------------

void view_menu(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "profile");
  for (const char* panel : kPanels) {
    const app::gui::Command* command =
        driver.application().commands().find(std::string("view.panel.") + panel);
    for (int press = 0; press < 2 && command->checked(); ++press) {  // to the front, then away
      driver.run(command->id.c_str());
      context->Yield(6);
    }
    IM_CHECK(!command->checked());
    for (const bool shows : {true, false}) {
      context->SetRef("##MainMenuBar");
      context->MenuClick(("View/" + command->title).c_str());
      context->Yield(6);
      IM_CHECK_EQ((panel_window(driver, panel) != nullptr), shows);
    }
  }
  driver.run("view.reset_layout");
  context->Yield(4);
}

// Without a mouse: the palette opens a panel, Tab goes through its items, Enter presses them.
void keyboard(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "tune");
  context->MouseMoveToPos({4, 4});
  context->KeyPress(ImGuiMod_Ctrl | ImGuiKey_P);
  context->Yield(2);
  context->KeyChars("Panel: Quality");
  context->KeyPress(ImGuiKey_Enter);
  context->Yield(6);
  IM_CHECK((panel_window(driver, "quality") != nullptr));
  const ImGuiWindow* window = panel_window(driver, "quality");
  const ImGuiContext& g = *ImGui::GetCurrentContext();
  IM_CHECK(g.NavWindow == window);
  context->SetRef(panel_window(driver, "quality"));
  const ImGuiID top1 = context->GetID("measure/Top-1 agreement");
  for (int press = 0; press < 30 && g.NavId != top1; ++press) context->KeyPress(ImGuiKey_Tab);
  IM_CHECK_EQ(g.NavId, top1);
  context->KeyPress(ImGuiKey_Enter);
  context->Yield(2);
  IM_CHECK(is_drawn(context, item_in(driver, "quality", "top1")));
}

}  // namespace

void add_cost_tests(Driver& driver) {
  driver.add("a_kernel_under_the_pointer_lights_up_everywhere", timeline_hover);
  driver.add("a_click_on_a_kernel_pins_operation_and_layer", timeline_click);
  driver.add("the_timeline_goes_to_steps_and_follows", timeline_goes_to_steps);
  driver.add("the_timeline_zooms_where_the_pointer_is", timeline_zooms);
  driver.add("ctrl_drag_selects_times", time_range);
  driver.add("the_kernel_table_sorts_by_each_column", table_sorts);
  driver.add("the_kernel_table_filters", table_filters);
  driver.add("the_kernel_table_groups_and_takes_ranges", table_groups);
  driver.add("a_click_on_a_row_pins_its_operation", table_pins);
  driver.add("the_kernel_table_leaves_as_csv", table_exports);
  driver.add("a_csv_that_cannot_be_written_is_reported", save_is_refused);
  driver.add("statistics_follow_the_selection", statistics_follow);
  driver.add("compression_goes_to_positions", compression);
  driver.add("counters_go_to_positions", counters);
  driver.add("retention_pins_heads", retention);
  driver.add("quality_goes_to_the_spike", quality);
  driver.add("every_panel_opens_from_the_view_menu_and_closes", view_menu);
  driver.add("panels_are_reached_without_a_mouse", keyboard);
}

}  // namespace gui_tests
