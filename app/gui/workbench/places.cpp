#include "app/gui/workbench/places.hpp"

#include <array>
#include <cstdlib>
#include <ctime>
#include <string>
#include <system_error>

namespace app::gui {

namespace fs = std::filesystem;

namespace {

// A folder of the XDG base directory specification: the variable's, or one below the home folder.
fs::path xdg_folder(const char* variable, const char* below_home) {
  if (const char* folder = std::getenv(variable); folder != nullptr && folder[0] == '/') return folder;
  const char* home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? fs::path(home) / below_home : fs::path();
}

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

}  // namespace

fs::path default_model_folder() {
  const fs::path cache = xdg_folder("XDG_CACHE_HOME", ".cache");
  const fs::path folder = cache / "dmscope/models/smollm2-135m-instruct-dms";
  return !cache.empty() && is_there(folder / "config.json") ? folder : fs::path();
}

fs::path sample_trace_path() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path();
  // build/PRESET/dmscope in a checkout, bin/dmscope when installed.
  for (const char* assets : {"../../assets/sample", "../share/dmscope/sample"}) {
    const fs::path path = (program / assets / "needle.db").lexically_normal();
    if (!error && is_there(path)) return path;
  }
  return {};
}

fs::path traces_folder() {
  const fs::path data = xdg_folder("XDG_DATA_HOME", ".local/share");
  return data.empty() ? fs::path() : data / "dmscope/traces";
}

std::string file_stamp() {
  const std::time_t now = std::time(nullptr);
  std::tm time{};
  localtime_r(&now, &time);
  std::array<char, 32> stamp{};
  std::strftime(stamp.data(), stamp.size(), "%Y%m%d-%H%M%S", &time);
  return stamp.data();
}

}  // namespace app::gui
