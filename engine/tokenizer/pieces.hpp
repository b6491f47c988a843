// A text cut into pieces, in order: what encoding works on from the first added token found to the last word
// cut.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/events/events.hpp"

namespace engine {

inline constexpr TokenId kNotAToken = -1;

struct Piece {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool at_text_start = false;  // it holds the start of the whole input, before any normalization
  TokenId token = kNotAToken;  // an added token was found here: no stage touches the piece any more
};

struct PieceList {
  std::string text;
  std::vector<Piece> pieces;

  std::string_view view(const Piece& piece) const {
    return std::string_view(text).substr(piece.begin, piece.end - piece.begin);
  }
};

}  // namespace engine
