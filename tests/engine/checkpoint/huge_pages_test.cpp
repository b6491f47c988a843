#include "engine/checkpoint/huge_pages.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <thread>

#include "tests/support/temp_folder.hpp"

namespace {

using engine::kHugePage;

// Two whole huge pages and a tail.
const std::size_t kBytes = 2 * kHugePage + 12'345;

std::string numbered_bytes() {
  std::string bytes(kBytes, '\0');
  for (std::size_t i = 0; i < kBytes; ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
  return bytes;
}

// The file's mapping, for as long as it lives.
class Mapping {
 public:
  explicit Mapping(const std::filesystem::path& path) {
    descriptor_ = ::open(path.c_str(), O_RDONLY);
    REQUIRE(descriptor_ >= 0);
    data_ = engine::map_aligned(descriptor_, kBytes);
    REQUIRE(data_ != nullptr);
  }
  ~Mapping() {
    ::munmap(data_, kBytes);
    ::close(descriptor_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  void move() { engine::move_to_huge_pages(descriptor_, data_, kBytes); }
  std::byte* data() const { return data_; }
  bool holds(const std::string& bytes, std::size_t count = kBytes) const {
    return std::memcmp(data_, bytes.data(), count) == 0;
  }

 private:
  int descriptor_ = -1;
  std::byte* data_ = nullptr;
};

}  // namespace

TEST_CASE("Huge pages, a file is mapped at a multiple of their size") {
  const support::TempFolder folder;
  const std::string bytes = numbered_bytes();
  support::write_file(folder / "f", bytes);
  const Mapping mapping(folder / "f");
  CHECK(reinterpret_cast<std::uintptr_t>(mapping.data()) % kHugePage == 0);
  CHECK(mapping.holds(bytes));
}

TEST_CASE("Huge pages, moving changes no byte, not even for a thread that reads meanwhile") {
  const support::TempFolder folder;
  const std::string bytes = numbered_bytes();
  support::write_file(folder / "f", bytes);
  Mapping mapping(folder / "f");
  std::atomic<bool> stop{false};
  std::atomic<int> different{0};
  std::atomic<int> read{0};
  {
    const std::jthread reader([&] {
      do {
        if (!mapping.holds(bytes)) ++different;
        ++read;
      } while (!stop);
    });
    while (read == 0) std::this_thread::yield();
    mapping.move();
    stop = true;
  }
  CHECK(different == 0);
  CHECK(mapping.holds(bytes));
}

TEST_CASE("Huge pages, what was moved outlives its file") {
  const support::TempFolder folder;
  const std::string bytes = numbered_bytes();
  support::write_file(folder / "f", bytes);
  Mapping mapping(folder / "f");
  mapping.move();
  std::filesystem::resize_file(folder / "f", 0);
  CHECK(mapping.holds(bytes, 2 * kHugePage));  // its tail is still the file's
}

TEST_CASE("Huge pages, a file that became shorter is left as it is mapped") {
  const support::TempFolder folder;
  const std::string bytes = numbered_bytes();
  support::write_file(folder / "f", bytes);
  Mapping mapping(folder / "f");
  std::filesystem::resize_file(folder / "f", kHugePage);
  mapping.move();
  CHECK(mapping.holds(bytes, kHugePage));
}

TEST_CASE("Huge pages, more than half of the memory is never taken") {
  CHECK_FALSE(engine::affords_huge_pages(std::numeric_limits<std::size_t>::max() / 2));
}

TEST_CASE("Huge pages, what cannot be mapped is null") {
  CHECK(engine::map_aligned(-1, kBytes) == nullptr);
}
