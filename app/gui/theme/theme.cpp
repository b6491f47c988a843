#include "app/gui/theme/theme.hpp"

namespace app::gui {

namespace {

struct RoleColors {
  Role role;
  std::uint32_t dark;
  std::uint32_t light;
};

constexpr std::array<RoleColors, kRoleCount> kBlueOrange{{
    {Role::app, 0x0A0D12, 0xD5DBE3},
    {Role::panel, 0x12171E, 0xFFFFFF},
    {Role::header, 0x1A212B, 0xEFF2F6},
    {Role::raised, 0x26303D, 0xDFE5EC},
    {Role::line, 0x2C3643, 0xC6CED8},
    {Role::strong_line, 0x3D4958, 0x9AA6B4},
    {Role::grid, 0x222B36, 0xE3E8EE},
    {Role::text, 0xE8EDF4, 0x131C28},
    {Role::text2, 0xA9B4C3, 0x435062},
    {Role::text3, 0x7F8B9C, 0x5F6B7B},
    {Role::accent, 0x3CE0B4, 0x00766A},
    {Role::accent_dim, 0x1C5B4D, 0xBFE3DC},
    {Role::on_accent, 0x04251C, 0xFFFFFF},
    {Role::hover_line, 0xFFFFFF, 0x131C28},
    {Role::casing, 0x05070A, 0xFFFFFF},
    {Role::warning, 0xF2C14E, 0x946200},
    {Role::error, 0xFF7A6B, 0xB3261E},
    {Role::kept, 0x3B82E6, 0x2B6FD6},
    {Role::window, 0xA9CDFF, 0x8FBBF5},
    {Role::doomed, 0xC8752F, 0xE08A3A},
    {Role::doomed_text, 0xF8953C, 0xB85600},
    {Role::doomed_hatch, 0x5A2F0C, 0x8A4A10},
    {Role::evicted, 0x1C232D, 0xE6EAEF},
    {Role::unborn, 0x12171E, 0xFFFFFF},
    {Role::text_ramp_end, 0x2A63BD, 0xA9CBFA},
    {Role::only_a, 0x58A0FF, 0x1F66CC},
    {Role::only_b, 0xFF9A3D, 0xE07B10},
    {Role::both_keep, 0x8B97A8, 0x7D8898},
    {Role::both_evicted, 0x1C232D, 0xEDF0F4},
    {Role::a_window, 0xC4DCFF, 0xA9CBF7},
    {Role::a_doomed, 0x1D4A8C, 0x173F7D},
    {Role::b_window, 0xFFD9B0, 0xF9D3A6},
    {Role::b_doomed, 0x8A4A12, 0x824000},
    {Role::kernel_projection, 0x6E80AC, 0x54648C},
    {Role::kernel_attention, 0xB48FF5, 0x9468E0},
    {Role::kernel_mlp, 0xC9B75C, 0xA58C1E},
    {Role::kernel_head, 0xF3BFD4, 0xDE8FB4},
    {Role::kernel_unattributed, 0xD95D4A, 0xBF3B2B},
    {Role::sync, 0x566274, 0xBCC5D0},
    {Role::lane_layer, 0x2B3646, 0xDCE3EC},
    {Role::lane_step, 0x354255, 0xCBD5E2},
}};

// The same states in violet and yellow.
constexpr std::array kVioletYellow{
    RoleColors{Role::kept, 0x7248CC, 0x5230AE},         RoleColors{Role::window, 0xE9E2FF, 0xB8A4F0},
    RoleColors{Role::doomed, 0xB8A01E, 0x8F7900},       RoleColors{Role::doomed_text, 0xE3CC4A, 0x6E5C00},
    RoleColors{Role::doomed_hatch, 0x4A3F05, 0x4D4000}, RoleColors{Role::text_ramp_end, 0x6741BC, 0xCBBBF5},
};

void assign(Theme& theme, const RoleColors& colors) {
  const std::uint32_t value = theme.kind == ThemeKind::dark ? colors.dark : colors.light;
  theme.colors[static_cast<std::size_t>(colors.role)] = hex(value);
}

}  // namespace

Theme make_theme(ThemeKind kind, Palette palette) {
  Theme theme;
  theme.kind = kind;
  theme.palette = palette;
  for (const RoleColors& colors : kBlueOrange) assign(theme, colors);
  if (palette == Palette::violet_yellow) {
    for (const RoleColors& colors : kVioletYellow) assign(theme, colors);
  }
  return theme;
}

std::string_view name_of(ThemeKind kind) {
  return kind == ThemeKind::dark ? "dark" : "light";
}

std::string_view name_of(Palette palette) {
  return palette == Palette::blue_orange ? "blue-orange" : "violet-yellow";
}

std::optional<ThemeKind> theme_named(std::string_view name) {
  for (const ThemeKind kind : {ThemeKind::dark, ThemeKind::light}) {
    if (name == name_of(kind)) return kind;
  }
  return std::nullopt;
}

std::optional<Palette> palette_named(std::string_view name) {
  for (const Palette palette : {Palette::blue_orange, Palette::violet_yellow}) {
    if (name == name_of(palette)) return palette;
  }
  return std::nullopt;
}

}  // namespace app::gui
