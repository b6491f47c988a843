#include "app/gui/settings/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <system_error>
#include <type_traits>

#include "app/arguments.hpp"
#include "app/output_file.hpp"

namespace app::gui {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::uintmax_t kMaxBytes = 1U << 20;
constexpr const char* kFile = "settings.json";
constexpr const char* kArrangement = "layouts.ini";
// Raised when panels or layouts change so much that a saved arrangement would hide them.
constexpr int kArrangementVersion = 1;

std::optional<std::string> device_text(const std::string& name) {
  const bool plain = name == "auto" || name == "cpu" || name == "cuda";
  const bool numbered = name.starts_with("cuda:") && parse_integer(name.substr(5), 0, 255);
  return plain || numbered ? std::optional(name) : std::nullopt;
}

std::optional<std::string> profile_text(const std::string& name) {
  return profiling::profile_mode(name) ? std::optional(name) : std::nullopt;
}

// What is in the file; empty and no problem if there is none.
std::string read_file(const fs::path& path, std::vector<std::string>& problems) {
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  const auto size = fs::file_size(path, error);
  if (error || size > kMaxBytes) {
    problems.push_back(
        fmt::format("{}: not a settings file (at most 1 MiB is expected), not read", path.string()));
    return {};
  }
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void keep_aside(const fs::path& path, const std::string& reason, std::vector<std::string>& problems) {
  const fs::path aside = path.string() + ".bad";
  std::error_code error;
  fs::rename(path, aside, error);
  problems.push_back(fmt::format("{}: {}; defaults are used{}", path.string(), reason,
                                 error ? "" : " and the file is kept as " + aside.filename().string()));
}

// Takes what fits and names what does not.
class Reader {
 public:
  Reader(const Json& json, const std::string& file, std::vector<std::string>& problems)
      : json_(json), file_(file), problems_(problems) {}

  template <typename Named, typename Find>
  void name(const char* key, Named& value, Find find, const char* expected) {
    if (!json_.contains(key)) return;
    const auto found =
        json_[key].is_string() ? find(json_[key].template get<std::string>()) : decltype(find(""))();
    if (found) {
      value = *found;
    } else {
      refuse(key, expected);
    }
  }

  void refuse(const char* key, const char* expected) {
    problems_.push_back(fmt::format("{}: {}: expected {}, the default is used", file_, key, expected));
  }

  void scale(double& value) {
    if (!json_.contains("scale")) return;
    const Json& found = json_["scale"];
    const double number = found.is_number() ? found.get<double>() : -1;
    if (number == 0 || (number >= 0.75 && number <= 4)) {
      value = number;
    } else {
      refuse("scale", "0 (the monitor's) or 0.75 to 4");
    }
  }

  void flag(const char* key, bool& value) {
    if (!json_.contains(key)) return;
    if (json_[key].is_boolean()) {
      value = json_[key].get<bool>();
    } else {
      refuse(key, "true or false");
    }
  }

  void strings(const char* key, std::vector<std::string>& values) {
    if (!json_.contains(key)) return;
    const Json& list = json_[key];
    const bool good = list.is_array() && std::all_of(list.begin(), list.end(),
                                                     [](const Json& entry) { return entry.is_string(); });
    if (!good) return refuse(key, "a list of file names");
    for (const Json& entry : list) {
      if (values.size() < kMaxRecent) values.push_back(entry.get<std::string>());
    }
  }

  template <typename Value>
  void map(const char* key, std::map<std::string, Value>& values, const char* expected) {
    if (!json_.contains(key)) return;
    const auto fits = [](const Json& entry) {
      return std::is_same_v<Value, bool> ? entry.is_boolean() : entry.is_string();
    };
    const Json& object = json_[key];
    if (!object.is_object() || !std::all_of(object.begin(), object.end(), fits)) return refuse(key, expected);
    for (const auto& [name, value] : object.items()) values[name] = value.template get<Value>();
  }

 private:
  const Json& json_;
  const std::string& file_;
  std::vector<std::string>& problems_;
};

engine::Status write_text(const fs::path& path, const std::string& text) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  auto file = OutputFile::create(path);
  if (!file) return file.error();
  if (auto written = file->write(std::as_bytes(std::span(text))); !written) return written;
  return file->commit();
}

// FNV-1a: finds damage, not malice.
std::uint64_t checksum(const std::string& text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211U;
  return hash;
}

std::string arrangement_header(const std::string& text) {
  return fmt::format("; dmscope panels {} {:016x}\n", kArrangementVersion, checksum(text));
}

}  // namespace

fs::path settings_folder() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  if (config != nullptr && config[0] == '/') return fs::path(config) / "dmscope";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return fs::path(home) / ".config" / "dmscope";
  return {};
}

LoadedSettings load_settings(const fs::path& folder) {
  LoadedSettings loaded;
  if (folder.empty()) return loaded;
  const fs::path path = folder / kFile;
  const std::string text = read_file(path, loaded.problems);
  if (text.empty()) return loaded;
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) {
    keep_aside(path, "not a JSON object", loaded.problems);
    return loaded;
  }
  Settings& settings = loaded.settings;
  const std::string name = path.string();
  Reader reader(json, name, loaded.problems);
  reader.name("theme", settings.theme, theme_named, "dark or light");
  reader.name("palette", settings.palette, palette_named, "blue-orange or violet-yellow");
  reader.scale(settings.scale);
  const auto any = [](const std::string& layout) { return std::optional<std::string>(layout); };
  reader.name("layout", settings.layout, any, "the name of a layout");
  reader.flag("native_dialogs", settings.native_dialogs);
  reader.flag("toured", settings.toured);
  reader.name("device", settings.run.device, device_text, "auto, cpu, cuda or cuda:N");
  reader.name("profile", settings.run.profile, profile_text, "off, light or detailed");
  reader.flag("measure_cost", settings.run.measure_cost);
  reader.strings("fonts", settings.fonts);
  reader.strings("recent", settings.recent);
  reader.map("panels", settings.panels, "an object of panels and true or false");
  reader.map("shortcuts", settings.shortcuts, "an object of command names and keys");
  return loaded;
}

engine::Status save_settings(const fs::path& folder, const Settings& settings) {
  if (folder.empty()) return {};
  Json json{{"theme", name_of(settings.theme)},
            {"palette", name_of(settings.palette)},
            {"scale", settings.scale},
            {"layout", settings.layout},
            {"native_dialogs", settings.native_dialogs},
            {"toured", settings.toured},
            {"device", settings.run.device},
            {"profile", settings.run.profile},
            {"measure_cost", settings.run.measure_cost},
            {"fonts", settings.fonts},
            {"recent", settings.recent},
            {"panels", settings.panels},
            {"shortcuts", settings.shortcuts}};
  return write_text(folder / kFile, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

void remember_recent(Settings& settings, const std::string& path) {
  std::erase(settings.recent, path);
  settings.recent.insert(settings.recent.begin(), path);
  if (settings.recent.size() > kMaxRecent) settings.recent.resize(kMaxRecent);
}

std::string load_arrangement(const fs::path& folder, std::vector<std::string>& problems) {
  if (folder.empty()) return {};
  const fs::path path = folder / kArrangement;
  const std::string text = read_file(path, problems);
  if (text.empty()) return {};
  const std::size_t end = text.find('\n');
  const std::string body = end == std::string::npos ? "" : text.substr(end + 1);
  if (end == std::string::npos || text.substr(0, end + 1) != arrangement_header(body)) {
    keep_aside(path, "damaged or of another version", problems);
    return {};
  }
  return body;
}

engine::Status save_arrangement(const fs::path& folder, const std::string& text) {
  if (folder.empty()) return {};
  return write_text(folder / kArrangement, arrangement_header(text) + text);
}

}  // namespace app::gui
