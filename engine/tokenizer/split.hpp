// Cutting the pieces of a text at matches, and rewriting their text.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tokenizer/pieces.hpp"
#include "engine/tokenizer/pre_tokenizer.hpp"
#include "engine/tokenizer/regex.hpp"

namespace engine {

// Collects the parts that pieces fall into, in order. Empty parts vanish.
class PieceCutter {
 public:
  PieceCutter(SplitBehavior behavior, bool invert) : behavior_(behavior), invert_(invert) {}

  // `matches`: in order, not overlapping, relative to the piece.
  void cut(const Piece& piece, std::span<const TextSpan> matches);
  void keep(const Piece& piece) { pieces_.push_back(piece); }
  std::vector<Piece> take() { return std::move(pieces_); }

 private:
  struct Part {
    TextSpan span;
    bool is_match = false;
  };
  void list_parts(std::size_t size, std::span<const TextSpan> matches);
  void merge_parts();

  SplitBehavior behavior_;
  bool invert_;
  std::vector<Part> parts_;  // scratch of cut()
  std::vector<Piece> pieces_;
};

// The list with the text of every piece that is no token replaced by what `write(piece, text, out)` appends
// to `out`.
template <typename Write>
PieceList rewrite_pieces(const PieceList& list, Write write) {
  PieceList result;
  result.text.reserve(list.text.size() + list.text.size() / 4);
  result.pieces.reserve(list.pieces.size());
  for (const Piece& piece : list.pieces) {
    const std::size_t begin = result.text.size();
    if (piece.token != kNotAToken) {
      result.pieces.push_back({begin, begin, piece.at_text_start, piece.token});
      continue;
    }
    write(piece, list.view(piece), result.text);
    if (result.text.size() > begin)
      result.pieces.push_back({begin, result.text.size(), piece.at_text_start, kNotAToken});
  }
  return result;
}

}  // namespace engine
