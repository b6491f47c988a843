// What the tests of the Inspect layout's panels share: where the eviction map shows what.
#pragma once

#include "app/view/selection.hpp"
#include "app/view/token_axis.hpp"
#include "tests/app/gui/panel_hand.hpp"

namespace gui_tests {

// The eviction map as it is shown: where a token and a head are.
struct MapHand {
  ImGuiTestContext* context;
  Driver& driver;

  ImRect cells() const { return rect(context, driver, "map", "##map"); }
  // The middle of a token's column, where these tokens fill the width.
  float x(std::int32_t token, app::view::TokenRange visible) const;
  float x(std::int32_t token) const { return x(token, {0, driver.bench().positions()}); }
  float y(app::view::Head head) const;
  ImVec2 at(std::int32_t token, app::view::Head head) const { return {x(token), y(head)}; }
  // First and last token, by pointing at the edges.
  app::view::TokenRange visible() const;
};

void add_map_tests(Driver& driver);
void add_cache_tests(Driver& driver);
void add_text_tests(Driver& driver);

}  // namespace gui_tests
