// Tokens of a sequence as wrapped text: lines, where each token stands, and which token is at a point.
//
// Widths are asked for once per piece and kept, so that growing or re-wrapping 32,768 tokens is a matter of
// adding numbers. Lines break before a piece that begins with a space, else between pieces; a token with line
// breaks, or a very long one, has several. Pixels; lines count from 0.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "app/view/run_snapshot.hpp"
#include "app/view/token_axis.hpp"

namespace app::view {

struct TextPiece {
  std::int32_t token = 0;
  std::int32_t begin = 0;  // bytes of the token's text, without the line break
  std::int32_t end = 0;
  bool breaks_line = false;  // a line break follows: `width` has room for its sign
  bool breakable = false;    // a line may begin here
  std::int32_t line = 0;
  float x = 0;
  float width = 0;
};

struct TextLine {
  std::int32_t first_piece = 0;
  std::int32_t piece_count = 0;
};

struct TextRect {
  std::int32_t line = 0;
  float x = 0;
  float width = 0;
};

struct TextMeasure {
  std::function<float(std::string_view)> width;
  float line_break_width = 8;
  std::uint64_t version = 0;  // another font or scale: widths are asked for again
};

class TextLayout {
 public:
  // Lays out tokens [tokens.begin, tokens.end); goes on from what it has if only the end grew.
  void update(const RunSnapshot& run, const SequenceView& sequence, TokenRange tokens, float wrap_width,
              const TextMeasure& measure);

  std::int32_t line_count() const { return static_cast<std::int32_t>(lines_.size()); }
  std::span<const TextPiece> line(std::int32_t index) const;
  TokenRange tokens() const { return tokens_; }
  TokenRange tokens_of_line(std::int32_t index) const;

  // The token under x on a line: the last one that begins at or before x; absent right of the line's end.
  std::optional<std::int32_t> token_at(std::int32_t line, float x) const;
  // One rectangle per piece; none for a token without text.
  std::vector<TextRect> rects(std::int32_t token) const;
  // The line on which the token begins, or would.
  std::int32_t line_of(std::int32_t token) const;

  // One value per pixel of a map of all lines: the mean of `values` (one per token from tokens().begin on)
  // over the lines of that pixel; at most one pixel per line.
  std::vector<float> minimap(std::span<const float> values, std::int32_t height) const;

 private:
  void add_pieces(const SequenceView& sequence, std::int32_t token, const TextMeasure& measure);
  void wrap(std::size_t first_piece);
  std::size_t first_piece_of(std::int32_t token) const;

  std::uint64_t run_id_ = 0;
  engine::SequenceId sequence_ = -1;
  std::uint64_t measure_version_ = 0;
  float wrap_width_ = 0;
  TokenRange tokens_;
  std::vector<TextPiece> pieces_;
  std::vector<TextLine> lines_;
};

}  // namespace app::view
