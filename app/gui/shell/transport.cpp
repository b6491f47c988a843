#include "app/gui/shell/transport.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "app/gui/fonts/icons.hpp"
#include "app/gui/shell/frame_areas.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/view/format.hpp"

namespace app::gui {

namespace {

constexpr std::array kSpeeds{0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0};
constexpr std::array kPaces{0.0, 30.0, 10.0, 5.0};

std::string speed_name(double speed) {
  return speed < 0.5 ? "\u00bc\u00d7" : speed < 1 ? "\u00bd\u00d7" : fmt::format("{:g}\u00d7", speed);
}

std::string pace_name(double pace) {
  return pace <= 0 ? std::string("max") : fmt::format("{:g}/s", pace);
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::max(0.0, seconds));
  return whole < 3600 ? fmt::format("{:02}:{:02}", whole / 60, whole % 60)
                      : fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

struct Box {
  bool pressed, lit;
  ImVec2 low, high;
};

Box box(Ui& ui, const char* id, ImVec2 low, ImVec2 size, Role fill, bool outline = false) {
  ImGui::SetCursorScreenPos(low);
  Box made{};
  made.pressed = ImGui::InvisibleButton(id, size, ImGuiButtonFlags_EnableNav);
  made.lit = ImGui::IsItemHovered() || ImGui::IsItemFocused();
  made.low = low;
  made.high = {low.x + size.x, low.y + size.y};
  ImDrawList& list = *ImGui::GetWindowDrawList();
  if (!outline) list.AddRectFilled(made.low, made.high, ui.u32(fill), ui.px(kControlRadius));
  return made;
}

void centred_text(Ui& ui, const Box& in, const char* text, Role role, Face face) {
  const FontScope font(ui.fonts(), face, text_size::kTable);
  const ImVec2 size = ImGui::CalcTextSize(text);
  ImGui::GetWindowDrawList()->AddText(
      {std::round((in.low.x + in.high.x - size.x) / 2), std::round((in.low.y + in.high.y - size.y) / 2)},
      ui.u32(role), text);
}

// Who recorded what is shown, and when in it we are.
void draw_clock(Ui& ui, Workbench& bench, ImVec2 low, ImVec2 size) {
  const bool recording = run_mode(bench) == RunMode::live && !bench.trace_path().empty();
  const Box at = box(ui, "elapsed", low, size, Role::header);
  ImDrawList& list = *ImGui::GetWindowDrawList();
  if (recording) {
    list.AddRectFilled(at.low, at.high, to_u32(mix(ui.color(Role::panel), ui.color(Role::error), 0.16)),
                       ui.px(kControlRadius));
    list.AddRect(at.low, at.high, to_u32(mix(ui.color(Role::panel), ui.color(Role::error), 0.6)),
                 ui.px(kControlRadius), 0, ui.px(1));
  }
  const FontScope font(ui.fonts(), Face::mono, text_size::kBody);
  const std::string text = clock_text(elapsed_seconds(bench));
  const ImVec2 extent = ImGui::CalcTextSize(text.c_str());
  const float dot = ui.px(12), left = std::round((at.low.x + at.high.x - extent.x - dot) / 2);
  const float middle = (at.low.y + at.high.y) / 2;
  list.AddCircleFilled({left + ui.px(3), middle}, ui.px(4), ui.u32(recording ? Role::error : Role::text3));
  list.AddText({left + dot, std::round(middle - extent.y / 2)}, ui.u32(Role::text), text.c_str());
  const std::string file = bench.trace_path().filename().string();
  if (recording) {
    ImGui::SetItemTooltip("Recording into %s", file.c_str());
  } else if (!file.empty()) {
    ImGui::SetItemTooltip("Time in the run; recorded in %s", file.c_str());
  } else {
    ImGui::SetItemTooltip("Time in the run; it was not recorded");
  }
}

// Accent while it shows the newest position; else an outline that leads back to it.
void draw_live(Ui& ui, Workbench& bench, ImVec2 low, ImVec2 size) {
  const RunMode mode = run_mode(bench);
  const char* name = mode == RunMode::live ? "LIVE" : mode == RunMode::following ? "FOLLOW" : "END";
  const bool on = bench.at_newest(), moving = mode != RunMode::done;
  const Box at = box(ui, "live", low, size, Role::panel, true);
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const float radius = ui.px(kPillRadius);
  if (on) {
    list.AddRectFilled(at.low, at.high, ui.u32(moving ? Role::accent : Role::raised), radius);
  } else {
    if (at.lit) list.AddRectFilled(at.low, at.high, ui.u32(Role::raised), radius);
    list.AddRect(at.low, at.high, ui.u32(Role::accent), radius, 0, ui.px(1));
  }
  const Role ink = !on ? Role::accent : moving ? Role::on_accent : Role::text2;
  const FontScope font(ui.fonts(), Face::ui_bold, text_size::kTable);
  const ImVec2 text = ImGui::CalcTextSize(name);
  const float left = std::round((at.low.x + at.high.x - text.x - ui.px(10)) / 2);
  const float middle = (at.low.y + at.high.y) / 2;
  list.AddCircleFilled({left + ui.px(3), middle}, ui.px(3), ui.u32(ink));
  list.AddText({left + ui.px(10), std::round(middle - text.y / 2)}, ui.u32(ink), name);
  ImGui::SetItemTooltip(on ? "Shows the newest position" : "Back to the newest position (L)");
  if (at.pressed) bench.follow();
}

}  // namespace

float Transport::draw(Ui& ui, Workbench& bench, const Commands& commands, float top) {
  if (!bench.has_run())
    return draw_empty_transport(ui, top, run_state(bench).busy ? run_state(bench).text : "");
  const float height = ui.px(height::kTransport);
  begin_strip(ui, "##transport", top, height, Role::panel);
  const ImVec2 origin = ImGui::GetWindowPos();
  const float width = ImGui::GetWindowWidth();
  const RunExtent extent = run_extent(bench);
  draw_buttons(ui, bench, commands, origin);
  const float left = origin.x + ui.px(398), right = origin.x + width - ui.px(10);
  const bool room = right - left > ui.px(120);
  draw_facts(ui, bench, extent, origin, room ? left - ui.px(8) : right);
  if (room)
    scrubber_.draw(ui, bench, extent, {left, origin.y + ui.px(3)}, {right, origin.y + height - ui.px(3)});
  ImGui::GetWindowDrawList()->AddLine({origin.x, origin.y + height - ui.px(1)},
                                      {origin.x + width, origin.y + height - ui.px(1)}, ui.u32(Role::line),
                                      ui.px(1));
  ImGui::End();
  return height;
}

void Transport::draw_buttons(Ui& ui, Workbench& bench, const Commands& commands, ImVec2 origin) {
  const auto at = [&](float x) { return ImVec2{origin.x + ui.px(x), origin.y + ui.px(8)}; };
  const auto size = [&](float width) { return ImVec2{ui.px(width), ui.px(24)}; };
  draw_clock(ui, bench, at(10), size(78));
  const bool runs = run_mode(bench) == RunMode::live ? !bench.live().paused : bench.playback().playing();
  const auto control = [&](const char* id, const char* icon, float x, const char* what) {
    const Command* command = commands.find(id);
    const bool enabled = command != nullptr && commands.is_enabled(*command);
    const std::string tip = fmt::format("{} ({})###{}", what, commands.keys(id), id);
    ImGui::SetCursorScreenPos(at(x));
    if (icon_button(ui, icon, tip.c_str(), size(28), enabled)) commands.run(id);
  };
  control("run.play", runs ? icon::kPause : icon::kPlay, 94, runs ? "Pause" : "Play");
  control("run.step_back", icon::kStepBack, 126, "One position back");
  control("run.step_forward", icon::kStepForward, 158, "One position forward");
  draw_speed(ui, bench, at(190), size(56));
  draw_live(ui, bench, at(252), size(run_mode(bench) == RunMode::following ? 82 : 64));
}

void Transport::draw_speed(Ui& ui, Workbench& bench, ImVec2 low, ImVec2 size) {
  const bool live = run_mode(bench) == RunMode::live;
  const Box at = box(ui, "speed", low, size, Role::header);
  if (at.lit)
    ImGui::GetWindowDrawList()->AddRectFilled(at.low, at.high, ui.u32(Role::raised), ui.px(kControlRadius));
  const std::string name = live ? pace_name(bench.live().pace) : speed_name(bench.playback().speed());
  centred_text(ui, {false, false, at.low, {at.high.x - ui.px(12), at.high.y}}, name.c_str(), Role::text,
               Face::mono);
  centred_text(ui, {false, false, {at.high.x - ui.px(18), at.low.y}, at.high}, icon::kCaretDown, Role::text3,
               Face::ui);
  ImGui::SetItemTooltip(live ? "Tokens per second at most" : "Speed of the replay, against the run's own");
  if (at.pressed) ImGui::OpenPopup("speeds");
  ImGui::SetNextWindowPos({at.low.x, at.high.y + ui.px(2)});
  if (!ImGui::BeginPopup("speeds")) return;
  if (live) {
    for (const double pace : kPaces) {
      const std::string text = pace <= 0 ? "as fast as it goes" : fmt::format("{:g} tok/s", pace);
      if (ImGui::MenuItem(text.c_str(), nullptr, bench.live().pace == pace)) bench.post(live::SetPace{pace});
    }
  } else {
    for (const double speed : kSpeeds) {
      if (ImGui::MenuItem(speed_name(speed).c_str(), nullptr, bench.playback().speed() == speed))
        bench.playback().set_speed(speed);
    }
  }
  ImGui::EndPopup();
}

void Transport::draw_facts(Ui& ui, Workbench& bench, const RunExtent& extent, ImVec2 origin, float right) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  float x = origin.x + ui.px(10);
  x += label_at(ui, list, {x, origin.y + ui.px(42)}, "step", Role::text2, Face::ui, text_size::kTable) +
       ui.px(6);
  x += label_at(ui, list, {x, origin.y + ui.px(37)}, view::format_count(bench.position()).c_str(), Role::text,
                Face::mono_strong, text_size::kFigure) +
       ui.px(12);
  std::string facts = phase_text(bench, extent);
  const double rate = view::processing_rate(bench.run(), bench.sequence(), bench.position());
  if (rate > 0) facts += "   " + view::format_rate(rate, "tok/s");
  if (run_mode(bench) == RunMode::live && bench.live().paused) {
    facts += ", paused";
  } else if (run_mode(bench) == RunMode::live && bench.live().pace > 0) {
    facts += fmt::format(", paced to {:g}", bench.live().pace);
  } else if (bench.playback().playing()) {
    facts += ", replaying";
  }
  const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
  list.AddText({x, origin.y + ui.px(42)}, ui.u32(Role::text2), fit_text(facts, right - x).c_str());
}

}  // namespace app::gui
