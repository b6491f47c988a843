// Token ids as text: decimal numbers separated by white space.
//
// Strict: anything but digits and ASCII white space is refused, with the item's number (the first is 1) and
// the name of the file. Reading stops at the first item too many, so an endless file costs no memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/events/events.hpp"
#include "engine/events/result.hpp"

namespace app {

struct IdLimits {
  std::int32_t vocab = 0;  // ids are below this
  std::size_t max_ids = 0;
  const char* max_name = "";  // what sets max_ids, for the error: "max_position_embeddings"
};

// `source` is the name used in errors. An empty list is valid here.
engine::Result<std::vector<engine::TokenId>> parse_ids(std::string_view text, const std::string& source,
                                                       const IdLimits& limits);

// The whole file; an empty list is refused.
engine::Result<std::vector<engine::TokenId>> read_id_file(const std::filesystem::path& path,
                                                          const IdLimits& limits);

}  // namespace app
