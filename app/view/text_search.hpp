// Finds text, or a regular expression, in the tokens of a sequence.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/view/run_snapshot.hpp"
#include "app/view/token_axis.hpp"
#include "engine/events/result.hpp"

namespace app::view {

struct SearchOptions {
  bool regex = false;  // Perl syntax
  bool match_case = false;
  std::size_t max_matches = 10'000;
};

struct SearchResult {
  std::vector<TokenRange> matches;  // tokens that the match touches
  bool cut = false;                 // there are more than max_matches
};

// An empty pattern finds nothing. A pattern that is no regular expression, or one that takes too long, is
// refused with the reason.
engine::Result<SearchResult> find_text(const SequenceView& sequence, const std::string& pattern,
                                       const SearchOptions& options);

}  // namespace app::view
