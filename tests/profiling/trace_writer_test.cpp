#include "profiling/trace_writer.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <thread>

#include "profiling/trace_reader.hpp"
#include "profiling/trace_tools.hpp"
#include "tests/profiling/temporary_folder.hpp"

using namespace profiling_test;
using Catch::Matchers::ContainsSubstring;
using profiling::TraceReader;
using profiling::TraceWriter;

namespace {

void check_refused(const std::filesystem::path& path, bool overwrite, const std::string& reason) {
  const auto writer = TraceWriter::create(path, {.overwrite = overwrite});
  REQUIRE_FALSE(writer);
  CHECK(writer.error().code == engine::ErrorCode::bad_input);
  CHECK_THAT(writer.error().message, ContainsSubstring(path.string()));
  CHECK_THAT(writer.error().message, ContainsSubstring(reason));
}

// Records in a process of its own, so that a limit on file sizes (a full disk, as far as a process can tell)
// does not touch the tests. Exit status: 0 the error was told and named the trace, else what went wrong.
int record_onto_full_disk(const std::filesystem::path& path, rlim_t bytes) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto writer = TraceWriter::create(path, {});
    if (!writer) ::_exit(2);
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    SyntheticRun run({.layers = 8, .kv_heads = 4, .spans_per_step = 100});
    run.start(**writer);
    for (int step = 0; step < 500 && !(*writer)->error(); ++step) {
      run.decode(**writer);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    const auto error = (*writer)->error();
    const auto status = (*writer)->finish();
    if (!error || status) ::_exit(3);
    ::_exit(error->message.find(path.string()) == std::string::npos ? 4 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("TraceWriter, a place that cannot hold a trace is refused") {
  const TemporaryFolder folder;
  SECTION("no name") {
    check_refused("", false, "expected a file name");
  }
  SECTION("a missing folder") {
    check_refused(folder / "none" / "t.db", false, "no folder");
  }
  SECTION("a file for a folder") {
    write_bytes(folder / "f", "x");
    check_refused(folder / "f" / "t.db", false, "no folder");
  }
  SECTION("a folder that cannot be written") {
    check_refused("/proc/dmscope-trace.db", false, "folder '/proc' is not writable");
  }
  SECTION("a folder of that name") {
    std::filesystem::create_directory(folder / "t.db");
    check_refused(folder / "t.db", true, "not a trace");
  }
  SECTION("a device") {
    check_refused("/dev/full", true, "not a trace");
  }
  SECTION("a name that is too long") {
    check_refused(folder / std::string(300, 'x'), false, "File name too long");
  }
}

TEST_CASE("TraceWriter, a file that is not a trace is never replaced") {
  const TemporaryFolder folder;
  const auto path = folder / "notes.txt";
  for (const std::string& bytes : {std::string("my notes"), std::string()}) {
    write_bytes(path, bytes);
    check_refused(path, false, "not a trace");
    check_refused(path, true, "not a trace");
    CHECK(read_bytes(path) == bytes);
  }
}

TEST_CASE("TraceWriter, a trace is replaced only when asked") {
  const TemporaryFolder folder;
  const auto path = folder / "t.db";
  record(path, {.prompt_tokens = 20}, 5);
  const std::string before = read_bytes(path);
  check_refused(path, false, "exists already");
  CHECK(read_bytes(path) == before);

  auto writer = TraceWriter::create(path, {.overwrite = true});
  REQUIRE(writer);
  emit_run(**writer, {.prompt_tokens = 30}, 5);
  REQUIRE((*writer)->finish());
  const auto reader = TraceReader::open(path);
  REQUIRE(reader);
  CHECK((*reader)->live_slots(0, 0, 35));
}

TEST_CASE("TraceWriter, leaves one file behind") {
  const TemporaryFolder folder;
  record(folder / "t.db", {}, 50);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) ++files;
  CHECK(files == 1);
}

TEST_CASE("TraceWriter, names with special characters are taken as they are") {
  const TemporaryFolder folder;
  const auto path = folder / "a trace?mode=ro&x=%20#1 \xc3\xa9.db";
  record(path, {}, 5);
  CHECK(TraceReader::open(path));
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("TraceWriter, a full disk stops the recording and leaves what was committed") {
  const TemporaryFolder folder;
  const auto path = folder / "t.db";
  for (const rlim_t bytes : {rlim_t{600'000}, rlim_t{1'000'000}, rlim_t{1'100'000}}) {
    std::filesystem::remove(path);
    std::filesystem::remove(path.string() + "-wal");
    std::filesystem::remove(path.string() + "-shm");
    INFO(bytes << " bytes");
    REQUIRE(record_onto_full_disk(path, bytes) == 0);
    const auto reader = TraceReader::open(path);
    if (!reader) FAIL(reader.error().message);
    Recording recording;
    const auto status = (*reader)->replay(recording);
    if (!status) FAIL(status.error().message);
    CHECK(recording.events.size() > 20);
    CHECK(profiling::stats_json(path));
  }
}

TEST_CASE("TraceWriter, an event of the wrong size is an error and not a hole") {
  const TemporaryFolder folder;
  auto writer = TraceWriter::create(folder / "t.db", {});
  REQUIRE(writer);
  SyntheticRun run({});
  run.start(**writer);
  (*writer)->on_event(engine::OccupancyChanged{0, 3, {1, 2}, {1, 2}});
  const auto status = (*writer)->finish();
  REQUIRE_FALSE(status);
  CHECK_THAT(status.error().message, ContainsSubstring("expected 6"));
  CHECK((*writer)->error());
}

TEST_CASE("TraceWriter, without finish() still ends the file well") {
  const TemporaryFolder folder;
  {
    auto writer = TraceWriter::create(folder / "t.db", {});
    REQUIRE(writer);
    SyntheticRun run({});
    run.start(**writer);
  }
  CHECK(TraceReader::open(folder / "t.db"));
  CHECK_FALSE(std::filesystem::exists(folder / "t.db-wal"));
}
