// One scrolling part of the token text, the prompt or the output: a minimap at the left, wrapped tokens with
// the colour of what they are worth. Draws visible lines only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "app/gui/shell/panel.hpp"
#include "app/gui/widgets/texture.hpp"
#include "app/view/text_layout.hpp"

namespace app::gui {

// How strong a token's background is, 0 to 1, for a range of tokens.
using TokenShades = std::function<void(view::TokenRange, std::span<float>)>;

struct TextPartStyle {
  const TokenShades* shades = nullptr;
  const TokenShades* minimap = nullptr;  // of all tokens: must be cheap
  bool underline_doomed = true;
  bool keys = false;    // Page Up and Page Down scroll this part
  bool follow = false;  // the end stays in view, unless the user has scrolled away
};

class TextPart {
 public:
  // The rest of the window's width, this tall. `tokens` of the sequence shown.
  void draw(PanelContext& context, const char* id, view::TokenRange tokens, float height,
            const TextPartStyle& style);
  void scroll_to(std::int32_t token) { wanted_ = token; }
  const view::TextLayout& layout() const { return layout_; }
  bool focused() const { return focused_; }  // as of the last frame

 private:
  struct Frame;
  Frame draw_text(PanelContext& context, view::TokenRange tokens, float height, const TextPartStyle& style);
  void jump(const Frame& frame, ImVec2 low, ImVec2 high);
  void lay_out(PanelContext& context, view::TokenRange tokens, float width);
  void scroll(const Frame& frame, const TextPartStyle& style);
  void handle_pointer(const Frame& frame);
  void draw_lines(const Frame& frame, const TextPartStyle& style);
  void draw_piece(const Frame& frame, const view::TextPiece& piece, ImVec2 line, float shade, bool doomed);
  void draw_frames(const Frame& frame, std::int32_t line, ImVec2 at);
  void take_keys(const Frame& frame);
  void draw_minimap(const Frame& frame, const TextPartStyle& style, ImVec2 low, ImVec2 high);
  float overhang(const Frame& frame, std::int32_t line) const;
  std::optional<std::int32_t> token_at(const Frame& frame, ImVec2 at) const;
  std::optional<std::int32_t> nearest_token(const Frame& frame, ImVec2 at) const;

  view::TextLayout layout_;
  Texture minimap_;
  struct MinimapKey {
    std::uint64_t version = 0;
    std::int32_t position = -1, lines = 0, height = 0;
    ImU32 color = 0;
    bool operator==(const MinimapKey&) const = default;
  } painted_;
  std::vector<std::int32_t> holding_;  // reused
  std::vector<float> shades_;
  std::optional<std::int32_t> wanted_;     // token to bring into view
  std::optional<std::int32_t> pressed_;    // token on which the button went down, if it was one
  std::optional<std::int32_t> drag_from_;  // or next to which
  bool dragged_ = false;
  bool at_end_ = true;
  bool focused_ = false;
};

}  // namespace app::gui
