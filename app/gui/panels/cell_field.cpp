#include "app/gui/panels/cell_field.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace app::gui {

namespace {

view::DifferenceColors difference_colors(const Theme& theme) {
  const auto of = [&](Role role) { return static_cast<std::uint32_t>(to_u32(theme[role])); };
  return {of(Role::unborn), of(Role::both_keep), of(Role::kept),
          of(Role::doomed), of(Role::window),    of(Role::evicted)};
}

}  // namespace

view::MapColors map_colors(const Theme& theme) {
  const auto of = [&](Role role) { return static_cast<std::uint32_t>(to_u32(theme[role])); };
  return {of(Role::unborn), of(Role::window), of(Role::doomed), of(Role::kept), of(Role::evicted)};
}

bool CellField::update(const FieldSource& source, const std::vector<view::MapRow>& rows,
                       std::uint64_t rows_version, const view::TokenAxis& axis, const Theme& theme) {
  view::CacheView& run = *source.run;
  // Before the versions are read: without a closed form the index depends on the position.
  const view::CacheView::Marks marks = source.shown().marks(source.s);
  Key key;
  key.run_id = run.run().run_id();
  key.run_version = run.index().version();
  key.rows_version = rows_version;
  key.sequence = run.sequence().id();
  key.run_window = run.window();
  key.s = source.s;
  key.width = axis.width;
  key.tokens = axis.tokens;
  key.theme = theme.kind;
  key.palette = theme.palette;
  if (source.preview != nullptr && source.mode != MapMode::run) {
    key.mode = source.mode;
    key.preview_version = source.preview->index().version();
    key.preview_window = source.preview->window();
  }
  if (key == key_) return false;
  key_ = key;
  if (key.mode == MapMode::difference) {
    view::draw_difference(run.marks(source.s), marks, rows, axis, source.s, difference_colors(theme), image_);
  } else {
    view::draw_map(marks, rows, axis, source.s, map_colors(theme), image_);
  }
  texture_.resize(image_.width, image_.height);
  const auto pixels = texture_.pixels();
  if (pixels.size() == image_.pixels.size())
    std::copy(image_.pixels.begin(), image_.pixels.end(), pixels.begin());
  texture_.changed();
  return true;
}

void CellField::draw(ImDrawList& list, const std::vector<view::MapRow>& rows, ImVec2 low, ImVec2 high,
                     int scroll, bool mirrored) const {
  if (texture_.height() != static_cast<int>(rows.size())) return;
  const ImGuiPlatformIO& platform = ImGui::GetPlatformIO();
  const bool nearest = platform.DrawCallback_SetSamplerNearest != nullptr;
  if (nearest) list.AddCallback(platform.DrawCallback_SetSamplerNearest, nullptr);
  list.PushClipRect(low, high, true);
  const float texel = 1.0F / static_cast<float>(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const float top = low.y + static_cast<float>(rows[i].y - scroll);
    const float bottom = top + static_cast<float>(rows[i].height);
    if (bottom <= low.y || top >= high.y) continue;
    // The middle of the row of texels: no rounding can reach a neighbour.
    const float v = (static_cast<float>(i) + 0.5F) * texel;
    list.AddImage(texture_.id(), {low.x, top}, {high.x, bottom}, {mirrored ? 1.0F : 0.0F, v},
                  {mirrored ? 0.0F : 1.0F, v});
  }
  list.PopClipRect();
  if (nearest) list.AddCallback(platform.DrawCallback_SetSamplerLinear, nullptr);
}

void hatch_doomed(Ui& ui, ImDrawList& list, const view::CacheView::Marks& marks,
                  const std::vector<view::MapRow>& rows, const view::TokenAxis& axis, std::int32_t s,
                  ImVec2 low, ImVec2 high, int scroll, bool mirrored) {
  if (axis.tokens.size() <= 0) return;
  const float cell = (high.x - low.x) / static_cast<float>(axis.tokens.size());
  if (cell < ui.px(4) || marks.window < 0) return;
  const auto x_of = [&](std::int32_t token) {
    const float from = std::round(static_cast<float>(axis.begin_pixel(token)) * (high.x - low.x) /
                                  static_cast<float>(axis.width));
    return mirrored ? high.x - from : low.x + from;
  };
  std::vector<view::TokenRange> runs;
  list.PushClipRect(low, high, true);
  for (const view::MapRow& row : rows) {
    const float top = low.y + static_cast<float>(row.y - scroll);
    const float bottom = top + static_cast<float>(row.height);
    if (row.head_count != 1 || bottom - top < ui.px(4) || bottom <= low.y || top >= high.y) continue;
    view::doomed_runs(marks, row.first_head, axis.tokens, s, runs);
    for (const view::TokenRange run : runs) {
      const float from = x_of(run.begin);
      const float to = run.end >= axis.tokens.end ? (mirrored ? low.x : high.x) : x_of(run.end);
      ui.hatch().fill(list, {std::min(from, to), top}, {std::max(from, to), bottom},
                      ui.color(Role::doomed_hatch), ui.metrics());
    }
  }
  list.PopClipRect();
}

}  // namespace app::gui
