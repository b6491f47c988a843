#include "app/gui/panels/log_panel.hpp"

#include <fmt/format.h>

#include <array>
#include <ctime>

#include "app/gui/fonts/icons.hpp"

namespace app::gui {

namespace {

struct Look {
  const char* icon;
  Role color;
};

Look look_of(NoticeLevel level) {
  switch (level) {
    case NoticeLevel::info:
      return {icon::kInfo, Role::text2};
    case NoticeLevel::warning:
      return {icon::kWarning, Role::warning};
    case NoticeLevel::error:
      break;
  }
  return {icon::kError, Role::error};
}

std::string clock_text(std::int64_t unix_seconds) {
  const std::time_t seconds = unix_seconds;
  std::tm time{};
  localtime_r(&seconds, &time);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%H:%M:%S", &time);
  return text.data();
}

}  // namespace

void draw_notice(Ui& ui, const Notice& notice, bool with_time) {
  const Look look = look_of(notice.level);
  if (with_time) {
    label(ui, clock_text(notice.unix_seconds).c_str(), Role::text3, Face::mono, text_size::kTable);
    ImGui::SameLine();
  }
  label(ui, look.icon, look.color, Face::ui, text_size::kTable);
  ImGui::SameLine();
  const std::string text =
      notice.repeats == 1 ? notice.text : fmt::format("{} (×{})", notice.text, notice.repeats);
  ImGui::PushTextWrapPos(0);
  label(ui, text.c_str(), Role::text, Face::ui, text_size::kTable);
  ImGui::PopTextWrapPos();
}

void LogPanel::draw(PanelContext& context) {
  const auto notices = context.notices.all();
  for (auto notice = notices.rbegin(); notice != notices.rend(); ++notice)
    draw_notice(context.ui, *notice, true);
}

}  // namespace app::gui
