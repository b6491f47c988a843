#include "profiling/gpu/cupti_lib.hpp"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <vector>

namespace profiling {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kOldest = 130001;
constexpr const char* kFileName = "libcupti.so.13";

// Beside the program, in the toolkit, then wherever the loader looks.
std::vector<std::string> candidates() {
  std::vector<std::string> found;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  std::vector<fs::path> folders;
  if (!error) folders.push_back(program.parent_path());
  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"}) {
    const char* const home = std::getenv(variable);
    if (home == nullptr || *home == '\0') continue;
    folders.push_back(fs::path(home) / "extras/CUPTI/lib64");
    folders.push_back(fs::path(home) / "lib64");
  }
  for (const char* home : {"/usr/local/cuda", "/usr/local/cuda-13"}) {
    folders.push_back(fs::path(home) / "extras/CUPTI/lib64");
    folders.push_back(fs::path(home) / "lib64");
  }
  for (const fs::path& folder : folders) {
    if (fs::exists(folder / kFileName, error)) found.push_back((folder / kFileName).string());
  }
  found.emplace_back(kFileName);
  return found;
}

template <typename Function>
bool find(const SharedLibrary& library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(library.symbol(name));
  return function != nullptr;
}

}  // namespace

engine::Result<CuptiLib> CuptiLib::open(const CuptiPaths& paths) {
  const auto driver = SharedLibrary::open(paths.driver.empty() ? "libcuda.so.1" : paths.driver, true);
  if (!driver) return engine::failed("there is no NVIDIA driver ({})", driver.error().message);
  // What a library that is there lacks says more than where there is none.
  std::optional<engine::Error> missing, unusable;
  for (const std::string& name : paths.cupti.empty() ? candidates() : std::vector<std::string>{paths.cupti}) {
    // One that is refused is closed again: the loader would take it for any other of its name.
    auto library = SharedLibrary::open(name, false);
    if (!library) {
      if (!missing) missing = library.error();
      continue;
    }
    CuptiLib lib(std::move(*library));
    const auto status = lib.resolve();
    if (status) {
      lib.library_.keep();
      return lib;
    }
    if (!unusable) unusable = status.error();
  }
  if (unusable) return *unusable;
  return engine::failed("CUPTI is not installed ({})", missing->message);
}

engine::Status CuptiLib::resolve() {
  const std::string file = path();
  if (!find(library_, "cuptiGetVersion", get_version) || get_version(&version_) != CUPTI_SUCCESS) {
    return engine::failed("'{}' does not tell its version", file);
  }
  if (version_ < kOldest) {
    return engine::failed("'{}' is CUPTI {}, expected {} (13.0 Update 1) or newer", file, version_, kOldest);
  }
  if (version_ / 10000 != kOldest / 10000) {
    return engine::failed("'{}' is CUPTI {}, expected one of version 13", file, version_);
  }
  const bool all =
      find(library_, "cuptiSubscribe_v2", subscribe) && find(library_, "cuptiUnsubscribe", unsubscribe) &&
      find(library_, "cuptiEnableCallback", enable_callback) &&
      find(library_, "cuptiActivityEnable", enable) && find(library_, "cuptiActivityDisable", disable) &&
      find(library_, "cuptiActivityEnableRuntimeApi", enable_runtime_api) &&
      find(library_, "cuptiActivityEnableDriverApi", enable_driver_api) &&
      find(library_, "cuptiActivityRegisterCallbacks", register_callbacks) &&
      find(library_, "cuptiActivityPushExternalCorrelationId", push_id) &&
      find(library_, "cuptiActivityPopExternalCorrelationId", pop_id) &&
      find(library_, "cuptiActivityFlushAll", flush_all) &&
      find(library_, "cuptiActivityGetNextRecord", get_next_record) &&
      find(library_, "cuptiGetTimestamp", get_timestamp);
  if (!all) return engine::failed("'{}' lacks functions that version {} should have", file, version_);
  // Without these something is not known, but the rest works.
  find(library_, "cuptiGetResultString", get_result_string);
  find(library_, "cuptiGetStreamIdEx", get_stream_id);
  find(library_, "cuptiGetDeviceId", get_device_id);
  find(library_, "cuptiGetGraphId", get_graph_id);
  find(library_, "cuptiGetGraphNodeId", get_graph_node_id);
  find(library_, "cuptiActivityEnableAndDump", enable_and_dump);
  find(library_, "cuptiActivitySetAttribute", set_attribute);
  find(library_, "cuptiActivityRegisterTimestampCallback", register_timestamp_callback);
  find(library_, "cuptiActivityGetNumDroppedRecords", get_dropped);
  return {};
}

std::string CuptiLib::text_of(CUptiResult result) const {
  const char* text = nullptr;
  if (get_result_string != nullptr && get_result_string(result, &text) == CUPTI_SUCCESS && text != nullptr) {
    return fmt::format("{} ({})", text, static_cast<int>(result));
  }
  return fmt::format("CUPTI error {}", static_cast<int>(result));
}

}  // namespace profiling
