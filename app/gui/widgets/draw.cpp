#include "app/gui/widgets/draw.hpp"

#include <algorithm>
#include <cmath>

namespace app::gui {

namespace {

// Long enough that even a lane of the timeline takes few quads.
constexpr int kHatchSide = 256;

int wrap(float position, int period) {
  const int whole = static_cast<int>(std::floor(position)) % period;
  return whole < 0 ? whole + period : whole;
}

}  // namespace

void Hatch::build(int period) {
  period_ = period;
  texture_.resize(kHatchSide, kHatchSide);
  const auto pixels = texture_.pixels();
  for (int y = 0; y < kHatchSide; ++y) {
    for (int x = 0; x < kHatchSide; ++x) {
      // The distance to the stripe's middle, softened over one pixel.
      const float across = static_cast<float>((x + y) % period) - static_cast<float>(period) / 2;
      const float cover = std::clamp(static_cast<float>(period) / 4 - std::abs(across) + 0.5F, 0.0F, 1.0F);
      const auto index = static_cast<std::size_t>(y) * kHatchSide + static_cast<std::size_t>(x);
      pixels[index] = IM_COL32(255, 255, 255, static_cast<int>(cover * 255));
    }
  }
  texture_.changed();
}

void Hatch::fill(ImDrawList& list, ImVec2 low, ImVec2 high, Color ink, const Metrics& metrics) {
  const int period = std::max(4, static_cast<int>(metrics.px(4)));
  if (period != period_) build(period);
  const int usable = kHatchSide - period;  // what is left after starting anywhere in the period
  for (float y = low.y; y < high.y; y += static_cast<float>(usable / period * period)) {
    for (float x = low.x; x < high.x; x += static_cast<float>(usable / period * period)) {
      const ImVec2 end{std::min(high.x, x + static_cast<float>(usable / period * period)),
                       std::min(high.y, y + static_cast<float>(usable / period * period))};
      const float u = static_cast<float>(wrap(x, period)) / kHatchSide;
      const float v = static_cast<float>(wrap(y, period)) / kHatchSide;
      list.AddImage(texture_.id(), {x, y}, end, {u, v},
                    {u + (end.x - x) / kHatchSide, v + (end.y - y) / kHatchSide}, to_u32(ink));
    }
  }
}

void dashed_line(ImDrawList& list, ImVec2 from, ImVec2 to, Color color, float dash, float thickness) {
  const float length = std::hypot(to.x - from.x, to.y - from.y);
  if (length <= 0 || dash <= 0) return;
  const ImVec2 unit{(to.x - from.x) / length, (to.y - from.y) / length};
  for (float start = 0; start < length; start += 2 * dash) {
    const float end = std::min(length, start + dash);
    list.AddLine({from.x + unit.x * start, from.y + unit.y * start},
                 {from.x + unit.x * end, from.y + unit.y * end}, to_u32(color), thickness);
  }
}

void cased_line(ImDrawList& list, ImVec2 from, ImVec2 to, Color color, Color casing, float thickness) {
  list.AddLine(from, to, to_u32(casing), thickness * 3);
  list.AddLine(from, to, to_u32(color), thickness);
}

float flag(ImDrawList& list, float x, float y, float left, float right, const std::string& text, bool filled,
           const Theme& theme, const Metrics& metrics) {
  const ImVec2 size = ImGui::CalcTextSize(text.c_str());
  const float width = size.x + metrics.px(10), height = size.y + metrics.px(2);
  const float start = std::round(std::clamp(x - width / 2, left, std::max(left, right - width)));
  const ImVec2 low{start, y}, high{start + width, y + height};
  const float radius = metrics.px(kControlRadius);
  list.AddRectFilled(low, high, to_u32(filled ? theme[Role::accent] : theme[Role::casing]), radius);
  if (!filled) list.AddRect(low, high, to_u32(theme[Role::hover_line]), radius, 0, metrics.px(1));
  list.AddText({start + metrics.px(5), y + metrics.px(1)},
               to_u32(filled ? theme[Role::on_accent] : theme[Role::hover_line]), text.c_str());
  return width;
}

std::string fit_text(std::string_view text, float width) {
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (ImGui::CalcTextSize(begin, end).x <= width) return std::string(text);
  constexpr std::string_view kEllipsis = "\u2026";
  const float room = width - ImGui::CalcTextSize(kEllipsis.data()).x;
  ImFont* font = ImGui::GetFont();
  const char* cut = begin;
  font->CalcTextSizeA(ImGui::GetFontSize(), std::max(room, 0.0F), 0, begin, end, &cut);
  return std::string(begin, cut) + std::string(kEllipsis);
}

}  // namespace app::gui
