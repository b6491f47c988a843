// Cells of (head, token) as a picture: the eviction map, its magnifier and the window lens draw with it.
//
// Holds one texture with a row of pixels per row of the layout and makes it anew only when what it shows has
// changed; the rows are stretched to their heights when drawn. GUI thread.
#pragma once

#include <imgui.h>

#include <cstdint>
#include <vector>

#include "app/gui/theme/theme.hpp"
#include "app/gui/widgets/texture.hpp"
#include "app/gui/widgets/ui.hpp"
#include "app/view/map_image.hpp"
#include "app/view/map_layers.hpp"

namespace app::gui {

// What the map shows while a preview is active.
enum class MapMode : int { run, preview, difference };

// The caches that a field is drawn from; `preview` is null without one.
struct FieldSource {
  view::CacheView* run = nullptr;
  view::CacheView* preview = nullptr;
  MapMode mode = MapMode::run;
  std::int32_t s = 0;

  view::CacheView& shown() const { return mode == MapMode::run || preview == nullptr ? *run : *preview; }
};

view::MapColors map_colors(const Theme& theme);

class CellField {
 public:
  // `rows_version` changes with `rows`.
  // True when the picture has changed.
  bool update(const FieldSource& source, const std::vector<view::MapRow>& rows, std::uint64_t rows_version,
              const view::TokenAxis& axis, const Theme& theme);

  // Rows at low.y + row.y - scroll, clipped to [low, high]; `mirrored`: the first token is at the right.
  void draw(ImDrawList& list, const std::vector<view::MapRow>& rows, ImVec2 low, ImVec2 high, int scroll,
            bool mirrored = false) const;

 private:
  struct Key {
    std::uint64_t run_id = 0, run_version = 0, preview_version = 0, rows_version = 0;
    std::int32_t sequence = -1, run_window = 0, preview_window = 0, s = -1, width = 0;
    view::TokenRange tokens;
    MapMode mode = MapMode::run;
    ThemeKind theme = ThemeKind::dark;
    Palette palette = Palette::blue_orange;
    bool operator==(const Key&) const = default;
  };

  Key key_;
  view::MapImage image_;
  Texture texture_;
};

// Hatches the doomed cells of rows and tokens that are at least four pixels, at 100 %, on either side.
void hatch_doomed(Ui& ui, ImDrawList& list, const view::CacheView::Marks& marks,
                  const std::vector<view::MapRow>& rows, const view::TokenAxis& axis, std::int32_t s,
                  ImVec2 low, ImVec2 high, int scroll, bool mirrored = false);

}  // namespace app::gui
