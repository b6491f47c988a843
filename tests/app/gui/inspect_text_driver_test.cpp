// The token text under a user's hand: pins, ranges, the search, the minimap and the keyboard.
#include <imgui_te_context.h>
#include <imgui_te_engine.h>
#include <unistd.h>

#include "tests/app/gui/inspect_driver.hpp"
#include "tests/app/gui/text_trace.hpp"

namespace gui_tests {

namespace {

namespace view = app::view;
using namespace app::gui;
using view::TokenRange;

struct TextHand {
  ImGuiTestContext* context;
  Driver& driver;

  ImGuiWindow* panel() const { return panel_window(driver, "text"); }
  ImGuiWindow* part(const char* name) const { return child_window(panel(), name); }
  ImGuiWindow* prompt() const { return part("prompt text"); }
  bool shows(std::int32_t token) const {
    const ImGuiID item = id_in(prompt()->ID, token);
    return is_drawn(context, item) && prompt()->InnerClipRect.Overlaps(rect(context, item));
  }
  ImVec2 at(std::int32_t token) const { return place(rect(context, id_in(prompt()->ID, token))); }
};

TextHand open_text(ImGuiTestContext* context, Driver& driver) {
  driver.open_trace(context, "inspect");
  driver.run("selection.find");  // to the front
  context->Yield(4);
  context->ItemInputValue(id_in(panel_window(driver, "text"), "##search"), "");
  context->KeyPress(ImGuiKey_Escape);
  context->Yield(2);
  return {context, driver};
}

void hover_and_click(ImGuiTestContext* context, Driver& driver) {
  const TextHand text = open_text(context, driver);
  point(context, text.at(20));
  IM_CHECK(driver.bench().hover().token == 20);
  IM_CHECK(is_drawn(context, id_in(panel_window(driver, "map"), "hovered token")));
  IM_CHECK(driver.bench().selection().nothing_pinned());
  click(context, text.at(20));
  IM_CHECK(driver.bench().selection().token == 20);
  IM_CHECK(is_drawn(context, id_in(panel_window(driver, "map"), "pinned token")));
}

void drag_selects_tokens(ImGuiTestContext* context, Driver& driver) {
  const TextHand text = open_text(context, driver);
  drag(context, text.at(40), text.at(62));
  IM_CHECK((driver.bench().selection().tokens == TokenRange{40, 63}));
  IM_CHECK(!driver.bench().selection().token);
  drag(context, text.at(30), text.at(25));
  IM_CHECK((driver.bench().selection().tokens == TokenRange{25, 31}));
  context->KeyPress(ImGuiKey_Escape);
  IM_CHECK(!driver.bench().selection().tokens);
  // One entry for each drag, and one for Esc.
  context->KeyPress(ImGuiMod_Alt | ImGuiKey_LeftArrow, 2);
  IM_CHECK((driver.bench().selection().tokens == TokenRange{40, 63}));
}

void search_marks_and_steps(ImGuiTestContext* context, Driver& driver) {
  const TextHand text = open_text(context, driver);
  const TextMarks& marks = driver.bench().marks();
  IM_CHECK(marks.matches.empty());
  context->KeyPress(ImGuiMod_Ctrl | ImGuiKey_F);
  context->Yield(2);
  context->KeyChars("seed");
  context->Yield(3);
  const std::size_t found = marks.matches.size();
  IM_CHECK_GT(found, 3U);
  IM_CHECK_EQ(marks.current, 0U);
  IM_CHECK(text.shows(marks.matches[0].begin));
  IM_CHECK(is_drawn(context, id_in(text.prompt(), "match")));
  IM_CHECK(is_drawn(context, id_in(panel_window(driver, "map"), "current match")));
  context->KeyPress(ImGuiKey_Enter);
  context->Yield(2);
  IM_CHECK_EQ(marks.current, 1U);
  context->KeyPress(ImGuiKey_Enter, 2);
  context->Yield(2);
  IM_CHECK_EQ(marks.current, 3U);
  IM_CHECK(text.shows(marks.matches[3].begin));
  context->KeyPress(ImGuiMod_Shift | ImGuiKey_Enter);
  context->Yield(2);
  IM_CHECK_EQ(marks.current, 2U);
  context->SetRef(text.panel()->ID);
  context->ItemClick("next match");
  IM_CHECK_EQ(marks.current, 3U);
  context->ItemClick("previous match");
  IM_CHECK_EQ(marks.current, 2U);
  // As a regular expression; one that is none says so and marks nothing.
  context->ItemClick(".*##regex");
  context->ItemInputValue("##search", "[0-9]{2}");
  context->Yield(3);
  IM_CHECK(!marks.matches.empty());
  context->ItemInputValue("##search", "[0-9");
  context->Yield(3);
  IM_CHECK(marks.matches.empty());
  context->ItemClick(".*##regex");
  context->ItemInputValue("##search", "");
  context->Yield(3);
  IM_CHECK(marks.matches.empty());
  IM_CHECK(!is_drawn(context, id_in(panel_window(driver, "map"), "current match")));
}

void keys_in_the_search_field_are_typed(ImGuiTestContext* context, Driver& driver) {
  const TextHand text = open_text(context, driver);
  const std::int32_t position = driver.bench().position();
  context->KeyPress(ImGuiMod_Ctrl | ImGuiKey_F);
  context->Yield(2);
  context->KeyChars("the store");
  context->KeyPress(ImGuiKey_LeftArrow);
  context->KeyPress(ImGuiMod_Ctrl | ImGuiKey_LeftArrow);
  context->KeyPress(ImGuiKey_Home);
  context->Yield(2);
  IM_CHECK_EQ(driver.bench().position(), position);
  IM_CHECK(driver.bench().selection().nothing_pinned());
  // Esc empties the field and leaves what is pinned.
  driver.bench().select(view::pin_token({}, 7));
  context->KeyPress(ImGuiKey_Escape);
  context->Yield(3);
  IM_CHECK(driver.bench().marks().matches.empty());
  IM_CHECK(driver.bench().selection().token == 7);
  IM_CHECK(text.panel() != nullptr);
}

void minimap_jumps(ImGuiTestContext* context, Driver& driver) {
  const TextHand text = open_text(context, driver);
  IM_CHECK(text.shows(10));
  IM_CHECK(!text.shows(900));
  const ImRect minimap = rect(context, id_in(id_in(text.panel(), "prompt text"), "minimap"));
  click(context, place(minimap, 0.5F, 0.95F));
  IM_CHECK(!text.shows(10));
  IM_CHECK(text.shows(960));
  click(context, place(minimap, 0.5F, 0.01F));
  IM_CHECK(text.shows(10));
}

void text_follows_pins_and_scrubbing(ImGuiTestContext* context, Driver& driver) {
  const TextHand text = open_text(context, driver);
  driver.bench().select(view::pin_token({}, 700));
  context->Yield(3);
  IM_CHECK(text.shows(700));
  driver.bench().go_to(200);
  context->Yield(3);
  IM_CHECK(text.shows(200));
  IM_CHECK(!text.shows(700));
}

void page_keys_scroll(ImGuiTestContext* context, Driver& driver) {
  const TextHand text = open_text(context, driver);
  click(context, text.at(20));
  const float before = text.prompt()->Scroll.y;
  context->KeyPress(ImGuiKey_PageDown, 2);
  context->Yield(2);
  const float after = text.prompt()->Scroll.y;
  IM_CHECK_GT(after, before + text.prompt()->Size.y);
  context->KeyPress(ImGuiKey_PageUp);
  context->Yield(2);
  IM_CHECK_LT(text.prompt()->Scroll.y, after);
  IM_CHECK(driver.bench().selection().token == 20);
}

// 100,000 characters, with whatever a prompt may hold: nothing is clipped, everything can be pointed at.
void unusual_text_is_shown_whole(ImGuiTestContext* context, Driver& driver) {
  const auto path =
      std::filesystem::temp_directory_path() / ("dmscope-text-" + std::to_string(::getpid()) + ".db");
  IM_CHECK(write_text_trace(path, unusual_tokens(20'000)));
  driver.open_trace(context, "inspect", path);
  const TextHand text{context, driver};
  const ImRect inside = text.prompt()->InnerRect;
  for (std::int32_t token = 0; token <= kLongToken; ++token) {
    const ImRect piece = rect(context, id_in(text.prompt()->ID, token));
    IM_CHECK_GT(piece.GetWidth(), 0.0F);
    IM_CHECK_LE(piece.Max.x, inside.Max.x);
    point(context, place(piece));
    IM_CHECK(driver.bench().hover().token == token);
  }
  click(context, text.at(kLongToken));
  IM_CHECK(driver.bench().selection().token == kLongToken);
  context->ItemInputValue(id_in(text.panel(), "##search"), "\u05e9\u05dc\u05d5\u05dd");
  context->Yield(3);
  IM_CHECK_EQ(driver.bench().marks().matches.size(), 1U);
  IM_CHECK_EQ(driver.bench().marks().matches[0].begin, 1);
  context->ItemInputValue(id_in(text.panel(), "##search"), "");
  // To the other end and back.
  const std::int32_t last = driver.bench().sequence().tokens() - 1;
  driver.bench().select(view::pin_token({}, last - 1));
  context->Yield(3);
  IM_CHECK(text.shows(last - 1));
  driver.open_trace(context, "inspect");
  std::filesystem::remove(path);
}

void modes_are_chosen(ImGuiTestContext* context, Driver& driver) {
  const TextHand text = open_text(context, driver);
  // What the strongest shade stands for.
  const auto choose = [&](const char* mode, const char* strongest) {
    context->SetRef(text.panel()->ID);
    context->ItemClick("##mode");
    context->ItemClick((std::string("//$FOCUSED/") + mode).c_str());
    context->Yield(3);
    return is_drawn(context, id_in(text.panel(), strongest));
  };
  IM_CHECK(is_drawn(context, id_in(text.panel(), "90 heads")));
  IM_CHECK(choose("First layer to evict", "never"));
  IM_CHECK(!choose("KL to dense", "never"));
  IM_CHECK(!is_drawn(context, id_in(text.panel(), "90 heads")));
  IM_CHECK(choose("Heads holding", "90 heads"));
}

}  // namespace

void add_text_tests(Driver& driver) {
  driver.add("text_hover_and_click", hover_and_click);
  driver.add("text_drag_selects_tokens", drag_selects_tokens);
  driver.add("text_search_marks_and_steps", search_marks_and_steps);
  driver.add("text_keys_in_the_search_field_are_typed", keys_in_the_search_field_are_typed);
  driver.add("text_minimap_jumps", minimap_jumps);
  driver.add("text_follows_pins_and_scrubbing", text_follows_pins_and_scrubbing);
  driver.add("text_page_keys_scroll", page_keys_scroll);
  driver.add("text_modes_are_chosen", modes_are_chosen);
  driver.add("text_of_any_kind_is_shown_whole", unusual_text_is_shown_whole);
}

}  // namespace gui_tests
