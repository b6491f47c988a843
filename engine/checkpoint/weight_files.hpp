// The safetensors files of a checkpoint folder: one model.safetensors, or shards with their index. Internal
// to engine/checkpoint.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/checkpoint/safetensors.hpp"
#include "engine/events/result.hpp"

namespace engine {

class WeightFiles {
 public:
  // Opens every file; with an index, every tensor it lists is in the shard it names.
  static Result<WeightFiles> open(const std::filesystem::path& folder);

  const TensorEntry* find(std::string_view name) const;  // nullptr where absent
  std::string file_of(
      std::string_view name) const;  // for messages: the file that has it, or that should list it
  const std::vector<std::shared_ptr<const SafetensorsFile>>& files() const { return files_; }

 private:
  static Result<WeightFiles> open_sharded(const std::filesystem::path& index);

  std::vector<std::shared_ptr<const SafetensorsFile>> files_;
  std::filesystem::path index_;                               // empty for a single file
  std::map<std::string, std::size_t, std::less<>> shard_of_;  // tensor -> index into files_, with an index
};

}  // namespace engine
