#include "app/output_file.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>

#include "tests/support/temp_folder.hpp"

namespace {

namespace fs = std::filesystem;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::ptrdiff_t entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

void write_whole(const fs::path& path, const std::string& text) {
  auto file = app::OutputFile::create(path);
  REQUIRE(file);
  REQUIRE(file->write(bytes_of(text)));
  REQUIRE(file->commit());
}

}  // namespace

TEST_CASE("Output file, an abandoned one leaves the old content and nothing else") {
  const support::TempFolder folder;
  support::write_file(folder / "out", "old");
  {
    auto file = app::OutputFile::create(folder / "out");
    REQUIRE(file);
    REQUIRE(file->write(bytes_of("new")));
  }
  CHECK(content_of(folder / "out") == "old");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("Output file, a complete one replaces the old content") {
  const support::TempFolder folder;
  support::write_file(folder / "out", "old");
  write_whole(folder / "out", "new");
  CHECK(content_of(folder / "out") == "new");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("Output file, a symbolic link stays and what it points to is replaced") {
  const support::TempFolder folder;
  support::write_file(folder / "target", "old");
  fs::create_symlink(folder / "target", folder / "link");
  write_whole(folder / "link", "new");
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(content_of(folder / "target") == "new");
}

TEST_CASE("Output file, a device is written and stays a device") {
  write_whole("/dev/null", "anything");
  CHECK(fs::is_character_file("/dev/null"));
}

TEST_CASE("Output file, a full disk fails when the file is completed at the latest") {
  auto file = app::OutputFile::create("/dev/full");
  REQUIRE(file);
  const auto written = file->write(bytes_of("x"));
  const auto committed = written ? file->commit() : written;
  REQUIRE_FALSE(committed);
  CHECK(committed.error().code == engine::ErrorCode::failed);
  CHECK(committed.error().message == "/dev/full: cannot write: No space left on device");
}

TEST_CASE("Output file, a folder and a path in no folder are bad input") {
  const support::TempFolder folder;
  const auto as_folder = app::OutputFile::create(folder.path());
  REQUIRE_FALSE(as_folder);
  CHECK(as_folder.error().code == engine::ErrorCode::bad_input);
  const auto nowhere = app::OutputFile::create(folder / "none/out");
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().code == engine::ErrorCode::bad_input);
  CHECK(nowhere.error().message.find("none/out") != std::string::npos);
}
