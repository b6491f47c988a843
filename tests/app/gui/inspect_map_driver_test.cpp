// The eviction map under a user's hand.
#include <imgui_te_context.h>
#include <imgui_te_engine.h>
#include <unistd.h>

#include <cstdlib>

#include "app/bench/trace_size.hpp"
#include "tests/app/gui/inspect_driver.hpp"

namespace gui_tests {

namespace {

namespace view = app::view;
using namespace app::gui;
using view::Head;
using view::Selection;
using view::TokenRange;

MapHand open_map(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "inspect");
  return {context, driver};
}

// The keyboard goes to the map, as a click on its tab would do.
void focus_map(ImGuiTestContext* context, Driver& driver) {
  context->WindowFocus(panel_window(driver, "map")->ID);
  context->Yield(2);
}

bool is_near(std::optional<std::int32_t> token, std::int32_t wanted, std::int32_t tolerance) {
  return token && std::abs(*token - wanted) <= tolerance;
}

// The last pixel is about the first of its tokens.
bool shows_all(const MapHand& map) {
  const TokenRange visible = map.visible();
  return visible.begin == 0 && is_near(visible.end, map.driver.bench().positions(), 3);
}

// A token whose pixel it is the first of: what the map says of that pixel is about it.
std::int32_t pixel_token(const MapHand& map, std::int32_t about) {
  const view::TokenAxis axis{{0, map.driver.bench().positions()},
                             static_cast<std::int32_t>(map.cells().GetWidth())};
  return axis.token_at(axis.begin_pixel(about));
}

void hover_marks_every_panel(ImGuiTestContext* context, Driver& driver) {
  const MapHand map = open_map(context, driver);
  const std::int32_t token = pixel_token(map, 30);
  point(context, map.at(token, {7, 1}));
  const view::Hover& hover = driver.bench().hover();
  IM_CHECK(hover.token == token);
  IM_CHECK((hover.head == Head{7, 1}));
  IM_CHECK(hover.layer == 7);
  IM_CHECK(driver.bench().selection().nothing_pinned());
  IM_CHECK(is_drawn(context, id_in(panel_window(driver, "map"), "hovered token")));
  IM_CHECK(is_drawn(context, id_in(panel_window(driver, "occupancy"), "hovered head")));
  ImGuiWindow* prompt = child_window(panel_window(driver, "text"), "prompt text");
  const ImRect mark = rect(context, id_in(prompt, "hovered token"));
  IM_CHECK(rect(context, id_in(prompt->ID, token)).Overlaps(mark));
  point(context, {1, 1});  // the row of menus
  context->Yield(2);
  IM_CHECK(driver.bench().hover() == view::Hover());
  IM_CHECK(!is_drawn(context, id_in(prompt, "hovered token")));
}

void click_pins_and_opens_the_layer(ImGuiTestContext* context, Driver& driver) {
  const MapHand map = open_map(context, driver);
  const std::int32_t token = pixel_token(map, 400);
  const float before = rect(context, driver, "map", "L15\u00b7h2").GetHeight();
  click(context, map.at(token, {15, 2}));
  IM_CHECK(driver.bench().selection().token == token);
  IM_CHECK((driver.bench().selection().head == Head{15, 2}));
  IM_CHECK_GE(rect(context, driver, "map", "L15\u00b7h2").GetHeight(), before + 6);
  IM_CHECK(is_drawn(context, id_in(panel_window(driver, "map"), "pinned token")));
  IM_CHECK(is_drawn(context, id_in(panel_window(driver, "occupancy"), "pinned head")));
}

void wheel_zooms_where_the_pointer_is(ImGuiTestContext* context, Driver& driver) {
  const MapHand map = open_map(context, driver);
  IM_CHECK(shows_all(map));
  const ImVec2 at = map.at(700, {10, 0});
  point(context, at);
  context->MouseWheelY(6);
  point(context, at);
  IM_CHECK(is_near(driver.bench().hover().token, 700, 2));
  const TokenRange zoomed = map.visible();
  IM_CHECK_LT(zoomed.size(), driver.bench().positions() / 3);
  IM_CHECK(zoomed.contains(700));
  point(context, at);
  context->MouseWheelY(-3);
  IM_CHECK_GT(map.visible().size(), zoomed.size());
}

void drag_pans_and_double_click_shows_all(ImGuiTestContext* context, Driver& driver) {
  const MapHand map = open_map(context, driver);
  const ImVec2 at = map.at(700, {10, 0});
  point(context, at);
  context->MouseWheelY(6);
  const TokenRange before = map.visible();
  drag(context, at, {at.x + 120, at.y});
  const TokenRange after = map.visible();
  IM_CHECK_LT(after.begin, before.begin);
  IM_CHECK_EQ(after.size(), before.size());
  // What was under the pointer stayed under it, and a drag pins nothing.
  point(context, {at.x + 120, at.y});
  IM_CHECK(is_near(driver.bench().hover().token, 700, 2));
  IM_CHECK(!driver.bench().selection().token);
  context->MouseDoubleClick();
  context->Yield(2);
  IM_CHECK(shows_all(map));
  IM_CHECK(driver.bench().selection().nothing_pinned());
}

// What the kernel timeline points at and selects is found in the tokens again.
void steps_and_times_are_tokens(ImGuiTestContext* context, Driver& driver) {
  open_map(context, driver);
  const view::SequenceView& sequence = driver.bench().sequence();
  const std::int32_t token = driver.bench().positions() - 20;
  const engine::Step step = sequence.token(token).step;
  point(context, {1, 1});  // the hand is elsewhere
  driver.bench().next_hover().step = step;
  context->Yield();
  IM_CHECK(driver.bench().hover().token == token);
  IM_CHECK(driver.bench().hover().step == step);
  const view::RunSnapshot& run = driver.bench().run();
  const view::StepRecord& record = run.step(run.step_index(step));
  Selection times;
  times.times = view::TimeRange{record.start_ns, record.end_ns};
  driver.bench().select(times);
  context->Yield(3);
  const ImRect mark = rect(context, driver, "map", "selected times");
  const ImRect near = rect(context, driver, "map", "##magnifier");
  IM_CHECK(near.Min.x <= mark.Min.x && mark.Max.x <= near.Max.x);
  point(context, {mark.GetCenter().x, near.GetCenter().y});
  IM_CHECK(driver.bench().hover().token == token);
}

void scrubbing_leaves_the_zoom_alone(ImGuiTestContext* context, Driver& driver) {
  const MapHand map = open_map(context, driver);
  point(context, map.at(300, {10, 0}));
  context->MouseWheelY(6);
  const TokenRange zoomed = map.visible();
  context->KeyPress(ImGuiKey_LeftArrow, 3);
  IM_CHECK_EQ(driver.bench().position(), driver.bench().positions() - 4);
  IM_CHECK(map.visible() == zoomed);
  driver.bench().go_to(500);
  context->Yield(2);
  IM_CHECK(map.visible() == zoomed);
}

void ctrl_drag_selects_tokens(ImGuiTestContext* context, Driver& driver) {
  const MapHand map = open_map(context, driver);
  const float y = map.y({5, 0});
  drag(context, {map.x(200), y}, {map.x(400), y}, ImGuiMod_Ctrl);
  IM_CHECK(driver.bench().selection().tokens.has_value());
  IM_CHECK(is_near(driver.bench().selection().tokens->begin, 200, 2));
  IM_CHECK(is_near(driver.bench().selection().tokens->end, 400, 3));
  // An edge can be taken and moved; the other stays.
  const TokenRange range = *driver.bench().selection().tokens;
  const ImRect cells = map.cells();
  const view::TokenAxis axis{{0, driver.bench().positions()}, static_cast<std::int32_t>(cells.GetWidth())};
  const float edge = cells.Min.x + static_cast<float>(axis.end_pixel(range.end - 1));
  drag(context, {edge, y}, {map.x(600), y});
  IM_CHECK_EQ(driver.bench().selection().tokens->begin, range.begin);
  IM_CHECK(is_near(driver.bench().selection().tokens->end, 600, 3));
  // One entry of the history for each gesture.
  context->KeyPress(ImGuiMod_Alt | ImGuiKey_LeftArrow);
  IM_CHECK(!driver.bench().selection().tokens);
}

void middle_drag_shows_a_box(ImGuiTestContext* context, Driver& driver) {
  const MapHand map = open_map(context, driver);
  const float y = map.y({5, 0});
  drag(context, {map.x(300), y}, {map.x(500), y}, 0, ImGuiMouseButton_Middle);
  const TokenRange shown = map.visible();
  IM_CHECK(is_near(shown.begin, 300, 2));
  IM_CHECK(is_near(shown.end, 501, 3));
  IM_CHECK(driver.bench().selection().nothing_pinned());
}

void gutter_pins_heads_and_selects_layers(ImGuiTestContext* context, Driver& driver) {
  open_map(context, driver);
  const auto row = [&](const char* name) { return rect(context, driver, "map", name); };
  // The name of a layer: its first head, and all of them for the statistics.
  click(context, place(row("L20\u00b7h0"), 0.1F));
  IM_CHECK((driver.bench().selection().head == Head{20, 0}));
  IM_CHECK((driver.bench().selection().heads == view::HeadSet::layer(20, 3)));
  // The name of a head, now that the layer is open.
  click(context, place(row("L20\u00b7h2"), 0.9F));
  IM_CHECK((driver.bench().selection().head == Head{20, 2}));
  // With Ctrl one head leaves the set.
  click(context, place(row("L20\u00b7h1"), 0.9F), ImGuiMod_Ctrl);
  IM_CHECK((driver.bench().selection().heads == view::HeadSet::of({{20, 0}, {20, 2}})));
  IM_CHECK((driver.bench().selection().head == Head{20, 2}));
}

void keys_zoom_pan_and_focus(ImGuiTestContext* context, Driver& driver) {
  const MapHand map = open_map(context, driver);
  driver.bench().select(view::pin_token(driver.bench().selection(), 500));
  focus_map(context, driver);
  context->KeyPress(ImGuiKey_W, 3);
  const TokenRange zoomed = map.visible();
  IM_CHECK_LT(zoomed.size(), driver.bench().positions() * 2 / 3);
  IM_CHECK(zoomed.contains(500));
  context->KeyPress(ImGuiKey_D);
  IM_CHECK_GT(map.visible().begin, zoomed.begin);
  context->KeyPress(ImGuiKey_A, 2);
  IM_CHECK_LT(map.visible().begin, zoomed.begin);
  context->KeyPress(ImGuiKey_S);
  IM_CHECK_GT(map.visible().size(), zoomed.size());
  context->KeyPress(ImGuiKey_F);
  const TokenRange focused = map.visible();
  IM_CHECK_EQ(focused.begin + focused.size() / 2, 500);
  context->KeyPress(ImGuiMod_Shift | ImGuiKey_F);
  IM_CHECK(shows_all(map));
  driver.bench().select(view::select_tokens(driver.bench().selection(), 100, 199));
  context->KeyPress(ImGuiKey_F);
  IM_CHECK((map.visible() == TokenRange{100, 200}));
}

void magnifier_shows_and_pins_the_newest(ImGuiTestContext* context, Driver& driver) {
  const MapHand map = open_map(context, driver);
  const ImRect near = rect(context, driver, "map", "##magnifier");
  const std::int32_t newest = driver.bench().positions() - 1;
  const ImVec2 at{near.Max.x - 1.5F, map.y({12, 1})};
  point(context, at);
  IM_CHECK(driver.bench().hover().token == newest);
  IM_CHECK((driver.bench().hover().head == Head{12, 1}));
  IM_CHECK(is_drawn(context, id_in(panel_window(driver, "lens"), "hovered token")));
  click(context, at);
  IM_CHECK(driver.bench().selection().token == newest);
  // In the past its right edge is the moment that is shown.
  driver.bench().go_to(600);
  context->Yield(2);
  point(context, at);
  IM_CHECK(driver.bench().hover().token == 600);
}

void rows_are_sorted_and_joined(ImGuiTestContext* context, Driver& driver) {
  open_map(context, driver);
  const auto top = [&](const char* name) { return rect(context, driver, "map", name).Min.y; };
  IM_CHECK_LT(top("L0\u00b7h0"), top("L8\u00b7h0"));
  const auto choose = [&](const char* box, const char* name) {
    context->SetRef(panel_window(driver, "map")->ID);
    context->ItemClick(box);
    context->ItemClick((std::string("//$FOCUSED/") + name).c_str());
    context->Yield(2);
  };
  choose("##order", "retention");
  view::CacheView& cache = driver.bench().cache();
  const std::int32_t s = driver.bench().position();
  std::int32_t most = 0, least = 0;
  for (std::int32_t head = 1; head < cache.heads(); ++head) {
    if (cache.live(head, s) > cache.live(most, s)) most = head;
    if (cache.live(head, s) < cache.live(least, s)) least = head;
  }
  const auto name = [](std::int32_t head) {
    return "L" + std::to_string(head / 3) + "\u00b7h" + std::to_string(head % 3);
  };
  IM_CHECK_LT(top(name(most).c_str()), top(name(least).c_str()));
  choose("##order", "index");
  choose("##rows", "one per layer");
  IM_CHECK(!is_drawn(context, id_in(panel_window(driver, "map"), "L3\u00b7h1")));
  IM_CHECK_GT(rect(context, driver, "map", "L3\u00b7h0").GetHeight(), 6.0F);
  choose("##rows", "layer \u00d7 head");
  IM_CHECK(is_drawn(context, id_in(panel_window(driver, "map"), "L3\u00b7h1")));
}

// 36 layers of 8 heads with 32,768 tokens: a pixel is dozens of cells, and one row of pixels a head.
void a_large_trace_is_hovered_and_scrolled(ImGuiTestContext* context, Driver& driver) {
  const auto path =
      std::filesystem::temp_directory_path() / ("dmscope-inspect-" + std::to_string(::getpid()) + ".db");
  IM_CHECK(app::write_synthetic_trace(path, false, {}));
  driver.open_trace(context, "inspect", path);
  const MapHand map{context, driver};
  const std::int32_t token = pixel_token(map, 20000);
  const ImVec2 at = map.at(token, {17, 5});
  point(context, at);
  IM_CHECK(driver.bench().hover().token == token);
  IM_CHECK((driver.bench().hover().head == Head{17, 5}));
  click(context, at);
  IM_CHECK(driver.bench().selection().token == token);
  IM_CHECK((driver.bench().selection().head == Head{17, 5}));
  IM_CHECK_GE(rect(context, driver, "map", "L17\u00b7h5").GetHeight(), 12.0F);
  // The opened layer's rows take room from the others: the last ones are below the edge.
  focus_map(context, driver);
  const bool all = is_drawn(context, id_in(panel_window(driver, "map"), "L35\u00b7h7"));
  point(context, {map.cells().GetCenter()});
  context->KeyDown(ImGuiMod_Shift);
  context->MouseWheelY(-30);
  context->KeyUp(ImGuiMod_Shift);
  context->Yield(2);
  IM_CHECK(is_drawn(context, id_in(panel_window(driver, "map"), "L35\u00b7h7")));
  if (!all) IM_CHECK(!is_drawn(context, id_in(panel_window(driver, "map"), "L0\u00b7h0")));
  driver.open_trace(context, "inspect");
  std::filesystem::remove(path);
}

}  // namespace

void add_map_tests(Driver& driver) {
  driver.add("map_hover_marks_every_panel", hover_marks_every_panel);
  driver.add("map_click_pins_and_opens_the_layer", click_pins_and_opens_the_layer);
  driver.add("map_wheel_zooms_where_the_pointer_is", wheel_zooms_where_the_pointer_is);
  driver.add("map_drag_pans_and_double_click_shows_all", drag_pans_and_double_click_shows_all);
  driver.add("map_shows_steps_and_times_as_tokens", steps_and_times_are_tokens);
  driver.add("map_scrubbing_leaves_the_zoom_alone", scrubbing_leaves_the_zoom_alone);
  driver.add("map_ctrl_drag_selects_tokens", ctrl_drag_selects_tokens);
  driver.add("map_middle_drag_shows_a_box", middle_drag_shows_a_box);
  driver.add("map_gutter_pins_heads_and_selects_layers", gutter_pins_heads_and_selects_layers);
  driver.add("map_keys_zoom_pan_and_focus", keys_zoom_pan_and_focus);
  driver.add("map_magnifier_shows_and_pins_the_newest", magnifier_shows_and_pins_the_newest);
  driver.add("map_rows_are_sorted_and_joined", rows_are_sorted_and_joined);
  driver.add("map_of_a_large_trace_is_hovered_and_scrolled", a_large_trace_is_hovered_and_scrolled);
}

}  // namespace gui_tests
