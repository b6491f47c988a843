// A picture that panels fill and Dear ImGui draws: the eviction map, minimaps, hatching.
//
// Works on every host; the renderer uploads what changed before the frame that shows it. GUI thread, inside a
// Dear ImGui context; not destroyed while a frame that drew it is unfinished.
#pragma once

#include <imgui.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace app::gui {

class Texture {
 public:
  // The renderer's guaranteed maximum.
  static constexpr int kMaxSide = 16384;

  Texture();
  ~Texture();
  Texture(const Texture&) = delete;
  Texture& operator=(const Texture&) = delete;

  // Keeps the contents if the size is the same, else they are transparent. Sides are clamped to kMaxSide.
  void resize(int width, int height);
  int width() const;
  int height() const;
  // Rows from the top; call changed() after writing.
  std::span<std::uint32_t> pixels();
  void changed();
  ImTextureRef id() const;

 private:
  void retire();
  void free_retired();

  // Draw lists and the renderer hold addresses of it.
  std::unique_ptr<ImTextureData> data_;
  std::vector<std::unique_ptr<ImTextureData>> retired_;  // of earlier sizes, until the renderer has let go
};

// Draws it with hard pixel edges: a cell of the map is a cell.
void add_image_nearest(ImDrawList& list, const Texture& texture, ImVec2 low, ImVec2 high,
                       ImVec2 uv_low = {0, 0}, ImVec2 uv_high = {1, 1});

}  // namespace app::gui
