#include "engine/checkpoint/huge_pages.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace engine {

namespace {

// Copied and swapped at once: enough for few system calls, little enough for several threads to share a
// model.
constexpr std::size_t kPiece = 8 * kHugePage;
constexpr int kMaxThreads = 4;  // two or three copy as fast as memory takes it

std::uintptr_t round_up(std::uintptr_t value) {
  return (value + kHugePage - 1) / kHugePage * kHugePage;
}

// An address range of `bytes` at a multiple of kHugePage, with nothing around it.
std::byte* reserve_aligned(std::size_t bytes, int protection) {
  void* room =
      ::mmap(nullptr, bytes + kHugePage, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return nullptr;
  auto* begin = static_cast<std::byte*>(room);
  const std::size_t before =
      round_up(reinterpret_cast<std::uintptr_t>(begin)) - reinterpret_cast<std::uintptr_t>(begin);
  if (before > 0) ::munmap(begin, before);
  ::munmap(begin + before + bytes, kHugePage - before);
  return begin + before;
}

// MemAvailable of /proc/meminfo, in bytes; 0 where there is none.
std::uint64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  std::uint64_t kibibytes = 0;
  while (file >> key >> kibibytes) {
    if (key == "MemAvailable:") return kibibytes << 10;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

// The limit of this process's control group (version 2), or of the one that a container sees as its root.
std::uint64_t group_memory_limit() {
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
  std::ifstream membership("/proc/self/cgroup");
  for (std::string line; std::getline(membership, line);) {
    if (!line.starts_with("0::/")) continue;
    for (const std::string& folder : {line.substr(3), std::string("/")}) {
      std::uint64_t bytes = 0;  // "max" does not parse: no limit
      if (std::ifstream("/sys/fs/cgroup" + folder + "/memory.max") >> bytes) limit = std::min(limit, bytes);
    }
  }
  return limit;
}

bool read_all(int descriptor, std::byte* to, std::size_t bytes, std::size_t offset) {
  while (bytes > 0) {
    const ssize_t got = ::pread(descriptor, to, bytes, static_cast<off_t>(offset));
    if (got <= 0) return false;
    to += got;
    bytes -= static_cast<std::size_t>(got);
    offset += static_cast<std::size_t>(got);
  }
  return true;
}

// Reading, not copying from the mapping: that would first map each of its small pages.
void move_piece(int descriptor, std::byte* mapping, std::size_t offset, std::size_t bytes) {
  std::byte* copy = reserve_aligned(bytes, PROT_READ | PROT_WRITE);
  if (copy == nullptr) return;
  ::madvise(copy, bytes, MADV_HUGEPAGE);
  const bool moved =
      read_all(descriptor, copy, bytes, offset) && ::mprotect(copy, bytes, PROT_READ) == 0 &&
      ::mremap(copy, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, mapping + offset) != MAP_FAILED;
  if (!moved) ::munmap(copy, bytes);
}

}  // namespace

std::byte* map_aligned(int descriptor, std::size_t bytes) {
  const std::size_t room = round_up(bytes);
  std::byte* place = reserve_aligned(room, PROT_NONE);
  if (place == nullptr) return nullptr;
  const std::size_t page = 4096;
  const std::size_t mapped = (bytes + page - 1) / page * page;
  if (::mmap(place, bytes, PROT_READ, MAP_PRIVATE | MAP_FIXED, descriptor, 0) == MAP_FAILED) {
    ::munmap(place, room);
    return nullptr;
  }
  if (mapped < room) ::munmap(place + mapped, room - mapped);
  return place;
}

bool affords_huge_pages(std::size_t bytes) {
  std::string modes;
  std::getline(std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled"), modes);
  const bool given =
      modes.find("[always]") != std::string::npos || modes.find("[madvise]") != std::string::npos;
  return given && bytes <= std::min(available_memory(), group_memory_limit()) / 2;
}

void move_to_huge_pages(int descriptor, std::byte* mapping, std::size_t bytes) {
  const std::size_t whole = bytes / kHugePage * kHugePage;
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t at; (at = next.fetch_add(kPiece)) < whole;) {
      move_piece(descriptor, mapping, at, std::min(kPiece, whole - at));
    }
  };
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  std::vector<std::jthread> helpers;
  for (int i = 1; i < std::min(cores, kMaxThreads); ++i) helpers.emplace_back(work);
  work();
}

}  // namespace engine
