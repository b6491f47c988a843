// Occupancy, the window lens and the token history under a user's hand.
#include <imgui_te_context.h>
#include <imgui_te_engine.h>

#include "app/view/format.hpp"
#include "app/view/push_motion.hpp"
#include "app/view/slot_order.hpp"
#include "tests/app/gui/inspect_driver.hpp"

namespace gui_tests {

namespace {

namespace view = app::view;
using namespace app::gui;
using view::Head;

constexpr std::int32_t kHeads = 3;  // of a layer of the sample's model

void meters_show_and_pin_heads(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "inspect");
  const ImVec2 at = place(rect(context, driver, "occupancy", "L20\u00b7h1"));
  point(context, at);
  IM_CHECK((driver.bench().hover().head == Head{20, 1}));
  IM_CHECK(driver.bench().hover().layer == 20);
  IM_CHECK(!is_drawn(context, id_in(panel_window(driver, "occupancy"), "##pages")));
  click(context, at);
  IM_CHECK((driver.bench().selection().head == Head{20, 1}));
  IM_CHECK(!driver.bench().selection().token);
  IM_CHECK(is_drawn(context, id_in(panel_window(driver, "occupancy"), "##pages")));
  IM_CHECK_GE(rect(context, driver, "map", "L20\u00b7h1").GetHeight(), 12.0F);
  // With Ctrl a head joins those that statistics are over, and leaves them.
  click(context, place(rect(context, driver, "occupancy", "L3\u00b7h0")), ImGuiMod_Ctrl);
  click(context, place(rect(context, driver, "occupancy", "L4\u00b7h2")), ImGuiMod_Ctrl);
  IM_CHECK((driver.bench().selection().heads == view::HeadSet::of({{3, 0}, {4, 2}})));
  IM_CHECK((driver.bench().selection().head == Head{20, 1}));
  click(context, place(rect(context, driver, "occupancy", "L3\u00b7h0")), ImGuiMod_Ctrl);
  IM_CHECK((driver.bench().selection().heads == view::HeadSet::of({{4, 2}})));
}

void pages_show_and_pin_the_token_of_a_slot(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "inspect");
  const Head head{20, 0};
  driver.bench().select(view::pin_head({}, head));
  context->Yield(3);
  const std::vector<std::int32_t> slots =
      view::slot_order(driver.bench().cache(), 20 * kHeads, driver.bench().position());
  const ImRect pages = rect(context, driver, "occupancy", "##pages");
  point(context, {pages.Min.x + 1, pages.Min.y + 1});
  IM_CHECK(driver.bench().hover().token == slots.front());
  IM_CHECK(driver.bench().hover().head == head);
  IM_CHECK(is_drawn(context, id_in(panel_window(driver, "occupancy"), "hovered slot")));
  IM_CHECK(is_drawn(context, id_in(panel_window(driver, "map"), "hovered token")));
  const ImVec2 second_line{pages.Min.x + 1, pages.Min.y + pages.GetHeight() * 0.4F};
  point(context, second_line);
  const auto hovered = driver.bench().hover().token;
  IM_CHECK(hovered && *hovered != slots.front());
  click(context, second_line);
  IM_CHECK(driver.bench().selection().token == hovered);
  IM_CHECK(is_drawn(context, id_in(panel_window(driver, "occupancy"), "pinned slot")));
}

// Where a token of some age is in the large rows.
ImVec2 lens_place(ImGuiTestContext* context, Driver& driver, std::int32_t age, std::int32_t kv_head) {
  const ImRect rows = rect(context, driver, "lens", "##layer");
  const float names = driver.application().ui().px(22);
  const float cell = (rows.GetWidth() - names) / static_cast<float>(driver.bench().cache().window() + 1);
  return {rows.Min.x + names + (static_cast<float>(age) + 0.5F) * cell,
          rows.Min.y + rows.GetHeight() * (static_cast<float>(kv_head) + 0.5F) / kHeads};
}

void lens_shows_and_pins_by_age(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "inspect");
  driver.bench().select(view::pin_head({}, {15, 0}));
  driver.bench().go_to(800);
  context->Yield(3);
  point(context, lens_place(context, driver, 10, 2));
  IM_CHECK(driver.bench().hover().token == 790);
  IM_CHECK((driver.bench().hover().head == Head{15, 2}));
  IM_CHECK(is_drawn(context, id_in(panel_window(driver, "map"), "hovered token")));
  click(context, lens_place(context, driver, 64, 1));
  IM_CHECK(driver.bench().selection().token == 736);
  IM_CHECK((driver.bench().selection().head == Head{15, 1}));
  // The name of a head pins it and leaves the token.
  const ImRect rows = rect(context, driver, "lens", "##layer");
  click(context, {rows.Min.x + 4, lens_place(context, driver, 0, 0).y});
  IM_CHECK((driver.bench().selection().head == Head{15, 0}));
  IM_CHECK(driver.bench().selection().token == 736);
  // All heads below.
  const ImRect all = rect(context, driver, "lens", "##all");
  point(context, {all.Max.x - 1, all.Min.y + 1});
  IM_CHECK(driver.bench().hover().layer == 0);
  IM_CHECK(driver.bench().hover().token == 736);
}

void lens_moves_for_one_step_and_rests(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "inspect");
  driver.bench().go_to(800);
  context->Yield(3);
  const ImGuiID push = id_in(panel_window(driver, "lens"), "push");
  IM_CHECK(!is_drawn(context, push));
  context->KeyPress(ImGuiKey_RightArrow);
  IM_CHECK_EQ(driver.bench().position(), 801);
  context->Yield(2);
  IM_CHECK(is_drawn(context, push));
  context->SleepNoSkip(static_cast<float>(view::PushMotion::kSeconds) + 0.2F, 1 / 60.0F);
  context->Yield(2);
  IM_CHECK(!is_drawn(context, push));
  // A jump and a step back show the next state at once.
  context->KeyPress(ImGuiKey_LeftArrow);
  context->Yield(2);
  IM_CHECK(!is_drawn(context, push));
  context->KeyPress(ImGuiMod_Shift | ImGuiKey_RightArrow);
  context->Yield(2);
  IM_CHECK_EQ(driver.bench().position(), 810);
  IM_CHECK(!is_drawn(context, push));
}

ImGuiWindow* open_history(ImGuiTestContext* context, Driver& driver) {
  if (panel_window(driver, "history") == nullptr) {
    driver.run("view.panel.history");
    context->Yield(2);
    if (panel_window(driver, "history") == nullptr) driver.run("view.panel.history");
    context->Yield(4);
  }
  return panel_window(driver, "history");
}

// The id of what stands in a row of one of its tables.
ImGuiID row_id(ImGuiWindow* history, const char* table, Head head) {
  return id_in(id_in(history, table), head.layer * 4096 + head.kv_head);
}

void history_tells_every_head_apart(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "inspect");
  driver.bench().select(view::pin_token({}, 414));
  context->Yield(2);
  ImGuiWindow* history = open_history(context, driver);
  IM_CHECK(history != nullptr);
  const std::int32_t s = driver.bench().position();
  for (const Head head : {Head{0, 0}, Head{0, 1}, Head{20, 0}}) {
    const bool held =
        driver.bench().cache().state(head.layer * kHeads + head.kv_head, 414, s) != view::TokenState::evicted;
    const ImGuiID row = row_id(history, held ? "holding" : "evicted", head);
    const ImGuiID other = row_id(history, held ? "evicted" : "holding", head);
    // Rows that are scrolled away are not drawn.
    if (is_drawn(context, id_in(row, "##row"))) continue;
    IM_CHECK(!is_drawn(context, id_in(other, "##row")));
  }
  // The first that holds it: a click pins the head, and pointing at it shows it everywhere.
  Head first{};
  while (driver.bench().cache().state(first.layer * kHeads + first.kv_head, 414, s) ==
         view::TokenState::evicted)
    first = first.kv_head + 1 < kHeads ? Head{first.layer, first.kv_head + 1} : Head{first.layer + 1, 0};
  const ImGuiID row = row_id(history, "holding", first);
  const ImVec2 at = place(rect(context, id_in(row, "##row")), 0.1F);
  point(context, at);
  IM_CHECK(driver.bench().hover().head == first);
  IM_CHECK(driver.bench().hover().token == 414);
  IM_CHECK(is_drawn(context, id_in(panel_window(driver, "occupancy"), "hovered head")));
  click(context, at);
  IM_CHECK(driver.bench().selection().head == first);
  IM_CHECK(driver.bench().selection().token == 414);
}

void history_goes_to_the_step_of_a_decision(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "inspect");
  driver.bench().select(view::pin_token({}, 414));
  context->Yield(2);
  ImGuiWindow* history = open_history(context, driver);
  IM_CHECK(history != nullptr);
  const view::CacheView& cache = driver.bench().cache();
  std::int32_t head = 0;
  while (cache.state(head, 414, driver.bench().position()) == view::TokenState::evicted) ++head;
  const ImGuiID row = row_id(history, "holding", {head / kHeads, head % kHeads});
  const std::int32_t decided = cache.dates(head, 414).decided;
  click(context, place(rect(context, id_in(id_in(row, "decided"), view::format_count(decided).c_str()))));
  IM_CHECK_EQ(driver.bench().position(), decided);
  // Before it came there is nothing to tell, but a way to where it does.
  driver.bench().go_to(300);
  context->Yield(3);
  IM_CHECK(!is_drawn(context, id_in(history, "holding")));
  context->SetRef(history->ID);
  context->ItemClick("Go to where it comes");
  context->Yield(2);
  IM_CHECK_EQ(driver.bench().position(), 414);
  // Nor without a pin.
  driver.bench().select({});
  context->Yield(3);
  IM_CHECK(!is_drawn(context, id_in(history, "Go to where it comes")));
  IM_CHECK(!is_drawn(context, id_in(row_id(history, "holding", {0, 0}), "##row")));
}

}  // namespace

void add_cache_tests(Driver& driver) {
  driver.add("occupancy_meters_show_and_pin_heads", meters_show_and_pin_heads);
  driver.add("occupancy_pages_show_and_pin_the_token_of_a_slot", pages_show_and_pin_the_token_of_a_slot);
  driver.add("lens_shows_and_pins_by_age", lens_shows_and_pins_by_age);
  driver.add("lens_moves_for_one_step_and_rests", lens_moves_for_one_step_and_rests);
  driver.add("history_tells_every_head_apart", history_tells_every_head_apart);
  driver.add("history_goes_to_the_step_of_a_decision", history_goes_to_the_step_of_a_decision);
}

}  // namespace gui_tests
