// The colours of the window: every role once, for dark and light.
//
// One accent: it marks what is pinned, live, focused or clickable. States of the cache keep their lightness
// order in every palette; a palette swaps hues, never roles, and stays readable without one of the three
// cones (tests).
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "app/gui/theme/color.hpp"

namespace app::gui {

enum class Role {
  app,  // behind the panels, gaps
  panel,
  header,  // headers, inputs
  raised,  // raised or hovered controls
  line,
  strong_line,
  grid,  // of plots
  text,
  text2,
  text3,
  accent,  // pinned, live, focused or clickable, and nothing else
  accent_dim,
  on_accent,
  hover_line,
  casing,   // around lines over cells
  warning,  // notes and warnings
  error,    // errors, recording
  kept,
  window,
  doomed,
  doomed_text,  // text and marks
  doomed_hatch,
  evicted,
  unborn,
  text_ramp_end,  // behind text: heads holding
  only_a,         // comparison
  only_b,
  both_keep,
  both_evicted,
  a_window,
  a_doomed,
  b_window,
  b_doomed,
  kernel_projection,
  kernel_attention,
  kernel_mlp,
  kernel_head,          // head and sampling
  kernel_unattributed,  // hatched
  sync,                 // hatched
  lane_layer,
  lane_step,  // steps, CPU
  count
};

inline constexpr std::size_t kRoleCount = static_cast<std::size_t>(Role::count);

enum class ThemeKind { dark, light };
enum class Palette { blue_orange, violet_yellow };

struct Theme {
  ThemeKind kind = ThemeKind::dark;
  Palette palette = Palette::blue_orange;
  std::array<Color, kRoleCount> colors{};

  Color operator[](Role role) const { return colors[static_cast<std::size_t>(role)]; }
};

Theme make_theme(ThemeKind kind, Palette palette);

// Names as settings and the command line spell them.
std::string_view name_of(ThemeKind kind);
std::string_view name_of(Palette palette);
std::optional<ThemeKind> theme_named(std::string_view name);
std::optional<Palette> palette_named(std::string_view name);

}  // namespace app::gui
