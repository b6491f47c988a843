// Opens arbitrary bytes as a trace and does with it what the program does with a trace.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>

#include "profiling/trace_reader.hpp"
#include "profiling/trace_tools.hpp"

namespace {

namespace fs = std::filesystem;

// In memory where the system has a file system for that; one file per process, removed at its end.
const fs::path& trace_path() {
  static const fs::path path = [] {
    const fs::path folder = fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
    return folder / ("dmscope-fuzz-" + std::to_string(::getpid()) + ".db");
  }();
  static const int registered = std::atexit([] { fs::remove(path); });
  static_cast<void>(registered);
  return path;
}

// Whatever the bytes: done, or one line that says why not.
template <typename T>
void check(const engine::Result<T>& result) {
  if (result) return;
  const std::string& message = result.error().message;
  if (message.empty() || message.find('\n') != std::string::npos) std::abort();
}

struct Discard : engine::EventSink {
  void on_event(engine::Event) override {}
};

constexpr const char* kQueries[] = {
    "SELECT count(*), sum(logit) FROM gates",
    "SELECT count(*), sum(marked) FROM decisions WHERE layer = 0 AND position > 3",
    "SELECT count(*), sum(evicted_step) FROM evictions",
    "SELECT count(*), sum(live + 0.0) FROM occupancy WHERE step >= 2",
    "SELECT count(*) FROM tokens JOIN steps USING (step)",
    "SELECT name, count(*) FROM kernels GROUP BY 1",
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fs::path& path = trace_path();
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) std::abort();
  std::fwrite(data, 1, size, file);
  std::fclose(file);

  const auto reader = profiling::TraceReader::open(path);
  check(reader);
  if (!reader) return 0;
  Discard sink;
  check((*reader)->replay(sink));
  check((*reader)->live_slots(0, 0, 8));
  check((*reader)->live_slots(1, 5, 3));
  check(profiling::stats_json(path));
  check(profiling::describe_trace(path, false));
  for (const char* query : kQueries) {
    std::ostringstream out;
    check(profiling::run_sql(path, query, true, out));
  }
  return 0;
}
