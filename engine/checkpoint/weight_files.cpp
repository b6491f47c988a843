#include "engine/checkpoint/weight_files.hpp"

#include "engine/checkpoint/json_file.hpp"

namespace engine {

namespace {

constexpr std::uint64_t kMaxIndexBytes = 32u << 20;  // a thousand times the index of a 70B model
constexpr std::size_t kMaxShards = 4096;

bool is_plain_file_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\\') == std::string::npos && name.find('\0') == std::string::npos;
}

Error no_weights(const std::filesystem::path& folder) {
  for (const char* other : {"pytorch_model.bin", "pytorch_model.bin.index.json"}) {
    if (has_entry(folder / other)) {
      return bad_input("{}: has {} but no model.safetensors; convert the weights to safetensors",
                       folder.string(), other);
    }
  }
  return bad_input("{}: no weights, expected model.safetensors or model.safetensors.index.json",
                   folder.string());
}

}  // namespace

Result<WeightFiles> WeightFiles::open(const std::filesystem::path& folder) {
  const auto single = folder / "model.safetensors";
  const auto index = folder / "model.safetensors.index.json";
  if (!has_entry(single)) {
    if (has_entry(index)) return open_sharded(index);
    return no_weights(folder);
  }
  auto file = SafetensorsFile::open(single);
  if (!file) return file.error();
  WeightFiles weights;
  weights.files_.push_back(std::move(*file));
  return weights;
}

Result<WeightFiles> WeightFiles::open_sharded(const std::filesystem::path& index) {
  const auto root = read_json_object(index, kMaxIndexBytes, 2);
  if (!root) return root.error();
  KeyReader reader(*root, index.string());
  const auto* map = reader.object("weight_map");
  if (map == nullptr) reader.fail("weight_map", "missing, expected an object of tensor names and shards");
  if (reader.error()) return *reader.error();

  WeightFiles weights;
  weights.index_ = index;
  std::map<std::string, std::size_t> opened;  // shard name -> index into files_
  for (const auto& [tensor, shard] : map->items()) {
    if (!shard.is_string() || !is_plain_file_name(shard.get_ref<const std::string&>())) {
      return bad_input("{}: weight_map: {}: expected the name of a file in the same folder, found {}",
                       index.string(), printable(tensor), shown(shard));
    }
    const auto& name = shard.get_ref<const std::string&>();
    const auto [entry, is_new] = opened.emplace(name, weights.files_.size());
    if (is_new) {
      if (opened.size() > kMaxShards)
        return bad_input("{}: weight_map: more than {} shards", index.string(), kMaxShards);
      auto file = SafetensorsFile::open(index.parent_path() / name);
      if (!file)
        return bad_input("{} (a shard named by {})", file.error().message, index.filename().string());
      weights.files_.push_back(std::move(*file));
    }
    const SafetensorsFile& file = *weights.files_[entry->second];
    if (file.header().tensors.find(tensor) == file.header().tensors.end()) {
      return bad_input("{}: tensor {}: missing, though {} says it is in this shard", file.path().string(),
                       printable(tensor), index.filename().string());
    }
    weights.shard_of_.emplace(tensor, entry->second);
  }
  return weights;
}

const TensorEntry* WeightFiles::find(std::string_view name) const {
  std::size_t file = 0;
  if (!index_.empty()) {
    const auto shard = shard_of_.find(name);
    if (shard == shard_of_.end()) return nullptr;
    file = shard->second;
  }
  const auto& tensors = files_[file]->header().tensors;
  const auto entry = tensors.find(name);
  return entry == tensors.end() ? nullptr : &entry->second;
}

std::string WeightFiles::file_of(std::string_view name) const {
  if (index_.empty()) return files_.front()->path().string();
  const auto shard = shard_of_.find(name);
  return shard == shard_of_.end() ? index_.string() : files_[shard->second]->path().string();
}

}  // namespace engine
