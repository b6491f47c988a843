// The typefaces of the window: Inter for words, JetBrains Mono for numbers, ids and names of kernels.
//
// Embedded in the program, with Font Awesome's icons merged into both; letters that they lack come from the
// system's fonts when there are any. Sizes are em sizes in pixels at 100 % (theme/metrics.hpp). GUI thread.
#pragma once

#include <imgui.h>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace app::gui {

enum class Face { ui, ui_strong, ui_bold, mono, mono_strong, count };

class Fonts {
 public:
  // Into the current context. `fallbacks` are files of other scripts, in order of preference; a missing or
  // broken one is left out and named in `problems`.
  explicit Fonts(const std::vector<std::string>& fallbacks);
  ~Fonts();
  Fonts(const Fonts&) = delete;
  Fonts& operator=(const Fonts&) = delete;
  ImFont* operator[](Face face) const { return faces_[static_cast<std::size_t>(face)]; }
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  std::array<ImFont*, static_cast<std::size_t>(Face::count)> faces_{};
  std::vector<std::span<const std::byte>> mapped_;  // read while glyphs are drawn: until the last frame
  std::vector<std::string> problems_;
};

// Dear ImGui sizes a font by its line, people by its em.
float em_to_line(Face face, float em);

// A face and size until the end of the scope.
class FontScope {
 public:
  FontScope(const Fonts& fonts, Face face, float em) { ImGui::PushFont(fonts[face], em_to_line(face, em)); }
  ~FontScope() { ImGui::PopFont(); }
  FontScope(const FontScope&) = delete;
  FontScope& operator=(const FontScope&) = delete;
};

// The machine's fonts for scripts that ours lack, found through fontconfig; empty where there is none.
std::vector<std::string> system_fallback_fonts();

}  // namespace app::gui
