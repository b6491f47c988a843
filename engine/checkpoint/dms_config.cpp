#include "engine/checkpoint/dms_config.hpp"

#include "engine/checkpoint/json_file.hpp"

namespace engine {

namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxMetadataBytes = 16u << 20;
constexpr std::uint64_t kMaxTrainingLogBytes = 32u << 20;  // holds the history of a training
constexpr std::size_t kKeptDepth = 2;                      // the root and its "config"
constexpr std::int32_t kMaxWindow = 1 << 27;

// The first of `keys` that is given: FastDMS reads its own names first and NVIDIA's after them.
const char* first_given(const KeyReader& reader, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (reader.has(key)) return key;
  }
  return *keys.begin();
}

std::optional<double> read_target_cr(KeyReader& reader, const char* key) {
  if (!reader.has(key)) return std::nullopt;
  return reader.positive_number(key, 1);
}

Result<DmsConfig> read_fastdms(const json& root, const std::string& file, const std::string& source) {
  KeyReader outer(root, file);
  const json* nested = outer.object("config");
  if (outer.error()) return *outer.error();

  KeyReader reader(nested != nullptr ? *nested : root, file, nested != nullptr ? "config." : "");
  DmsConfig dms;
  dms.form = GateForm::borrowed_neuron;
  dms.source = source;
  dms.window = reader.integer(first_given(reader, {"window_size", "dms_window_size"}), 256, 0, kMaxWindow);
  dms.alpha_scale = reader.number(first_given(reader, {"alpha_scale", "dms_alpha_scale"}), 100);
  dms.alpha_offset =
      reader.number(first_given(reader, {"alpha_offset", "dms_alpha_offset", "dms_initial_alpha_offset"}), 5);
  dms.target_cr = read_target_cr(reader, first_given(reader, {"target_cr", "dms_cr"}));
  dms.lag = 0;
  dms.zero_after_rope = false;
  if (reader.error()) return *reader.error();
  return dms;
}

// dms_* keys, or a class that NVIDIA's code names like Qwen3ForCausalLMDMS.
bool names_dms(const json& config) {
  const auto& members = config.get_ref<const json::object_t&>();
  const auto key = members.lower_bound("dms_");
  if (key != members.end() && key->first.starts_with("dms_")) return true;
  const auto classes = config.find("architectures");
  return classes != config.end() && classes->is_array() && !classes->empty() &&
         classes->front().is_string() && classes->front().get_ref<const std::string&>().ends_with("DMS");
}

Result<DmsConfig> read_nvidia(const json& config, const std::string& file) {
  KeyReader reader(config, file);
  DmsConfig dms;
  dms.form = reader.boolean("dms_separate_alpha", false) ? GateForm::adapter : GateForm::borrowed_neuron;
  dms.source = "config.json (NVIDIA form)";
  dms.window = reader.integer("dms_window_size", 512, 0, kMaxWindow);
  dms.alpha_scale = reader.number("dms_alpha_scale", 100);
  dms.alpha_offset = reader.number("dms_initial_alpha_offset", 5);
  dms.target_cr = read_target_cr(reader, "dms_cr");
  dms.lag = 1;
  dms.zero_after_rope = true;
  dms.disable_eviction = reader.boolean("dms_disable_eviction", false);
  const std::string per = reader.string("dms_alpha_per").value_or("head");
  if (per != "head" && per != "layer") {
    reader.fail("dms_alpha_per", "expected \"head\" or \"layer\", found \"{}\"", printable(per));
  }
  dms.per_layer = per == "layer";
  if (reader.error()) return *reader.error();
  return dms;
}

// The folder above, as the path is written: FastDMS does not follow a symbolic link to the checkpoint either.
std::filesystem::path parent_of(const std::filesystem::path& folder) {
  std::error_code error;
  auto absolute = std::filesystem::absolute(folder, error).lexically_normal();
  if (!absolute.has_filename()) absolute = absolute.parent_path();  // "checkpoint/" -> "checkpoint"
  return absolute.parent_path();
}

}  // namespace

Result<DmsConfig> parse_fastdms_config(std::string_view text, const std::string& file,
                                       const std::string& source) {
  const auto root = parse_json_object(text, file, kKeptDepth);
  if (!root) return root.error();
  return read_fastdms(*root, file, source);
}

Result<DmsConfig> parse_nvidia_dms_config(std::string_view text, const std::string& file) {
  const auto root = parse_json_object(text, file);
  if (!root) return root.error();
  if (!names_dms(*root)) return DmsConfig{};
  return read_nvidia(*root, file);
}

Result<DmsConfig> read_dms_config(const std::filesystem::path& folder, const json& config) {
  const auto metadata = folder / "dms_metadata.json";
  if (has_entry(metadata)) {
    const auto root = read_json_object(metadata, kMaxMetadataBytes, kKeptDepth);
    if (!root) return root.error();
    return read_fastdms(*root, metadata.string(), "dms_metadata.json (FastDMS form)");
  }
  const auto training_log = parent_of(folder) / "training_log.json";
  if (has_entry(training_log)) {
    const auto root = read_json_object(training_log, kMaxTrainingLogBytes, kKeptDepth);
    if (!root) return root.error();
    return read_fastdms(*root, training_log.string(), "../training_log.json (FastDMS form)");
  }
  if (!names_dms(config)) return DmsConfig{};
  return read_nvidia(config, (folder / "config.json").string());
}

}  // namespace engine
