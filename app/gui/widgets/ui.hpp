// What every panel draws with: the theme, the sizes and the fonts of this window, and the hatching they
// share.
#pragma once

#include <imgui.h>

#include "app/gui/fonts/fonts.hpp"
#include "app/gui/theme/style.hpp"
#include "app/gui/widgets/draw.hpp"

namespace app::gui {

class Ui {
 public:
  Ui(const Theme& theme, const Metrics& metrics, const Fonts& fonts)
      : theme_(theme), metrics_(metrics), fonts_(&fonts) {}

  const Theme& theme() const { return theme_; }
  Color color(Role role) const { return theme_[role]; }
  ImU32 u32(Role role) const { return to_u32(theme_[role]); }
  const Metrics& metrics() const { return metrics_; }
  float px(float at_100_percent) const { return metrics_.px(at_100_percent); }
  const Fonts& fonts() const { return *fonts_; }
  Hatch& hatch() { return hatch_; }

  void restyle(const Theme& theme, const Metrics& metrics) {
    theme_ = theme;
    metrics_ = metrics;
    apply_style(theme, metrics);
  }

 private:
  Theme theme_;
  Metrics metrics_;
  const Fonts* fonts_;
  Hatch hatch_;
};

// Text in a role's colour, face and size (em, at 100 %).
void label(const Ui& ui, const char* text, Role role = Role::text, Face face = Face::ui, float em = 13);
float label_width(const Ui& ui, const char* text, Face face, float em);
// The same at a place of the draw list; returns its width.
float label_at(const Ui& ui, ImDrawList& list, ImVec2 at, const char* text, Role role = Role::text,
               Face face = Face::ui, float em = 13);

}  // namespace app::gui
