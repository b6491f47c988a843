// The kernel table as text for other programs.
#pragma once

#include <string>

#include "app/view/kernel_table.hpp"

namespace app::view {

// RFC 4180 with a header; times in nanoseconds, one column per layer at the end. Device -1 is the CPU; bytes,
// GB/s and the share of the copy ceiling are empty where they are not known.
std::string kernel_table_csv(const KernelTable& table);

}  // namespace app::view
