#include "app/gui/shell/frame_areas.hpp"

#include <imgui_internal.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "app/gui/fonts/icons.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/glossary.hpp"

namespace app::gui {

namespace {

constexpr ImGuiWindowFlags kStrip = ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoDocking |
                                    ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings |
                                    ImGuiWindowFlags_NoBringToFrontOnFocus;

// Nine squares, some of them kept.
float draw_logo(Ui& ui) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const ImVec2 at = ImGui::GetCursorScreenPos();
  constexpr std::array kCells{Role::kept,   Role::kept, Role::window, Role::kept,  Role::raised,
                              Role::doomed, Role::kept, Role::raised, Role::doomed};
  const float cell = ui.px(4), step = ui.px(5), top = at.y + ui.px(7);
  for (int index = 0; index < 9; ++index) {
    const ImVec2 low{at.x + static_cast<float>(index % 3) * step, top + static_cast<float>(index / 3) * step};
    list.AddRectFilled(low, {low.x + cell, low.y + cell}, ui.u32(kCells[static_cast<std::size_t>(index)]));
  }
  return label_at(ui, list, {at.x + ui.px(22), at.y + ui.px(6)}, "DMScope", Role::text, Face::ui_bold) +
         ui.px(30);
}

void draw_menu(Ui& ui, const Commands& commands, const char* menu) {
  ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2(ui.px(8), ui.px(6)));
  if (ImGui::BeginMenu(menu)) {
    std::string chosen;
    for (const Command& command : commands.all()) {
      if (command.menu != menu) continue;
      if (command.separator_before) ImGui::Separator();
      const bool checked = command.checked && command.checked();
      if (ImGui::MenuItem(command.title.c_str(), commands.keys(command.id).c_str(), checked,
                          commands.is_enabled(command)))
        chosen = command.id;
    }
    ImGui::EndMenu();
    if (!chosen.empty()) commands.run(chosen);
  }
  ImGui::PopStyleVar();
}

// A fact as it is drawn: its dot alone where the text is empty.
struct DrawnFact {
  std::string text;
  float width = 0;
};

DrawnFact drawn_fact(const Ui& ui, const Fact& fact, std::string text) {
  const float width = text.empty() ? ui.px(20) : chip_width(ui, text.c_str(), fact.dot.has_value());
  return {std::move(text), width};
}

// Facts give up words from the left until they fit into `room`: all in brief, then cut, then mere dots.
std::vector<DrawnFact> fit_facts(const Ui& ui, const std::vector<Fact>& facts, float room) {
  std::vector<DrawnFact> drawn;
  float wanted = 0;
  for (const Fact& fact : facts) {
    drawn.push_back(drawn_fact(ui, fact, fact.text));
    wanted += drawn.back().width;
  }
  const auto replace = [&](std::size_t index, std::string text) {
    wanted -= drawn[index].width;
    drawn[index] = drawn_fact(ui, facts[index], std::move(text));
    wanted += drawn[index].width;
  };
  for (std::size_t index = 0; index < facts.size() && wanted > room; ++index) {
    if (!facts[index].brief.empty()) replace(index, facts[index].brief);
  }
  for (std::size_t index = 0; index < facts.size() && wanted > room; ++index) {
    const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
    const float edges = chip_width(ui, "", facts[index].dot.has_value());
    const float left = drawn[index].width - (wanted - room) - edges;
    replace(index, left >= ui.px(56) ? fit_text(drawn[index].text, left) : std::string());
  }
  return drawn;
}

void fact_tooltip(Ui& ui, const Fact& fact) {
  if (!ImGui::IsItemHovered() || !ImGui::BeginTooltip()) return;
  label(ui, fact.text.c_str(), Role::text, Face::ui_strong, text_size::kTable);
  ImGui::PushTextWrapPos(ui.px(320));
  for (const std::string& word : fact.words) {
    const GlossaryEntry* entry = glossary_entry(word);
    if (entry == nullptr) continue;
    ImGui::Dummy({0, ui.px(2)});
    label(ui, entry->word, Role::text, Face::ui, text_size::kTable);
    label(ui, entry->meaning, Role::text2, Face::ui, text_size::kTable);
  }
  ImGui::PopTextWrapPos();
  ImGui::EndTooltip();
}

// True when one was clicked.
bool draw_facts(Ui& ui, const std::vector<Fact>& facts, float right, float free_from) {
  const float gap = ui.px(6), gaps = gap * static_cast<float>(facts.size());
  const std::vector<DrawnFact> drawn = fit_facts(ui, facts, right - free_from - gaps);
  float width = gaps;
  for (const DrawnFact& fact : drawn) width += fact.width;
  ImGui::SetCursorPosX(std::max(free_from, right - width));
  bool clicked = false;
  for (std::size_t index = 0; index < facts.size(); ++index) {
    const Fact& fact = facts[index];
    const bool small = drawn[index].text.empty();
    if (index > 0) ImGui::SameLine(0, gap);
    ImGui::SetCursorPosY(ui.px(5));
    const Role dot = fact.dot.value_or(Role::text3);
    ImGui::PushID(static_cast<int>(index));
    clicked |=
        chip(ui, small ? "fact" : drawn[index].text.c_str(), fact.dot || small ? &dot : nullptr, small);
    ImGui::PopID();
    fact_tooltip(ui, fact);
  }
  return clicked;
}

}  // namespace

void begin_strip(Ui& ui, const char* name, float top, float height, Role background) {
  const ImGuiViewport& viewport = *ImGui::GetMainViewport();
  ImGui::SetNextWindowPos({viewport.Pos.x, viewport.Pos.y + top});
  ImGui::SetNextWindowSize({viewport.Size.x, height});
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(0, 0));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 0);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, 0);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowMinSize, ImVec2(1, 1));
  ImGui::PushStyleColor(ImGuiCol_WindowBg, ui.u32(background));
  ImGui::Begin(name, nullptr, kStrip);
  ImGui::PopStyleColor();
  ImGui::PopStyleVar(4);
}

float draw_menu_row(Ui& ui, const Commands& commands, const std::vector<std::string>& layouts, int& layout,
                    const std::vector<Fact>& facts) {
  const float height = ui.px(height::kMenu);
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding,
                      ImVec2(ui.px(8), std::floor((height - ImGui::GetFontSize()) / 2)));
  if (ImGui::BeginMainMenuBar()) {
    const float width = ImGui::GetWindowWidth();
    ImGui::SetCursorPosX(ui.px(10));
    const float logo = draw_logo(ui);
    ImGui::SetCursorPosX(ui.px(10) + logo);
    for (const char* menu : {"File", "Run", "Selection", "View", "Help"}) draw_menu(ui, commands, menu);
    const float menus_end = ImGui::GetCursorPosX();
    ImGui::SetCursorPos({std::max(menus_end + ui.px(12), std::min(ui.px(400), width * 0.3F)), ui.px(4)});
    std::vector<const char*> names;
    for (const std::string& name : layouts) names.push_back(name.c_str());
    ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(0, 0));
    segmented(ui, "layouts", names, layout);
    ImGui::PopStyleVar();
    ImGui::SameLine(0, ui.px(12));
    if (draw_facts(ui, facts, width - ui.px(8), ImGui::GetCursorPosX())) commands.run("run.facts");
    ImGui::EndMainMenuBar();
  }
  ImGui::PopStyleVar();
  return height;
}

float draw_empty_transport(Ui& ui, float top, const std::string& state) {
  const float height = ui.px(height::kTransport);
  begin_strip(ui, "##transport", top, height, Role::panel);
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const ImVec2 origin = ImGui::GetWindowPos();
  const float width = ImGui::GetWindowWidth();
  const auto box = [&](float x, float w, const char* text, Face face) {
    const ImVec2 low{origin.x + ui.px(x), origin.y + ui.px(8)},
        high{origin.x + ui.px(x + w), origin.y + ui.px(32)};
    list.AddRectFilled(low, high, ui.u32(Role::header), ui.px(kControlRadius));
    const float text_width = label_width(ui, text, face, text_size::kTable);
    label_at(ui, list,
             {std::round((low.x + high.x - text_width) / 2), low.y + ui.px(face == Face::mono ? 4 : 5)}, text,
             Role::text3, face, text_size::kTable);
  };
  box(10, 78, "\uf111 00:00", Face::mono);
  box(94, 28, icon::kPlay, Face::ui);
  box(126, 28, icon::kStepBack, Face::ui);
  box(158, 28, icon::kStepForward, Face::ui);
  box(190, 50, "1×", Face::ui);
  const ImVec2 live{origin.x + ui.px(246), origin.y + ui.px(8)},
      live_end{origin.x + ui.px(306), origin.y + ui.px(32)};
  list.AddRect(live, live_end, ui.u32(Role::strong_line), ui.px(kPillRadius), 0, ui.px(1));
  list.AddCircleFilled({live.x + ui.px(14), (live.y + live_end.y) / 2}, ui.px(3), ui.u32(Role::text3));
  label_at(ui, list, {live.x + ui.px(23), live.y + ui.px(5)}, "LIVE", Role::text3, Face::ui_bold,
           text_size::kTable);
  float x = origin.x + ui.px(10);
  x += label_at(ui, list, {x, origin.y + ui.px(42)}, "step", Role::text2, Face::ui, text_size::kTable) +
       ui.px(6);
  x += label_at(ui, list, {x, origin.y + ui.px(38)}, "–", Role::text, Face::mono_strong, text_size::kFigure) +
       ui.px(12);
  label_at(ui, list, {x, origin.y + ui.px(42)}, state.empty() ? "nothing running" : state.c_str(),
           Role::text2, Face::ui, text_size::kTable);
  const ImVec2 low{origin.x + ui.px(398), origin.y + ui.px(4)},
      high{origin.x + width - ui.px(10), origin.y + ui.px(50)};
  if (high.x - low.x > ui.px(80)) {
    list.AddRectFilled(low, high, ui.u32(Role::header));
    const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
    const std::string text = fit_text(
        "A run's timeline appears here: prefill, then every decode step, all of them open to go back to.",
        high.x - low.x - ui.px(24));
    list.AddText({low.x + ui.px(12), low.y + ui.px(15)}, ui.u32(Role::text2), text.c_str());
  }
  list.AddLine({origin.x, origin.y + height - ui.px(1)}, {origin.x + width, origin.y + height - ui.px(1)},
               ui.u32(Role::line), ui.px(1));
  ImGui::End();
  return height;
}

namespace {

// Text that explains its word on hover; returns its width.
float status_entry(Ui& ui, const StatusEntry& entry, ImVec2 at, int index) {
  const float width = label_width(ui, entry.text.c_str(), Face::ui, text_size::kCaption);
  if (width <= 0) return 0;
  ImGui::SetCursorScreenPos(at);
  ImGui::PushID(index);
  ImGui::InvisibleButton("entry", {width, ui.px(16)});
  ImGui::PopID();
  label_at(ui, *ImGui::GetWindowDrawList(), at, entry.text.c_str(), Role::text2, Face::ui,
           text_size::kCaption);
  if (!entry.word.empty()) glossary_tip(ui, entry.word);
  return width;
}

}  // namespace

float draw_status_bar(Ui& ui, const StatusText& status) {
  const float height = ui.px(height::kStatus);
  const ImGuiViewport& viewport = *ImGui::GetMainViewport();
  begin_strip(ui, "##status", viewport.Size.y - height, height, Role::header);
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const ImVec2 at = ImGui::GetWindowPos();
  const float middle = at.y + height / 2, text = at.y + ui.px(4), gap = ui.px(16);
  list.AddLine(at, {at.x + viewport.Size.x, at.y}, ui.u32(Role::line), ui.px(1));
  list.AddCircleFilled({at.x + ui.px(14), middle}, ui.px(3),
                       ui.u32(status.busy ? Role::accent : Role::text3));
  float x = at.x + ui.px(23);
  x += label_at(ui, list, {x, text}, status.state.c_str(), Role::text, Face::ui_strong, text_size::kCaption) +
       ui.px(8);
  list.AddLine({x, at.y + ui.px(5)}, {x, at.y + height - ui.px(5)}, ui.u32(Role::line), ui.px(1));
  x += ui.px(8);
  // What a recording lost and cost is never hidden: it gives way last.
  int index = 0;
  float right = at.x + viewport.Size.x - ui.px(10);
  for (auto entry = status.right.rbegin(); entry != status.right.rend(); ++entry) {
    const float width = label_width(ui, entry->text.c_str(), Face::ui, text_size::kCaption);
    if (right - width < x + gap) break;
    status_entry(ui, *entry, {right - width, text}, ++index);
    right -= width + gap;
  }
  for (const StatusEntry& entry : status.left) {
    const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
    if (right - x < ui.px(40)) break;
    x += status_entry(ui, {fit_text(entry.text, right - x), entry.word}, {x, text}, ++index) + gap;
  }
  ImGui::End();
  return height;
}

}  // namespace app::gui
