#include "tests/app/gui/inspect_driver.hpp"

#include <imgui_te_engine.h>

#include <algorithm>

#include "app/view/format.hpp"

namespace gui_tests {

namespace view = app::view;

float MapHand::x(std::int32_t token, view::TokenRange visible) const {
  const ImRect area = cells();
  const view::TokenAxis axis{visible, std::max(1, static_cast<std::int32_t>(area.GetWidth()))};
  const auto middle = static_cast<float>(axis.begin_pixel(token) + axis.end_pixel(token)) / 2;
  return area.Min.x + middle * area.GetWidth() / static_cast<float>(axis.width);
}

float MapHand::y(view::Head head) const {
  return place(rect(context, driver, "map", view::format_head(head.layer, head.kv_head).c_str())).y;
}

view::TokenRange MapHand::visible() const {
  const ImRect area = cells();
  const auto token = [&](float x) {
    point(context, {x, area.GetCenter().y});
    return driver.bench().hover().token.value_or(-1);
  };
  const std::int32_t first = token(area.Min.x + 0.5F);
  return {first, token(area.Max.x - 0.6F) + 1};
}

}  // namespace gui_tests
