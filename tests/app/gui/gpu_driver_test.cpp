// The panels about cost under a user's hand, on made-up runs of a GPU: lanes, counters, bandwidth, losses.
#include <fmt/format.h>
#include <imgui.h>
#include <imgui_internal.h>
#include <imgui_te_context.h>
#include <imgui_te_engine.h>

#include <algorithm>
#include <vector>

#include "app/view/kernel_csv.hpp"
#include "app/view/kernel_table.hpp"
#include "app/view/profile_facts.hpp"
#include "tests/app/gui/panel_hand.hpp"
#include "tests/app/support/gpu_run.hpp"
#include "tests/support/temp_folder.hpp"

namespace gui_tests {

namespace {

using namespace app;
using Profile = support::GpuRunOptions::Profile;

void open_gpu(ImGuiTestContext* context, Driver& driver, const support::GpuRunOptions& options,
              const char* layout = "profile") {
  static const support::TempFolder folder;
  const auto path = folder.path() / "gpu.trace";
  const auto status = support::write_gpu_trace(path, options);
  IM_CHECK(static_cast<bool>(status));
  driver.open_trace(context, layout, path);
}

engine::Step shown_step(Driver& driver) {
  return driver.bench().sequence().token(driver.bench().position()).step;
}

bool has(ImGuiTestContext* context, Driver& driver, const char* panel, const std::string& item) {
  return is_drawn(context, item_in(driver, panel, item));
}

std::int16_t operation(Driver& driver, const char* name) {
  const auto& names = driver.bench().run().run().operations;
  return static_cast<std::int16_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

ImRect kernel_box(ImGuiTestContext* context, Driver& driver, std::size_t span) {
  return rect_of(context, item_in(driver, "timeline", fmt::format("kernel {}", span)));
}

// The widest box of an operation on the GPU; -1: none is told apart.
std::int64_t widest(ImGuiTestContext* context, Driver& driver, const char* name) {
  const view::SpanView& spans = driver.bench().run().spans();
  std::int64_t found = -1;
  float width = 2;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (spans[i].device < 0 || spans[i].operation != operation(driver, name)) continue;
    const float box = kernel_box(context, driver, i).GetWidth();
    if (box <= width) continue;
    width = box;
    found = static_cast<std::int64_t>(i);
  }
  return found;
}

// --- timeline
// -----------------------------------------------------------------------------------------------------

void lanes(ImGuiTestContext* context, Driver& driver) {
  open_gpu(context, driver, {});
  use_panel(context, driver, "timeline");
  for (const char* lane : {"lane NVIDIA H200 · forward pass (stream 13)",
                           "lane NVIDIA H200 · forward pass (stream 13): copies and sets",
                           "lane NVIDIA H200 · decisions (stream 14): copies and sets",
                           "lane CPU: the calls that hand work to the GPU",
                           "lane CPU: time that CUPTI and the driver take for profiling"}) {
    IM_CHECK(has(context, driver, "timeline", lane));
  }
  IM_CHECK(has(context, driver, "timeline", fmt::format("step {} of track 2", shown_step(driver))) ||
           has(context, driver, "timeline", fmt::format("step {} of track 3", shown_step(driver))));
  // From the top down, and inside of the panel.
  const ImRect forward = rect(context, driver, "timeline", "lane NVIDIA H200 · forward pass (stream 13)");
  const ImRect launches = rect(context, driver, "timeline", "lane CPU: the calls that hand work to the GPU");
  IM_CHECK(forward.Max.y <= launches.Min.y + 1);
  IM_CHECK(launches.Max.y < panel_window(driver, "timeline")->InnerRect.Max.y);
}

void lanes_in_little_room(ImGuiTestContext* context, Driver& driver) {
  open_gpu(context, driver, {}, "inspect");
  use_panel(context, driver, "timeline");
  ImGuiWindow* window = panel_window(driver, "timeline");
  IM_CHECK(has(context, driver, "timeline", "lane NVIDIA H200 · forward pass (stream 13)"));
  IM_CHECK(window->ScrollMax.y == 0);  // what does not fit is left out
}

void links(ImGuiTestContext* context, Driver& driver) {
  open_gpu(context, driver, {});
  use_panel(context, driver, "timeline");
  const std::int64_t kernel = widest(context, driver, "mlp_up");
  IM_CHECK(kernel >= 0);
  const engine::Span span = driver.bench().run().spans()[static_cast<std::size_t>(kernel)];
  IM_CHECK_EQ(span.step, shown_step(driver));
  const ImVec2 at = kernel_box(context, driver, static_cast<std::size_t>(kernel)).GetCenter();
  point(context, at);
  IM_CHECK(driver.bench().hover().operation == span.operation);
  IM_CHECK(driver.bench().hover().layer == span.layer);
  IM_CHECK(driver.bench().hover().span == static_cast<std::size_t>(kernel));
  click(context, at);
  IM_CHECK(driver.bench().selection().operation == span.operation);
  IM_CHECK(driver.bench().selection().head && driver.bench().selection().head->layer == span.layer);
}

// A kernel that started before the one before it had ended: what it waited is below, and leads to its box.
void waits(ImGuiTestContext* context, Driver& driver) {
  open_gpu(context, driver, {});
  use_panel(context, driver, "timeline");
  const std::int64_t kernel = widest(context, driver, "mlp_down");
  IM_CHECK(kernel >= 0);
  const ImRect box = kernel_box(context, driver, static_cast<std::size_t>(kernel));
  const ImRect wait = rect_of(context, item_in(driver, "timeline", fmt::format("wait of kernel {}", kernel)));
  IM_CHECK(wait.Min.y >= box.Max.y);
  IM_CHECK(wait.Max.x <= box.Min.x + 2 && wait.Max.x >= box.Min.x - 2);
  point(context, wait.GetCenter());
  IM_CHECK(driver.bench().hover().span == static_cast<std::size_t>(kernel));
  // The boxes themselves do not cover each other.
  const view::SpanView& spans = driver.bench().run().spans();
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (spans[i].step != shown_step(driver) || spans[i].device < 0 || static_cast<std::int64_t>(i) == kernel)
      continue;
    const ImRect other = kernel_box(context, driver, i);
    if (other.GetWidth() <= 0 || other.Min.y != box.Min.y) continue;
    IM_CHECK(other.Max.x <= box.Min.x + 1 || other.Min.x >= box.Max.x - 1);
  }
}

// The newest step is known of before its kernels are.
void follows_what_is_told(ImGuiTestContext* context, Driver& driver) {
  open_gpu(context, driver, {.all_told = false});
  use_panel(context, driver, "timeline");
  const std::int64_t kernel = widest(context, driver, "mlp_up");
  IM_CHECK(kernel >= 0);
  IM_CHECK(driver.bench().run().spans()[static_cast<std::size_t>(kernel)].step < shown_step(driver));
  driver.bench().go_by(0);  // pinned to it, there is nothing to show
  context->Yield(3);
  IM_CHECK_EQ(widest(context, driver, "mlp_up"), -1);
}

void whole_graphs(ImGuiTestContext* context, Driver& driver) {
  open_gpu(context, driver, {.profile = Profile::light});
  use_panel(context, driver, "timeline");
  IM_CHECK(has(context, driver, "timeline", "badge CUPTI, light"));
  const std::int64_t graph = widest(context, driver, "graph");
  IM_CHECK(graph >= 0);
  const engine::Span span = driver.bench().run().spans()[static_cast<std::size_t>(graph)];
  IM_CHECK_EQ(span.step, shown_step(driver));
  IM_CHECK(kernel_box(context, driver, static_cast<std::size_t>(graph)).GetWidth() > 400);
  IM_CHECK_EQ(widest(context, driver, "mlp_up"), -1);
  // Prefill is told apart in both modes.
  driver.bench().go_to(0);
  context->Yield(3);
  IM_CHECK(widest(context, driver, "mlp_up") >= 0);
}

void unattributed(ImGuiTestContext* context, Driver& driver) {
  open_gpu(context, driver, {});
  use_panel(context, driver, "timeline");
  const view::SpanView& spans = driver.bench().run().spans();
  std::size_t unknown = spans.size();
  for (std::size_t i = spans.size(); i > 0; --i)
    if (spans[i - 1].operation == operation(driver, "unattributed")) unknown = i - 1;
  IM_CHECK(unknown < spans.size());
  // They ran where the first step ended: zoomed in there.
  driver.bench().go_to(0);
  context->Yield(3);
  for (int i = 0; i < 80 && kernel_box(context, driver, unknown).GetWidth() < 8; ++i) {
    const ImRect step = rect(context, driver, "timeline", "step 0");
    point(context, {step.Max.x - 2, step.GetCenter().y});
    context->MouseWheelY(1);
    context->Yield(2);
  }
  const ImRect box = kernel_box(context, driver, unknown);
  IM_CHECK(box.GetWidth() > 2);
  const std::int32_t position = driver.bench().position();
  click(context, box.GetCenter());
  IM_CHECK_EQ(driver.bench().position(), position);  // it has no step to go to
}

void badges(ImGuiTestContext* context, Driver& driver) {
  open_gpu(context, driver, {});
  use_panel(context, driver, "timeline");
  for (const char* badge : {"badge CUPTI, detailed", "badge CUPTI costs 6.2\u2009%", "badge 15 lost"})
    IM_CHECK(has(context, driver, "timeline", badge));
  point(context, rect(context, driver, "timeline", "badge 15 lost").GetCenter());
  IM_CHECK(ImGui::FindWindowByName("##Tooltip_00") != nullptr);

  open_gpu(context, driver, {.losses = false, .cost = false});
  use_panel(context, driver, "timeline");
  IM_CHECK(has(context, driver, "timeline", "badge cost not measured"));
  IM_CHECK(!has(context, driver, "timeline", "badge 15 lost"));

  open_gpu(context, driver, {.profile = Profile::events});
  use_panel(context, driver, "timeline");
  IM_CHECK(has(context, driver, "timeline", "badge CUDA events"));
  IM_CHECK(has(context, driver, "timeline",
               "kernels are timed without CUPTI: another tool holds it: Nsight Systems"));
  driver.bench().go_to(0);  // what no graph launched is told apart
  context->Yield(3);
  IM_CHECK(widest(context, driver, "mlp_up") >= 0);

  driver.open_trace(context, "profile");
  use_panel(context, driver, "timeline");
  IM_CHECK(has(context, driver, "timeline", "badge CPU timers"));
}

void says_why_empty(ImGuiTestContext* context, Driver& driver) {
  open_gpu(context, driver, {.profile = Profile::off});
  use_panel(context, driver, "timeline");
  IM_CHECK(has(context, driver, "timeline", "no kernel timings"));
  IM_CHECK(has(context, driver, "timeline", "badge not profiled"));
}

// --- counters
// -----------------------------------------------------------------------------------------------------

void counters(ImGuiTestContext* context, Driver& driver) {
  open_gpu(context, driver, {});
  use_panel(context, driver, "timeline");
  ImGuiWindow* rows = child_window(panel_window(driver, "timeline"), "gpu counters");
  IM_CHECK(rows != nullptr);
  for (const char* name : {"memory used", "power", "SM clock"}) {
    const ImRect row = rect(context, id_in(rows, fmt::format("counter 0 {}", name).c_str()));
    IM_CHECK(row.GetWidth() > 300);
  }
  const ImRect row = rect(context, id_in(rows, "counter 0 power"));
  point(context, {row.Min.x + row.GetWidth() * 0.75F, row.GetCenter().y});
  const auto later = driver.bench().hover().step;
  point(context, {row.Min.x + row.GetWidth() * 0.4F, row.GetCenter().y});
  const auto earlier = driver.bench().hover().step;
  IM_CHECK(earlier && later && *earlier < *later);
  context->MouseClick();
  context->Yield(3);
  IM_CHECK_EQ(shown_step(driver), *earlier);
}

// --- table
// --------------------------------------------------------------------------------------------------------

std::string gpu_table(ImGuiTestContext* context) {
  for (const char* kind : {"gpu ", "devices ", ""}) {
    for (int columns = 12; columns >= 3; --columns) {
      const std::string id = fmt::format("{}kernels{}", kind, columns);
      const ImGuiTable* table = ImGui::TableFindByID(context->GetID(id.c_str()));
      if (table != nullptr && table->LastFrameActive + 1 >= ImGui::GetFrameCount()) return id;
    }
  }
  return {};
}

float row_y(ImGuiTestContext* context, const std::string& table, const char* name) {
  return rect_of(context, item_in(context, table.c_str(), fmt::format("##{} on 0", name))).Min.y;
}

void bandwidth(ImGuiTestContext* context, Driver& driver) {
  open_gpu(context, driver, {});
  use_panel(context, driver, "kernels");
  context->ComboClick("##range/all steps");
  context->ComboClick("##by/operation");
  context->Yield(4);
  const std::string table = gpu_table(context);
  IM_CHECK(table.starts_with("gpu "));
  IM_CHECK(is_drawn(context, item_in(context, table.c_str(), "speed of mlp_up on 0")));
  while (context->TableClickHeader(table.c_str(), "GB/s") != ImGuiSortDirection_Descending) {
  }
  context->Yield(3);
  IM_CHECK(row_y(context, table, "mlp_up") < row_y(context, table, "attention_out"));
  IM_CHECK(row_y(context, table, "attention_out") < row_y(context, table, "gates"));  // not known: last

  ImGui::SetClipboardText("");
  context->ItemClick("Copy CSV");
  const std::string csv = ImGui::GetClipboardText();
  IM_CHECK(csv.find(",bytes,gb_per_s,ceiling_share,") != std::string::npos);
  IM_CHECK(csv.find("\nmlp_up,0,") != std::string::npos);

  context->ItemClick("##filter");
  context->KeyCharsReplace("gbps > 3000 and graph = 5");
  context->Yield(4);
  IM_CHECK(row_y(context, table, "mlp_up") > 0);
  IM_CHECK(row_y(context, table, "gates") <= 0);
  context->ItemClick("##filter");
  context->KeyCharsReplace("name ~ decode_attention");  // named when it was first seen
  context->ComboClick("##by/kernel");
  context->Yield(4);
  IM_CHECK(row_y(context, gpu_table(context), "decode_attention_kernel<__nv_bfloat16, 128>") > 0);
  context->ItemClick("##filter");
  context->KeyCharsReplace("");
  context->ComboClick("##by/operation");
  context->Yield(2);

  driver.open_trace(context, "profile");
  use_panel(context, driver, "kernels");
  context->Yield(4);
  IM_CHECK(gpu_table(context).starts_with("kernels"));  // the CPU's has no such columns
}

// --- trace
// --------------------------------------------------------------------------------------------------------

void trace_facts(ImGuiTestContext* context, Driver& driver) {
  open_gpu(context, driver, {});
  use_panel(context, driver, "trace");
  for (const char* fact :
       {"timed by: CUPTI, detailed", "profile: detailed from step 0",
        "unattributed: 3: kernels, copies and graphs that could not be attributed to an operation"})
    IM_CHECK(is_drawn(context, item_in(context, "GPU profiling", fact)));
  open_gpu(context, driver, {.losses = false});
  use_panel(context, driver, "trace");
  IM_CHECK(is_drawn(context, item_in(context, "GPU profiling", "lost: nothing")));
}

}  // namespace

void add_gpu_tests(Driver& driver) {
  driver.add("a_gpu_has_lanes_for_streams_copies_launches_and_the_profiler", lanes);
  driver.add("lanes_without_room_are_left_out", lanes_in_little_room);
  driver.add("a_kernel_of_a_gpu_lights_up_and_pins_like_one_of_the_cpu", links);
  driver.add("what_a_kernel_waited_for_the_one_before_is_below_its_box", waits);
  driver.add("the_timeline_follows_the_newest_step_that_is_told", follows_what_is_told);
  driver.add("light_profiling_shows_whole_graphs", whole_graphs);
  driver.add("unattributed_kernels_are_shown_and_lead_nowhere", unattributed);
  driver.add("badges_say_what_times_are_cost_and_lack", badges);
  driver.add("a_run_without_timings_says_why", says_why_empty);
  driver.add("counters_read_at_one_moment_and_go_to_it", counters);
  driver.add("the_kernel_table_tells_bandwidth", bandwidth);
  driver.add("the_trace_panel_tells_profiling_and_losses", trace_facts);
}

}  // namespace gui_tests
