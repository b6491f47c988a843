#include "engine/tokenizer/split.hpp"

#include <algorithm>

namespace engine {

void PieceCutter::list_parts(std::size_t size, std::span<const TextSpan> matches) {
  parts_.clear();
  std::size_t end = 0;
  for (const TextSpan& match : matches) {
    if (match.begin > end) parts_.push_back({{end, match.begin}, invert_});
    parts_.push_back({match, !invert_});
    end = match.end;
  }
  if (end < size) parts_.push_back({{end, size}, invert_});
}

// Joins parts_ as the behavior asks. A match joins a neighbour that is no match; of two adjacent matches only
// the one next to such a neighbour does. Contiguous joins runs of the same kind.
void PieceCutter::merge_parts() {
  std::vector<Part> merged;
  const auto fold = [&](const Part& part, bool& previous_match) {
    const bool join = behavior_ == SplitBehavior::contiguous ? part.is_match == previous_match
                                                             : part.is_match && !previous_match;
    previous_match = part.is_match;
    if (!join || merged.empty()) {
      merged.push_back(part);
      return;
    }
    TextSpan& span = merged.back().span;
    span = {std::min(span.begin, part.span.begin), std::max(span.end, part.span.end)};
  };
  bool previous_match = false;
  if (behavior_ == SplitBehavior::merged_with_next) {
    std::for_each(parts_.rbegin(), parts_.rend(), [&](const Part& part) { fold(part, previous_match); });
    std::reverse(merged.begin(), merged.end());
  } else {
    std::for_each(parts_.begin(), parts_.end(), [&](const Part& part) { fold(part, previous_match); });
  }
  parts_.swap(merged);
}

void PieceCutter::cut(const Piece& piece, std::span<const TextSpan> matches) {
  list_parts(piece.end - piece.begin, matches);
  if (behavior_ != SplitBehavior::isolated && behavior_ != SplitBehavior::removed) merge_parts();
  for (const Part& part : parts_) {
    if (part.span.begin == part.span.end) continue;
    if (behavior_ == SplitBehavior::removed && part.is_match) continue;
    const bool at_text_start = piece.at_text_start && part.span.begin == 0;
    pieces_.push_back(
        {piece.begin + part.span.begin, piece.begin + part.span.end, at_text_start, kNotAToken});
  }
}

}  // namespace engine
