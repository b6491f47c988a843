// Read-only files in huge pages.
//
// A core reads the same bytes about a tenth faster from pages of 2 MiB than from pages of 4 KiB, and most
// file systems cannot map a file in huge pages. So what is read over and over is copied once, behind its own
// addresses.
#pragma once

#include <cstddef>

namespace engine {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Maps a file read-only at a multiple of kHugePage; null, with errno set, where that fails. Undo with
// munmap().
std::byte* map_aligned(int descriptor, std::size_t bytes);

// Whether `bytes` of copies would leave at least as much memory free as they take, in this machine and in the
// control group, and whether this system gives huge pages to those who ask.
bool affords_huge_pages(std::size_t bytes);

// Puts copies in huge pages in the place of every whole huge page of [mapping, mapping + bytes), where
// `descriptor` is mapped from its beginning and `mapping` is a multiple of kHugePage. Other threads may read
// meanwhile: each page is swapped at once. What cannot be copied stays as it was.
void move_to_huge_pages(int descriptor, std::byte* mapping, std::size_t bytes);

}  // namespace engine
